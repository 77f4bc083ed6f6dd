"""Asking for batches: how far they are, and what became of each line. A system sees its own and no others."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from uuid import UUID

from clearinghouse.domain.errors import BatchNotFinished, NotFound
from clearinghouse.operations.context import Context
from clearinghouse.operations.party import Party
from clearinghouse.store import batch_results, batches
from clearinghouse.store.batch_results import LineResult, Tally
from clearinghouse.store.batches import Job
from clearinghouse.store.database import Session

_BATCH_ID = re.compile(r"bat_([0-9a-f]{32})")
#: How many results are fetched at a time where all are asked for.
_RESULTS_EACH = 5_000


@dataclass(frozen=True, slots=True)
class Batch:
    """A batch and what became of its lines by now."""

    job: Job
    tally: Tally

    @property
    def answered(self) -> int:
        """How many lines have their result."""
        return sum(self.tally)


@dataclass(frozen=True, slots=True)
class BatchPage:
    """Batches, newest first; ``next_before`` leads to the older ones, ``None`` if there are none."""

    batches: Sequence[Batch]
    next_before: int | None


@dataclass(frozen=True, slots=True)
class ResultPage:
    """Results in the order of the lines; ``next_after`` leads on, ``None`` once all lines were told."""

    state: str
    results: Sequence[LineResult]
    next_after: int | None


def find_batch(context: Context, party: Party, batch_id: str) -> Batch:
    """Return a batch of this party.

    Raises:
        NotFound: there is none with that id, or it is another's.
    """
    with context.database.reading(party.system) as session:
        number, job = _find(session, party, batch_id)
        return Batch(job, batch_results.tally(session, number))


def batches_of(context: Context, party: Party, before: int | None, limit: int) -> BatchPage:
    """Return the batches of this party, newest first, older than the place ``before``."""
    with context.database.reading(party.system) as session:
        found = batches.newest(session, _only_client(party), before, limit + 1)
        numbers = [number for number, _ in found[:limit]]
        tallies = batch_results.tallies(session, numbers)
    page = [Batch(job, tallies.get(number, Tally(0, 0, 0, 0))) for number, job in found[:limit]]
    return BatchPage(page, numbers[-1] if len(found) > limit else None)


def results_after(
    context: Context, party: Party, batch_id: str, after: int, limit: int
) -> ResultPage:
    """Return the results of the lines behind line ``after``, as far as all up to there are answered.

    A page may be short, or even empty, before the last one: only ``next_after`` tells that there is no more.

    Raises:
        NotFound: there is no such batch, or it is another's.
    """
    with context.database.reading(party.system) as session:
        number, job = _find(session, party, batch_id)
        found = batch_results.page(session, number, after, job.answered_through, limit)
        last = found[-1].line if found else after
        more = job.state != "finished" or bool(
            batch_results.page(session, number, last, job.answered_through, 1)
        )
    return ResultPage(job.state, found, last if more else None)


def all_results(context: Context, party: Party, batch_id: str) -> Iterator[LineResult]:
    """Return the results of all lines of a finished batch, fetched bit by bit as they are taken.

    Raises:
        NotFound: there is no such batch, or it is another's.
        BatchNotFinished: some lines have no result yet.
    """
    with context.database.reading(party.system) as session:
        number, job = _find(session, party, batch_id)
    if job.state != "finished":
        raise BatchNotFinished
    return _each(context, party, number, job.answered_through)


def _each(context: Context, party: Party, number: int, through: int) -> Iterator[LineResult]:
    # No transaction stays open while a slow client takes the results in.
    after = 0
    while True:
        with context.database.reading(party.system) as session:
            found = batch_results.page(session, number, after, through, _RESULTS_EACH)
        if not found:
            return
        yield from found
        after = found[-1].line


def _find(session: Session, party: Party, batch_id: str) -> tuple[int, Job]:
    named = _BATCH_ID.fullmatch(batch_id)
    found = batches.find(session, UUID(named[1]), _only_client(party)) if named else None
    if found is None:
        raise NotFound("there is no such batch")
    return found


def _only_client(party: Party) -> int | None:
    """Return whose batches alone may be seen: a client of some hotels may not see the others' lines."""
    return None if party.hotels is None else party.client
