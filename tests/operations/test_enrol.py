"""Enrolment: a code to the phone, then the no-harm check, then the card; nobody learns who is a member."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from stdnum import luhn

from clearinghouse.domain.errors import (
    AlreadyAllianceMember,
    CardNumberTaken,
)
from clearinghouse.domain.treatment import CardState
from clearinghouse.operations.card_changes import CardChange, change_card
from clearinghouse.operations.cards import look_up
from clearinghouse.operations.context import Context
from clearinghouse.operations.enrol import (
    Outcome,
)
from tests.alliances import CARDS, MiniAlliance
from tests.operations.enrolling import LI, WANG, Desk, counted


@pytest.fixture
def alliance(founded: object, context: Context, tmp_path: Path) -> MiniAlliance:
    """It is noon of 2026-11-03."""
    found = MiniAlliance(context, tmp_path)
    found.clock.pass_to(datetime(2026, 11, 3, 4, tzinfo=UTC))
    return found


@pytest.fixture
def desk(alliance: MiniAlliance) -> Desk:
    return Desk(alliance)


def test_a_new_person_gets_a_card(alliance: MiniAlliance, desk: Desk) -> None:
    begun = desk.begin()
    assert begun.enrolment_id.startswith("enr_")
    assert begun.expires_at - alliance.clock.now == pytest.approx(
        timedelta(minutes=10), abs=timedelta(seconds=1)
    )
    code = desk.sent[-1]
    assert (code.phone, code.minutes) == ("+8613900139000", 10)
    assert (code.hotel_zh, code.hotel_en) == ("金酒店北京", "Aurum Beijing")
    assert counted(alliance) == (2, 2)

    found = desk.confirm(begun)

    assert (found.outcome, found.card.status) == (Outcome.ISSUED, "active")
    own = found.card.own
    assert own is not None
    assert (own.issuer_hotel, own.holder_name) == ("AUR-BJ", "赵敏")
    assert [tier.tier_code for tier in own.tiers] == ["A1"]
    assert counted(alliance) == (3, 3)
    assert [(kind, payload.get("outcome")) for kind, payload in alliance.rows(
        "SELECT kind, payload FROM outbox WHERE kind IN ('enrolment.confirmed', 'card.issued')"
        " ORDER BY number")] == [("enrolment.confirmed", "issued"), ("card.issued", None)]  # fmt: skip


def test_the_card_works(alliance: MiniAlliance, desk: Desk) -> None:
    found = desk.confirm(desk.begin(), number=CARDS["T3"])
    assert found.card.card_masked == "627781******0039"
    assert alliance.accept(
        "spend", "AUR-SH", "1", "T3", "2026-11-03", amount=10_000,
        occurred_at=alliance.clock.now + timedelta(minutes=1),
    ).txn.points == 100  # fmt: skip


def test_a_number_of_ours_has_a_check_digit(
    alliance: MiniAlliance, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[str] = []
    index = type(alliance.context.vault).blind_index

    def watching(vault: Any, what: str, value: str) -> bytes:
        if what == "card":
            seen.append(value)
        return index(vault, what, value)

    monkeypatch.setattr(type(alliance.context.vault), "blind_index", watching)
    desk.enrol()
    assert [len(number) for number in seen] == [16]
    assert all(luhn.is_valid(number) and number.startswith("9156") for number in seen)


def test_a_number_that_is_taken_spends_no_code(desk: Desk) -> None:
    begun = desk.begin()
    with pytest.raises(CardNumberTaken):
        desk.confirm(begun, number=CARDS["T2"])
    assert desk.confirm(begun).outcome is Outcome.ISSUED


@pytest.mark.parametrize(
    "written",
    [
        "+8613800138001",
        "13800138001",
        " 138 0013 8001 ",
        "138-0013-8001",
        "008613800138001",
        "0086 138 0013 8001",
        "+86 (138) 0013-8001",
        "86 13800138001",
        "１３８００１３８００１",
        "＋８６ １３８ ００１３ ８００１",
        "13800138001 ext. 7",
    ],
)
def test_anothers_member_is_refused_however_the_phone_is_written(
    alliance: MiniAlliance, desk: Desk, written: str
) -> None:
    with pytest.raises(AlreadyAllianceMember) as refused:
        desk.enrol(replace(WANG, phone=written))
    assert "CLD" not in refused.value.message
    assert counted(alliance) == (2, 2)


def test_another_name_does_not_help(desk: Desk) -> None:
    with pytest.raises(AlreadyAllianceMember):
        desk.enrol(replace(WANG, name="王小伟"))


def test_who_is_a_member_already_gets_the_card_they_have(
    alliance: MiniAlliance, desk: Desk
) -> None:
    for name in ("李芳", " 李　芳 "):
        found = desk.enrol(replace(LI, name=name))
        assert found.outcome is Outcome.ALREADY_OWN_MEMBER
        assert found.card == look_up(alliance.context, desk.party, CARDS["T1"])
    assert counted(alliance) == (2, 2)


def test_two_people_of_one_phone_have_a_pool_each(alliance: MiniAlliance, desk: Desk) -> None:
    found = desk.enrol(replace(LI, name="李强"))
    assert found.outcome is Outcome.ISSUED
    assert counted(alliance) == (3, 3)


def test_who_holds_no_card_any_more_gets_one_on_the_same_pool(
    alliance: MiniAlliance, desk: Desk
) -> None:
    at = look_up(alliance.context, desk.party, CARDS["T1"]).card_id
    for status, outcome in (
        (CardState.SUSPENDED, Outcome.ALREADY_OWN_MEMBER),
        (CardState.CLOSED, Outcome.ISSUED),
    ):
        change_card(alliance.context, desk.party, at, CardChange(status=status))
        assert desk.enrol(LI).outcome is outcome
    assert counted(alliance) == (2, 3)
    assert alliance.value("SELECT count(DISTINCT traveller) FROM cards") == 2


def test_a_suspended_card_of_another_system_still_counts(
    alliance: MiniAlliance, desk: Desk
) -> None:
    cloud = Desk(alliance, "CLD")
    at = look_up(alliance.context, cloud.party, CARDS["T2"]).card_id
    change_card(alliance.context, cloud.party, at, CardChange(status=CardState.SUSPENDED))
    with pytest.raises(AlreadyAllianceMember):
        desk.enrol(WANG)
    change_card(alliance.context, cloud.party, at, CardChange(status=CardState.CLOSED))
    assert desk.enrol(WANG).outcome is Outcome.ISSUED


def test_a_card_moves_with_its_hotel(alliance: MiniAlliance, desk: Desk) -> None:
    moved = ("CLD-GZ", "AUR", "云酒店广州", "Cloud Guangzhou", "广州市", "2026-11-03")
    alliance.add({"hotels.csv": [moved]})
    assert desk.enrol(WANG).outcome is Outcome.ALREADY_OWN_MEMBER
