"""Matching: which instruction a line of the bank's statement settles (domain.md §4 "settled").

The reference is asked first, then the other side's account and the amount. Only what leaves no doubt is matched by
itself: one known reference, the right direction, the system's own account, and nothing that we paid too much.
Everything else is a suggestion that one person proposes and another one confirms.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from enum import StrEnum
from typing import NamedTuple

from clearinghouse.domain.payments import Direction

#: Our references inside a text that somebody else wrote; banks turn letters into capitals, or the other way.
_REFERENCE = re.compile(
    r"(?<![A-Z0-9])CH-[0-9]{6}-(?:\+[A-Z2-7]{16}|[A-Z0-9][A-Z0-9.-]{0,18})-[0-9]{1,2}(?![A-Z0-9])"
)


class Finding(StrEnum):
    """How a line fits what was instructed."""

    EXACT = "exact"
    PARTIAL = "partial"
    OVER = "over"
    RETURNED = "returned"
    UNKNOWN = "unknown"


#: What findings are called, in Chinese and English.
FINDINGS: dict[Finding, tuple[str, str]] = {
    Finding.EXACT: ("相符", "exact"),
    Finding.PARTIAL: ("部分", "partial"),
    Finding.OVER: ("多付", "over"),
    Finding.RETURNED: ("退回", "returned"),
    Finding.UNKNOWN: ("不明", "unknown"),
}


class Money(NamedTuple):
    """A booked movement of our account as the bank tells it, as far as matching needs it; fen above 0.

    ``reversal`` takes an earlier payment back; ``incoming`` says which way the money goes all the same.
    """

    incoming: bool
    reversal: bool
    amount_minor: int
    end_to_end: str | None
    remittance: str
    counterparty_account: str | None


class Part(NamedTuple):
    """So much of a line, in fen above 0, for the instruction of a period, or for the system's account as such.

    ``collateral``: it is collateral of the system, which is posted by itself.
    """

    system: int
    period: int | None
    amount_minor: int
    collateral: bool = False


class Match(NamedTuple):
    """What a line seems to be for; ``automatic``: beyond doubt."""

    finding: Finding
    parts: tuple[Part, ...] = ()
    automatic: bool = False


NOTHING = Match(Finding.UNKNOWN)


class Item:
    """An instruction as the lines before have left it; ``paid_minor`` is what money has met of it, in fen."""

    __slots__ = ("direction", "outstanding_minor", "paid_minor", "period", "reference", "system")

    def __init__(
        self,
        period: int,
        system: int,
        direction: Direction,
        reference: str,
        outstanding_minor: int,
        paid_minor: int,
    ) -> None:
        self.period = period
        self.system = system
        self.direction = direction
        self.reference = reference
        self.outstanding_minor = outstanding_minor
        self.paid_minor = paid_minor

    def open_to(self, money: Money) -> int:
        """Return how much of it money of that kind can still meet, or take back."""
        incoming = self.direction is Direction.IN
        if money.reversal:
            return self.paid_minor if incoming != money.incoming else 0
        return self.outstanding_minor if incoming == money.incoming else 0

    def take(self, money: Money, amount_minor: int) -> None:
        """Let money meet, or take back, a part of it."""
        met = -amount_minor if money.reversal else amount_minor
        self.outstanding_minor -= met
        self.paid_minor += met


class Items:
    """What is instructed and whose accounts are whose: what a file of lines is matched against, in order."""

    def __init__(self, items: Iterable[Item], accounts: Iterable[tuple[int, str | None]]) -> None:
        self._by_reference: dict[str, Item] = {}
        self._by_system: dict[int, list[Item]] = {}
        for item in sorted(items, key=lambda item: (item.period, item.system)):
            self._by_reference[item.reference.upper()] = item
            self._by_system.setdefault(item.system, []).append(item)
        self._accounts = {system: plain_account(text) for system, text in accounts}

    def match(self, money: Money) -> Match:
        """Tell what a line seems to be for; nothing changes by that."""
        paid_in = money.incoming != money.reversal
        named = [
            item
            for item in self._named(money)
            if (item.direction is Direction.IN) == paid_in
            and (item.open_to(money) or not money.reversal)
        ]
        if len(named) == 1:
            return self._of_one(money, named[0])
        if len({item.system for item in named}) == 1:
            return self._share(money, named[0].system, named)
        if named:
            return NOTHING
        account = plain_account(money.counterparty_account)
        owners = [system for system, own in self._accounts.items() if own and own == account]
        return self._of_system(money, owners[0]) if len(owners) == 1 else NOTHING

    def take(self, money: Money, parts: Iterable[Part]) -> None:
        """Let the parts of a line count for the lines behind it."""
        for part in parts:
            for item in self._by_system.get(part.system, ()):
                if item.period == part.period:
                    item.take(money, part.amount_minor)

    def _named(self, money: Money) -> list[Item]:
        """Return the instructions that a line names, the earliest first; the reference field is asked first."""
        for text in (money.end_to_end, money.remittance):
            found = {
                known: self._by_reference[known]
                for reference in references(text or "")
                for known in self._known(reference)
            }
            if found:
                return sorted(found.values(), key=lambda item: (item.period, item.system))
        return []

    def _known(self, reference: str) -> list[str]:
        """Return the reference that is ours: the text, or the longest beginning of it up to a hyphen."""
        while reference:
            if reference in self._by_reference:
                return [reference]
            reference = reference.rpartition("-")[0]
        return []

    def _of_one(self, money: Money, item: Item) -> Match:
        """Match a line that names one instruction, of its direction."""
        own = self._accounts.get(item.system)
        # A bank does not always tell the other account of a return: that the sum was paid is proof enough.
        sure = own is not None and own == plain_account(money.counterparty_account)
        room = item.open_to(money)
        match = self._share(money, item.system, [item])
        if money.reversal:
            return match._replace(automatic=money.amount_minor <= room)
        if match.finding is Finding.OVER:
            # Money of theirs that is too much is theirs; money of ours that is too much needs somebody's decision.
            return match._replace(automatic=sure and money.incoming and room > 0)
        return match._replace(automatic=sure)

    def _of_system(self, money: Money, system: int) -> Match:
        """Suggest what a line is for whose system alone is known: the instruction of its amount, or the oldest."""
        items = [item for item in self._by_system.get(system, ()) if item.open_to(money)]
        exact = [item for item in items if item.open_to(money) == money.amount_minor]
        return self._share(money, system, exact[:1] or items)

    def _share(self, money: Money, system: int, items: Sequence[Item]) -> Match:
        """Share a line out over instructions in their order; what is left is for the system's account."""
        parts, rest = [], money.amount_minor
        for item in items:
            amount = min(rest, item.open_to(money))
            if amount:
                parts.append(Part(system, item.period, amount))
                rest -= amount
        if rest:
            parts.append(Part(system, None, rest))
        left = sum(item.open_to(money) for item in items) - money.amount_minor
        finding = Finding.OVER if rest else Finding.PARTIAL if left else Finding.EXACT
        return Match(Finding.RETURNED if money.reversal else finding, tuple(parts))


def references(text: str) -> Iterator[str]:
    """Yield what looks like references of ours in a text, in capitals."""
    for found in _REFERENCE.finditer(text.upper()):
        yield found[0]


def plain_account(text: str | None) -> str | None:
    """Return an account number without what people put between its digits; ``None`` if nothing is left."""
    return "".join(c for c in text or "" if c.isalnum()).upper() or None
