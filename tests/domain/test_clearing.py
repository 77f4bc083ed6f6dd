"""Legs: no exchange, no fee; a fee rounded once a leg; reversals that never leak a fen (domain.md §1–§3)."""

from datetime import date
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clearinghouse.domain.clearing import (
    CROSS_SYSTEM,
    OWN_SYSTEM,
    Leg,
    after_reversal,
    leg_of,
    reversing_leg,
)
from clearinghouse.domain.rulebook import FeeRule, Rulebook

TXN = UUID(int=1)


def rulebook(**fields: Any) -> Rulebook:
    """A rulebook with some fields of its own."""
    return Rulebook("v1", date(2026, 1, 1), **fields)


def leg(rules: Rulebook, fee_kind: str, quantity: int, *, own: bool = False) -> Leg:
    """A leg of so many points (a redemption) or fen, between systems 1 (issuer) and 2 (host)."""
    in_points = fee_kind == "redeem"
    return leg_of(
        rules,
        7,
        leg_no=1,
        fee_kind=fee_kind,
        issuer_hotel=11,
        issuer_system=2 if own else 1,
        host_system=2,
        points=quantity if in_points else None,
        amount_minor=None if in_points else quantity,
    )


@pytest.mark.parametrize(
    ("rule", "value", "fee"),
    [
        (FeeRule(10_000), 88_888, 889),  # §6 #2
        (FeeRule(20_000), 1_200, 24),  # §6 #3
        (FeeRule(5_000), 30_050, 150),  # §6 #5: 150.25
        (FeeRule(10_000), 49, 0),
        (FeeRule(10_000), 50, 1),
        (FeeRule(0), 10**9, 0),
        # clamp(round(amount × rate) + fixed, min, max)
        (FeeRule(10_000, fixed_minor=7), 100, 8),
        (FeeRule(0, fixed_minor=7), 1, 7),
        (FeeRule(10_000, min_minor=5), 100, 5),
        (FeeRule(10_000, min_minor=5), 600, 6),
        (FeeRule(10_000, fixed_minor=3, min_minor=5), 100, 5),
        (FeeRule(10_000, max_minor=40), 4_100, 40),
        (FeeRule(10_000, fixed_minor=7, max_minor=40), 3_300, 40),
        (FeeRule(10_000, fixed_minor=7, max_minor=40), 3_200, 39),
        (FeeRule(10_000, min_minor=40, max_minor=40), 1, 40),
        (FeeRule(10_000, max_minor=0), 10**6, 0),
        # no value, no fee, whatever the minimum says
        (FeeRule(10_000, fixed_minor=7, min_minor=5), 0, 0),
        (FeeRule(10_000, fixed_minor=7, min_minor=5), -100, 0),
    ],
)
def test_the_fee_rule(rule: FeeRule, value: int, fee: int) -> None:
    assert rule.fee_minor(value) == fee
    rules = rulebook(fee_spend=rule, fee_stored_value=rule)
    assert leg(rules, "spend", value).fee_minor == fee
    assert leg(rules, "stored_value", value).fee_minor == fee


@pytest.mark.parametrize(
    ("fee_kind", "quantity", "base", "obligation", "fee"),
    [
        ("spend", 88_888, 88_888, 0, 889),
        ("redeem", 1_200, 1_200, 1_200, 24),
        ("stored_value", 30_050, 30_050, 30_050, 150),
    ],
)
def test_a_cross_system_leg(
    fee_kind: str, quantity: int, base: int, obligation: int, fee: int
) -> None:
    found = leg(rulebook(), fee_kind, quantity)
    assert (found.base_minor, found.obligation_minor, found.fee_minor) == (base, obligation, fee)
    assert (found.is_cross_system, found.reason) == (True, CROSS_SYSTEM)


@pytest.mark.parametrize("fee_kind", ["spend", "redeem", "stored_value"])
def test_a_leg_inside_one_system_is_kept_as_a_memo_and_costs_nothing(fee_kind: str) -> None:
    dear = FeeRule(1_000_000, fixed_minor=5, min_minor=5)
    rules = rulebook(fee_spend=dear, fee_redeem=dear, fee_stored_value=dear)
    found = leg(rules, fee_kind, 500, own=True)
    assert (found.base_minor, found.obligation_minor, found.fee_minor) == (500, 0, 0)
    assert (found.is_cross_system, found.reason) == (False, OWN_SYSTEM)


