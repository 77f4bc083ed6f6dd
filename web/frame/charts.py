"""Bar charts as pictures in the page: SVG made here, without scripts or styles; a table beside it says the same."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from markupsafe import Markup, escape

from web.frame.language import language

_WIDTH, _HEIGHT = 560, 200
_LEFT, _RIGHT, _TOP, _BOTTOM = 56, 6, 12, 28
_TICKS = 4
#: A bar's share of its room, in percent, and how wide it is at most, in tenths.
_BAR_SHARE, _WIDEST = 60, 440
_STEPS = (1, 2, 5, 10)


class Bar(NamedTuple):
    """One bar: what stands below it, its amount in fen, and what is said of it where it is pointed at."""

    label: str
    amount_minor: int
    text: str


def bar_chart(name: str, title: str, description: str, bars: Sequence[Bar]) -> Markup:
    """Draw amounts as bars from a line at nothing; ``name`` tells the charts of a page apart.

    Whole numbers only: a place is a number of tenths of a unit, so that nothing is rounded twice.
    """
    low, high, step = _scale([bar.amount_minor for bar in bars])

    def place(amount: int) -> str:
        tenths = (_HEIGHT - _TOP - _BOTTOM) * 10 * (high - amount) // (high - low)
        return _tenths(_TOP * 10 + tenths)

    parts = [
        Markup(
            '<svg class="chart" viewBox="0 0 {} {}" role="img" aria-labelledby="{}-title {}-text">'
            '<title id="{}-title">{}</title><desc id="{}-text">{}</desc>'
        ).format(_WIDTH, _HEIGHT, name, name, name, title, name, description)
    ]
    for amount in range(low, high + 1, step):
        kind = "axis" if amount == 0 else "rule"
        parts.append(
            Markup(
                '<line class="{}" x1="{}" x2="{}" y1="{}" y2="{}"/>'
                '<text x="{}" y="{}" dy="4" text-anchor="end">{}</text>'
            ).format(
                kind, _LEFT, _WIDTH - _RIGHT, place(amount), place(amount), _LEFT - 8,
                place(amount), compact(amount),
            )
        )  # fmt: skip
    room = (_WIDTH - _LEFT - _RIGHT) * 10 // max(len(bars), 1)
    for number, bar in enumerate(bars):
        left = _LEFT * 10 + number * room
        wide = min(room * _BAR_SHARE // 100, _WIDEST)
        upper, lower = place(max(bar.amount_minor, 0)), place(min(bar.amount_minor, 0))
        height = _tenths(_to_tenths(lower) - _to_tenths(upper))
        parts.append(
            Markup(
                '<g><title>{}</title><rect class="bar{}" x="{}" y="{}" width="{}" height="{}" rx="2"/></g>'
                '<text x="{}" y="{}" text-anchor="middle">{}</text>'
            ).format(
                bar.text, " negative" if bar.amount_minor < 0 else "",
                _tenths(left + (room - wide) // 2), upper, _tenths(wide), height,
                _tenths(left + room // 2), _HEIGHT - 10, bar.label,
            )
        )  # fmt: skip
    parts.append(Markup("</svg>"))
    return Markup("").join(escape(part) for part in parts)


def compact(amount_minor: int) -> str:
    """Write fen shortly for an axis, in yuan: ``1.5万``, ``-2.3M``; exact for the round amounts that stand there."""
    units: tuple[tuple[int, str], ...]
    if language() == "en":
        units = ((100_000_000_000, "B"), (100_000_000, "M"), (100_000, "K"))
    else:
        units = ((10_000_000_000, "亿"), (1_000_000, "万"))
    size = abs(amount_minor)
    sign = "−" if amount_minor < 0 else ""
    for unit, name in units:
        if size >= unit:
            return f"{sign}{_short(size, unit)}{name}"
    return f"{sign}{_short(size, 100)}"


def _short(size: int, unit: int) -> str:
    whole, rest = divmod(size * 100 // unit, 100)
    return f"{whole:,}.{rest:02d}".rstrip("0").rstrip(".")


def _scale(amounts: Sequence[int]) -> tuple[int, int, int]:
    """Return the ends of the axis and the step between its marks: round amounts around all bars and nothing."""
    low, high = min(0, *amounts, 0), max(0, *amounts, 0)
    power, step = 1, 1
    while step * _TICKS < max(high - low, 100):
        step, power = next(
            ((digit * power, power) for digit in _STEPS if digit * power > step), (step, power * 10)
        )
    lowest, highest = low // step * step, -(-high // step) * step
    return lowest, highest if highest > lowest else step, step


def _tenths(number: int) -> str:
    return f"{number // 10}.{number % 10}"


def _to_tenths(text: str) -> int:
    return int(text.replace(".", ""))
