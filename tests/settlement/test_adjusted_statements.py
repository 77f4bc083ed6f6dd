"""What is adjusted stands on the statements of the period that it is posted in, and they foot."""

import csv
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path

import pytest
from openpyxl import load_workbook

from clearinghouse.domain.calendar import cut_off
from clearinghouse.operations.changing import Authority
from clearinghouse.operations.close import close
from clearinghouse.operations.confirming import (
    Correction,
    confirm,
    propose_correction,
    propose_decision,
)
from clearinghouse.operations.context import Context
from clearinghouse.operations.disputing import (
    Claim,
    Line,
    answer_dispute,
    escalate_dispute,
    open_dispute,
)
from clearinghouse.operations.footing import prove_footing
from clearinghouse.operations.prove import prove
from clearinghouse.store.database import Database
from clearinghouse.store.vault import Vault
from settlement.netting import net_period
from settlement.recompute import recompute
from settlement.run import read_file
from tests.alliances import MiniAlliance
from tests.conftest import Server
from tests.operations.months import publish_without_files
from tests.operations.parties import party

NOVEMBER = 2026 * 12 + 10
MAKER, CHECKER = Authority("示例甲", '金额 "4.00" 不符, 已核对'), Authority("示例乙", "同意")
PARTIES = ("AUR", "BAM", "CLD", "OPERATOR")


def live(alliance: MiniAlliance) -> None:
    """In November a dispute is upheld and escalated, another accepted, a fee given back, and a correction posted."""
    context, do = alliance.context, alliance.accept
    do("spend", "AUR-SH", "1", "T1", "2026-10-02", amount=120_000)
    for ref in ("2", "4"):
        do("redeem", "CLD-GZ", ref, "T1", "2026-10-03", points=400)
    do("spend", "BAM-HZ", "3", "T1", "2026-10-04", amount=88_888)
    alliance.settle("2026-10")
    txns = dict(alliance.rows("SELECT txn_ref, txn_id FROM transactions"))
    aur, bam, cld = (party(alliance, code) for code in ("AUR", "BAM", "CLD"))
    first, _ = open_dispute(context, aur, Line(txns["2"]), Claim("amount_wrong", "少", 250))
    answer_dispute(context, cld, first.dispute_id, "contest", "否")
    confirm(context, propose_decision(context, first.dispute_id, None, MAKER).number, CHECKER)
    escalate_dispute(context, cld, first.dispute_id, "不服")
    other, _ = open_dispute(context, aur, Line(txns["4"]), Claim("duplicate", "重复"))
    answer_dispute(context, cld, other.dispute_id, "accept", "是")
    fee, _ = open_dispute(context, bam, Line(txns["3"]), Claim("fee_wrong", "费率", 100))
    answer_dispute(context, party(alliance, None), fee.dispute_id, "accept", "是")
    confirm(context, propose_decision(context, fee.dispute_id, None, MAKER).number, CHECKER)
    wrong = Correction("BAM", "CLD", 33, reference="ST-202610-BAM-1")
    confirm(context, propose_correction(context, wrong, MAKER).number, CHECKER)
    do("redeem", "BAM-HZ", "5", "T1", "2026-11-08", points=100)
    alliance.settle("2026-11")


@pytest.fixture(scope="module", params=[True, False], ids=["VAT within", "VAT on top"])
def settled(
    request: pytest.FixtureRequest, server: Server, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Context]:
    name = server.new_database()
    database = Database(server.url(name))
    context = Context(database, Vault(bytes(32)))
    folder = tmp_path_factory.mktemp("packs")
    alliance = MiniAlliance(context, folder, rulebook={"fees_include_vat": request.param})
    live(alliance)
    yield alliance.context
    database.close()
    server.drop(name)


def text_of(context: Context, path: str) -> str:
    return b"".join(read_file(context, NOVEMBER, path)).decode()


def lines_of(context: Context, code: str) -> list[dict[str, str]]:
    return list(csv.DictReader(text_of(context, f"statements/{code}.csv").splitlines()))