def test_points_are_valued_once_a_leg_and_the_fee_is_on_the_value() -> None:
    rules = rulebook(point_value_minor_per_100=37, fee_redeem=FeeRule(333_333))
    found = leg(rules, "redeem", 199)
    assert (found.points, found.base_minor, found.obligation_minor, found.fee_minor) == (
        199,
        74,
        74,
        25,
    )


def test_a_cross_leg_whose_value_rounds_to_nothing_has_no_fee() -> None:
    rules = rulebook(point_value_minor_per_100=1, fee_redeem=FeeRule(20_000, min_minor=5))
    found = leg(rules, "redeem", 49)
    assert (found.base_minor, found.obligation_minor, found.fee_minor) == (0, 0, 0)


REVERSALS = [
    # rule, quantity, reductions in turn → (obligation, fee) of each reversing leg
    pytest.param(FeeRule(20_000), 800, [500], [(-500, -10)], id="domain.md §6: 16 becomes 6"),
    pytest.param(
        FeeRule(10_000),
        100,
        [50, 49, 1],
        [(-50, 0), (-49, -1), (-1, 0)],
        id="each fee rounded alone would take 1, 0, 0",
    ),
    pytest.param(
        FeeRule(0, min_minor=5),
        100,
        [60, 40],
        [(-60, 0), (-40, -5)],
        id="the minimum stands until nothing does",
    ),
    pytest.param(
        FeeRule(100_000, max_minor=6),
        100,
        [30, 30, 40],
        [(-30, 0), (-30, -2), (-40, -4)],
        id="below the maximum again",
    ),
    pytest.param(
        FeeRule(0, fixed_minor=7), 3, [1, 1, 1], [(-1, 0), (-1, 0), (-1, -7)], id="fixed once"
    ),
]


@pytest.mark.parametrize(("rule", "quantity", "reductions", "expected"), REVERSALS)
def test_what_a_reversal_posts_is_the_difference(
    rule: FeeRule, quantity: int, reductions: list[int], expected: list[tuple[int, int]]
) -> None:
    rules = rulebook(fee_redeem=rule)
    standing = leg(rules, "redeem", quantity)
    posted = []
    for number, reduction in enumerate(reductions, start=1):
        found = reversing_leg(rules, standing, TXN, number, reduction)
        posted.append((found.obligation_minor, found.fee_minor))
        assert (found.leg_no, found.points, found.reverses) == (number, -reduction, (TXN, 1))
        standing = after_reversal(standing, found)
    assert posted == expected


def test_a_reversal_of_cash_counts_fen_and_owes_nothing() -> None:
    found = reversing_leg(rulebook(), leg(rulebook(), "spend", 88_888), TXN, 1, 88_888)
    assert found.points is None
    assert (found.base_minor, found.obligation_minor, found.fee_minor) == (-88_888, 0, -889)


@given(
    fee_kind=st.sampled_from(["spend", "redeem", "stored_value"]),
    rule=st.builds(
        FeeRule,
        st.integers(0, 1_000_000),
        st.integers(0, 50),
        st.integers(0, 20),
        st.one_of(st.none(), st.integers(20, 200)),
    ),
    per_100=st.integers(0, 300),
    parts=st.lists(st.integers(1, 400), min_size=1, max_size=8),
    kept=st.integers(0, 100),
)
def test_after_any_refunds_a_leg_is_exactly_that_of_what_remains(
    fee_kind: str, rule: FeeRule, per_100: int, parts: list[int], kept: int
) -> None:
    rules = rulebook(
        fee_spend=rule, fee_redeem=rule, fee_stored_value=rule, point_value_minor_per_100=per_100
    )
    first = leg(rules, fee_kind, sum(parts) + kept)
    standing, posted = first, [first]
    for part in parts:
        posted.append(reversing_leg(rules, standing, TXN, len(posted), part))
        standing = after_reversal(standing, posted[-1])
    remaining = leg(rules, fee_kind, kept)
    assert standing == remaining
    assert sum(one.fee_minor for one in posted) == remaining.fee_minor
    assert sum(one.obligation_minor for one in posted) == remaining.obligation_minor
