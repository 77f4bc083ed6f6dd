"""Batches as they are received, taken up and worked off: the job, and the parts that still wait (interfaces.md)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from clearinghouse.store.bulk import array
from clearinghouse.store.database import Row, Session

#: First key of the advisory lock that a process holds on the batch it is at.
BATCH_LOCK = 727012
#: An upload that has given no sign of life for so long may be begun again under its key.
LEASE = timedelta(seconds=60)

_JOB = "batch_id, client, format, state, received_at, finished_at, size, digest, lines, answered_through"


class Received(NamedTuple):
    """What a batch is once all of it has come."""

    layout: Sequence[str]
    digest: bytes
    size: int
    lines: int


class StoredPart(NamedTuple):
    """A run of lines; ``content`` is sealed."""

    part: int
    first_line: int
    last_line: int
    content: bytes


class Job(NamedTuple):
    """A batch as its system sees it; ``state`` is ``waiting``, ``running`` or ``finished``."""

    batch_id: UUID
    client: int
    format: str
    state: str
    received_at: datetime
    finished_at: datetime | None
    size: int
    digest: bytes
    lines: int
    answered_through: int


class Taken(NamedTuple):
    """A batch that this process has taken up; ``run`` is the proof that nobody has done so since."""

    number: int
    run: int
    batch_id: UUID
    client: int
    system: int
    hotels: frozenset[int] | None
    format: str
    received_at: datetime
    layout: tuple[str, ...]
    size: int
    lines: int


class Uploader(NamedTuple):
    """Who uploads: a client, its system and the hotels that it may speak for."""

    client: int
    system: int
    hotels: frozenset[int] | None


def begin(
    session: Session, uploader: Uploader, key: bytes, kind: str, batch_id: UUID, at: datetime
) -> int | None:
    """Register an upload and return its number; ``None`` if the client has a batch under that key."""
    session.run(
        "DELETE FROM batches WHERE client = %s AND key = %s AND state = 'receiving' AND touched_at < %s",
        [uploader.client, key, at - LEASE],
    )
    hotels = None if uploader.hotels is None else sorted(uploader.hotels)
    row = session.row(
        "INSERT INTO batches (batch_id, client, system, hotels, key, format, received_at, touched_at)"
        " VALUES (%s, %s, %s, %s, %s, %s, %s, %s) ON CONFLICT (client, key) DO NOTHING RETURNING number",
        [batch_id, uploader.client, uploader.system, hotels, key, kind, at, at],
    )
    return int(row[0]) if row else None


def find_by_key(session: Session, client: int, key: bytes) -> Job | None:
    """Return the batch that a client has sent under a key; ``state`` may be ``receiving`` here."""
    row = session.row(f"SELECT {_JOB} FROM batches WHERE client = %s AND key = %s", [client, key])
    return None if row is None else _job(row)


def touch(session: Session, number: int, at: datetime) -> bool:
    """Give a sign of life of an upload; false if it was given up or begun again meanwhile."""
    return bool(
        session.run(
            "UPDATE batches SET touched_at = %s WHERE number = %s AND state = 'receiving'",
            [at, number],
        )
    )


def add_part(session: Session, number: int, system: int, part: StoredPart) -> None:
    """Store a part of an upload."""
    session.run(
        "INSERT INTO batch_parts (batch, system, part, first_line, last_line, content)"
        " VALUES (%s, %s, %s, %s, %s, %s)",
        [number, system, *part],
    )


def received(session: Session, number: int, what: Received) -> bool:
    """Let a batch wait to be worked off; false if its upload was given up or begun again meanwhile."""
    return bool(
        session.run(
            "UPDATE batches SET state = 'waiting', layout = %s, digest = %s, size = %s, lines = %s"
            " WHERE number = %s AND state = 'receiving'",
            [list(what.layout), what.digest, what.size, what.lines, number],
        )
    )


def discard(session: Session, number: int) -> None:
    """Leave nothing of an upload."""
    session.run("DELETE FROM batches WHERE number = %s AND state = 'receiving'", [number])


def discard_abandoned(session: Session, before: datetime) -> None:
    """Leave nothing of uploads whose last sign of life is older than that."""
    session.run("DELETE FROM batches WHERE state = 'receiving' AND touched_at < %s", [before])


def lock_next(session: Session, now: datetime) -> int | None:
    """Lock the first batch that waits and that no living process is at, until this transaction ends."""
    due = "state IN ('waiting', 'running') AND (not_before IS NULL OR not_before <= %s)"
    for (number,) in session.rows(
        f"SELECT number FROM batches WHERE {due} ORDER BY number LIMIT 100", [now]
    ):
        row = session.row("SELECT pg_try_advisory_xact_lock(%s, %s)", [BATCH_LOCK, number])
        # Another process may have finished it between the two statements.
        if row and row[0]:
            still = f"SELECT FROM batches WHERE number = %s AND {due}"
            if session.row(still, [number, now]) is not None:
                return int(number)
    return None


def take_up(session: Session, number: int) -> Taken:
    """Take a batch up: whoever did so before can answer no more lines of it.

    This waits for sequences that a killed process has left to the server; what they answer is seen after it.
    """
    row = session.row(
        "UPDATE batches SET state = 'running', run = run + 1 WHERE number = %s"
        " RETURNING number, run, batch_id, client, system, hotels, format, received_at, layout, size, lines",
        [number],
    )
    if row is None:
        raise RuntimeError("a locked batch is gone")
    taken = Taken(*row)
    hotels = None if taken.hotels is None else frozenset(taken.hotels)
    return taken._replace(hotels=hotels, layout=tuple(taken.layout))


def is_taken(session: Session, number: int, run: int) -> bool:
    """Tell whether a batch is still this run's, and keep it so until the transaction ends."""
    return (
        session.row("SELECT FROM batches WHERE number = %s AND run = %s FOR SHARE", [number, run])
        is not None
    )


