"""Cards at a front desk: what each party sees of them, how they are treated, and what may change."""

from collections.abc import Callable
from dataclasses import asdict
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg2
import pytest

from clearinghouse.domain.deciding import Accepted, Refused
from clearinghouse.domain.errors import (
    CardNotActive,
    CardStateConflict,
    CardUnknown,
    ClearinghouseError,
    HotelNotYours,
    HotelUnknown,
    NotFound,
    RefusalCode,
    TierDateRefused,
    TierUnknown,
)
from clearinghouse.domain.treatment import CardState
from clearinghouse.operations.card_changes import CardChange, change_card, replace_card
from clearinghouse.operations.cards import card, look_up, treatment_of
from clearinghouse.operations.context import Context
from clearinghouse.operations.party import Party
from clearinghouse.operations.prove import prove
from tests.alliances import CARDS, PACK, MiniAlliance
from tests.founding import founding
from tests.operations.parties import party

DAY = "2026-11-03"
NOON = datetime(2026, 11, 3, 4, tzinfo=UTC)
SUSPEND = CardChange(status=CardState.SUSPENDED, reason="lost in a taxi")
ACTIVATE = CardChange(status=CardState.ACTIVE, reason="found again")
CLOSE = CardChange(status=CardState.CLOSED, reason="as asked")

BENEFITS = "欢迎饮品 Welcome drink;延迟退房至14:00 Late check-out 14:00;Lounge;免费早餐"
TIERS = [row for row in PACK["tiers.csv"] if row[1] != "B2"]
TIERS.append(("BAM", "B2", "金卡", "Gold", 2, 2, "1.5", 5, BENEFITS))

founded = founding(files={"tiers.csv": TIERS})


@pytest.fixture
def alliance(founded: object, context: Context, tmp_path: Path) -> MiniAlliance:
    """It is noon of 2026-11-03; gold of BAM has benefits."""
    found = MiniAlliance(context, tmp_path, files={"tiers.csv": TIERS})
    found.clock.pass_to(NOON)
    return found


@pytest.fixture
def aur(alliance: MiniAlliance) -> Party:
    return party(alliance, "AUR")


@pytest.fixture
def bam(alliance: MiniAlliance) -> Party:
    return party(alliance, "BAM")


def id_of(alliance: MiniAlliance, who: Party, name: str = "T1") -> str:
    return look_up(alliance.context, who, CARDS.get(name, name)).card_id


def change(alliance: MiniAlliance, who: Party, wanted: CardChange, name: str = "T1") -> str:
    return change_card(alliance.context, who, id_of(alliance, who, name), wanted).status


def events(alliance: MiniAlliance) -> list[tuple[str, Any]]:
    """The events of cards, oldest first, without ids."""
    return [
        (kind, {name: value for name, value in payload.items() if name not in ("card_id", "since")})
        for kind, payload in alliance.rows(
            "SELECT kind, payload FROM outbox WHERE kind LIKE 'card.%%' AND system ="
            " (SELECT number FROM systems WHERE code = 'AUR') ORDER BY number"
        )
    ]


def test_an_own_card_is_seen_fully(alliance: MiniAlliance, aur: Party) -> None:
    found = look_up(alliance.context, aur, CARDS["T1"])

    assert found.card_masked == "627781******0013"
    assert (found.status, found.is_own_system) == ("active", True)
    assert found.own is not None
    assert (found.own.issuer_hotel, found.own.issued_on) == ("AUR-BJ", date(2026, 1, 5))
    assert (found.own.holder_name, found.own.holder_phone_masked) == ("李芳", "******8000")
    assert [(t.tier_code, t.name_zh, t.alliance_level) for t in found.own.tiers] == [
        ("A2", "金卡", 2)
    ]
    assert card(alliance.context, aur, found.card_id) == found


def test_of_a_visiting_card_only_status_and_treatment(alliance: MiniAlliance, bam: Party) -> None:
    found = look_up(alliance.context, bam, CARDS["T1"])

    assert (found.status, found.is_own_system, found.own) == ("active", False, None)
    assert found.treatment is not None
    assert (found.treatment.tier_code, found.treatment.reason) == ("B2", "reciprocal")
    told = str(asdict(found))
    assert not any(secret in told for secret in ("AUR", "李芳", "8000", CARDS["T1"]))


def test_the_operator_sees_no_holder(alliance: MiniAlliance) -> None:
    operator = party(alliance, None)
    found = look_up(alliance.context, operator, CARDS["T1"])
    assert (found.own, found.treatment) == (None, None)
    here = treatment_of(alliance.context, operator, found.card_id, "BAM-HZ")
    assert here.tier_code == "B2"


@pytest.mark.parametrize(
    "typed", ["6277 8100 0000 0013", "6277-8100-0000-0013", "６２７７８１００００００００１３"]
)
def test_a_card_number_may_be_typed_as_it_is_printed(
    alliance: MiniAlliance, aur: Party, typed: str
) -> None:
    assert look_up(alliance.context, aur, typed).card_masked == "627781******0013"


