"""Staging the legs of a closed period in chunks, each in transactions of its own, by whoever comes (decision 0020).

A chunk is a span of transactions' identifiers, which rise with time: what belongs together lies together, nearly, in
all the tables that are joined. So a row is read about once, and a chunk fits in memory, however long the month is. It
is filled or not, and put in order or not: whoever dies leaves whole steps, and whoever comes next goes on.

The tables go away again with the run. Whoever reads them or adds to them holds the period's lock with others, and
whoever makes or drops them holds it alone.
"""

from __future__ import annotations

from hashlib import sha256
from uuid import UUID

from clearinghouse.domain.calendar import format_period
from clearinghouse.domain.errors import DatabaseUnavailable, PeriodNotReady
from clearinghouse.store import periods, staged_legs
from clearinghouse.store.database import Session

_SCHEMA = "staging"
_PERIOD_LOCK = 727040
#: One of a chunk, whatever its period; runs of two periods at a time would only wait for each other.
_CHUNK_LOCK = 727041
#: How many processes or threads make statements at a time, and so share the chunks.
PROCESSES = 2
#: Pages of legs in a chunk, some 70 legs each, and of how many of them the spans are guessed.
_LEAST_PAGES = 16
_MOST_PAGES = 8192
_SAMPLED_PAGES = 256
_FIRST, _LAST = UUID(int=0), UUID(int=(1 << 128) - 1)
#: For each sort and each hash of a chunk.
_MEMORY = (
    "SET LOCAL work_mem = '256MB'; SET LOCAL maintenance_work_mem = '256MB'; SET LOCAL hash_mem_multiplier = 1;"
    " SET LOCAL max_parallel_workers_per_gather = 0; SET LOCAL max_parallel_maintenance_workers = 0;"
    " SET LOCAL enable_nestloop = off; SET LOCAL enable_indexscan = off; SET LOCAL DateStyle = ISO"
)
#: Chunks that another version has made are no use.
_MADE_BY = sha256(
    f"{staged_legs.CREATE}{staged_legs.FILL}{staged_legs.PUT_IN_ORDER}".encode()
).hexdigest()
_CHUNKS = (
    "CREATE UNLOGGED TABLE {table}_chunks (number integer PRIMARY KEY, first uuid NOT NULL, next uuid NOT NULL,"
    " made boolean NOT NULL, made_by text NOT NULL)"
)
_AGAIN = "the month's legs are being staged anew; run it again"


def table_of(period: int) -> str:
    """Return the name of the table that holds a period's legs."""
    return f"{_SCHEMA}.legs_{format_period(period).replace('-', '')}"


def chunks(session: Session, period: int) -> int:
    """Return how many chunks a period is staged in, made or not; 0 where staging has not begun."""
    _share(session, period)
    return len(_known(session, period))


def begin(session: Session, period: int) -> int:
    """Make the tables of a netted period, unless they are there; return how many chunks it is staged in.

    Raises:
        PeriodNotReady: its statements are not to be made: it is not netted, or published.
    """
    session.row("SELECT pg_advisory_xact_lock(%s, %s)", [_PERIOD_LOCK, period])
    if known := _known(session, period):
        return len(known)
    if periods.state_of(session, period) not in ("netted", "stated"):
        raise PeriodNotReady(f"{format_period(period)} is not between netting and publishing")
    table = table_of(period)
    _drop(session, table)
    session.run(staged_legs.CREATE.format(table=table))
    for step in staged_legs.INDEX:
        session.run(step.format(table=table))
    session.run(_CHUNKS.format(table=table))
    spans = _spans(session, period)
    for number, (first, after) in enumerate(spans):
        session.run(
            f"INSERT INTO {table}_chunks VALUES (%s, %s, %s, false, %s)",
            [number, first, after, _MADE_BY],
        )
    return len(spans)


