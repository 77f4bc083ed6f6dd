"""Reciprocal treatment: the host's tier for a card on a date (domain.md §1 principle 2, §3 "Earn rate")."""

from datetime import date

import pytest

from clearinghouse.domain.directory import Directory, Hotel, System, Tier
from clearinghouse.domain.treatment import Card, CardTier, matching_tier, treatment

A, B, EMPTY = 1, 2, 3
A_HOTEL, B_HOTEL, MOVER = 11, 12, 13
START, MOVE = date(2026, 1, 1), date(2026, 6, 1)
#: System, code, rank, level; the rate in ppm tells them apart.
TIERS = [
    (A, "low", 1, 1, 100),
    (A, "mid", 2, 2, 200),
    (A, "mid-first", 1, 2, 201),
    (A, "high", 3, 4, 400),
    (B, "b-one", 1, 1, 1_000),
    (B, "b-two", 2, 2, 2_000),
]


def directory() -> Directory:
    """Two systems with tiers and one without; a hotel that moves from A to B."""
    return Directory(
        [System(n, f"S{n}", "", "") for n in (A, B, EMPTY)],
        [
            Hotel(A_HOTEL, "A-1", ((date.min, A),)),
            Hotel(B_HOTEL, "B-1", ((date.min, B),)),
            Hotel(MOVER, "M-1", ((START, A), (MOVE, B))),
        ],
        [Tier(s, code, START, "", "", rank, level, ppm) for s, code, rank, level, ppm in TIERS],
        [],
    )


def given(hotel: int, system: int, code: str, level: int) -> tuple[Card, CardTier]:
    """A card of a hotel with a tier that a system gave."""
    tier = CardTier(START, system, code, level)
    return Card(1, 1, hotel, (tier,)), tier


@pytest.mark.parametrize(
    ("level", "ppm"),
    [
        (0, 100),  # below every tier: the lowest level
        (1, 100),
        (2, 201),  # several of one level: the lowest rank
        (3, 201),  # the highest level not above the card's
        (4, 400),
        (9, 400),
    ],
)
def test_a_visiting_card_gets_the_highest_level_not_above_its_own(level: int, ppm: int) -> None:
    card, tier = given(B_HOTEL, B, "b-two", level)
    found = treatment(directory(), A, card, tier, MOVE)
    assert found is not None
    assert found.earn_ppm == ppm


def test_the_lowest_level_is_taken_where_none_is_low_enough() -> None:
    tiers = [
        Tier(A, "three", START, "", "", 2, 3, 300),
        Tier(A, "five", START, "", "", 1, 5, 500),
    ]
    assert matching_tier(tiers, 2).code == "three"


@pytest.mark.parametrize(("code", "ppm"), [("low", 100), ("mid", 200), ("high", 400)])
def test_a_card_of_the_hosts_own_system_has_its_own_tier(code: str, ppm: int) -> None:
    card, tier = given(A_HOTEL, A, code, 1)  # whatever level it was given at
    found = treatment(directory(), A, card, tier, MOVE)
    assert found is not None
    assert found.earn_ppm == ppm


@pytest.mark.parametrize(
    ("day", "host", "ppm"),
    [
        (date(2026, 5, 31), A, 200),  # still a card of A with A's tier
        (date(2026, 5, 31), B, 2_000),  # visiting B, level 2
        (MOVE, A, 201),  # the issuer is B's now: visiting A by level
        (MOVE, B, 2_000),  # B's own card, but A gave the tier: by level
    ],
)
def test_a_card_whose_hotel_has_moved_is_matched_by_level(day: date, host: int, ppm: int) -> None:
    card, tier = given(MOVER, A, "mid", 2)
    found = treatment(directory(), host, card, tier, day)
    assert found is not None
    assert found.earn_ppm == ppm


def test_a_host_without_tiers_treats_nobody() -> None:
    card, tier = given(A_HOTEL, A, "low", 1)
    assert treatment(directory(), EMPTY, card, tier, MOVE) is None


def test_the_tier_of_a_card_is_dated() -> None:
    first = CardTier(date(2026, 1, 5), A, "low", 1)
    second = CardTier(date(2026, 6, 1), A, "high", 4)
    card = Card(1, 1, A_HOTEL, (first, second))
    assert [card.tier_on(day) for day in (date(2026, 1, 4), date(2026, 1, 5))] == [None, first]
    assert [card.tier_on(day) for day in (date(2026, 5, 31), date(2026, 6, 1))] == [first, second]


def test_tiers_are_dated_and_hold_before_their_first_version() -> None:
    later = Tier(A, "low", date(2026, 7, 1), "", "", 1, 1, 150)
    only = Tier(A, "new", date(2026, 7, 1), "", "", 2, 2, 300)
    first = Tier(A, "low", START, "", "", 1, 1, 100)
    found = Directory([System(A, "A", "", "")], [], [later, only, first], [])
    rates = {
        day: [tier.earn_ppm for tier in found.tiers_on(A, day)]
        for day in (date(2025, 1, 1), date(2026, 6, 30), date(2026, 7, 1))
    }
    assert rates == {
        date(2025, 1, 1): [100, 300],
        date(2026, 6, 30): [100, 300],
        date(2026, 7, 1): [150, 300],
    }


def test_memberships_are_dated() -> None:
    found = directory()
    days = (date(2025, 12, 31), START, date(2026, 5, 31), MOVE)
    assert [found.system_of(MOVER, day) for day in days] == [None, A, A, B]
    assert found.system_of(A_HOTEL, date(1, 1, 1)) == A
