"""What has been imported: files by their hash, how far each is, and the lines that were refused."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from typing import NamedTuple

from clearinghouse.store.bulk import Batch, table
from clearinghouse.store.database import Session

#: Advisory lock that an import holds as long as it runs, so that two of them take turns.
IMPORT_LOCK = 727004
#: Advisory lock that the workers of an import share as long as they live.
WORKERS_LOCK = 727008
#: Advisory lock that transactions share once a sequence of an import needs only to be committed.
SEQUENCES_LOCK = 727013


class ImportFile(NamedTuple):
    """A registered file; its lines are cut into portions, and those into lanes that run side by side."""

    number: int
    name: str
    lines: int
    lanes: int
    lines_each: int

    @property
    def portion_size(self) -> int:
        """How many lines of the file make a portion."""
        return self.lanes * self.lines_each


class Rejection(NamedTuple):
    """A refused line."""

    line: int
    host_hotel: str
    txn_ref: str
    code: str


PROGRESS = table("import_progress", "file int, portion int, lane int, lines int, answered bytea")
REJECTIONS = table(
    "import_rejections", "file int, line bigint, host_hotel text, txn_ref text, code text"
)


def register_file(
    session: Session,
    *,
    sha256: str,
    name: str,
    lines: int,
    today: date,
    lanes: int,
    lines_each: int,
) -> ImportFile:
    """Register a file, or return it as it was registered first: a resumed import cuts it the same way."""
    session.run(
        "INSERT INTO import_files (sha256, name, lines, imported_on, lanes, lines_each)"
        " VALUES (%s, %s, %s, %s, %s, %s) ON CONFLICT (sha256) DO NOTHING",
        [sha256, name, lines, today, lanes, lines_each],
    )
    row = session.row(
        "SELECT number, name, lines, lanes, lines_each FROM import_files WHERE sha256 = %s",
        [sha256],
    )
    if row is None:
        raise RuntimeError("a registered file is gone")
    return ImportFile(*row)


def first_imported_on(session: Session, sha256: str) -> date | None:
    """Return the day on which a file with this hash was registered, if it ever was."""
    row = session.row("SELECT imported_on FROM import_files WHERE sha256 = %s", [sha256])
    return row[0] if row else None


class Answered(NamedTuple):
    """What of a portion is answered: one bit a line from its first on, and the next free lane."""

    bits: int
    next_lane: int


def answered(session: Session, file: ImportFile) -> tuple[int, dict[int, Answered]]:
    """Return how many lines of a file are answered, and what of each portion is."""
    portions: dict[int, Answered] = {}
    count = 0
    for portion, lane, lines, bits in session.rows(
        "SELECT portion, lane, lines, answered FROM import_progress WHERE file = %s", [file.number]
    ):
        before = portions.get(portion, Answered(0, 0))
        portions[portion] = Answered(
            before.bits | int.from_bytes(bits), max(before.next_lane, lane + 1)
        )
        count += lines
    return count, portions


def sequence_done(
    session: Session,
    file: ImportFile,
    portion: int,
    lane: int,
    offsets: Sequence[int],
    rejections: Sequence[Rejection],
) -> None:
    """Record, in the transaction that posts a sequence, which lines it answered and what it refused.

    ``offsets`` are the lines' numbers counted from the first line of the portion.
    """
    bits = 0
    for offset in offsets:
        bits |= 1 << offset
    batch = Batch()
    batch.insert(
        PROGRESS,
        [(file.number, portion, lane, len(offsets), bits.to_bytes(bits.bit_length() // 8 + 1))],
    )
    batch.insert(REJECTIONS, [(file.number, *rejection) for rejection in rejections])
    batch.write(session)
    # The server may still be committing when the process that asked for it has been killed.
    session.row("SELECT pg_advisory_xact_lock_shared(%s)", [SEQUENCES_LOCK])


def rejections(session: Session, file: ImportFile) -> Iterator[Rejection]:
    """Yield the refused lines of a file in its order."""
    for row in session.stream(
        "SELECT line, host_hotel, txn_ref, code FROM import_rejections WHERE file = %s ORDER BY line",
        [file.number],
    ):
        yield Rejection(*row)


def count_rejections(session: Session, file: ImportFile) -> int:
    """Return how many lines of a file were refused."""
    row = session.row("SELECT count(*) FROM import_rejections WHERE file = %s", [file.number])
    return int(row[0]) if row else 0


def hold_lock(session: Session) -> None:
    """Wait until no other import runs, and let none run until this transaction ends."""
    may_idle(session)
    session.row("SELECT pg_advisory_xact_lock(%s)", [IMPORT_LOCK])


def is_running(session: Session) -> bool:
    """Tell whether an import runs now."""
    row = session.row("SELECT pg_try_advisory_xact_lock_shared(%s)", [IMPORT_LOCK])
    return not (row and row[0])


def share_work(session: Session) -> None:
    """Make a worker known to imports that come later, until this transaction ends."""
    may_idle(session)
    session.row("SELECT pg_advisory_xact_lock_shared(%s)", [WORKERS_LOCK])


def await_workers(session: Session) -> None:
    """Wait until an earlier import is over everywhere: what it still posts must be seen as answered."""
    session.row("SELECT pg_advisory_xact_lock(%s)", [WORKERS_LOCK])
    # Nobody is left who could begin to commit; what is being committed holds this one.
    session.row("SELECT pg_advisory_xact_lock(%s)", [SEQUENCES_LOCK])


def may_idle(session: Session) -> None:
    """Keep the server, however it is configured, from ending a transaction that only holds a lock."""
    session.rows(
        "SELECT set_config(name, '0', true) FROM pg_settings"
        " WHERE name IN ('idle_in_transaction_session_timeout', 'transaction_timeout')"
    )
