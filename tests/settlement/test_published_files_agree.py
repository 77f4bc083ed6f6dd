"""Every published file is added up again from itself, and all formats and parties agree (domain.md §5.8).

Nothing of the service reads here: csv, json, openpyxl, lxml and pdftotext do.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterator
from decimal import Decimal
from hashlib import sha256
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from lxml import etree

from clearinghouse.operations.context import Context
from clearinghouse.store.database import Database
from clearinghouse.store.vault import Vault
from tests.conftest import Server
from tests.settlement.published_months import (
    MONTHS,
    OURS,
    PARTIES,
    SYSTEMS,
    added,
    camt,
    fen,
    lines,
    printed,
    publish,
    statement,
    table,
    yuan,
)


@pytest.fixture(scope="module")
def folder(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The folder with the files of the three months."""
    name = server.new_database()
    folder = tmp_path_factory.mktemp("published")
    database = Database(server.url(name))
    publish(Context(database, Vault(bytes(32)), operator=OURS), folder)
    yield folder
    database.close()
    server.drop(name)


def every(test: Any) -> Any:
    """Ask for each party in each month."""
    return pytest.mark.parametrize("party", PARTIES)(pytest.mark.parametrize("month", MONTHS)(test))


# Each statement by itself


@every
def test_the_lines_add_up_to_the_summary(folder: Path, month: str, party: str) -> None:
    found, rows = statement(folder, month, party), lines(folder, month, party)
    summary = found["summary"]
    vat = summary["vat_minor"] if summary["vat_on_top"] else 0
    assert len(rows) == found["line_count"]
    assert added(rows, "gross_credit_minor") == summary["receivable_minor"]
    assert added(rows, "gross_debit_minor") == summary["payable_minor"]
    assert added(rows, "fee_minor") == summary["fees_minor"]
    assert added(rows, "net_minor") - vat == summary["net_minor"]
    adjusted = [row for row in rows if row["kind"] == "adjustment"]
    between = [row for row in adjusted if not row["fee_minor"]]
    assert added(between, "net_minor") == summary["adjustments_minor"]
    assert [int(row["net_minor"]) for row in adjusted] == [
        row["amount_minor"] for row in found["adjustments"]
    ]
    moved = sum(row["amount_minor"] for row in found["movements"])
    assert moved == -summary["payments_minor"]
    assert summary["opening_minor"] + summary["net_minor"] + moved == summary["closing_minor"]


@every
def test_what_does_not_apply_is_null_and_no_empty_text(
    folder: Path, month: str, party: str
) -> None:
    found = statement(folder, month, party)["lines"]
    assert found
    assert all("" not in line.values() for line in found)
    cards = {line["card_masked"] for line in found}
    assert (cards == {None}) is (party == "OPERATOR")


@every
def test_how_the_net_is_settled_adds_up(folder: Path, month: str, party: str) -> None:
    found = statement(folder, month, party)
    payment = found["payment"]
    if payment is None:
        assert party == "OPERATOR" or found["summary"]["net_minor"] == 0
        return
    standing = payment["net_minor"] + payment["carried_minor"]
    assert payment["net_minor"] == found["summary"]["net_minor"]
    assert standing - payment["set_off_minor"] == payment["amount_minor"]
    debts = payment["older_debts"]
    assert sum(row["set_off_minor"] for row in debts) == payment["set_off_minor"]
    for row in debts:
        assert row["unpaid_minor"] - row["set_off_minor"] == row["left_minor"] >= 0


@every
def test_the_tables_of_a_statement_add_up(folder: Path, month: str, party: str) -> None:
    found, rows = statement(folder, month, party), lines(folder, month, party)
    sides = (("receivable", "gross_credit_minor"), ("payable", "gross_debit_minor"))
    for side, column in sides:
        of_parties: Counter[str] = Counter()
        for part in found["exchanges"]:
            if part["direction"] == side:
                of_parties[part["code"]] += part["amount_minor"]
        named = {row["code"]: row[f"{side}_minor"] for row in found["counterparties"]}
        assert {code: amount for code, amount in named.items() if amount} == {
            code: amount for code, amount in of_parties.items() if amount
        }
        assert sum(named.values()) == added(rows, column) == found["summary"][f"{side}_minor"]
    for row in found["issued"]:
        redeemed = row["redeemed_own"] + row["redeemed_cross"]
        rolled = row["opening"] + row["issued"] - redeemed - row["expired"] + row["reversed"]
        assert rolled == row["closing"]
        assert abs(row["fair_value_minor"] - row["closing"]) <= 1  # 100 points are a yuan


