"""The pooled balance: by issuer and expiry, now, in the past and in time to come."""

from collections.abc import Iterator
from dataclasses import asdict, replace
from datetime import UTC, date, datetime
from pathlib import Path
from random import Random
from typing import Any

import pytest

from clearinghouse.domain.calendar import period_of
from clearinghouse.domain.deciding import Accepted
from clearinghouse.domain.errors import NotFound
from clearinghouse.operations.close import close
from clearinghouse.operations.context import Context
from clearinghouse.operations.enquire import Balance, pooled_balance
from clearinghouse.operations.post import post
from tests.alliances import CARDS, MiniAlliance
from tests.conftest import Server
from tests.founding import founding
from tests.histories.books import books, found_alliance
from tests.histories.telling import tell
from tests.histories.world import CARDS as WORLD_CARDS
from tests.operations.shared_alliance import shared_alliance

T1 = CARDS["T1"]
TERMS = {
    "points_pending_days": 3,
    "points_expiry_months": 1,
    "restore_grace_days": 5,
    "point_value_minor_per_100": 250,
}

founded = founding(rulebook=TERMS)


@pytest.fixture
def alliance(founded: object, context: Context, tmp_path: Path) -> MiniAlliance:
    """Points of spends are usable three days later, lots last one month, restored ones five days."""
    return MiniAlliance(context, tmp_path, rulebook=TERMS)


