"""The chunks that a period's legs are staged in: a span of transactions each, and how far it is (decision 0020).

The table that tells goes away with the staged legs, and is empty where these are: a server that ended badly empties
all of them. Whoever calls holds the lock that ``staging`` takes.
"""

from __future__ import annotations

from hashlib import sha256
from typing import NamedTuple
from uuid import UUID

from clearinghouse.domain.calendar import format_period
from clearinghouse.store import staged_legs
from clearinghouse.store.database import Session

_SCHEMA = "staging"
#: Before every identifier, and behind every one.
FIRST, LAST = UUID(int=0), UUID(int=(1 << 128) - 1)
_CREATE = (
    "CREATE UNLOGGED TABLE {note} (number integer PRIMARY KEY, first uuid NOT NULL, next uuid NOT NULL,"
    " timezone text NOT NULL, made boolean NOT NULL)"
)
#: Part of the note's name: what another version has staged is no use, and its note may look otherwise.
_VERSION = sha256(
    f"{_CREATE}{staged_legs.CREATE}{staged_legs.FILL}{staged_legs.PUT_IN_ORDER}".encode()
).hexdigest()[:12]
#: Transactions are walked through in the order of their identifiers, without sorting a month.
_BY_THE_INDEX = (
    "SET LOCAL enable_seqscan = off; SET LOCAL enable_bitmapscan = off; SET LOCAL enable_sort = off"
)


class Chunk(NamedTuple):
    """Transactions from ``first`` up to ``next``, exclusive; moments of ``made`` ones are in that time zone."""

    number: int
    first: UUID
    next: UUID
    timezone: str
    made: bool


def table_of(period: int) -> str:
    """Return the name of the table that holds a period's legs."""
    return f"{_SCHEMA}.legs_{format_period(period).replace('-', '')}"


def name_of(period: int, number: int) -> str:
    """Return the name of the table that holds a chunk's legs."""
    return f"{table_of(period)}_chunk_{number}"


def note_of(period: int) -> str:
    """Return the name of the table that tells of a period's chunks."""
    return f"{table_of(period)}_chunks_{_VERSION}"


def known(session: Session, period: int) -> list[Chunk]:
    """Return the chunks of a period in their order, made or not; none where this version has not begun to stage it."""
    note = note_of(period)
    if not is_there(session, note):
        return []
    rows = session.rows(f"SELECT number, first, next, timezone, made FROM {note} ORDER BY 1")
    return [Chunk(*row) for row in rows]


def is_there(session: Session, table: str) -> bool:
    """Tell whether there is a table of that name now."""
    # ``to_regclass`` would answer out of what this connection knew before it waited for a lock.
    return (
        session.row(
            "SELECT FROM pg_class WHERE relnamespace = %s::regnamespace AND relname = %s",
            table.split("."),
        )
        is not None
    )


def create(session: Session, period: int) -> None:
    """Make the tables of a period, without a chunk, in place of any that are left of it."""
    drop(session, period)
    table = table_of(period)
    for step in (staged_legs.CREATE, *staged_legs.INDEX, _CREATE):
        session.run(step.format(table=table, note=note_of(period)))


def add(session: Session, period: int, chunk: Chunk) -> None:
    """Note a chunk that is to be made."""
    session.run(
        f"INSERT INTO {note_of(period)} VALUES (%s, %s, %s, %s, %s)",
        [*chunk],
    )


def note_made(session: Session, period: int, number: int) -> None:
    """Note that a chunk is made."""
    session.run(f"UPDATE {note_of(period)} SET made = true WHERE number = %s", [number])


def undo(session: Session, period: int, number: int, timezone: str) -> None:
    """Drop what is made of a chunk: it is to be made anew, with moments in that time zone."""
    name = name_of(period, number)
    session.run(f"DROP TABLE IF EXISTS {name}, {name}_owed")
    session.run(f"DELETE FROM {table_of(period)}_sums WHERE chunk = %s", [number])
    session.run(
        f"UPDATE {note_of(period)} SET made = false, timezone = %s WHERE number = %s",
        [timezone, number],
    )


def legs_staged(session: Session, period: int) -> dict[int, int]:
    """Return how many legs are staged in each chunk, by its number; a leg that lacks anything is not counted."""
    return dict(
        session.rows(f"SELECT chunk, sum(legs)::bigint FROM {table_of(period)}_sums GROUP BY 1")
    )


def legs_in_books(session: Session, period: int, firsts: list[UUID]) -> list[int]:
    """Return how many legs of a period the books hold from each of these identifiers, in order, up to the next."""
    rows = session.rows(
        "SELECT width_bucket(txn_id, %s::uuid[]), count(*) FROM legs WHERE period = %s GROUP BY 1",
        [firsts, period],
    )
    counted: dict[int, int] = dict(rows)
    return [counted.get(number, 0) for number in range(1, len(firsts) + 1)]


def bounds(session: Session, period: int, start: UUID, *, legs: int, most: int) -> list[UUID]:
    """Return up to so many identifiers behind ``start`` that cut a period's transactions every so many legs."""
    session.run(_BY_THE_INDEX)
    found: list[UUID] = []
    while len(found) < most:
        row = session.row(
            "SELECT txn_id FROM legs WHERE period = %s AND txn_id > %s ORDER BY txn_id OFFSET %s LIMIT 1",
            [period, start, legs - 1],
        )
        if row is None:
            break
        (start,) = row
        found.append(start)
    return found


def drop(session: Session, period: int) -> None:
    """Drop all of a period's tables, also those that another version has left."""
    found = session.rows(
        "SELECT oid::regclass::text FROM pg_class WHERE relnamespace = %s::regnamespace AND relkind = 'r'"
        " AND starts_with(relname, %s)",
        table_of(period).split("."),
    )
    if found:
        session.run(f"DROP TABLE {', '.join(name for (name,) in found)}")
