"""camt.053 and pain.001: valid against the official schemas, and they sum."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from lxml import etree

from clearinghouse.domain.operator_profile import OperatorProfile
from settlement.statements import pain001
from settlement.statements.iso20022 import decimal, message_id
from settlement.statements.pain001 import Payee, PaymentOrder
from settlement.statements.statement import Statement
from tests.settlement.statement_samples import (
    BAM,
    empty,
    full,
    operator,
    rendered,
    with_counterparties,
)

#: Texts that a name may be in our books and that XML can't hold, would read as markup, or cut.
NASTY = ("a<b>&c</b>", "bell\x07", "\ud800", "中文" * 100, "]]>", " outer ", "😀")

PAYEES = (
    Payee(
        "BAM",
        "示例竹韵酒店",
        "91330000SAMPLE0001",
        "6222000000000001",
        28_211,
        "CH-202611-BAM-1",
    ),
    Payee("CLD", "示例云栖酒店", None, "6222000000000002", 5, "CH-202611-CLD-1"),
)
ORDER = PaymentOrder(
    message_id="PAY-202611-1",
    period="2026-11",
    created_at=BAM.generated_at,
    timezone="Asia/Shanghai",
    pay_on=BAM.due_date,
    currency="CNY",
    operator=OperatorProfile(),
    payees=PAYEES,
)


@cache
def schema(folder: Path, name: str) -> etree.XMLSchema:
    return etree.XMLSchema(etree.parse(folder / "xsd" / f"{name}.xsd"))


def must_be_valid(folder: Path, name: str, content: bytes) -> Any:
    """Prove a message against its schema; return its root, its names without the namespace."""
    root = etree.fromstring(content)
    assert schema(folder, name).validate(root), schema(folder, name).error_log
    for element in root.iter():
        element.tag = etree.QName(element).localname
    return root


def camt(folder: Path, statement: Statement) -> Any:
    return must_be_valid(folder, "camt.053.001.08", rendered(statement, "camt053"))


def fen(element: Any) -> int:
    """The amount of a balance, entry or total, signed."""
    whole, _, rest = element.findtext("Amt").partition(".")
    amount = int(whole) * 100 + int(rest)
    return -amount if element.findtext("CdtDbtInd") == "DBIT" else amount


def pain(folder: Path, order: PaymentOrder) -> Any:
    out = BytesIO()
    pain001.render(order, out)
    return must_be_valid(folder, "pain.001.001.09", out.getvalue())


@pytest.mark.parametrize(
    "make", [lambda: BAM, full, empty, operator, lambda: with_counterparties(60)]
)
def test_the_statement_is_valid_and_its_entries_lead_from_balance_to_balance(
    make: Any, shared_folder: Path
) -> None:
    statement = make()
    document = camt(shared_folder, statement)
    opening, closing = map(fen, document.iter("Bal"))
    entries = [fen(entry) for entry in document.iter("Ntry")]
    assert opening == statement.summary.opening_minor
    assert closing == statement.summary.closing_minor == opening + sum(entries)
    totals = document.find(".//TxsSummry/TtlNtries")
    assert totals.findtext("NbOfNtries") == str(len(entries))
    assert totals.findtext("Sum") == decimal(sum(map(abs, entries)))
    assert fen(totals.find("TtlNetNtry")) == sum(entries)
    for side, sign in (("TtlCdtNtries", 1), ("TtlDbtNtries", -1)):
        amounts = [sign * entry for entry in entries if sign * entry > 0]
        found = document.find(f".//TxsSummry/{side}")
        assert found.findtext("NbOfNtries") == str(len(amounts))
        assert found.findtext("Sum") == decimal(sum(amounts))


def test_entries_tell_what_they_stand_for(shared_folder: Path) -> None:
    entries = {
        entry.findtext("BkTxCd/Prtry/Cd"): entry
        for entry in camt(shared_folder, full()).iter("Ntry")
    }
    assert {code: fen(entry) for code, entry in entries.items()} == {
        "RECEIVABLE-STORED_VALUE": 30_050,
        "PAYABLE-REDEEM": -800,
        "FEE-SPEND": -889,
        "FEE-STORED_VALUE": -150,
        "FEE-CORRECTION": 1_200,
        "ADJUSTMENT-DISPUTE_UPHELD": -123_456,
        "ADJUSTMENT-CORRECTION": 5_000,
        "MOVEMENT-PAYMENT_IN": 9_876_543_210,
        "MOVEMENT-COLLATERAL": 100_000,
        "MOVEMENT-HAIRCUT": -50_000,
    }
    received = entries["RECEIVABLE-STORED_VALUE"]
    assert received.findtext("NtryDtls/TxDtls/RltdPties/Dbtr/Pty/Nm") == "示例曙光酒店"
    assert entries["PAYABLE-REDEEM"].findtext(".//Cdtr/Pty/Id/OrgId/Othr/Id") == "CLD"
    assert entries["FEE-CORRECTION"].findtext("RvslInd") == "true"
    paid = entries["MOVEMENT-PAYMENT_IN"]
    assert paid.findtext("NtryDtls/TxDtls/Refs/EndToEndId") == "CH-202610-BAM-1"
    assert paid.findtext("BookgDt/Dt") == "2026-11-09"


def test_an_entry_says_of_how_many_lines_it_is(shared_folder: Path) -> None:
    document = camt(shared_folder, with_counterparties(3))
    counts = [found.text for found in document.iterfind(".//Ntry/NtryDtls/Btch/NbOfTxs")]
    assert counts == ["2", "2", "4", "3", "6"]


def test_vat_in_the_fees_is_told_once_and_vat_on_top_is_an_entry(shared_folder: Path) -> None:
    (vat,) = camt(shared_folder, BAM).iterfind(".//Ntry/AmtDtls/PrtryAmt")
    assert (vat.findtext("Tp"), vat.findtext("Amt")) == ("VAT_INCLUDED", "0.59")
    summary = replace(
        BAM.summary, vat_on_top=True, vat_minor=62, net_minor=28_149, closing_minor=28_149
    )
    document = camt(shared_folder, replace(BAM, summary=summary))
    assert document.find(".//PrtryAmt") is None
    (entry,) = (e for e in document.iter("Ntry") if e.findtext("BkTxCd/Prtry/Cd") == "VAT")
    assert fen(entry) == -62


def test_more_refunded_than_used_is_a_reversal(shared_folder: Path) -> None:
    exchanges = (replace(BAM.exchanges[0], amount_minor=-30_050), BAM.exchanges[1])
    summary = replace(BAM.summary, closing_minor=BAM.summary.closing_minor - 60_100)
    document = camt(shared_folder, replace(BAM, exchanges=exchanges, summary=summary))
    entry = next(document.iter("Ntry"))
    assert (fen(entry), entry.findtext("RvslInd")) == (-30_050, "true")


def test_the_account_and_its_owner(shared_folder: Path) -> None:
    account = camt(shared_folder, BAM).find(".//Stmt/Acct")
    assert account.findtext("Id/Othr/Id") == "CLR-BAM"
    assert account.findtext("Ccy") == "CNY"
    ids = [
        (found.findtext("Id"), found.findtext("SchmeNm/Cd"))
        for found in account.iterfind("Ownr/Id/OrgId/Othr")
    ]
    assert ids == [("91330000SAMPLE0001", "COID"), ("BAM", None)]
    assert account.findtext("Svcr/FinInstnId/Othr/Id") == "NOTPROVIDED"


def test_entries_that_do_not_add_up_are_no_statement() -> None:
    summary = replace(BAM.summary, closing_minor=BAM.summary.closing_minor + 1)
    with pytest.raises(ValueError, match="do not add up to its balances"):
        rendered(replace(BAM, summary=summary), "camt053")


@pytest.mark.parametrize("name", NASTY)
def test_any_name_and_code_makes_a_valid_message(name: str, shared_folder: Path) -> None:
    party = replace(BAM.party, name_zh=name, code="酒店系统" * 16, uscc=name[:3])
    counterparties = tuple(replace(row, name_zh=name) for row in BAM.counterparties)
    number = f"ST-202611-{party.code}-1"
    camt(
        shared_folder,
        replace(BAM, party=party, counterparties=counterparties, statement_no=number),
    )
    payee = replace(PAYEES[0], name=name, code=party.code)
    pain(shared_folder, replace(ORDER, payees=[payee]))


def test_message_ids_are_short_plain_and_each_ones_own() -> None:
    assert message_id("ST-202611-BAM-1") == "ST-202611-BAM-1"
    long = [message_id(f"ST-202611-{code}-1") for code in ("酒店甲", "酒店乙", "A" * 60, "A" * 61)]
    assert len({*long}) == 4
    assert all(len(text) <= 35 and text.isascii() for text in long)


def test_the_payment_file_is_valid_and_its_totals_are_its_payments(shared_folder: Path) -> None:
    document = pain(shared_folder, ORDER)
    for totals in (document.find(".//GrpHdr"), document.find(".//PmtInf")):
        assert (totals.findtext("NbOfTxs"), totals.findtext("CtrlSum")) == ("2", "282.16")
    assert [
        (
            paid.findtext("Cdtr/Nm"),
            paid.findtext("CdtrAcct/Id/Othr/Id"),
            paid.findtext("Amt/InstdAmt"),
            paid.findtext("PmtId/EndToEndId"),
        )
        for paid in document.iter("CdtTrfTxInf")
    ] == [
        ("示例竹韵酒店", "6222000000000001", "282.11", "CH-202611-BAM-1"),
        ("示例云栖酒店", "6222000000000002", "0.05", "CH-202611-CLD-1"),
    ]
    assert document.findtext(".//ReqdExctnDt/Dt") == "2026-12-14"


@pytest.mark.parametrize(
    ("code", "path", "found"),
    [
        (None, "Othr/Id", "NOTPROVIDED"),
        ("102290000013", "ClrSysMmbId/MmbId", "102290000013"),
        ("102290000013", "ClrSysMmbId/ClrSysId/Cd", "CNAPS"),
        ("BKCHCNBJ300", "BICFI", "BKCHCNBJ300"),
    ],
)
def test_the_operators_bank_is_named_as_it_is_known(
    code: str | None, path: str, found: str, shared_folder: Path
) -> None:
    ours = OperatorProfile(bank_account="6222 0000 0000 9999", bank_name="示例银行", bank_code=code)
    document = pain(shared_folder, replace(ORDER, operator=ours))
    assert document.findtext(f".//DbtrAgt/FinInstnId/{path}") == found
    assert document.findtext(".//DbtrAcct/Id/Othr/Id") == "6222000000009999"


def test_an_operator_without_an_account_is_told_to_be_one(shared_folder: Path) -> None:
    assert pain(shared_folder, ORDER).findtext(".//DbtrAcct/Id/Othr/Id") == "NOTPROVIDED"


def test_a_payment_file_pays_somebody() -> None:
    with pytest.raises(ValueError, match="pays somebody"):
        pain001.render(replace(ORDER, payees=()), BytesIO())