def parts(session: Session, number: int, after: int, limit: int) -> list[StoredPart]:
    """Return the first parts behind part ``after`` that are not wholly answered."""
    return [
        StoredPart(part, first_line, last_line, bytes(content))
        for part, first_line, last_line, content in session.rows(
            "SELECT part, first_line, last_line, content FROM batch_parts"
            " WHERE batch = %s AND part > %s ORDER BY part LIMIT %s",
            [number, after, limit],
        )
    ]


def parts_answered(session: Session, number: int, run: int, done: Sequence[StoredPart]) -> None:
    """Forget parts whose lines all have their result, and let the results up to there be seen."""
    session.run(
        "DELETE FROM batch_parts WHERE batch = %s AND part = ANY (%s::int[])",
        [number, array(part.part for part in done)],
    )
    session.run(
        "UPDATE batches SET answered_through = %s, failures = 0, not_before = NULL"
        " WHERE number = %s AND run = %s",
        [max(part.last_line for part in done), number, run],
    )


def finish(session: Session, number: int, run: int, at: datetime) -> bool:
    """Record that every line of a batch has its result; false if another process has taken it up."""
    return bool(
        session.run(
            "UPDATE batches SET state = 'finished', finished_at = %s"
            " WHERE number = %s AND run = %s AND state = 'running'"
            " AND NOT EXISTS (SELECT FROM batch_parts WHERE batch = %s)",
            [at, number, run, number],
        )
    )


def put_off(session: Session, number: int, now: datetime) -> None:
    """Try a batch again later, after each failure twice as late, at most five minutes."""
    session.run(
        "UPDATE batches SET failures = failures + 1,"
        " not_before = %s + least(interval '5 minutes', interval '1 second' * (1 << least(failures, 9)))"
        " WHERE number = %s AND state <> 'finished'",
        [now, number],
    )


def find(session: Session, batch_id: UUID, client: int | None) -> tuple[int, Job] | None:
    """Return a batch that this transaction may see, and its number; with ``client``, only that client's."""
    row = session.row(
        f"SELECT number, {_JOB} FROM batches WHERE batch_id = %s AND state <> 'receiving'"
        " AND (%s::int IS NULL OR client = %s)",
        [batch_id, client, client],
    )
    return None if row is None else (int(row[0]), _job(row[1:]))


def newest(
    session: Session, client: int | None, before: int | None, limit: int
) -> list[tuple[int, Job]]:
    """Return the batches that this transaction may see, newest first, numbered below ``before``."""
    rows = session.rows(
        f"SELECT number, {_JOB} FROM batches WHERE state <> 'receiving'"
        " AND (%s::int IS NULL OR client = %s) AND (%s::bigint IS NULL OR number < %s)"
        " ORDER BY number DESC LIMIT %s",
        [client, client, before, before, limit],
    )
    return [(int(row[0]), _job(row[1:])) for row in rows]


def _job(row: Row) -> Job:
    job = Job(*row)
    return job._replace(digest=bytes(job.digest or b""))
