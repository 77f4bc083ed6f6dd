"""Posting: the one way in for value, for a single call, a batch or an imported month (architecture.md)."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from clearinghouse.domain.books import Books
from clearinghouse.domain.deciding import Outcome, decide
from clearinghouse.domain.transactions import Line
from clearinghouse.operations.context import Context
from clearinghouse.store.database import Session, is_conflict
from clearinghouse.store.ledger import write_books
from clearinghouse.store.loading import CardFile, Cards, load_books
from clearinghouse.store.periods import open_period

#: How often a sequence is tried again when another one came first.
_ATTEMPTS = 8

#: Called inside the transaction with what was decided, to write what must be committed with it.
Alongside = Callable[[Session, Sequence[Outcome]], None]


class _PeriodsNotOpen(Exception):
    """The decided transactions go to periods that have no partitions yet."""

    def __init__(self, periods: set[int]) -> None:
        super().__init__(periods)
        self.periods = periods


def post(
    context: Context,
    lines: Sequence[Line],
    alongside: Alongside | None = None,
    cards: Cards | None = None,
) -> list[Outcome]:
    """Decide and write a sequence of lines as one database transaction; one outcome a line, in order.

    A refused line leaves nothing; the others land. If the process dies, either all of it is in the books
    or nothing. Two sequences that share a reference or travellers take turns. ``cards`` are the lines' cards
    where the caller has looked them up already.
    """
    for attempt in range(_ATTEMPTS):
        try:
            return _post_once(context, lines, alongside, cards)
        except _PeriodsNotOpen as missing:
            for period in sorted(missing.periods):
                with context.database.posting() as session:
                    open_period(session, period)
                context.open_periods.add(period)
        except Exception as error:
            if attempt == _ATTEMPTS - 1 or not is_conflict(error):
                raise
    raise RuntimeError("a sequence met a new period on every attempt")


def _post_once(
    context: Context,
    lines: Sequence[Line],
    alongside: Alongside | None,
    cards: Cards | None,
) -> list[Outcome]:
    with context.database.posting() as session:
        directory = context.directory.current(session)
        if cards is None:
            cards = CardFile().look_up(session, lines, context.vault)
        books = load_books(session, lines, directory, cards)
        outcomes = [decide(line, books, directory, context.new_id) for line in lines]
        _periods_must_be_open(context, books)
        write_books(session, books, context.clock())
        if alongside is not None:
            alongside(session, outcomes)
        return outcomes


def _periods_must_be_open(context: Context, books: Books) -> None:
    missing = {txn.period for txn in books.accepted} - context.open_periods
    if missing:
        # Raised before anything is written; partitions are made in a transaction of their own.
        raise _PeriodsNotOpen(missing)
