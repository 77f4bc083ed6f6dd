"""Disputes and corrections in the books of ``tests.alliances.live_a_while``, after its story."""

from clearinghouse.operations.changing import Authority
from clearinghouse.operations.confirming import (
    Correction,
    confirm,
    propose_correction,
    propose_decision,
)
from clearinghouse.operations.disputing import Claim, Line, answer_dispute, open_dispute
from clearinghouse.operations.evidence import NewFile, add_evidence
from tests.alliances import MiniAlliance
from tests.operations.parties import party

MAKER, CHECKER = Authority("示例甲", "凭证不符"), Authority("示例乙", "同意")


def quarrel_a_while(alliance: MiniAlliance) -> None:
    """AUR disputes points used at CLD, which contests it in vain; CLD is given back a fee, and a slip corrected."""
    context = alliance.context
    used = alliance.value("SELECT txn_id FROM transactions WHERE txn_ref = '3'")
    aur, cld = party(alliance, "AUR"), party(alliance, "CLD")
    claim = Claim("amount_wrong", "金额不符", 100)
    found, _ = open_dispute(context, aur, Line(used, issuer_hotel="AUR-SH"), claim)
    add_evidence(context, cld, found.dispute_id, NewFile("小票.txt", "text/plain", b"300\n"))
    answer_dispute(context, cld, found.dispute_id, "contest", "没错")
    confirm(context, propose_decision(context, found.dispute_id, 50, MAKER).number, CHECKER)
    slips = (
        Correction(None, "CLD", 7, reference="ST-202610-CLD-1"),
        Correction("AUR", "CLD", 9, leg=(used, 1)),
    )
    for slip in slips:
        confirm(context, propose_correction(context, slip, MAKER).number, CHECKER)
