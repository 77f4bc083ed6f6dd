"""A traveller's pool: which lots are usable and drawn, where refunds go, what repays a debt (domain.md §3)."""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

import pytest

from clearinghouse.domain.accounts import Asset
from clearinghouse.domain.calendar import parse_period
from clearinghouse.domain.pools import (
    Debt,
    Draw,
    Lot,
    Pool,
    draw,
    draw_oldest,
    give_back_order,
    repay,
    take_back,
)

NOVEMBER = parse_period("2026-11")
TODAY = date(2026, 11, 15)
OWN, OTHER = 1, 2


def lot(number: int, remaining: int, expires_on: date | None = None, **fields: Any) -> Lot:
    """A lot of 100 points, or as the fields say, expiring at the end of November."""
    asset = fields.pop("asset", Asset.POINT)
    values: dict[str, Any] = {
        "traveller": 1,
        "issuer_hotel": OTHER,
        "period": NOVEMBER,
        "issued": 100,
        "usable_from": date(2026, 11, 1),
        "expires_on": expires_on or (date(2026, 11, 30) if asset is Asset.POINT else None),
    }
    return Lot(number=number, asset=asset, remaining=remaining, **{**values, **fields})


def debt(number: int, owed: int, hotel: int = OTHER, ends_on: date = date(2026, 11, 30)) -> Debt:
    """A debt of November."""
    return Debt(
        number=number,
        traveller=1,
        issuer_hotel=hotel,
        lot=99,
        period=NOVEMBER,
        owed=owed,
        ends_on=ends_on,
    )


def plan(draws: Sequence[Draw] | None) -> list[tuple[int, int]] | None:
    """The lots by number, with what is drawn from each."""
    return None if draws is None else [(one.lot.number, one.amount) for one in draws]


@pytest.mark.parametrize(
    ("fields", "day", "closed", "usable"),
    [
        ({}, TODAY, 0, True),
        ({"remaining": 0}, TODAY, 0, False),
        ({"held": 100}, TODAY, 0, False),
        ({"held": 99}, TODAY, 0, True),
        ({}, date(2026, 10, 31), 0, False),  # usable from 1 November
        ({}, date(2026, 11, 1), 0, True),
        ({}, date(2026, 11, 30), 0, True),  # its last day
        ({}, date(2026, 12, 1), 0, False),
        ({}, TODAY, NOVEMBER - 1, True),
        ({}, TODAY, NOVEMBER, False),  # its expiry is posted: not even for a late line
        # Issued late, after the closing of the month it ends in: posted with the month it was issued in.
        ({"period": NOVEMBER + 1}, TODAY, NOVEMBER, True),
        ({"period": NOVEMBER + 1}, TODAY, NOVEMBER + 1, False),
        # Stored value has no end.
        ({"asset": Asset.CNY}, date(2199, 12, 31), NOVEMBER + 9, True),
    ],
)
def test_what_is_usable_on_a_business_date(
    fields: dict[str, Any], day: date, closed: int, usable: bool
) -> None:
    one = lot(1, fields.pop("remaining", 100), **fields)
    assert one.usable_on(day, closed) is usable


FIRST, SECOND = date(2026, 11, 30), date(2026, 12, 31)
DRAWS = [
    # lots as number: (issuer, remaining, expires on), in no order
    pytest.param(
        {3: (OTHER, 10, SECOND), 2: (OTHER, 10, FIRST), 1: (OTHER, 10, SECOND)},
        25,
        [(2, 10), (1, 10), (3, 5)],
        [(2, 10), (1, 10), (3, 5)],
        id="by expiry, then by acceptance",
    ),
    pytest.param(
        {1: (OTHER, 10, FIRST), 2: (OWN, 10, FIRST)},
        15,
        [(2, 10), (1, 5)],
        [(2, 10), (1, 5)],
        id="of one day, the host's own system first",
    ),
    pytest.param(
        {1: (OTHER, 10, FIRST), 2: (OWN, 10, SECOND)},
        15,
        [(1, 10), (2, 5)],
        [(2, 10), (1, 5)],
        id="an earlier day goes before the own system, or after",
    ),
    pytest.param(
        {1: (OWN, 10, SECOND), 2: (OWN, 10, FIRST), 3: (OTHER, 10, FIRST)},
        25,
        [(2, 10), (3, 10), (1, 5)],
        [(2, 10), (1, 10), (3, 5)],
        id="both rules",
    ),
    pytest.param({1: (OWN, 10, FIRST)}, 10, [(1, 10)], [(1, 10)], id="all of it"),
    pytest.param({1: (OWN, 10, FIRST)}, 11, None, None, id="more than there is"),
    pytest.param({}, 0, [], [], id="nothing"),
]