@pytest.mark.parametrize("party", SYSTEMS)
@pytest.mark.parametrize("month", MONTHS)
def test_what_was_exchanged_with_whom_is_what_the_lines_say(
    folder: Path, month: str, party: str
) -> None:
    from_lines: defaultdict[tuple[str, str], int] = defaultdict(int)
    for row in lines(folder, month, party):
        for side, column in (
            ("receivable", "gross_credit_minor"),
            ("payable", "gross_debit_minor"),
        ):
            if row[column]:
                from_lines[row["counterparty_system"], side] += int(row[column])
    stated: defaultdict[tuple[str, str], int] = defaultdict(int)
    for part in statement(folder, month, party)["exchanges"]:
        stated[part["code"], part["direction"]] += part["amount_minor"]
    assert {key: amount for key, amount in stated.items() if amount} == {
        key: amount for key, amount in from_lines.items() if amount
    }


# Each format against the others


@every
def test_json_has_the_lines_of_the_csv(folder: Path, month: str, party: str) -> None:
    def written(value: object) -> str:
        return (
            str(value).lower() if isinstance(value, bool) else "" if value is None else str(value)
        )

    found = [
        {key: written(value) for key, value in line.items()}
        for line in statement(folder, month, party)["lines"]
    ]
    assert found == lines(folder, month, party)


@every
def test_camt_has_the_balances_and_totals_of_the_others(
    folder: Path, month: str, party: str, shared_folder: Path
) -> None:
    schema = etree.XMLSchema(etree.parse(shared_folder / "xsd" / "camt.053.001.08.xsd"))
    path = folder / month / "statements" / f"{party}.camt053.xml"
    assert schema.validate(etree.parse(path)), schema.error_log
    document = camt(folder, month, party)
    summary = statement(folder, month, party)["summary"]
    opening, closing = map(fen, document.iter("Bal"))
    sums: Counter[str] = Counter()
    for entry in document.iter("Ntry"):
        sums[entry.findtext("BkTxCd/Prtry/Cd").partition("-")[0]] += fen(entry)
    assert opening == summary["opening_minor"]
    assert closing == summary["closing_minor"] == opening + sum(sums.values())
    assert sums["RECEIVABLE"] == summary["receivable_minor"]
    assert sums["PAYABLE"] == -summary["payable_minor"]
    assert sums["FEE"] == -summary["fees_minor"]
    assert sums["VAT"] == (-summary["vat_minor"] if summary["vat_on_top"] else 0)
    assert sums["ADJUSTMENT"] == summary["adjustments_minor"]
    assert sums["MOVEMENT"] == -summary["payments_minor"]


@every
def test_the_workbook_has_the_totals_and_lines_of_the_others(
    folder: Path, month: str, party: str
) -> None:
    path = folder / month / "statements" / f"{party}.xlsx"
    book = openpyxl.load_workbook(path, data_only=True)
    summary = statement(folder, month, party)["summary"]
    cells = {row[0]: row for row in book["汇总 Summary"].iter_rows(values_only=True) if row[0]}
    assert round(cells["期初余额"][3] * 100) == summary["opening_minor"]
    assert round(cells["本期净额"][3] * 100) == summary["net_minor"]
    assert round(cells["期末余额"][3] * 100) == summary["closing_minor"]
    checks = {name: row[2] for name, row in cells.items() if " − " in name}
    assert len(checks) >= 3
    assert set(checks.values()) == {0}, checks
    names, *rows = book["明细 Lines"].iter_rows(min_row=2, values_only=True)
    found = [dict(zip(names, row, strict=True)) for row in rows if row[0]]
    for one, other in zip(found, lines(folder, month, party), strict=True):
        for column in ("txn_ref", "net_minor", "fee_minor", "gross_credit_minor"):
            assert str(one[column] if one[column] is not None else "") == other[column]


@every
def test_the_pdf_prints_the_totals_of_the_others(folder: Path, month: str, party: str) -> None:
    text = printed(folder / month / "statements" / f"{party}.pdf")
    summary = statement(folder, month, party)["summary"]
    for name, sign in (
        ("opening", 1),
        ("receivable", 1),
        ("payable", -1),
        ("fees", -1),
        ("adjustments", 1),
        ("net", 1),
        ("payments", -1),
        ("closing", 1),
    ):
        assert yuan(sign * summary[f"{name}_minor"]) in text, name
    key = statement(folder, month, party)["signing_key"]
    assert key["fingerprint"] in text


