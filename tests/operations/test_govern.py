"""Governing: each change recorded with who and why, by the rules of a pack, and never into a closed month."""

from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from threading import Thread
from time import sleep
from typing import Any

import pytest

from clearinghouse.domain.deciding import Refused
from clearinghouse.domain.errors import NotFound
from clearinghouse.operations import govern, registry
from clearinghouse.operations.close import close
from clearinghouse.operations.context import Context
from clearinghouse.store import governance, runs
from clearinghouse.store.members import Membership
from clearinghouse.store.periods import PUBLISHED
from tests.alliances import RULEBOOK, MiniAlliance
from tests.operations.governing import PROFILE, WHO, nothing_changes, refused, written

TIERS = {"tiers.csv": (("DUN", "D1", "普通", "Member", 1, 1, "1.0", 0),)}


@pytest.fixture
def alliance(founded: object, context: Context, tmp_path: Path) -> MiniAlliance:
    return MiniAlliance(context, tmp_path)


def hotel(code: str, system: str, since: str, name: str = "Heron Xiamen") -> Membership:
    return Membership(code, date.fromisoformat(since), system, "鹭酒店厦门", name, "厦门市")


def log(alliance: MiniAlliance) -> list[tuple[Any, ...]]:
    return alliance.rows("SELECT actor, action, subject, details FROM audit_log ORDER BY number")


def test_a_system_joins_step_by_step(alliance: MiniAlliance) -> None:
    context = alliance.context
    govern.add_system(context, "DUN", PROFILE, WHO)
    with refused() as no_tiers, nothing_changes(alliance):
        govern.add_hotel(context, hotel("DUN-XM", "DUN", "2026-02-01"), WHO)
    assert no_tiers.value.message == 'system "DUN" has no tiers'
    alliance.add(TIERS)
    govern.add_hotel(context, hotel("DUN-XM", "DUN", "2026-02-01"), WHO)
    cash = {"amount": 10_000}
    assert isinstance(alliance.post("spend", "DUN-XM", "1", "T1", "2026-02-01", **cash), Refused)
    assert govern.accept_rulebook(context, "v1", ["DUN"], WHO) == ["DUN"]
    alliance.accept("spend", "DUN-XM", "1", "T1", "2026-02-01", **cash)

    entry = registry.system(context, "DUN")
    assert entry.profile == PROFILE._replace(bank_account="…7287")
    assert [row.code for row in entry.hotels] == ["DUN-XM"]
    assert (entry.accepted, entry.may_host_others) == (("v1",), True)
    assert [row[:3] for row in log(alliance)] == [
        ("李明", "system.add", "system DUN"),
        ("李明", "hotel.add", "hotel DUN-XM"),
        ("李明", "rulebook.accept", "rulebook v1"),
    ]
    assert all(row[3]["reason"] == "contract 2026-17" for row in log(alliance))
    assert log(alliance)[0][3]["after"]["bank_account"] == "…7287"


def test_a_profile_is_changed_and_an_older_pack_does_not_bring_it_back(
    alliance: MiniAlliance,
) -> None:
    alliance.accept("spend", "AUR-BJ", "1", "T1", "2026-06-01", amount=100)
    changes = {"name_en": "Aurum Group", "bank_account": "6222000099990000"}
    govern.change_system(alliance.context, "AUR", changes, replace(WHO, approved_by="王芳"))
    alliance.add({"systems.csv": (("AUR", "金酒店", "Aurum", "", ""),)}, RULEBOOK)
    assert registry.system(alliance.context, "AUR").profile.name_en == "Aurum Group"
    assert log(alliance)[0][3] == {
        "reason": "contract 2026-17",
        "approved_by": "王芳",
        "before": {"name_en": "Aurum", "bank_account": "…7253"},
        "after": {"name_en": "Aurum Group", "bank_account": "…0000"},
    }
    with refused() as same, nothing_changes(alliance):
        govern.change_system(alliance.context, "AUR", changes, WHO)
    assert same.value.message == 'system "AUR" is like that already'
    with refused(NotFound), nothing_changes(alliance):
        govern.change_system(alliance.context, "XXX", changes, WHO)