@pytest.mark.parametrize("typed", ["", "1", CARDS["T3"], "6277810000000014", "' OR 1=1 --"])
def test_an_unknown_number_is_not_told_in_full(
    alliance: MiniAlliance, aur: Party, typed: str
) -> None:
    with pytest.raises(CardUnknown) as refused:
        look_up(alliance.context, aur, typed)
    assert CARDS["T3"] not in refused.value.message


def test_each_system_knows_a_card_by_another_id(
    alliance: MiniAlliance, aur: Party, bam: Party
) -> None:
    theirs = id_of(alliance, aur)
    assert theirs != id_of(alliance, bam)
    for wrong in (
        theirs,
        theirs.upper(),
        theirs[:-1],
        "",
        "card_" + "a" * 26,
        "card_\x00" + "ü" * 25,
    ):
        with pytest.raises(NotFound):
            card(alliance.context, bam, wrong)


def test_treatment_at_home(alliance: MiniAlliance, aur: Party) -> None:
    here = treatment_of(alliance.context, aur, id_of(alliance, aur), "AUR-SH")

    assert (here.system_code, here.business_date) == ("AUR", date(2026, 11, 3))
    assert (here.tier_code, here.name_zh, here.name_en) == ("A2", "金卡", "Gold")
    assert (here.earn_ppm, here.discount_percent, here.rulebook_version) == (1_000_000, 5, "v1")
    assert (here.reason, here.zh, here.en) == (
        "own_system",
        "本系统会员，享受其等级“金卡”的待遇",
        "A card of this system: its own tier, Gold",
    )


def test_treatment_of_a_visiting_card(alliance: MiniAlliance, bam: Party) -> None:
    here = treatment_of(alliance.context, bam, id_of(alliance, bam), "BAM-HZ")

    assert (here.reason, here.card_level, here.alliance_level) == ("reciprocal", 2, 2)
    assert (here.tier_code, here.earn_ppm) == ("B2", 1_500_000)
    assert here.benefits == (
        ("欢迎饮品", "Welcome drink"),
        ("延迟退房至14:00", "Late check-out 14:00"),
        ("Lounge", "Lounge"),
        ("免费早餐", "免费早餐"),
    )


def test_a_hotel_must_be_the_partys_own(alliance: MiniAlliance, aur: Party) -> None:
    at = id_of(alliance, aur)
    with pytest.raises(HotelNotYours):
        treatment_of(alliance.context, aur, at, "BAM-HZ")
    with pytest.raises(HotelUnknown):
        treatment_of(alliance.context, aur, at, "AUR-XX")
    only_beijing = party(alliance, "AUR", ["AUR-BJ"])
    treatment_of(alliance.context, only_beijing, at, "AUR-BJ")
    with pytest.raises(HotelNotYours):
        treatment_of(alliance.context, only_beijing, at, "AUR-SH")


def test_a_card_that_moved_with_its_hotel_is_treated_by_its_level(
    alliance: MiniAlliance, aur: Party, bam: Party
) -> None:
    moved = ("AUR-BJ", "BAM", "金酒店北京", "Aurum Beijing", "北京市", "2026-11-03")
    alliance.add({"hotels.csv": [moved]})
    found = look_up(alliance.context, bam, CARDS["T1"])
    assert found.is_own_system
    assert found.treatment is not None
    assert (found.treatment.tier_code, found.treatment.reason) == ("B2", "reciprocal")
    with pytest.raises(NotFound):
        change(alliance, aur, SUSPEND)


def test_a_suspended_card_is_refused_and_older_lines_pass(
    alliance: MiniAlliance, aur: Party
) -> None:
    alliance.accept("spend", "BAM-HZ", "1", "T1", DAY, amount=10_000)
    alliance.clock.pass_to(NOON + timedelta(hours=2))
    assert change(alliance, aur, SUSPEND) == "suspended"

    late = alliance.post(
        "spend", "BAM-HZ", "2", "T1", DAY, amount=10_000, occurred_at=NOON + timedelta(hours=1)
    )
    after = alliance.post(
        "spend", "BAM-HZ", "3", "T1", DAY, amount=10_000, occurred_at=NOON + timedelta(hours=3)
    )
    assert isinstance(late, Accepted)
    assert after == Refused(RefusalCode.CARD_NOT_ACTIVE)

    alliance.clock.pass_to(NOON + timedelta(hours=5))
    assert change(alliance, aur, ACTIVATE) == "active"
    for hours, refused in ((4, True), (6, False)):
        outcome = alliance.post(
            "redeem", "BAM-HZ", f"4-{hours}", "T1", DAY, points=10,
            occurred_at=NOON + timedelta(hours=hours),
        )  # fmt: skip
        assert isinstance(outcome, Refused) == refused
    assert all(result.holds for result in prove(alliance.context))