# All statements against the clearing house's


@pytest.mark.parametrize("month", MONTHS)
def test_all_statements_together_are_the_clearing_houses(folder: Path, month: str) -> None:
    own = statement(folder, month, "OPERATOR")
    members = [statement(folder, month, party) for party in SYSTEMS]

    def total(name: str) -> int:
        return sum(int(member["summary"][f"{name}_minor"]) for member in members)

    summary = own["summary"]
    assert summary["receivable_minor"] == total("payable")
    assert summary["payable_minor"] == total("receivable")
    for name in ("opening", "fees", "vat", "adjustments", "net", "payments", "closing"):
        assert summary[f"{name}_minor"] == -total(name), name
    on_top = total("vat") if summary["vat_on_top"] else 0
    assert total("net") + total("fees") + on_top - total("adjustments") == 0


@pytest.mark.parametrize("month", MONTHS)
def test_the_control_lists_every_statement_and_proves_nothing_is_left(
    folder: Path, month: str
) -> None:
    control = statement(folder, month, "OPERATOR")["control"]
    assert [row["code"] for row in control["members"]] == list(SYSTEMS)
    for row in control["members"]:
        summary = statement(folder, month, row["code"])["summary"]
        for name in ("opening", "receivable", "fees", "vat", "net", "payments", "closing"):
            assert row[f"{name}_minor"] == summary[f"{name}_minor"]
    for proof in control["proofs"]:
        assert sum(amount for _, amount in proof["terms"]) == 0, proof
    text = printed(folder / month / "statements" / "OPERATOR.pdf")
    for row in control["members"]:
        assert yuan(row["transfer_minor"]) in text
    ways = {row["way"]: row for row in control["settling"]}
    assert sum(row["count"] for row in ways.values()) == len(SYSTEMS)


@pytest.mark.parametrize("month", MONTHS)
def test_positions_and_obligations_are_those_of_the_statements(folder: Path, month: str) -> None:
    for row in table(folder, month, "positions.csv"):
        summary = statement(folder, month, row["system_code"])["summary"]
        for name in ("receivable", "payable", "fees", "vat", "adjustments", "net"):
            assert int(row[f"{name}_minor"]) == summary[f"{name}_minor"]
    own = statement(folder, month, "OPERATOR")
    owed = added(table(folder, month, "obligations.csv"), "amount_minor")
    assert owed == own["summary"]["receivable_minor"] == own["summary"]["payable_minor"]


@pytest.mark.parametrize("month", MONTHS)
def test_points_on_statements_are_those_of_the_liability(folder: Path, month: str) -> None:
    hotels = {row["hotel_code"]: row for row in table(folder, month, "points_liability.csv")}
    stated = [row for party in SYSTEMS for row in statement(folder, month, party)["issued"]]
    assert {row["issuer"] for row in stated} == hotels.keys()
    for row in stated:
        hotel = hotels[row["issuer"]]
        assert row["redeemed_own"] + row["redeemed_cross"] == int(hotel["redeemed"])
        assert row["redeemed_cross"] <= int(hotel["redeemed"])
        for name in ("opening", "issued", "expired", "reversed", "closing", "debts"):
            assert row[name] == int(hotel[name])
    own = statement(folder, month, "OPERATOR")["issued"]
    for name in ("closing", "fair_value_minor", "redeemed_cross"):
        assert sum(row[name] for row in own) == sum(row[name] for row in stated)


def test_points_used_at_other_systems_are_told_apart(folder: Path) -> None:
    rows = [row for party in SYSTEMS for row in statement(folder, "2026-10", party)["issued"]]
    used = {row["issuer"]: (row["redeemed_own"], row["redeemed_cross"]) for row in rows}
    # 2,000 points of T1 at CLD: 1,200 of AUR-SH and 800 of BAM-HZ; 400 of BAM-HZ at home; T2 uses 300 at AUR-BJ,
    # its own system's, and 400 of CLD-GZ there.
    assert used == {
        "AUR-BJ": (300, 0),
        "AUR-SH": (0, 1_200),
        "BAM-HZ": (400, 800),
        "CLD-GZ": (0, 400),
    }


# Payments


