"""``clearinghouse system``, ``hotel`` and ``rulebook``."""

import json
from pathlib import Path

import pytest

from api.cli.operator import hotel_commands, rulebook_commands, system_commands
from clearinghouse.operations.context import Context
from tests.alliances import RULEBOOK, MiniAlliance
from tests.api.office import Office

WHY = ("--reason", "contract 2026-17")


@pytest.fixture
def alliance(founded: object, context: Context, tmp_path: Path) -> MiniAlliance:
    return MiniAlliance(context, tmp_path / "packs")


@pytest.fixture
def office(database_url: str, alliance: MiniAlliance, tmp_path: Path) -> Office:
    return Office(database_url, tmp_path)


def test_systems_are_listed_and_shown(office: Office) -> None:
    out = office.run(system_commands, "list")
    assert "金酒店 Aurum" in out
    shown = office.run(system_commands, "show", "AUR")
    assert "银行账户 Bank account: …7253" in shown
    assert "6222000047109087253" not in shown
    assert "已接受规则 Accepted rulebooks: v1" in shown
    assert "Aurum Shanghai" in shown
    found = office.json(system_commands, "show", "BAM", "--format", "json")
    assert [tier["earn_ppm"] for tier in found["tiers"]] == [1_000_000, 1_500_000]
    assert found["profile"]["bank_account"] == "…7261"
    listed = office.json(system_commands, "list", "--format", "json")
    assert [entry["code"] for entry in listed] == ["AUR", "BAM", "CLD"]
    assert office.refusal(system_commands, "show", "XXX") == 'there is no system "XXX"'


def test_a_system_is_added_and_changed(office: Office, alliance: MiniAlliance) -> None:
    names = ("--name-zh", "鹭酒店", "--name-en", "Heron")
    office.run(system_commands, "add", "DUN", *names, "--cap", 500, *WHY, "--by", "李明")
    assert office.refusal(system_commands, "add", "DUN", *names, *WHY).endswith("change it instead")
    office.run(
        system_commands, "change", "DUN", "--name-en", "Egret", *WHY, "--approved-by", "王芳"
    )
    alone = office.refusal(system_commands, "change", "DUN", "--no-cap", *WHY)
    assert alone == "this needs the approval of a second person; say who with --approved-by"
    account = ("change", "DUN", "--bank-account", "6222000099990000", *WHY, "--by", "李明")
    assert "second person" in office.refusal(system_commands, *account)
    assert "somebody else" in office.refusal(system_commands, *account, "--approved-by", " 李明")
    office.run(system_commands, "change", "DUN", "--no-cap", *WHY, "--approved-by", "王芳")
    profile = office.json(system_commands, "show", "DUN", "--format", "json")["profile"]
    assert profile["name_en"] == "Egret"
    assert (profile["net_debit_cap_minor"], profile["collateral_minor"]) == (None, 0)
    logged = alliance.rows("SELECT actor, details->>'approved_by' FROM audit_log ORDER BY number")
    assert logged[0] == ("李明", None)
    assert logged[1][0]
    assert logged[1][1] == "王芳"


def test_hotels_are_listed_added_and_moved(office: Office) -> None:
    added = ("BAM-XM", "BAM", "--name-zh", "竹酒店厦门", "--city", "厦门市", "--from", "2026-12-01")
    assert office.run(hotel_commands, "add", *added, *WHY) == (
        "hotel BAM-XM belongs to BAM from 2026-12-01 on\n"
    )
    moved = office.run(hotel_commands, "move", "AUR-SH", "BAM", "--from", "2026-12-01", *WHY)
    assert moved == "hotel AUR-SH moves from AUR to BAM on 2026-12-01\n"
    later = ("--as-of", "2026-12-02", "--format", "json", "--system", "BAM")
    found = office.json(hotel_commands, "list", *later)
    assert [row["code"] for row in found] == ["AUR-SH", "BAM-HZ", "BAM-XM"]
    out = office.run(hotel_commands, "list", "--as-of", "2026-11-30")
    assert "2026-12-01 → BAM" in out
    assert "尚未加入 not yet" in out


def test_legs_that_are_cleared_already_are_told(office: Office, alliance: MiniAlliance) -> None:
    alliance.accept("spend", "AUR-SH", "1", "T1", "2026-10-02", amount=10_000)
    out = office.run(hotel_commands, "move", "AUR-SH", "BAM", "--from", "2026-10-01", *WHY)
    assert "1 legs since then are cleared already and keep their systems" in out


def test_a_rulebook_is_added_accepted_and_compared(office: Office, tmp_path: Path) -> None:
    file = tmp_path / "next.json"
    changes = {"version": "v2", "effective_from": "2026-12-01", "points_expiry_months": 1}
    file.write_text(json.dumps({**RULEBOOK, **changes}), encoding="utf-8")
    added = office.run(rulebook_commands, "add", file, *WHY)
    assert added == "version v2 takes effect on 2026-12-01; no system has accepted it yet\n"
    accepted = office.run(rulebook_commands, "accept", "v2", "AUR", "BAM", *WHY)
    assert accepted == "2 systems have newly accepted v2; 1 are missing\n"
    accepted = office.run(rulebook_commands, "accept", "v2", "--all", *WHY)
    assert accepted == "1 systems have newly accepted v2; 0 are missing\n"
    difference = office.json(rulebook_commands, "diff", "v1", "v2", "--format", "json")
    assert difference["points_expiry_months"] == {"v1": 12, "v2": 1}
    table = office.run(rulebook_commands, "diff", "v1", "v2")
    lines = [[cell.strip() for cell in line.split("│")[1:-1]] for line in table.splitlines()]
    assert ["points_expiry_months", "12", "1"] in lines
    listed = office.run(rulebook_commands, "list")
    assert "3 / 3" in listed
    shown = office.json(rulebook_commands, "show", "v2")
    assert shown["document"]["points_expiry_months"] == 1
    assert shown["accepted"] == ["AUR", "BAM", "CLD"]
    versions = [
        entry["version"] for entry in office.json(rulebook_commands, "list", "--format", "json")
    ]
    assert versions == ["v1", "v2"]


@pytest.mark.parametrize(
    ("group", "arguments"),
    [
        (system_commands, ["add", "DUN", "--name-en", "Heron"]),
        (system_commands, ["change", "AUR", *WHY]),
        (hotel_commands, ["move", "AUR-SH", "BAM"]),
        (hotel_commands, ["move", "AUR-SH", "BAM", "--from", "soon", *WHY]),
        (rulebook_commands, ["accept", "v1", *WHY]),
        (rulebook_commands, ["accept", "v1", "AUR", "--all", *WHY]),
    ],
)
def test_wrong_usage(office: Office, group: object, arguments: list[str]) -> None:
    office.misuse(group, *arguments)  # type: ignore[arg-type]  # wrong on purpose, or of many types


def test_every_command_explains_itself(office: Office) -> None:
    for group in (system_commands, hotel_commands, rulebook_commands):
        for name in group.commands:
            assert len(office.run(group, name, "--help").splitlines()) > 3