@pytest.mark.parametrize(
    "changes",
    [{"bank_account": "6222000099990000"}, {"net_debit_cap_minor": 1}, {"bank_account": None}],
)
@pytest.mark.parametrize("approved_by", [None, " ", "李明 "])
def test_one_person_alone_changes_no_account_and_no_cap(
    alliance: MiniAlliance, changes: dict[str, Any], approved_by: str | None
) -> None:
    by = replace(WHO, approved_by=approved_by)
    with refused() as alone, nothing_changes(alliance):
        govern.change_system(alliance.context, "AUR", {**changes, "name_en": "Other"}, by)
    assert "approv" in alone.value.message
    others = {"name_en": "Other", "uscc": "91310000MA1FL00009", "collateral_minor": 5}
    govern.change_system(alliance.context, "AUR", others, WHO)


def test_a_profile_does_not_change_while_a_month_is_being_settled(alliance: MiniAlliance) -> None:
    alliance.accept("spend", "BAM-HZ", "1", "T1", "2026-10-01", amount=10_000)
    alliance.clock.pass_to(datetime(2026, 11, 5, tzinfo=UTC))
    close(alliance.context, 2026 * 12 + 9)
    with refused() as busy, nothing_changes(alliance):
        govern.change_system(alliance.context, "AUR", {"name_en": "Other"}, WHO)
    assert busy.value.message == "2026-10 is being settled; settle it to the end first"
    alliance.settle("2026-10")
    govern.change_system(alliance.context, "AUR", {"name_en": "Other"}, WHO)
    with alliance.database.office() as session:
        runs.hold_run(session, wait=True)
        with refused(), nothing_changes(alliance):
            govern.change_system(alliance.context, "AUR", {"name_en": "Third"}, WHO)


def test_a_hotel_moves_and_what_is_cleared_stays(alliance: MiniAlliance) -> None:
    context, cash = alliance.context, {"amount": 10_000}
    alliance.accept("spend", "AUR-SH", "1", "T1", "2026-10-01", **cash)
    alliance.settle("2026-10")
    alliance.accept("spend", "AUR-SH", "2", "T1", "2026-11-05", **cash)
    with refused() as closed, nothing_changes(alliance):
        govern.move_hotel(context, "AUR-SH", "BAM", date(2026, 10, 31), WHO)
    assert closed.value.message == (
        'the move of hotel "AUR-SH" can\'t take effect on 2026-10-31: 2026-10 is closed and nothing'
        " rewrites it; the first possible day is 2026-11-01"
    )
    moved = govern.move_hotel(context, "AUR-SH", "BAM", date(2026, 11, 1), WHO)
    assert (moved.from_system, moved.legs_kept) == ("AUR", 1)
    alliance.accept("spend", "AUR-SH", "3", "T1", "2026-11-05", **cash)
    alliance.accept("spend", "AUR-SH", "4", "T1", "2026-10-31", **cash)  # late, before the move
    systems = alliance.rows(
        "SELECT t.txn_ref, s.code FROM legs g JOIN transactions t USING (period, txn_id)"
        " JOIN systems s ON s.number = g.host_system ORDER BY 1"
    )
    assert systems == [("1", "AUR"), ("2", "AUR"), ("3", "BAM"), ("4", "AUR")]
    found = {row.code: row for row in registry.hotels(context)}
    assert (found["AUR-SH"].system_code, found["AUR-SH"].since) == ("BAM", date(2026, 11, 1))
    assert found["AUR-SH"].name_zh == "金酒店上海"
    before = {row.code: row for row in registry.hotels(context, date(2026, 10, 31))}
    assert (before["AUR-SH"].system_code, before["AUR-SH"].moves_to) == ("AUR", "BAM")
    assert [row.code for row in registry.hotels(context, system_code="AUR")] == ["AUR-BJ"]