def test_what_happens_to_a_card_is_told_to_its_system(alliance: MiniAlliance, aur: Party) -> None:
    for wanted in (SUSPEND, SUSPEND, ACTIVATE, ACTIVATE, CLOSE, CLOSE):
        change(alliance, aur, wanted)
    assert events(alliance) == [
        ("card.suspended", {"reason": "lost in a taxi"}),
        ("card.reactivated", {"reason": "found again"}),
        ("card.closed", {"reason": "as asked"}),
    ]
    found = look_up(alliance.context, aur, CARDS["T1"])
    assert (found.status, found.treatment) == ("closed", None)
    assert found.own is not None
    assert (found.own.status_reason, found.own.status_since) == ("as asked", alliance.value(
        "SELECT max(since) FROM card_states"))  # fmt: skip
    with pytest.raises(CardNotActive):
        treatment_of(alliance.context, aur, found.card_id, "AUR-BJ")


@pytest.mark.parametrize("wanted", [SUSPEND, ACTIVATE, CardChange(tier_code="A1")])
def test_a_closed_card_stays_closed(alliance: MiniAlliance, aur: Party, wanted: CardChange) -> None:
    change(alliance, aur, CLOSE)
    with pytest.raises(CardStateConflict):
        change(alliance, aur, wanted)
    with pytest.raises(CardStateConflict):
        replace_card(alliance.context, aur, id_of(alliance, aur), None, "")


def test_only_the_cards_own_system_may_change_it(alliance: MiniAlliance, bam: Party) -> None:
    for stranger in (bam, party(alliance, None)):
        at = id_of(alliance, stranger)
        attempts: list[Callable[[], object]] = [
            lambda at=at, who=stranger: change_card(alliance.context, who, at, SUSPEND),
            lambda at=at, who=stranger: change_card(
                alliance.context, who, at, CardChange(tier_code="B1")
            ),
            lambda at=at, who=stranger: replace_card(alliance.context, who, at, None, ""),
        ]
        for attempt in attempts:
            with pytest.raises(NotFound):
                attempt()
    assert alliance.value("SELECT count(*) FROM card_states") == 0


def test_a_tier_counts_from_its_day_at_the_level_it_has_then(
    alliance: MiniAlliance, aur: Party, bam: Party
) -> None:
    change(alliance, aur, CardChange(tier_code="A1"))

    assert events(alliance) == [
        ("card.tier_changed", {"tier_code": "A1", "alliance_level": 1, "from": "2026-11-03"})
    ]
    assert treatment_of(alliance.context, bam, id_of(alliance, bam), "BAM-HZ").tier_code == "B1"
    before = alliance.accept("spend", "BAM-HZ", "1", "T1", "2026-11-02", amount=10_000)
    after = alliance.accept("spend", "BAM-HZ", "2", "T1", "2026-11-03", amount=10_000)
    assert (before.txn.points, after.txn.points) == (150, 100)


def test_a_tier_may_be_given_ahead(alliance: MiniAlliance, aur: Party) -> None:
    at = id_of(alliance, aur)
    change_card(alliance.context, aur, at, CardChange("A1", date(2027, 1, 1)))
    assert treatment_of(alliance.context, aur, at, "AUR-BJ").tier_code == "A2"
    alliance.clock.pass_to(datetime(2027, 1, 2, tzinfo=UTC))
    assert treatment_of(alliance.context, aur, at, "AUR-BJ").tier_code == "A1"


def test_a_tier_that_does_not_fit(alliance: MiniAlliance, aur: Party) -> None:
    at = id_of(alliance, aur)

    def give(code: str, day: date | None = None) -> None:
        change_card(alliance.context, aur, at, CardChange(code, day))

    give("A2")  # it has it
    assert events(alliance) == []
    refused: list[tuple[str, date | None, type[ClearinghouseError]]] = [
        ("B1", None, TierUnknown),
        ("A1", date(2026, 11, 2), TierDateRefused),
        ("A1", date(2028, 1, 1), TierDateRefused),
    ]
    for code, day, error in refused:
        with pytest.raises(error):
            give(code, day)
    give("A1")
    with pytest.raises(TierDateRefused):
        give("A2")
    give("A2", date(2026, 11, 4))


def test_tier_and_status_change_together_or_not_at_all(alliance: MiniAlliance, aur: Party) -> None:
    with pytest.raises(TierUnknown):
        change(alliance, aur, CardChange("A9", status=CardState.SUSPENDED))
    assert look_up(alliance.context, aur, CARDS["T1"]).status == "active"


def test_what_a_card_was_can_not_be_unwritten(alliance: MiniAlliance, aur: Party) -> None:
    change(alliance, aur, SUSPEND)
    for statement in ("UPDATE card_states SET state = 'active'", "DELETE FROM card_states"):
        with pytest.raises(psycopg2.Error), alliance.database.office() as session:
            session.run(statement)


def test_a_client_for_reading_sees_no_card_of_anybody(alliance: MiniAlliance, aur: Party) -> None:
    for table in ("cards", "card_tiers", "card_states", "travellers"):
        with (
            pytest.raises(psycopg2.errors.InsufficientPrivilege),
            alliance.database.reading(aur.system) as session,
        ):
            session.row(f"SELECT FROM {table}")
