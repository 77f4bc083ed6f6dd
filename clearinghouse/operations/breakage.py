"""Posting what ends of travellers' points, some of it in each transaction (domain.md §3 "Expiry").

Tills come first: one connection posts and rests between its parts; while nobody else writes it goes on at once, and a
second one helps (decision 0027).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from threading import Event, Lock

from clearinghouse.domain.entries import Entry
from clearinghouse.operations.context import Context
from clearinghouse.operations.giving_way import Pace
from clearinghouse.store.breakage import Ending, end, together
from clearinghouse.store.database import Session

#: After so many parts help is worth its while.
_ALONE = 5
#: How many parts are ended in one transaction while nobody else writes.
_AT_ONCE = 10
_LOOK_AGAIN_SECONDS = 0.02


def end_all(
    context: Context,
    over: Callable[[Session], Iterator[Ending]],
    entry: Callable[[Session], Entry | None],
) -> int:
    """End everything that ``over`` finds; return how many points that was. Safe to run again at any point.

    ``entry`` makes the entry that a part is posted with, in the transaction that posts it and before any traveller is
    locked; ``None`` if nothing may end any more.
    """
    total = 0
    # What was freed meanwhile, as when a hold ended, is found by going through it once more; what another
    # transaction has taken is no longer there, so this ends.
    while points := _end_once(context, over, entry):
        total += points
    return total


def _end_once(
    context: Context,
    over: Callable[[Session], Iterator[Ending]],
    entry: Callable[[Session], Entry | None],
) -> int:
    with context.database.office() as reading:
        return _Work(context, entry, over(reading)).done(reading)


class _Work:
    """Parts to be ended, by us and by one that helps; each of them is taken once."""

    def __init__(
        self,
        context: Context,
        entry: Callable[[Session], Entry | None],
        parts: Iterator[Ending],
    ) -> None:
        self._context = context
        self._entry = entry
        self._parts = parts
        self._others = context.others
        self._taking = Lock()
        self._taken = 0
        self._ended = Event()

    def done(self, reading: Session) -> int:
        """End all parts; return how many points that was. ``reading`` looks who else writes."""
        points, helped = 0, None
        with ThreadPoolExecutor(1) as pool:
            try:
                pace = Pace(self._others)
                while part := self._next():
                    # From finding it: the first one is looked for among all lots.
                    pace.rest(reading)
                    with self._context.database.posting() as session:
                        points += self._end(session, part)
                    if helped is None and self._taken >= _ALONE:
                        helped = pool.submit(self._help)
                    pace.rest(reading)
            finally:
                self._ended.set()
            return points + (helped.result() if helped else 0)

    def _help(self) -> int:
        points = 0
        try:
            while not self._ended.is_set():
                part = None
                with self._context.database.posting() as session:
                    self._others.look(session)
                    if not self._others.write:
                        part = self._next()
                    if part:
                        points += self._end(session, part)
                if not part:
                    self._ended.wait(_LOOK_AGAIN_SECONDS)
        finally:
            # What failed here is told at once, not when the other one has ended all the rest.
            self._ended.set()
        return points

    def _next(self) -> Ending | None:
        with self._taking:
            if self._ended.is_set():
                return None
            parts = list(islice(self._parts, 1 if self._others.write else _AT_ONCE))
            self._taken += len(parts)
            if not parts:
                return None
            self._others.count_ours()
            return together(parts)

    def _end(self, session: Session, part: Ending) -> int:
        entry = self._entry(session)
        if entry is None:
            self._ended.set()
            return 0
        return end(session, entry, part, self._context.clock())
