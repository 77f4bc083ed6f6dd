"""Staging the legs of a period in chunks, each in transactions of its own, by whoever comes (decision 0020).

A chunk is a span of transactions' identifiers, which rise with time: what belongs together lies together, nearly, in
all the tables that are joined. So a row is read about once, and a chunk fits in memory, however long the month is. It
is filled or not, and put in order or not: whoever dies leaves whole steps, and whoever comes next goes on.

Most of a long month is staged ahead, while it is open. What is staged never changes in the books, but a transaction may
still come into a span that is behind; so a closed month begins by counting, and what is short is made anew.

The tables go away again with the run. Whoever reads them or adds to them holds the period's lock with others, and
whoever makes or drops them holds it alone.
"""

from __future__ import annotations

from itertools import pairwise
from uuid import UUID

from clearinghouse.domain.calendar import format_period
from clearinghouse.domain.errors import PeriodNotReady, StagedAnew
from clearinghouse.store import chunks, periods, staged_legs
from clearinghouse.store.chunks import FIRST, LAST, Chunk
from clearinghouse.store.database import Session

#: Held by whoever reads or adds to what is staged of a period, alone by whoever makes or drops it.
_PERIOD_LOCK = 727040
#: Held by whoever makes a chunk of a period.
_CHUNK_LOCK = 727041
#: How many processes or threads make statements at a time, and so share the chunks.
PROCESSES = 2
#: About how many legs a chunk has at most; fewer than the least are one chunk.
_MOST_LEGS = 300_000
_LEAST_LEGS = 1_000
#: For each sort and each hash of a chunk.
_MEMORY = (
    "SET LOCAL work_mem = '256MB'; SET LOCAL maintenance_work_mem = '256MB'; SET LOCAL hash_mem_multiplier = 1;"
    " SET LOCAL max_parallel_workers_per_gather = 0; SET LOCAL max_parallel_maintenance_workers = 0;"
    " SET LOCAL enable_nestloop = off; SET LOCAL enable_indexscan = off; SET LOCAL DateStyle = ISO"
)
_AGAIN = "the month's legs are being staged anew; run it again"


def begun(session: Session, period: int) -> int:
    """Return how many chunks all of a period is to be staged in, made or not; 0 where ``begin`` has yet to say so."""
    _share(session, period)
    known = chunks.known(session, period)
    return len(known) if _is_all(known) else 0


def begin(session: Session, period: int, timezone: str) -> int:
    """Say how all of a netted period is staged, unless that is done, moments in that time zone; return the chunks.

    What was staged ahead stays if every leg of its span is there; else it is to be made anew.

    Raises:
        PeriodNotReady: its statements are not to be made: it is not netted, or published.
    """
    _hold_alone(session, period)
    known = chunks.known(session, period)
    if _is_all(known):
        return len(known)
    if periods.state_of(session, period) not in ("netted", "stated"):
        raise PeriodNotReady(f"{format_period(period)} is not between netting and publishing")
    start = known[-1].next if known else FIRST
    firsts = [*(chunk.first for chunk in known), start]
    # All is read before anything is written: events of others are held back from the first write on.
    *counted, rest = chunks.legs_in_books(session, period, firsts)
    inner = _cuts(session, period, start, rest)
    if not known:
        chunks.create(session, period)
    staged = chunks.legs_staged(session, period)
    for chunk, legs in zip(known, counted, strict=True):
        # What is not all made is in no sum.
        if (chunk.timezone, staged.get(chunk.number)) != (timezone, legs):
            chunks.undo(session, period, chunk.number, timezone)
    cuts = [start, *inner, LAST]
    for number, (first, after) in enumerate(pairwise(cuts), len(known)):
        chunks.add(session, period, Chunk(number, first, after, timezone, made=False))
    return len(known) + len(cuts) - 1


def ahead(session: Session, period: int, timezone: str, before: UUID) -> int | None:
    """Return the next chunk to stage of a period; ``None`` if it is not open, or too few legs wait for another chunk.

    Only those count whose transactions are older than the identifier ``before``.
    """
    _hold_alone(session, period)
    if periods.state_of(session, period) != "open":
        return None
    known = chunks.known(session, period)
    for chunk in known:
        if not chunk.made:
            return chunk.number
    start = known[-1].next if known else FIRST
    cut = chunks.bounds(session, period, start, legs=_MOST_LEGS, most=1)
    if not cut or cut[0] > before:
        return None
    if not known:
        chunks.create(session, period)
    chunks.add(session, period, Chunk(len(known), start, cut[0], timezone, made=False))
    return len(known)


def stage(session: Session, period: int, number: int, *, wait: bool) -> bool:
    """Take a chunk a step further; tell whether no step is left: it is made, or others make it and are not waited for.

    It is made by whoever comes first, in two steps of a transaction each. Others wait for it, or without ``wait`` leave
    it to that one.

    Raises:
        StagedAnew: what was begun is gone.
    """
    _share(session, period)
    lock = _chunk_lock(period, number)
    if session.row("SELECT pg_try_advisory_xact_lock(%s)", [lock]) != (True,):
        if not wait:
            return True
        session.row("SELECT pg_advisory_xact_lock(%s)", [lock])
    known = chunks.known(session, period)
    if number >= len(known):
        raise StagedAnew(_AGAIN)
    chunk = known[number]
    if chunk.made:
        return True
    session.run(_MEMORY)
    name = chunks.name_of(period, number)
    if not chunks.is_there(session, name):
        session.row("SELECT set_config('TimeZone', %s, true)", [chunk.timezone])
        for sql in staged_legs.FILL:
            session.run(
                sql.format(chunk=name, period=int(period), first=chunk.first, next=chunk.next)
            )
        return False
    for sql in staged_legs.PUT_IN_ORDER:
        session.run(sql.format(table=chunks.table_of(period), chunk=name, number=number))
    chunks.note_made(session, period, number)
    return True


def hold(session: Session, period: int) -> None:
    """Keep a period's staged legs from going away before this transaction ends.

    Raises:
        StagedAnew: they are not all there.
    """
    _share(session, period)
    known = chunks.known(session, period)
    if not _is_all(known) or not all(chunk.made for chunk in known):
        raise StagedAnew(_AGAIN)


def discard(session: Session, period: int) -> None:
    """Drop the tables of a period, if there are any."""
    _hold_alone(session, period)
    chunks.drop(session, period)


def _share(session: Session, period: int) -> None:
    session.row("SELECT pg_advisory_xact_lock_shared(%s, %s)", [_PERIOD_LOCK, period])


def _chunk_lock(period: int, number: int) -> int:
    return _CHUNK_LOCK << 40 | period << 20 | number


def _hold_alone(session: Session, period: int) -> None:
    session.row("SELECT pg_advisory_xact_lock(%s, %s)", [_PERIOD_LOCK, period])


def _is_all(known: list[Chunk]) -> bool:
    """Tell whether chunks leave no transaction out, as those do that ``begin`` has added to."""
    return bool(known) and known[-1].next == LAST


def _cuts(session: Session, period: int, start: UUID, legs: int) -> list[UUID]:
    """Return where so many legs from ``start`` on are cut into chunks that are about equal."""
    if legs < _LEAST_LEGS:
        return []
    # A multiple of the processes, so that these end together.
    wanted = -(-legs // (_MOST_LEGS * PROCESSES)) * PROCESSES
    return chunks.bounds(session, period, start, legs=-(-legs // wanted), most=wanted - 1)