@pytest.fixture(scope="module")
def quiet(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[MiniAlliance]:
    """An alliance where nothing has happened."""
    with shared_alliance(server, tmp_path_factory.mktemp("quiet")) as alliance:
        yield alliance


def ask(alliance: MiniAlliance, as_of: str | None = None, card: str = T1) -> Balance:
    return pooled_balance(
        alliance.context, card, None if as_of is None else date.fromisoformat(as_of)
    )


def points(balance: Balance) -> list[tuple[str, str, str | None, int]]:
    return [
        (
            row.issuer.hotel_code,
            str(row.expires_on),
            None if row.usable_from is None else str(row.usable_from),
            row.points,
        )
        for row in balance.points
    ]


def test_points_by_issuer_and_expiry_with_what_they_are_worth(alliance: MiniAlliance) -> None:
    alliance.accept("spend", "BAM-HZ", "1", "T1", "2026-10-01", amount=20_000)
    alliance.accept("spend", "BAM-HZ", "2", "T1", "2026-10-02", amount=10_000)
    alliance.accept("award", "AUR-SH", "3", "T1", "2026-11-03", points=33)
    alliance.accept("spend", "CLD-GZ", "4", "T1", "2026-11-03", amount=7_700)

    found = ask(alliance)

    assert points(found) == [
        ("BAM-HZ", "2026-11-30", None, 450),
        ("AUR-SH", "2026-12-31", None, 33),
        ("CLD-GZ", "2026-12-31", "2026-11-06", 77),
    ]
    assert asdict(found.points[0].issuer) == {
        "hotel_code": "BAM-HZ",
        "name_zh": "竹酒店杭州",
        "name_en": "Bamboo Hangzhou",
        "system_code": "BAM",
    }
    assert [row.worth_minor for row in found.points] == [1_125, 83, 193]
    assert (found.usable_points, found.pending_points, found.held_points) == (483, 77, 0)
    assert (found.spendable_points, found.worth_minor) == (483, 1_208)
    assert (found.as_of, found.rulebook_version) == (date(2026, 11, 3), "v1")


def test_a_debt_lowers_what_can_be_spent_until_it_ends(alliance: MiniAlliance) -> None:
    alliance.accept("award", "AUR-SH", "1", "T1", "2026-10-01", points=100)
    alliance.accept("award", "BAM-HZ", "2", "T1", "2026-11-01", points=300)
    alliance.accept("redeem", "CLD-GZ", "3", "T1", "2026-11-02", points=150)
    alliance.accept("refund", "AUR-SH", "4", "T1", "2026-11-03", points=80, original="1")

    found = ask(alliance)

    assert [(row.issuer.hotel_code, str(row.ends_on), row.points) for row in found.debts] == [
        ("AUR-SH", "2026-11-30", 80)
    ]
    assert (found.usable_points, found.owed_points, found.spendable_points) == (250, 80, 170)
    later = ask(alliance, "2026-12-01")
    assert (later.debts, later.owed_points, later.spendable_points) == ((), 0, 250)
    assert (ask(alliance, "2026-11-02").owed_points, ask(alliance, "2026-11-02").debts) == (0, ())


def test_more_debt_than_points_leaves_nothing_to_spend(alliance: MiniAlliance) -> None:
    alliance.accept("award", "AUR-SH", "1", "T1", "2026-10-01", points=100)
    alliance.accept("redeem", "AUR-BJ", "2", "T1", "2026-10-02", points=100)
    alliance.accept("award", "BAM-HZ", "3", "T1", "2026-10-03", points=30)
    alliance.accept("refund", "AUR-SH", "4", "T1", "2026-10-04", points=90, original="1")
    found = ask(alliance)
    assert (found.usable_points, found.owed_points, found.spendable_points) == (30, 90, 0)
    assert found.worth_minor == 0


def test_stored_value_is_apart(alliance: MiniAlliance) -> None:
    alliance.accept("load", "AUR-SH", "1", "T1", "2026-10-01", amount=50_000)
    alliance.accept("load", "AUR-BJ", "2", "T1", "2026-10-02", amount=10_000)
    alliance.accept("stored_value_spend", "BAM-HZ", "3", "T1", "2026-10-03", amount=12_345)
    found = ask(alliance)
    assert [(row.issuer.hotel_code, row.amount_minor) for row in found.stored_value] == [
        ("AUR-BJ", 10_000),
        ("AUR-SH", 37_655),
    ]
    assert (found.stored_value_minor, found.spendable_points, found.points) == (47_655, 0, ())
    assert found.stored_value_licensed
    assert not ask(alliance, "2031-01-01").stored_value_licensed
    assert ask(alliance, "2026-10-01").stored_value_minor == 50_000


def test_the_past_is_as_it_stood_though_lots_have_expired_since(alliance: MiniAlliance) -> None:
    alliance.accept("spend", "BAM-HZ", "1", "T1", "2026-10-01", amount=20_000)
    alliance.accept("redeem", "CLD-GZ", "2", "T1", "2026-10-05", points=50)
    alliance.settle("2026-10")
    alliance.accept("refund", "CLD-GZ", "3", "T1", "2026-11-20", points=10, original="2")
    alliance.settle("2026-11")
    alliance.accept("refund", "CLD-GZ", "4", "T1", "2026-12-20", points=40, original="2")

    def shown(day: str) -> list[tuple[str, str, str | None, int]]:
        return points(ask(alliance, day))

    assert shown("2026-09-30") == []
    assert shown("2026-10-01") == [("BAM-HZ", "2026-11-30", "2026-10-04", 300)]
    assert shown("2026-10-04") == [("BAM-HZ", "2026-11-30", None, 300)]
    assert shown("2026-11-19") == [("BAM-HZ", "2026-11-30", None, 250)]
    assert shown("2026-11-30") == [("BAM-HZ", "2026-11-30", None, 260)]
    assert shown("2026-12-01") == []
    assert shown("2026-12-20") == [("BAM-HZ", "2026-12-25", None, 40)]
    assert shown("2026-12-25") == [("BAM-HZ", "2026-12-25", None, 40)]
    assert shown("2026-12-26") == []


def test_a_late_line_counts_by_its_business_date(alliance: MiniAlliance) -> None:
    alliance.accept("award", "AUR-BJ", "1", "T1", "2026-10-10", points=10)
    alliance.settle("2026-10")
    alliance.accept("award", "AUR-BJ", "2", "T1", "2026-11-10", points=20)
    alliance.accept("award", "AUR-BJ", "3", "T1", "2026-10-20", points=40)
    days = ("2026-10-19", "2026-10-20", "2026-11-09", "2026-11-10")
    assert [ask(alliance, day).usable_points for day in days] == [10, 50, 50, 70]


def test_a_late_line_that_drew_on_what_came_back_later_leaves_an_empty_lot(
    alliance: MiniAlliance,
) -> None:
    alliance.accept("award", "AUR-BJ", "1", "T1", "2026-10-01", points=100)
    alliance.accept("redeem", "AUR-BJ", "2", "T1", "2026-10-02", points=100)
    alliance.accept("refund", "AUR-BJ", "3", "T1", "2026-10-20", points=100, original="2")
    alliance.accept("redeem", "AUR-BJ", "4", "T1", "2026-10-10", points=60)
    assert points(ask(alliance, "2026-10-15")) == []
    assert points(ask(alliance, "2026-10-20")) == [("AUR-BJ", "2026-11-30", None, 40)]


def test_time_to_come_shows_what_will_still_be_usable(alliance: MiniAlliance) -> None:
    alliance.accept("award", "AUR-BJ", "1", "T1", "2026-10-01", points=10)
    alliance.accept("spend", "AUR-BJ", "2", "T1", "2026-11-01", amount=20_000)
    now, soon, late = ask(alliance), ask(alliance, "2026-12-01"), ask(alliance, "2027-01-01")
    assert (now.usable_points, now.pending_points) == (10, 200)
    assert (soon.usable_points, soon.pending_points) == (200, 0)
    assert (late.usable_points, late.points) == (0, ())


def test_the_names_and_systems_are_those_of_the_day(alliance: MiniAlliance) -> None:
    alliance.accept("award", "AUR-SH", "1", "T1", "2026-10-01", points=10)
    alliance.add(
        {
            "hotels.csv": (
                ("AUR-SH", "BAM", "竹酒店上海", "Bamboo Shanghai", "上海市", "2026-10-15"),
            )
        }
    )
    alliance.clock.pass_to(datetime(2026, 10, 20, tzinfo=UTC))
    before, after = ask(alliance, "2026-10-14").points[0], ask(alliance).points[0]
    assert (before.issuer.name_en, before.issuer.system_code) == ("Aurum Shanghai", "AUR")
    assert (after.issuer.name_en, after.issuer.system_code) == ("Bamboo Shanghai", "BAM")


def test_today_is_the_day_in_the_time_zone_of_the_alliance(alliance: MiniAlliance) -> None:
    alliance.clock.pass_to(datetime(2026, 10, 1, 16, 30, tzinfo=UTC))
    assert ask(alliance).as_of == date(2026, 10, 2)


def test_before_any_rulebook_nothing_has_a_worth(quiet: MiniAlliance) -> None:
    found = ask(quiet, "2025-12-31")
    assert (found.worth_minor, found.rulebook_version, found.stored_value_licensed) == (
        None,
        None,
        False,
    )


@pytest.mark.parametrize(
    "typed",
    [
        "6277 8100 0000 0013",
        "6277-8100-0000-0013",
        " 6277810000000013 ",
        "６２７７８１００００００００１３",
    ],
)
def test_a_card_number_may_be_typed_as_it_is_printed(quiet: MiniAlliance, typed: str) -> None:
    assert ask(quiet, card=typed).card_masked == "627781******0013"


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("6277810000000014", "the card number has a wrong check digit"),
        ("627781000000001", "the card number is not 16 digits"),
        ("627781000000001x", "the card number is not 16 digits"),
        ("", "the card number is empty"),
        ("6277810000000997", "there is no card 627781******0997"),
    ],
)
def test_an_unknown_card_is_refused_without_telling_its_number(
    quiet: MiniAlliance, typed: str, said: str
) -> None:
    with pytest.raises(NotFound) as refused:
        ask(quiet, card=typed)
    assert refused.value.message == said


