"""Identifiers: time-ordered transaction ids that tell their period, and card numbers kept from view."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

from clearinghouse.domain.calendar import FIRST_PERIOD

#: Makes the id of a new transaction or entry of the given period.
IdSource = Callable[[int], UUID]

_PERIOD_BITS = 12
_HEX = frozenset("0123456789abcdef")


def transaction_id(period: int, milliseconds: int, noise: int) -> UUID:
    """Make a version 7 UUID whose 12 spare bits hold the period, so its partition is known from the id.

    ``milliseconds`` is the time since 1970, ``noise`` 62 bits that tell ids of one millisecond apart.

    Raises:
        ValueError: the period is before 2000-01 or after 2341-04.
    """
    months = period - FIRST_PERIOD
    if not 0 <= months < 1 << _PERIOD_BITS:
        raise ValueError(f"no transaction id can hold the period {period}")
    value = (milliseconds & (1 << 48) - 1) << 80 | 0x7 << 76 | months << 64
    return UUID(int=value | 0b10 << 62 | noise & (1 << 62) - 1)


def period_of_id(identifier: UUID) -> int:
    """Return the period that an id was made for."""
    return (identifier.int >> 64 & (1 << _PERIOD_BITS) - 1) + FIRST_PERIOD


def mask_card_number(number: str) -> str:
    """Show the first six and the last four digits, which is what statements and logs may show."""
    return f"{number[:6]}******{number[-4:]}"


def id_in(text: str, prefix: str) -> UUID | None:
    """Return the id in a public one (``txn_…``), if it is one."""
    digits = text.removeprefix(prefix)
    if len(text) != len(prefix) + 32 or len(digits) != 32 or not _HEX.issuperset(digits):
        return None
    return UUID(hex=digits)
