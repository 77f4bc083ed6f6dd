"""What systems are to pay and to be paid for a period, and the reference that says so (domain.md §4 "settled").

A published period has one instruction for each system that something is to be transferred for. Its amount is the
period's net and whatever credit the system had standing with the clearing house at the period's end; older debts
that are still unpaid are set off before anything is paid out (docs/decisions/0022).
"""

from __future__ import annotations

import re
from base64 import b32encode
from enum import StrEnum
from hashlib import sha256
from typing import NamedTuple

from clearinghouse.domain.calendar import format_period

_PREFIX = "CH"
#: A code that every bank hands on as it is: capitals, since some turn letters into them.
_PLAIN_CODE = re.compile(r"[A-Z0-9][A-Z0-9.-]{0,18}")
_HASH_CHARACTERS = 16


class Direction(StrEnum):
    """Which way the money goes, seen from the clearing house."""

    IN = "in"
    OUT = "out"


def reference_of(period: int, code: str, version: int) -> str:
    """Return the end-to-end reference of a system's payment for a period, the same for ever.

    It has at most 35 characters of the set that all banks pass on. The code of a system that does not fit is
    replaced by a ``+`` and 16 characters of its SHA-256, so no two systems have the same reference.
    """
    if _PLAIN_CODE.fullmatch(code) is None:
        code = f"+{b32encode(sha256(code.encode()).digest())[:_HASH_CHARACTERS].decode()}"
    return f"{_PREFIX}-{format_period(period).replace('-', '')}-{code}-{version}"


class Transfer(NamedTuple):
    """What is to be transferred for a system and a period, from figures that no longer change; amounts in fen.

    ``net_minor`` is the period's net, ``carried_minor`` the credit that stood on the system's account at its end
    beside what other periods still have open (below 0: what the system had been paid too much).
    ``set_off_minor`` is the part of a payment to the system that older unpaid debts of its own take.
    """

    system: int
    net_minor: int
    carried_minor: int
    set_off_minor: int

    @property
    def direction(self) -> Direction:
        """Who pays: a system whose sum is below 0 pays in."""
        return Direction.IN if self.net_minor + self.carried_minor < 0 else Direction.OUT

    @property
    def amount_minor(self) -> int:
        """The amount of the instruction, never below 0."""
        return abs(self.net_minor + self.carried_minor)

    @property
    def to_pay_minor(self) -> int:
        """What money is to be moved for it: the amount without what is set off."""
        return self.amount_minor - self.set_off_minor


def transfer(system: int, net_minor: int, carried_minor: int, unpaid_minor: int) -> Transfer | None:
    """Return what is to be transferred for a system; ``None`` where there is nothing.

    ``unpaid_minor`` is what it still has to pay of earlier periods; it is set off against what it would be paid.
    """
    if net_minor == 0 and carried_minor == 0:
        return None
    payout = max(net_minor + carried_minor, 0)
    return Transfer(system, net_minor, carried_minor, min(payout, unpaid_minor))
