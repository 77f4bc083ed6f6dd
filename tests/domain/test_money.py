"""Exact arithmetic on fen, points and rates (domain.md §2)."""

from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clearinghouse.domain.money import (
    divide_half_up,
    earned_points,
    points_value_minor,
    vat_minor,
    yuan,
)


@pytest.mark.parametrize(
    ("numerator", "denominator", "rounded"),
    [
        (0, 7, 0),
        (4, 10, 0),
        (5, 10, 1),
        (15, 10, 2),
        (25, 10, 3),  # half even would be 2
        (-4, 10, 0),
        (-5, 10, -1),  # away from zero
        (-15, 10, -2),
        (-25, 10, -3),
        (1, 3, 0),
        (2, 3, 1),
        (10**30 + 5, 10, 10**29 + 1),
        (-83_285, 10, -8_329),
        (-8_328_578_947_368, 10**9, -8_329),
    ],
)
def test_rounding_is_half_up_and_away_from_zero(
    numerator: int, denominator: int, rounded: int
) -> None:
    assert divide_half_up(numerator, denominator) == rounded


@given(st.integers(-(10**18), 10**18), st.integers(1, 10**9))
def test_rounding_is_what_decimal_calls_half_up(numerator: int, denominator: int) -> None:
    exact = Decimal(numerator) / Decimal(denominator)
    if exact * denominator == numerator:
        assert divide_half_up(numerator, denominator) == exact.to_integral_value(ROUND_HALF_UP)
    assert abs(Fraction(numerator, denominator) - divide_half_up(numerator, denominator)) <= (
        Fraction(1, 2)
    )
    assert divide_half_up(-numerator, denominator) == -divide_half_up(numerator, denominator)


@pytest.mark.parametrize(
    ("points", "per_100", "minor"),
    [
        (1_200, 100, 1_200),  # §6: 100 points are ¥1.00
        (1, 100, 1),
        (0, 100, 0),
        (1, 49, 0),
        (1, 50, 1),
        (3, 50, 2),
        (199, 37, 74),  # 73.63
        (1, 250, 3),  # 2.5
        (7, 0, 0),
        (-1, 50, -1),
    ],
)
def test_points_are_valued_once_and_rounded_half_up(points: int, per_100: int, minor: int) -> None:
    assert points_value_minor(points, per_100) == minor


@pytest.mark.parametrize(
    ("fees", "vat_ppm", "included", "vat"),
    [
        (12, 60_000, True, 1),  # §6, in this order: AUR, BAM, CLD
        (1_039, 60_000, True, 59),
        (40, 60_000, True, 2),
        (1_039, 60_000, False, 62),  # on top: 62.34
        (25, 60_000, False, 2),  # 1.5
        (-25, 60_000, False, -2),
        (-1_039, 60_000, True, -59),
        (1_000, 0, True, 0),
        (0, 60_000, True, 0),
        (1_060_000, 1_000_000, True, 530_000),
    ],
)
def test_vat_is_in_the_fees_or_on_top_of_them(
    fees: int, vat_ppm: int, included: bool, vat: int
) -> None:
    assert vat_minor(fees, vat_ppm, included) == vat


@pytest.mark.parametrize(
    ("amount_minor", "earn_ppm", "points"),
    [
        (120_000, 1_000_000, 1_200),  # §6 #1
        (88_888, 1_500_000, 1_333),  # §6 #2: 1333.32
        (99, 1_000_000, 0),
        (199, 1_000_000, 1),  # the yuan, not whole yuan, times the rate: 1.99
        (150, 1_000_000, 1),
        (150, 2_000_000, 3),  # 3, where whole yuan would give 2
        (1, 1_000_000_000, 10),
        (10**15, 1_000_000_000, 10**16),
        (100, 999_999, 0),
        (5_000, 0, 0),
    ],
)
def test_earned_points_are_rounded_down_from_the_exact_product(
    amount_minor: int, earn_ppm: int, points: int
) -> None:
    assert earned_points(amount_minor, earn_ppm) == points


@pytest.mark.parametrize(
    ("minor", "text"),
    [
        (0, "0.00"),
        (5, "0.05"),
        (-5, "-0.05"),
        (100, "1.00"),
        (-123_450, "-1,234.50"),
        (10**12, "10,000,000,000.00"),
    ],
)
def test_yuan_are_written_for_people(minor: int, text: str) -> None:
    assert yuan(minor) == text