@pytest.mark.parametrize(("lots", "amount", "by_expiry", "own_first"), DRAWS)
def test_the_order_of_drawing(
    lots: dict[int, tuple[int, int, date]],
    amount: int,
    by_expiry: list[tuple[int, int]] | None,
    own_first: list[tuple[int, int]] | None,
) -> None:
    pool = [
        lot(number, remaining, expires_on, issuer_hotel=issuer)
        for number, (issuer, remaining, expires_on) in lots.items()
    ]
    own = {OWN}.__contains__
    assert plan(draw(pool, amount, "earliest_expiry", own)) == by_expiry
    assert plan(draw(pool, amount, "own_system_first", own)) == own_first
    assert [one.remaining for one in pool] == [row[1] for row in lots.values()], "only a plan"


def test_held_points_are_not_drawn() -> None:
    lots = [lot(1, 100, held=95), lot(2, 100)]
    assert plan(draw(lots, 20, "earliest_expiry", {OWN}.__contains__)) == [(1, 5), (2, 15)]


def test_stored_value_is_drawn_in_the_order_of_acceptance() -> None:
    loads = [lot(2, 50, asset=Asset.CNY, issuer_hotel=OWN), lot(1, 30, asset=Asset.CNY)]
    assert plan(draw_oldest(loads, 40)) == [(1, 30), (2, 10)]
    assert plan(draw_oldest(loads, 81)) is None


@pytest.mark.parametrize(
    ("returned", "amount", "goes_to"),
    [
        (0, 500, [(2, 500)]),  # §6: the refund of #3 goes back to BAM-HZ's lot first
        (0, 800, [(2, 800)]),
        (0, 900, [(2, 800), (1, 100)]),
        (0, 2_000, [(2, 800), (1, 1_200)]),
        (500, 500, [(2, 300), (1, 200)]),  # remembered over several refunds
        (800, 1, [(1, 1)]),
        (1_999, 1, [(1, 1)]),
    ],
)
def test_a_redemption_comes_back_last_drawn_first(
    returned: int, amount: int, goes_to: list[tuple[int, int]]
) -> None:
    draws = [Draw(lot(1, 0), 1_200), Draw(lot(2, 0), 800)]
    assert plan(give_back_order(draws, returned, amount)) == goes_to


def test_one_lot_drawn_twice_is_two_portions() -> None:
    one = lot(1, 0)
    draws = [Draw(one, 10), Draw(lot(2, 0), 5), Draw(one, 20)]
    assert plan(give_back_order(draws, 15, 12)) == [(1, 5), (2, 5), (1, 2)]


EXPIRED = {"period": NOVEMBER - 1, "expires_on": date(2026, 10, 31)}
TAKEN = [
    # the lot, lots restored from it, amount → drawn, forgiven, debt
    pytest.param({"remaining": 100}, [], 40, [(1, 40)], 0, 0, id="what remains"),
    pytest.param({"remaining": 30}, [], 40, [(1, 30)], 0, 10, id="the rest is a debt"),
    pytest.param({"remaining": 0}, [], 40, [], 0, 40, id="all of it spent"),
    pytest.param({"remaining": 50, "held": 20}, [], 40, [(1, 30)], 0, 10, id="not what is held"),
    pytest.param(
        {"remaining": 10},
        [{"remaining": 20}, {"remaining": 50}],
        40,
        [(1, 10), (11, 20), (12, 10)],
        0,
        0,
        id="then the lots restored from it, in their order",
    ),
    pytest.param({"remaining": 0, "expired": 25}, [], 40, [], 25, 15, id="then what has expired"),
    pytest.param({"remaining": 0, "gone": 25}, [], 40, [], 25, 15, id="or is gone"),
    pytest.param(
        {"remaining": 5, "expired": 10},
        [{"remaining": 0, "gone": 7, "expired": 3}],
        30,
        [(1, 5)],
        20,
        5,
        id="of the whole family",
    ),
    pytest.param(
        {"remaining": 0, "expired": 25, "forgiven": 20}, [], 40, [], 5, 35, id="counted only once"
    ),
    pytest.param(
        {"remaining": 0, "expired": 25, "forgiven": 25},
        [],
        40,
        [],
        0,
        40,
        id="nothing left to count",
    ),
    pytest.param(
        {"remaining": 100, **EXPIRED},
        [],
        40,
        [],
        40,
        0,
        id="expiry due with a closed month is lost",
    ),
    pytest.param(
        {"remaining": 100, "held": 70, **EXPIRED},
        [],
        40,
        [],
        30,
        10,
        id="held points do not expire",
    ),
]