def stage(session: Session, period: int, timezone: str, chunk: int, *, wait: bool) -> bool:
    """Take a chunk a step further; tell whether no step is left: it is made, or others make it and are not waited for.

    It is made by whoever comes first, in two steps of a transaction each; moments in it are in that time zone. Others
    wait for it, or without ``wait`` leave it to that one.

    Raises:
        DatabaseUnavailable: what was begun is gone.
    """
    _share(session, period)
    held = session.row("SELECT pg_try_advisory_xact_lock(%s, %s)", [_CHUNK_LOCK, chunk])
    if held != (True,):
        if not wait:
            return True
        session.row("SELECT pg_advisory_xact_lock(%s, %s)", [_CHUNK_LOCK, chunk])
    made = _known(session, period).get(chunk)
    if made is None:
        raise DatabaseUnavailable(_AGAIN)
    if made:
        return True
    session.run(_MEMORY)
    table = table_of(period)
    name = f"{table}_chunk_{chunk}"
    if not _is_there(session, name):
        session.row("SELECT set_config('TimeZone', %s, true)", [timezone])
        row = session.row(f"SELECT first, next FROM {table}_chunks WHERE number = %s", [chunk])
        first, after = row or (_FIRST, _FIRST)
        for sql in staged_legs.FILL:
            session.run(sql.format(chunk=name, period=int(period), first=first, next=after))
        return False
    for sql in staged_legs.PUT_IN_ORDER:
        session.run(sql.format(table=table, chunk=name))
    session.run(f"UPDATE {table}_chunks SET made = true WHERE number = %s", [chunk])
    return True


def hold(session: Session, period: int) -> None:
    """Keep a period's staged legs from going away before this transaction ends.

    Raises:
        DatabaseUnavailable: they are not all there, as where another process begins anew or has published them.
    """
    _share(session, period)
    known = _known(session, period)
    if not known or not all(known.values()):
        raise DatabaseUnavailable(_AGAIN)


def discard(session: Session, period: int) -> None:
    """Drop the tables of a period, if there are any."""
    session.row("SELECT pg_advisory_xact_lock(%s, %s)", [_PERIOD_LOCK, period])
    _drop(session, table_of(period))


def _share(session: Session, period: int) -> None:
    session.row("SELECT pg_advisory_xact_lock_shared(%s, %s)", [_PERIOD_LOCK, period])


def _known(session: Session, period: int) -> dict[int, bool]:
    """Return whether each chunk is made, by number; nothing where a server ended badly, which empties the tables."""
    table = table_of(period)
    if not _is_there(session, f"{table}_chunks"):
        return {}
    return dict(
        session.rows(f"SELECT number, made FROM {table}_chunks WHERE made_by = %s", [_MADE_BY])
    )


def _is_there(session: Session, table: str) -> bool:
    # ``to_regclass`` would answer out of what this connection knew before it waited for a lock.
    return (
        session.row(
            "SELECT FROM pg_class WHERE relnamespace = %s::regnamespace AND relname = %s",
            table.split("."),
        )
        is not None
    )


def _spans(session: Session, period: int) -> list[tuple[UUID, UUID]]:
    """Return spans of identifiers, of legs about equally many; a sample decides how many, the spans leave none out."""
    row = session.row(
        "SELECT pg_relation_size(tableoid) / current_setting('block_size')::int FROM legs WHERE period = %s LIMIT 1",
        [period],
    )
    pages = row[0] if row else 0
    # A multiple of the processes, so that these end together; a short month is one chunk.
    wanted = -(-pages // (_MOST_PAGES * PROCESSES)) * PROCESSES
    wanted = max(min(wanted, -(-pages // _LEAST_PAGES)), 1)
    bounds = _quantiles(session, period, wanted, pages) if wanted > 1 else []
    return [*zip([_FIRST, *bounds], [*bounds, _LAST], strict=True)]


def _quantiles(session: Session, period: int, parts: int, pages: int) -> list[UUID]:
    row = session.row(
        "SELECT percentile_disc(%s::float8[]) WITHIN GROUP (ORDER BY txn_id)::text[]"
        " FROM legs TABLESAMPLE SYSTEM (%s) REPEATABLE (0) WHERE period = %s",
        [
            [number / parts for number in range(1, parts)],
            min(100 * parts * _SAMPLED_PAGES / pages, 100),
            period,
        ],
    )
    return sorted({UUID(text) for text in (row and row[0]) or ()})


def _drop(session: Session, table: str) -> None:
    """Drop all of a period's tables, also those that another version has left."""
    found = session.rows(
        "SELECT oid::regclass::text FROM pg_class WHERE relnamespace = %s::regnamespace AND relkind = 'r'"
        " AND starts_with(relname, %s)",
        table.split("."),
    )
    if found:
        session.run(f"DROP TABLE {', '.join(name for (name,) in found)}")
