"""Staging the legs of a closed period in chunks, each in a transaction of its own, by whoever comes (decision 0020).

A chunk is so many pages of legs as they lie in their table, in which nothing moves any more. It fits in memory, and
what it is joined with lies close together too, since identifiers of transactions rise with time. So every row is read
once, and nothing goes to disk to be sorted, however long the month is. A chunk is there or not: whoever dies leaves
whole ones.
"""

from __future__ import annotations

from typing import NamedTuple

from clearinghouse.domain.calendar import format_period
from clearinghouse.domain.errors import DatabaseUnavailable
from clearinghouse.store import staged_legs
from clearinghouse.store.database import Session

_SCHEMA = "staging"
_STAGING_LOCK = 727040
#: Stands for all chunks where chunks are locked by number.
_ALL = -1
#: As many processes make statements at a time, and so share the chunks.
_PROCESSES = 2
#: Pages of legs in a chunk, some 70 legs each.
_LEAST_PAGES = 16
_MOST_PAGES = 8192
_MEMORY = (
    "SET LOCAL work_mem = '256MB'; SET LOCAL maintenance_work_mem = '256MB'; SET LOCAL hash_mem_multiplier = 1;"
    " SET LOCAL max_parallel_workers_per_gather = 0; SET LOCAL max_parallel_maintenance_workers = 0;"
    " SET LOCAL enable_nestloop = off; SET LOCAL enable_indexscan = off; SET LOCAL DateStyle = ISO"
)


class Plan(NamedTuple):
    """How a period is staged: in so many chunks of so many pages, from that file of the server."""

    chunks: int
    pages: int
    file: int

    @property
    def made_from(self) -> str:
        """What chunks must have in common to be those of one month: in a table written anew legs lie elsewhere."""
        return f"{self.file}/{self.pages}"


def table_of(period: int) -> str:
    """Return the name of the table that holds a period's legs."""
    return f"{_SCHEMA}.legs_{format_period(period).replace('-', '')}"


def prepare(session: Session, period: int) -> Plan:
    """Return how a closed period is staged, and make its tables unless they are there."""
    session.row("SELECT pg_advisory_xact_lock(%s, %s)", [_STAGING_LOCK, _ALL])
    plan = _plan(session, period)
    table = table_of(period)
    if _made(session, table).get(_ALL) != plan.made_from:
        _drop(session, table)
        session.run(staged_legs.CREATE.format(table=table))
        for step in staged_legs.INDEX:
            session.run(step.format(table=table))
        session.run(f"CREATE UNLOGGED TABLE {table}_chunks (number integer, made_from text)")
        _note(session, table, _ALL, plan)
    return plan


def stage(
    session: Session, period: int, timezone: str, plan: Plan, chunk: int, *, wait: bool
) -> None:
    """Make a chunk, unless it is there; moments in it are in that time zone.

    It is made by whoever comes first. Others wait for it, or without ``wait`` leave it to that one.

    Raises:
        DatabaseUnavailable: what ``prepare`` made is gone or was made anew meanwhile.
    """
    held = session.row("SELECT pg_try_advisory_xact_lock(%s, %s)", [_STAGING_LOCK, chunk])
    if held != (True,):
        if not wait:
            return
        session.row("SELECT pg_advisory_xact_lock(%s, %s)", [_STAGING_LOCK, chunk])
    table = table_of(period)
    made = _made(session, table)
    if made.get(_ALL) != plan.made_from:
        raise DatabaseUnavailable("the month's legs were staged anew meanwhile; run it again")
    if chunk in made:
        return
    session.row("SELECT set_config('TimeZone', %s, true)", [timezone])
    session.run(_MEMORY)
    names = {
        "table": table,
        "chunk": f"{table}_{chunk}",
        "period": int(period),
        "from_page": chunk * plan.pages,
        "to_page": (chunk + 1) * plan.pages,
    }
    first, last = session.row(staged_legs.SPAN.format(**names)) or (None, None)
    if first is not None:
        for step in staged_legs.FILL:
            session.run(step.format(**names, first=first, last=last))
    _note(session, table, chunk, plan)


def discard(session: Session, period: int) -> None:
    """Drop the tables of a period, if there are any."""
    _drop(session, table_of(period))


def _plan(session: Session, period: int) -> Plan:
    file, pages = session.row(
        "SELECT pg_relation_filenode(tableoid), pg_relation_size(tableoid) / current_setting('block_size')::int"
        " FROM legs WHERE period = %s LIMIT 1",
        [period],
    ) or (0, 0)
    # Of equal size and a multiple of the processes, so that these end together; a short month is one chunk.
    chunks = -(-pages // (_MOST_PAGES * _PROCESSES)) * _PROCESSES
    chunks = min(chunks, -(-pages // _LEAST_PAGES))
    return Plan(chunks, -(-pages // max(chunks, 1)), file)


def _made(session: Session, table: str) -> dict[int, str]:
    """Return what is there, by number, and what it was made from; a server that ended badly leaves nothing."""
    row = session.row("SELECT to_regclass(%s)", [f"{table}_chunks"])
    if row is None or row[0] is None:
        return {}
    return dict(session.rows(f"SELECT number, made_from FROM {table}_chunks"))


def _note(session: Session, table: str, chunk: int, plan: Plan) -> None:
    session.run(f"INSERT INTO {table}_chunks VALUES (%s, %s)", [chunk, plan.made_from])


def _drop(session: Session, table: str) -> None:
    found = session.rows(
        "SELECT oid::regclass::text FROM pg_class WHERE relnamespace = %s::regnamespace AND relkind = 'r'"
        " AND starts_with(relname, %s)",
        table.split("."),
    )
    if found:
        session.run(f"DROP TABLE {', '.join(name for (name,) in found)}")