@pytest.mark.parametrize("month", MONTHS)
def test_whoever_is_to_be_paid_is_in_the_payment_file_or_named(
    folder: Path, month: str, shared_folder: Path
) -> None:
    manifest = json.loads((folder / month / "manifest.json").read_text(encoding="utf-8"))
    payments = manifest["payments"]
    paid: dict[str, int] = {}
    path = folder / month / "payments.pain001.xml"
    if path.is_file():
        schema = etree.XMLSchema(etree.parse(shared_folder / "xsd" / "pain.001.001.09.xsd"))
        document = etree.parse(path)
        assert schema.validate(document), schema.error_log
        for element in document.iter("{*}CdtTrfTxInf"):
            code = element.find(".//{*}Cdtr//{*}Othr[last()]/{*}Id").text
            paid[code] = int(Decimal(element.find(".//{*}InstdAmt").text) * 100)
        assert document.find(".//{*}DbtrAcct//{*}Othr/{*}Id").text == OURS.bank_account
    named = {row["system"]: row["amount_minor"] for row in payments["not_payable"]}
    assert payments["ordered"] == {"count": len(paid), "amount_minor": sum(paid.values())}
    control = statement(folder, month, "OPERATOR")["control"]
    due = {row["code"]: row["transfer_minor"] for row in control["members"]}
    assert {**paid, **named} == {code: amount for code, amount in due.items() if amount > 0}
    assert not paid.keys() & named.keys()
    assert named.keys() <= {"CLD"}


def test_a_creditor_without_an_account_is_told(folder: Path) -> None:
    manifest = json.loads((folder / "2026-10" / "manifest.json").read_text(encoding="utf-8"))
    (row,) = manifest["payments"]["not_payable"]
    net = statement(folder, "2026-10", "CLD")["summary"]["net_minor"]
    assert (row["system"], row["amount_minor"], row["reason"]) == ("CLD", net, "no_bank_account")
    assert "缺银行账户" in printed(folder / "2026-10" / "statements" / "OPERATOR.pdf")


@pytest.mark.parametrize("month", MONTHS)
def test_whoever_has_to_pay_has_a_debit_note_and_nobody_else(folder: Path, month: str) -> None:
    control = statement(folder, month, "OPERATOR")["control"]
    debtors = {row["code"]: row for row in control["members"] if row["transfer_minor"] < 0}
    notes = {path.stem: path for path in (folder / month / "debit_notes").glob("*.pdf")}
    assert notes.keys() == debtors.keys()
    for code, path in notes.items():
        text = printed(path)
        assert f"CNY {yuan(-debtors[code]['transfer_minor'])}" in text
        assert f"CH-{month.replace('-', '')}-{code}-1" in text
        assert OURS.bank_account in text
        assert statement(folder, month, code)["due_date"] in text


def test_a_payment_and_the_adjustments_stand_on_every_format(folder: Path) -> None:
    due = -statement(folder, "2026-10", "AUR")["summary"]["net_minor"]
    found = statement(folder, "2026-11", "AUR")
    assert [(row["kind"], row["amount_minor"]) for row in found["movements"]] == [
        ("payment_in", due)
    ]
    assert [(row["counterparty"], row["amount_minor"]) for row in found["adjustments"]] == [
        ("CLD", 1_234)
    ]
    text = printed(folder / "2026-11" / "statements" / "AUR.pdf")
    assert "CH-202610-AUR-1" in text
    assert "示例更正 sample correction" in text
    book = openpyxl.load_workbook(folder / "2026-11" / "statements" / "AUR.xlsx", data_only=True)
    assert book["收付 Movements"]["E3"].value * 100 == pytest.approx(due)
    assert book["调整 Adjustments"]["G3"].value == 12.34
    references = [e.text for e in camt(folder, "2026-11", "AUR").iter("EndToEndId")]
    assert references == ["SAMPLE-1", "CH-202610-AUR-1"]
    given_back = statement(folder, "2026-11", "BAM")["activities"][-1]
    assert (given_back["kind"], given_back["fee_minor"]) == ("correction", -333)


# The manifest


@pytest.mark.parametrize("month", MONTHS)
def test_the_manifest_knows_every_file(folder: Path, month: str) -> None:
    manifest = json.loads((folder / month / "manifest.json").read_text(encoding="utf-8"))
    there = {
        str(path.relative_to(folder / month)): sha256(path.read_bytes()).hexdigest()
        for path in (folder / month).rglob("*")
        if path.is_file() and path.name != "manifest.json"
    }
    assert {path: file["sha256"] for path, file in manifest["files"].items()} == there
    own = statement(folder, month, "OPERATOR")["summary"]
    assert manifest["control_totals"]["net_minor"] == -own["net_minor"]