def days_of(history: Any) -> Iterator[tuple[date, list[Any]]]:
    """The lines of a history in the order of their business dates, as if none had ever come late."""
    lines = [stated.line(number) for number, stated in enumerate(history.stated, 1)]
    lines.sort(key=lambda line: line.business_date)
    for day in sorted({line.business_date for line in lines}):
        yield day, [line for line in lines if line.business_date == day]


@pytest.mark.parametrize("seed", [2, 12, 13])  # with debts, stored value and expiries in them
def test_what_was_seen_on_each_day_is_what_is_seen_of_it_later(
    server: Server, tmp_path: Path, seed: int
) -> None:
    """Where no line is late, looking back shows what was there, through every refund, debt and expiry."""
    history = tell(Random(seed), 100)  # noqa: S311 - the same history every time
    seen: dict[tuple[date, str], Balance] = {}
    with books(server) as context:
        found_alliance(context, history.packs, tmp_path)
        open_months: set[int] = set()
        for day, lines in days_of(history):
            for period in sorted(month for month in open_months if month < period_of(day)):
                close(context, period)
                open_months.remove(period)
            if any(isinstance(outcome, Accepted) for outcome in post(context, lines)):
                open_months.add(period_of(day))
            noon = datetime(day.year, day.month, day.day, 12, tzinfo=UTC)
            then = replace(context, clock=lambda noon=noon: noon)  # type: ignore[misc]  # mypy infers no type for a lambda's default
            seen.update({(day, card): pooled_balance(then, card) for card in WORLD_CARDS})
        for (day, card), balance in seen.items():
            assert pooled_balance(context, card, day) == balance, (card, day)
        with context.database.office() as session:
            assert session.row("SELECT FROM entries WHERE kind = 'expiry'") is not None
    for what in ("points", "debts", "stored_value"):
        assert any(getattr(balance, what) for balance in seen.values()), what
