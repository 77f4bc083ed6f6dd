"""Net debit caps: how far a system may run into debt before only its own hotels honour what it issued (§4 "Risk").

A system's *limit* is its cap and the collateral that it has posted. A draw that would take an issuer's running debit
past its limit skips that issuer altogether, and other issuers' lots are drawn instead. The reasons why it is so, and
what a moment's delay means, are in docs/decisions/0023.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from clearinghouse.domain.clearing import Leg


class Limits:
    """The limits of systems and how far each has gone, with what is decided meanwhile; systems by number, in fen.

    ``debits`` are payables and fees less receivables, below 0 for a system that is to receive. A system without a
    limit may owe anything.
    """

    __slots__ = ("_debits", "_limits", "added")

    def __init__(self, limits: Mapping[int, int], debits: Mapping[int, int]) -> None:
        self._limits = limits
        self._debits = dict(debits)
        #: What deciding has added to the debits of systems that have a limit.
        self.added: dict[int, int] = {}

    def passed(self, owed: Mapping[int, int]) -> set[int]:
        """Return those systems that owing so much more would take past their limits."""
        return {
            system
            for system, more in owed.items()
            if (limit := self._limits.get(system)) is not None
            and max(0, self._debits.get(system, 0) + more) > limit
        }

    def count(self, legs: Iterable[Leg]) -> None:
        """Count legs that are decided: the issuer owes more, the host less, but for its fee."""
        for leg in legs:
            if leg.is_cross_system:
                self._move(leg.issuer_system, leg.obligation_minor)
                self._move(leg.host_system, leg.fee_minor - leg.obligation_minor)

    def _move(self, system: int, amount_minor: int) -> None:
        if system in self._limits:
            self._debits[system] = self._debits.get(system, 0) + amount_minor
            self.added[system] = self.added.get(system, 0) + amount_minor


def most_within(total: int, is_possible: Callable[[int], bool]) -> int:
    """Return the greatest amount up to ``total`` that can be drawn, 0 if none can.

    A greater draw blocks no fewer issuers, so whatever is above an impossible amount is impossible too.
    """
    low, high = 0, max(total, 0)
    while low < high:
        middle = (low + high + 1) // 2
        if is_possible(middle):
            low = middle
        else:
            high = middle - 1
    return low
