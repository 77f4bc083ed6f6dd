"""Exact arithmetic on fen, points and rates; no float anywhere (domain.md §2)."""

from __future__ import annotations

PPM = 1_000_000


def divide_half_up(numerator: int, denominator: int) -> int:
    """Return ``numerator / denominator`` rounded half up, away from zero for negatives (四舍五入).

    ``denominator`` must be positive.
    """
    if numerator >= 0:
        return (2 * numerator + denominator) // (2 * denominator)
    return -((-2 * numerator + denominator) // (2 * denominator))


def points_value_minor(points: int, point_value_minor_per_100: int) -> int:
    """Return what ``points`` are worth in fen, rounded once (domain.md §2)."""
    return divide_half_up(points * point_value_minor_per_100, 100)


def vat_minor(fees_minor: int, vat_ppm: int, included: bool) -> int:
    """Return the VAT of one system's fees on one statement, rounded once (domain.md §2).

    Where fees include VAT it is the part contained in them, else what comes on top.
    """
    divisor = PPM + vat_ppm if included else PPM
    return divide_half_up(fees_minor * vat_ppm, divisor)


def earned_points(amount_minor: int, earn_ppm: int) -> int:
    """Return ``floor(yuan × points per yuan)`` for a non-negative amount in fen (domain.md §3)."""
    return amount_minor * earn_ppm // (100 * PPM)


def yuan(amount_minor: int) -> str:
    """Write fen as yuan with two decimals and thousands separators, for people: ``-1,234.50``."""
    sign = "-" if amount_minor < 0 else ""
    whole, rest = divmod(abs(amount_minor), 100)
    return f"{sign}{whole:,}.{rest:02d}"
