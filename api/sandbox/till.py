"""The till of a sandbox: what a test card needs is seen to before its line goes the way of all lines.

Nothing is answered here. A filled card is filled by an award and a load of its issuer's, an emptied one by using up
what it has; then the rules decide as they do for every card.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import NamedTuple
from uuid import uuid4

from api.sandbox.cards import TEST_CARDS, TestCard
from api.sandbox.filling import FILL_MINOR, FILL_POINTS
from clearinghouse.domain.errors import CardUnknown
from clearinghouse.domain.transactions import Capture, Kind, Line, card_key
from clearinghouse.operations.answering import Request, Result
from clearinghouse.operations.balance import HostBalance, balance_for
from clearinghouse.operations.cards import look_up
from clearinghouse.operations.context import Context
from clearinghouse.operations.grouping import Group
from clearinghouse.operations.party import Party
from clearinghouse.operations.post import post

_OPERATOR = Party(0, None, None, frozenset())
_TAKING = frozenset({Kind.REDEEM.value, Kind.STORED_VALUE_SPEND.value})


class _Known(NamedTuple):
    """A test card that is in the books, and the operator's id for it."""

    card: TestCard
    card_id: str
    issued: str


class SandboxTill(Group[Request, Result]):
    """Carries out requests as the service does, after it has seen to their test cards."""

    def __init__(
        self, carry_out: Callable[[Sequence[Request]], Sequence[Result]], context: Context
    ) -> None:
        super().__init__(carry_out)
        self._context = context
        self._cards: dict[str, _Known] = {}
        for card in TEST_CARDS:
            self._learn(card)

    def submit(self, item: Request) -> Result:
        """Carry out a request; that of a slow card waits first, outside of any transaction, and holds nobody up."""
        known = self._cards.get(item.line.card_number)
        if known is not None:
            time.sleep(known.card.seconds)
            # What a hold took it has; what a line of tomorrow would take is refused as it is.
            if item.line.kind in _TAKING and not isinstance(item.line, Capture):
                self._see_to(known, item.line)
        return super().submit(item)

    def _learn(self, card: TestCard) -> None:
        if card.issued is None:
            return
        try:
            card_id = look_up(self._context, _OPERATOR, card.number).card_id
        except CardUnknown:
            return
        known = _Known(card, card_id, card.issued)
        # Lines name a card by its number, or in our own way if the request named it by an id.
        number = self._context.vault.card_of(card_id, _OPERATOR.system)
        self._cards[card.number] = known
        if number is not None:
            self._cards[card_key(number)] = known

    def _see_to(self, known: _Known, line: Line) -> None:
        if not (known.card.filled or known.card.emptied):
            return
        there = balance_for(self._context, _OPERATOR, known.card_id, known.issued)
        if line.business_date > there.business_date:
            return
        wanted = _filling(there, line) if known.card.filled else _emptying(there)
        lines = [
            Line(
                0,
                known.issued,
                f"SANDBOX-{uuid4().hex}",
                None,
                kind.value,
                known.card.number,
                line.business_date,
                line.occurred_at,
                amount,
                points,
            )
            for kind, amount, points in wanted
        ]
        if lines:
            post(self._context, lines)


class _Wanted(NamedTuple):
    """A transaction that a test card needs; fen or points."""

    kind: Kind
    amount: int | None
    points: int | None


def _filling(there: HostBalance, line: Line) -> list[_Wanted]:
    """Return what brings a pool back to where the line, and many others at the same moment, can't empty it."""
    points, amount = line.points or 0, line.amount_minor or 0
    wanted = []
    if there.usable_points < points + FILL_POINTS // 2:
        wanted.append(_Wanted(Kind.AWARD, None, points + FILL_POINTS))
    if there.usable_minor < amount + FILL_MINOR // 2:
        wanted.append(_Wanted(Kind.LOAD, amount + FILL_MINOR, None))
    return wanted


def _emptying(there: HostBalance) -> list[_Wanted]:
    """Return what uses up a pool."""
    wanted = []
    if there.usable_points:
        wanted.append(_Wanted(Kind.REDEEM, None, there.usable_points))
    if there.usable_minor:
        wanted.append(_Wanted(Kind.STORED_VALUE_SPEND, there.usable_minor, None))
    return wanted
