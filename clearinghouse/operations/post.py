"""Posting: the one way in for value, for a single call, a batch or an imported month (architecture.md)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import NamedTuple, TypeVar

from clearinghouse.domain.books import Books
from clearinghouse.domain.deciding import Outcome, decide
from clearinghouse.domain.directory import Directory
from clearinghouse.domain.transactions import Line
from clearinghouse.operations.context import Context
from clearinghouse.operations.receiving import refuse_at_reception
from clearinghouse.operations.telling import tell_of_ended_holds
from clearinghouse.store.bulk import Batch
from clearinghouse.store.card_file import CardFile, Cards
from clearinghouse.store.database import Session, is_conflict
from clearinghouse.store.ledger import write_books
from clearinghouse.store.loading import load_books
from clearinghouse.store.periods import open_period

#: How often a sequence is tried again when another one came first.
_ATTEMPTS = 8

T = TypeVar("T")

#: Called inside the transaction with what was decided, to write what must be committed with it.
Alongside = Callable[[Session, Sequence[Outcome]], None]


class Posted(NamedTuple):
    """What was decided on a sequence: one outcome a line, and what they were decided on and at what moment."""

    outcomes: list[Outcome]
    books: Books
    directory: Directory
    at: datetime


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
    *,
    received: datetime | None = None,
) -> list[Outcome]:
    """Decide and write a sequence of lines as one database transaction; one outcome a line, in order.

    A refused line leaves nothing; the others land. If the process dies, either all of it is in the books
    or nothing. Two sequences that share a reference or travellers take turns. ``cards`` are the lines' cards
    where the caller has looked them up already. Lines of the API are judged by the moment they were ``received``, too.
    """

    def work(session: Session) -> list[Outcome]:
        directory = context.directory.current(session)
        posted = post_within(context, session, directory, lines, cards, received=received)
        if alongside is not None:
            alongside(session, posted.outcomes)
        return posted.outcomes

    return in_turn(context, work)


def in_turn(context: Context, work: Callable[[Session], T]) -> T:
    """Run work that posts as one database transaction, again if another one came first.

    Periods that it needs and that have no partitions yet are opened in between.
    """
    for attempt in range(_ATTEMPTS):
        session: Session | None = None
        may_stand = False
        try:
            with context.database.posting() as session:
                result = work(session)
                may_stand = True
            return result
        except _PeriodsNotOpen as missing:
            for period in sorted(missing.periods):
                with context.database.posting() as opening:
                    open_period(opening, period)
                context.open_periods.add(period)
        except Exception as error:
            if attempt == _ATTEMPTS - 1 or not is_conflict(error):
                raise
            may_stand = False
        finally:
            if session is not None:
                context.exposures.end(session, may_stand=may_stand)
    raise RuntimeError("a sequence met a new period on every attempt")


def post_within(
    context: Context,
    session: Session,
    directory: Directory,
    lines: Sequence[Line],
    cards: Cards | None = None,
    *,
    received: datetime | None = None,
    with_them: Callable[[Posted, Batch], None] | None = None,
) -> Posted:
    """Decide and write a sequence of lines within a transaction that :func:`in_turn` has begun.

    ``with_them`` adds what is to be written in the same round trip.
    """
    now = context.clock()
    if cards is None:
        cards = CardFile().look_up(session, lines, context.vault)
    context.exposures.keep_fresh(context.database, directory, now, len(lines))
    books = load_books(session, lines, directory, cards, now)
    with context.exposures.deciding(session, directory) as books.limits:
        outcomes = [
            decide(
                line,
                books,
                directory,
                context.new_id,
                refuse_at_reception(directory, line, received) if received else None,
            )
            for line in lines
        ]
        _periods_must_be_open(context, books)
    posted = Posted(outcomes, books, directory, now)
    batch = Batch()
    tell_of_ended_holds(batch, books, directory, now)
    if with_them is not None:
        with_them(posted, batch)
    write_books(session, books, now, batch)
    return posted


def _periods_must_be_open(context: Context, books: Books) -> None:
    missing = {txn.period for txn in books.accepted} - context.open_periods
    if missing:
        # Raised before anything is written; partitions are made in a transaction of their own.
        raise _PeriodsNotOpen(missing)
