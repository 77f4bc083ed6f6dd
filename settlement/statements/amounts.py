"""Amounts and moments as people read them. Amounts are fen; nothing here rounds."""

from __future__ import annotations

from datetime import datetime

from clearinghouse.domain.calendar import zone
from clearinghouse.domain.money import yuan

#: Excel keeps 15 digits: up to here a cell holds fen exactly, beyond it the amount is written as text.
WORKBOOK_LIMIT_MINOR = 10**15

_DIGITS = "零壹贰叁肆伍陆柒捌玖"
_PLACES = ("", "拾", "佰", "仟")


def shown(amount_minor: int) -> str:
    """Write fen as yuan with two decimals, a true minus and thousands separators: ``−1,234.50``."""
    return yuan(amount_minor).replace("-", "−")


def percent(ppm: int) -> str:
    """Write a rate in millionths as a percentage without needless zeros: 60000 is ``6%``."""
    whole, rest = divmod(ppm, 10_000)
    return f"{whole}.{rest:04d}".rstrip("0").rstrip(".") + "%"


def local(moment: datetime, timezone: str) -> datetime:
    """Return a moment that carries an offset in the time zone of that name."""
    return moment.astimezone(zone(timezone))


def shown_moment(moment: datetime, timezone: str) -> str:
    """Write a moment for people, to the second and with its offset: ``2026-12-04 00:00:00 +08:00``."""
    text = local(moment, timezone).isoformat(sep=" ", timespec="seconds")
    return f"{text[:19]} {text[19:]}"


def capitals(amount_minor: int) -> str:
    """Write an amount in Chinese capitals, which can't be altered by a stroke of the pen (大写金额).

    The sign is left out: the words beside it say who pays whom. ``600714`` is ``陆仟零柒元壹角肆分``.
    """
    whole, rest = divmod(abs(amount_minor), 100)
    jiao, fen = divmod(rest, 10)
    if not rest:
        return f"{_whole(whole) or _DIGITS[0]}元整"
    text = f"{_whole(whole)}元" if whole else ""
    if jiao:
        text += f"{_DIGITS[jiao]}角"
    elif whole:
        text += _DIGITS[0]
    return text + (f"{_DIGITS[fen]}分" if fen else "")


def _whole(number: int) -> str:
    """Write a whole number, nothing for 0: hundreds of millions, then ten thousands, then the rest."""
    for size, unit in ((10**8, "亿"), (10**4, "万")):
        if number >= size:
            high, low = divmod(number, size)
            zero = _DIGITS[0] if 0 < low < size // 10 else ""
            return f"{_whole(high)}{unit}{zero}{_whole(low)}"
    text = ""
    gap = False
    for place in (3, 2, 1, 0):
        digit = number // 10**place % 10
        if digit:
            text += f"{_DIGITS[0] if gap and text else ''}{_DIGITS[digit]}{_PLACES[place]}"
        gap = not digit
    return text