def test_a_hotel_is_added_once_and_not_into_a_closed_month(alliance: MiniAlliance) -> None:
    context = alliance.context
    alliance.accept("spend", "AUR-BJ", "1", "T1", "2026-10-01", amount=10_000)
    alliance.settle("2026-10")
    with refused() as known, nothing_changes(alliance):
        govern.add_hotel(context, hotel("AUR-SH", "BAM", "2026-12-01"), WHO)
    assert known.value.message == 'hotel "AUR-SH" is on record already; move it instead'
    with refused() as closed, nothing_changes(alliance):
        govern.add_hotel(context, hotel("BAM-XM", "BAM", "2026-10-31"), WHO)
    assert "2026-10 is closed" in closed.value.message
    govern.add_hotel(context, hotel("BAM-XM", "BAM", "2026-11-01"), WHO)
    first = {row.code: row for row in registry.hotels(context, date(2026, 10, 31))}["BAM-XM"]
    assert (first.system_code, first.moves_on) == (None, date(2026, 11, 1))
    # A move to before its first day would rewrite when it came.
    alliance.add({"hotels.csv": (("BAM-NB", "BAM", "竹", "Bamboo", "宁波市", "2026-12-01"),)})
    with refused() as early, nothing_changes(alliance):
        govern.move_hotel(context, "BAM-NB", "AUR", date(2026, 11, 15), WHO)
    assert 'hotel "BAM-NB" begins on 2026-12-01' in early.value.message


def test_a_rulebook_suspends_those_who_do_not_accept_it(
    alliance: MiniAlliance, tmp_path: Path
) -> None:
    context, cash = alliance.context, {"amount": 10_000}
    rulebook = govern.add_rulebook(context, written(tmp_path, vat_ppm=130_000), WHO)
    assert (rulebook.version, rulebook.vat_ppm) == ("v2", 130_000)
    assert registry.rulebook(context, "v2").missing == ("AUR", "BAM", "CLD")
    alliance.accept("spend", "BAM-HZ", "1", "T1", "2026-10-31", **cash)
    assert isinstance(alliance.post("spend", "BAM-HZ", "2", "T1", "2026-11-01", **cash), Refused)
    assert govern.accept_rulebook(context, "v2", ["BAM"], WHO) == ["BAM"]
    alliance.accept("spend", "BAM-HZ", "2", "T1", "2026-11-01", **cash)
    assert govern.accept_rulebook(context, "v2", None, WHO) == ["AUR", "CLD"]
    assert govern.accept_rulebook(context, "v2", None, WHO) == []
    accepted_by = alliance.rows(
        "SELECT s.code, a.accepted_by FROM acceptances a JOIN systems s ON s.number = a.system"
        " JOIN rulebooks r ON r.number = a.rulebook WHERE r.version = 'v2' ORDER BY 1"
    )
    assert accepted_by == [
        ("AUR", "李明 (operator, for all systems)"),
        ("BAM", "李明"),
        ("CLD", "李明 (operator, for all systems)"),
    ]
    assert [(row[1], row[3].get("systems"), row[3].get("for_all")) for row in log(alliance)] == [
        ("rulebook.add", None, None),
        ("rulebook.accept", ["BAM"], False),
        ("rulebook.accept", ["AUR", "CLD"], True),
    ]
    assert registry.rulebook_difference(context, "v1", "v2") == {
        "effective_from": ("2026-01-01", "2026-11-01"),
        "vat_ppm": (60_000, 130_000),
        "version": ("v1", "v2"),
    }
    assert [entry.in_force for entry in registry.rulebooks(context)] == [False, True]


def test_a_change_waits_for_no_import(
    alliance: MiniAlliance, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("clearinghouse.store.governance._PATIENCE_SECONDS", 0.1)
    with alliance.database.office() as session:
        assert governance.take_turn(session)
        with refused() as busy:
            govern.add_system(alliance.context, "DUN", PROFILE, WHO)
    assert "try again when it has ended" in busy.value.message
    govern.add_system(alliance.context, "DUN", PROFILE, WHO)


def test_a_month_is_not_closed_under_a_change(alliance: MiniAlliance) -> None:
    """The closer waits for whoever has found the month open, as it does for those who post."""
    alliance.accept("spend", "AUR-BJ", "1", "T1", "2026-10-01", amount=10_000)
    october = 2026 * 12 + 9

    def state() -> str:
        return str(alliance.value("SELECT state FROM periods WHERE period = %s", october))

    thread = Thread(target=alliance.settle, args=("2026-10",))
    with alliance.database.office() as session:
        assert governance.hold_open(session, date(2026, 10, 15)) == 0
        thread.start()
        while state() == "open":
            sleep(0.01)
        sleep(0.3)
        assert state() == "closing"
    thread.join(60)
    assert state() in PUBLISHED
    with alliance.database.office() as session:
        assert governance.hold_open(session, date(2026, 10, 15)) == october
