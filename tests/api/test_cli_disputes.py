"""``clearinghouse dispute`` and ``adjustment``: what the clearing house's people see and decide, two by two."""

from pathlib import Path

import pytest

from api.cli.adjustments import adjustment_commands
from api.cli.disputes import dispute_commands
from clearinghouse.operations.context import Context
from clearinghouse.operations.disputing import Claim, Dispute, Line, answer_dispute, open_dispute
from clearinghouse.operations.evidence import NewFile, add_evidence
from tests.alliances import MiniAlliance
from tests.api.office import Office
from tests.operations.months import must_hold, publish_without_files
from tests.operations.parties import party

MAKER = ("--reason", "凭证不符", "--by", "示例甲")
CHECKER = ("--reason", "同意", "--by", "示例乙")


@pytest.fixture
def alliance(founded: object, context: Context, tmp_path: Path) -> MiniAlliance:
    alliance = MiniAlliance(context, tmp_path / "packs")
    alliance.accept("spend", "AUR-SH", "1", "T1", "2026-10-02", amount=120_000)
    alliance.accept("redeem", "CLD-GZ", "2", "T1", "2026-10-03", points=400)
    publish_without_files(alliance, "2026-10")
    return alliance


@pytest.fixture
def office(database_url: str, alliance: MiniAlliance, tmp_path: Path) -> Office:
    assert alliance
    return Office(database_url, tmp_path)


@pytest.fixture
def found(alliance: MiniAlliance) -> Dispute:
    """AUR disputes what CLD was paid for its points, CLD contests it with a file."""
    txn = alliance.value("SELECT txn_id FROM transactions WHERE txn_ref = '2'")
    aur, cld = party(alliance, "AUR"), party(alliance, "CLD")
    context = alliance.context
    found, _ = open_dispute(context, aur, Line(txn), Claim("amount_wrong", "金额 [不符]"))
    add_evidence(context, cld, found.dispute_id, NewFile("小票.txt", "text/plain", b"400\n"))
    return answer_dispute(context, cld, found.dispute_id, "contest", "没错")


def test_a_dispute_is_seen_decided_and_posted(
    office: Office, alliance: MiniAlliance, found: Dispute, tmp_path: Path
) -> None:
    listed = office.run(dispute_commands, "list")
    assert found.id in listed
    assert "已答复 answered" in listed
    shown = office.run(dispute_commands, "show", found.id)
    for text in ("主张(元) Claimed (CNY): 4.00", "金额 [不符]", "没错", "小票.txt"):
        assert text in shown
    document = office.json(dispute_commands, "show", found.id, "--format", "json")
    assert (document["state"], document["claimed_minor"]) == ("answered", 400)

    told = office.run(dispute_commands, "evidence", found.id, "--out", tmp_path / "files")
    (file,) = (tmp_path / "files").iterdir()
    assert (file.name, file.read_bytes()) == (f"{found.id}-01-小票.txt", b"400\n")
    assert file.name in told

    proposed = office.run(
        dispute_commands, "decide", found.id, "uphold", "--amount", "2.50", *MAKER
    )
    assert "with ¥2.50 of ¥4.00" in proposed
    number = proposed.split()[1].rstrip(":")
    assert "示例甲" in office.run(dispute_commands, "list")
    assert "another person" in office.refusal(dispute_commands, "confirm", number, *MAKER)
    assert "upheld" in office.run(dispute_commands, "confirm", number, *CHECKER)
    assert "confirmed already" in office.refusal(dispute_commands, "confirm", number, *CHECKER)

    adjusted = office.run(adjustment_commands, "list", "2026-11")
    assert "dispute_upheld" in adjusted
    assert "-2.50" in adjusted
    rows = office.json(adjustment_commands, "list", "2026-11", "--format", "json")["adjustments"]
    assert sum(row["amount_minor"] for row in rows if row["counterparty"]) == 0
    must_hold(alliance.context)


def test_what_the_commands_refuse(office: Office, found: Dispute) -> None:
    for wrong in ("dsp_x", "dsp_" + "0" * 32, "../x"):
        assert office.refusal(dispute_commands, "show", wrong) == "there is no such dispute"
    assert "between 0 and the 400" in office.refusal(
        dispute_commands, "decide", found.id, "uphold", "--amount", "4.01", *MAKER
    )
    for amount in ("0", "-1", "1.234", "一", "1e3", "0.00"):
        office.misuse(dispute_commands, "decide", found.id, "uphold", f"--amount={amount}", *MAKER)
    office.misuse(dispute_commands, "decide", found.id, "reject", "--amount", "1", *MAKER)
    assert "no proposal 99" in office.refusal(dispute_commands, "confirm", 99, *CHECKER)
    office.run(dispute_commands, "decide", found.id, "reject", *MAKER)
    assert "withdrawn" in office.run(dispute_commands, "withdraw", 1, *MAKER)
    assert office.run(dispute_commands, "remind").startswith("0 disputes")


def test_a_correction_is_proposed_and_confirmed(office: Office, alliance: MiniAlliance) -> None:
    txn = alliance.value("SELECT txn_id FROM transactions WHERE txn_ref = '2'")
    office.run(
        adjustment_commands,
        "propose",
        "CLD",
        "AUR",
        "0.40",
        "--transaction",
        f"txn_{txn.hex}",
        *MAKER,
    )
    office.run(
        adjustment_commands, "propose", "operator", "CLD", "0.01", "--reference", "ST-202610-CLD-1", *MAKER
    )  # fmt: skip
    assert "CLD → AUR" in office.run(adjustment_commands, "list")
    for number in (1, 2):
        assert "is posted" in office.run(adjustment_commands, "confirm", number, *CHECKER)
    listed = office.json(adjustment_commands, "list", "2026-11", "--format", "json")
    assert [(row["system"], row["amount_minor"]) for row in listed["adjustments"]] == [
        ("AUR", 40),
        ("CLD", -40),
        ("CLD", 1),
    ]
    assert listed["proposals"] == []
    office.misuse(adjustment_commands, "propose", "CLD", "AUR", "1", "--transaction", "x", *MAKER)
    must_hold(alliance.context)