def test_every_statement_is_re_added_from_its_lines(settled: Context) -> None:
    """By somebody who has nothing but the files."""
    positions = {
        row["system_code"]: row
        for row in csv.DictReader(text_of(settled, "positions.csv").splitlines())
    }
    total = dict.fromkeys(("fee", "net", "adjusted"), 0)
    for code in PARTIES:
        lines, document = (
            lines_of(settled, code),
            json.loads(text_of(settled, f"statements/{code}.json")),
        )
        assert [row["line_no"] for row in lines] == [str(n) for n in range(1, len(lines) + 1)]
        assert document["line_count"] == len(lines) == len(document["lines"])
        for row, line in zip(lines, document["lines"], strict=True):
            told = {name: str(value) if value is not None else "" for name, value in line.items()}
            assert {name: text.lower() for name, text in told.items()} == {
                name: text.lower() for name, text in row.items()
            }
        summary = document["summary"]
        fees, net = (
            sum(int(row[name] or 0) for row in lines) for name in ("fee_minor", "net_minor")
        )
        adjusted = sum(
            int(row["net_minor"])
            for row in lines
            if row["kind"] == "adjustment" and not row["fee_minor"]
        )
        vat = summary["vat_minor"] if summary["vat_on_top"] else 0
        assert (fees, adjusted) == (summary["fees_minor"], summary["adjustments_minor"]), code
        assert net - vat == summary["net_minor"]
        if code != "OPERATOR":
            assert (str(fees), str(adjusted)) == (
                positions[code]["fees_minor"],
                positions[code]["adjustments_minor"],
            )
        total = {
            name: total[name] + amount
            for name, amount in (("fee", fees), ("net", net), ("adjusted", adjusted))
        }
    # All statements together: the clearing house's is all others' with the opposite sign.
    assert total == {"fee": 0, "net": 0, "adjusted": 0}


def test_the_workbook_checks_itself(settled: Context) -> None:
    for code in PARTIES:
        content = b"".join(read_file(settled, NOVEMBER, f"statements/{code}.xlsx"))
        book = load_workbook(BytesIO(content), data_only=True)
        differences = [
            row[2].value
            for row in book.worksheets[0].iter_rows(max_col=3)
            if isinstance(row[0].value, str) and " − " in row[0].value
        ]
        assert len(differences) >= 3, code
        assert set(differences) == {0}, (code, differences)


def test_a_line_says_what_it_corrects_and_how_far_that_is(settled: Context) -> None:
    lines = [row for row in lines_of(settled, "AUR") if row["kind"] == "adjustment"]
    assert [
        (row["net_minor"], row["dispute_status"], row["original_txn_ref"]) for row in lines
    ] == [
        ("250", "escalated", "2"),
        ("400", "upheld", "4"),
    ]
    first = lines[0]
    assert (first["host_hotel"], first["host_system"], first["issuer_system"]) == (
        "CLD-GZ",
        "CLD",
        "AUR",
    )
    assert (first["counterparty_system"], first["reason"]) == ("CLD", "dispute_upheld")
    assert first["remarks"].startswith("dsp_")
    assert first["remarks"].endswith(MAKER.reason)
    assert first["txn_id"].startswith("entry_")
    cld = [row for row in lines_of(settled, "CLD") if row["kind"] == "adjustment"]
    assert [(row["net_minor"], row["fee_minor"], row["counterparty_system"]) for row in cld] == [
        ("-250", "", "AUR"),
        ("5", "-5", ""),
        ("-400", "", "AUR"),
        ("8", "-8", ""),
        ("33", "", "BAM"),
    ]
    assert not [
        row
        for row in lines_of(settled, "BAM")
        if row["dispute_status"] and row["kind"] != "adjustment"
    ]


def test_the_books_the_files_and_a_recount_agree(settled: Context) -> None:
    assert [(proof.number, proof.detail) for proof in prove(settled) if not proof.holds] == []
    with settled.database.office() as session:
        prove_footing(session, NOVEMBER, lines=True)
    assert [
        (proof.path, proof.wrong) for proof in recompute(settled, NOVEMBER) if proof.wrong
    ] == []


def test_a_resumed_run_says_of_disputes_what_it_said_when_it_was_netted(
    context: Context, tmp_path: Path
) -> None:
    alliance = MiniAlliance(context, tmp_path)
    alliance.accept("spend", "AUR-SH", "1", "T1", "2026-10-02", amount=120_000)
    used = alliance.accept("redeem", "CLD-GZ", "2", "T1", "2026-10-03", points=400).txn.txn_id
    publish_without_files(alliance, "2026-10")
    aur, cld = party(alliance, "AUR"), party(alliance, "CLD")
    alliance.clock.pass_to(datetime(2026, 11, 28, tzinfo=UTC))
    found, _ = open_dispute(alliance.context, aur, Line(used), Claim("other", "少"))
    answer_dispute(alliance.context, cld, found.dispute_id, "contest", "否")
    made = propose_decision(alliance.context, found.dispute_id, None, MAKER)
    confirm(alliance.context, made.number, CHECKER)
    alliance.clock.pass_to(cut_off(NOVEMBER, 3, "Asia/Shanghai"))
    close(alliance.context, NOVEMBER)
    net_period(alliance.context, NOVEMBER)
    escalate_dispute(alliance.context, cld, found.dispute_id, "不服")
    alliance.settle("2026-11")
    (line,) = lines_of(alliance.context, "AUR")
    assert (line["kind"], line["dispute_status"]) == ("adjustment", "upheld")