@pytest.mark.parametrize(("source", "family", "amount", "drawn", "forgiven", "owed"), TAKEN)
def test_taking_points_back(
    source: dict[str, Any],
    family: list[dict[str, Any]],
    amount: int,
    drawn: list[tuple[int, int]],
    forgiven: int,
    owed: int,
) -> None:
    one = lot(1, **source)
    children = [
        lot(11 + n, restored_from=1, expires_on=SECOND, **fields) for n, fields in enumerate(family)
    ]
    taken = take_back(one, children, amount, NOVEMBER - 1)
    assert (plan(taken.draws), taken.forgiven, taken.debt) == (drawn, forgiven, owed)


def test_a_lot_past_its_day_is_taken_back_until_its_expiry_is_posted() -> None:
    one = lot(1, 100, date(2026, 10, 31), period=NOVEMBER - 1)
    assert plan(take_back(one, [], 40, NOVEMBER - 2).draws) == [(1, 40)]


def test_a_family_is_in_order_of_acceptance() -> None:
    pool = Pool(1)
    for one in (lot(9, 1, restored_from=1), lot(1, 1), lot(4, 1, restored_from=1), lot(5, 1)):
        pool.lots[one.number] = one
    assert [child.number for child in pool.family(pool.lots[1])] == [4, 9]
    assert pool.family(pool.lots[5]) == []


@pytest.mark.parametrize(
    ("hotel", "day", "amount", "paid"),
    [
        (OTHER, TODAY, 5, [(1, 5)]),  # the oldest first
        (OTHER, TODAY, 10, [(1, 10)]),
        (OTHER, TODAY, 25, [(1, 10), (4, 15)]),
        (OTHER, TODAY, 99, [(1, 10), (4, 20)]),
        (OWN, TODAY, 99, [(2, 30)]),  # only debts to that hotel
        (7, TODAY, 99, []),
        (OTHER, date(2026, 11, 30), 99, [(1, 10), (4, 20)]),
        (OTHER, date(2026, 12, 1), 99, [(4, 20)]),  # a debt ends with the day its lot would have
        (OTHER, date(2027, 1, 1), 99, []),
        (OTHER, TODAY, 0, []),
    ],
)
def test_new_and_returned_points_repay_debts(
    hotel: int, day: date, amount: int, paid: list[tuple[int, int]]
) -> None:
    settled = debt(3, 5)
    settled.remaining = 0
    debts = [debt(1, 10), debt(2, 30, OWN), settled, debt(4, 20, ends_on=SECOND)]
    assert [(one.number, part) for one, part in repay(debts, hotel, day, amount)] == paid


def test_available_points_are_usable_lots_less_every_live_debt() -> None:
    pool = Pool(1)
    for one in (lot(1, 100), lot(2, 40, asset=Asset.CNY), lot(3, 30, SECOND)):
        pool.lots[one.number] = one
    pool.debts = [debt(5, 10), debt(6, 30, OWN, SECOND)]
    found = {
        day: sum(one.unheld for one in pool.usable(Asset.POINT, day, 0)) - pool.owed_on(day)
        for day in (TODAY, FIRST + timedelta(days=1), SECOND + timedelta(days=1))
    }
    assert list(found.values()) == [90, 0, 0]
