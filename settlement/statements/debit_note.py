"""The debit note: a net debtor is asked to pay, on one page that its accounts department can work by.

It is a document of its own and no page of the statement (decision 0025): who pays often does not see the statement.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, BinaryIO

from clearinghouse.domain.operator_profile import OperatorProfile
from settlement.statements import labels
from settlement.statements.amounts import capitals, local, shown
from settlement.statements.labels import Label
from settlement.statements.pdf_data import facts_data, key_data, party_data, unit
from settlement.statements.pdf_sections import table
from settlement.statements.presentation import Fact, identity
from settlement.statements.sections import SigningKey
from settlement.statements.statement import Party
from settlement.statements.typesetting import typeset


@dataclass(frozen=True, slots=True)
class DebitNote:
    """What a system has to pay for a period; amounts in fen, ``amount_minor`` above 0.

    ``net_minor`` and ``carried_minor`` add up to minus the amount: the period's net, and what stood on the system's
    account already (credit above 0).
    """

    number: str
    statement_no: str
    period: str
    timezone: str
    currency: str
    issued_at: datetime
    due_date: date
    party: Party
    operator: OperatorProfile
    reference: str
    amount_minor: int
    net_minor: int
    carried_minor: int
    signing_key: SigningKey | None = None


_WORDS = {
    "amount_due": labels.AMOUNT_DUE,
    "due_date": labels.DUE_DATE,
    "for_clearing_house": labels.FOR_CLEARING_HOUSE,
    "how_it_comes": labels.HOW_IT_COMES,
    "how_to_pay": labels.HOW_TO_PAY,
    "key_id": labels.KEY_ID,
    "notes": labels.NOTES,
    "prepared_for": labels.PREPARED_FOR,
    "signed_date": labels.SIGNED_DATE,
    "signed_name": labels.SIGNED_NAME,
    "signing_key": labels.SIGNING_KEY,
    "title": labels.DEBIT_NOTE,
    "total": labels.AMOUNT_DUE,
}


def render(note: DebitNote, out: BinaryIO) -> None:
    """Write the note as PDF/A-2a, or as plain PDF for a name that our fonts can't write.

    Raises:
        ValueError: its parts are not its amount.
    """
    if note.net_minor + note.carried_minor != -note.amount_minor:
        raise ValueError(f"the parts of {note.number} do not add up to its amount")
    out.write(typeset("debit_note", _data(note), note.issued_at))


def _data(note: DebitNote) -> dict[str, Any]:
    written = f"人民币{capitals(note.amount_minor)}" if note.currency == "CNY" else ""
    return {
        "words": _WORDS,
        "title": f"{note.number} · {labels.DEBIT_NOTE}",
        "number": note.number,
        "running": note.number,
        "operator": {"names": [note.operator.name_zh, note.operator.name_en]},
        "party": party_data(note.party, identity(note.party)),
        "facts": facts_data(
            (
                Fact(labels.DEBIT_NOTE_NO, note.number),
                Fact(labels.STATEMENT_NO, note.statement_no),
                Fact(labels.PERIOD, note.period),
                Fact(labels.ISSUED_ON, local(note.issued_at, note.timezone).date().isoformat()),
                Fact(labels.CURRENCY, str(labels.CURRENCIES.get(note.currency, note.currency))),
            )
        ),
        "unit": unit(note.currency),
        "currency": note.currency,
        "amount": shown(note.amount_minor),
        "capitals": written,
        "due_date": note.due_date.isoformat(),
        "parts": _parts(note),
        "payment": facts_data(_payment(note)),
        "notes": _notes(note),
        "key": key_data(note.signing_key),
    }


def _parts(note: DebitNote) -> dict[str, Any]:
    rows = [[str(labels.NET_PAYABLE), shown(-note.net_minor)]]
    if note.carried_minor:
        label = labels.CARRIED if note.carried_minor > 0 else labels.CARRIED_DEBIT
        rows.append([str(label), shown(-note.carried_minor)])
    return table((labels.ITEM, labels.AMOUNT), rows, [shown(note.amount_minor)])


def _payment(note: DebitNote) -> tuple[Fact, ...]:
    operator = note.operator
    facts = (
        Fact(labels.BENEFICIARY, operator.name_zh),
        Fact(labels.BENEFICIARY_ACCOUNT, operator.bank_account or str(labels.ACCOUNT_UNKNOWN)),
        Fact(labels.BENEFICIARY_BANK, operator.bank_name or ""),
        Fact(labels.BENEFICIARY_BANK_CODE, operator.bank_code or ""),
        Fact(labels.PAYMENT_REFERENCE, note.reference),
        Fact(labels.DUE_DATE, note.due_date.isoformat()),
    )
    return tuple(fact for fact in facts if fact.text)


def _notes(note: DebitNote) -> tuple[Label, ...]:
    return (
        Label(
            f"请于 {note.due_date.isoformat()} 前足额付至上述账户，并在附言中注明参考号，以便自动核销。",
            f"Please pay the whole amount to this account by {note.due_date.isoformat()} and state the "
            "reference, by which it is matched.",
        ),
        Label(
            f"明细见对账单 {note.statement_no}。争议不影响本通知的付款义务，争议成立的金额在以后账期调整。",
            f"The details are in statement {note.statement_no}. A dispute does not suspend this payment: "
            "what is upheld is adjusted in a later period.",
        ),
        Label(
            "本通知不是税务发票；手续费的增值税发票另行开具。",
            "This is no tax invoice; the VAT invoice for the fees is issued separately.",
        ),
    )
