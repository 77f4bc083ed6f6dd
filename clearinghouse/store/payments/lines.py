"""What the bank says: its files, their lines, and how much of each is allocated."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import NamedTuple
from uuid import UUID

from clearinghouse.domain.matching import Money
from clearinghouse.store.bulk import Batch, array, table
from clearinghouse.store.database import Session

_LINES = table(
    "bank_lines",
    "file int, line_no int, account text, entry_reference text, batch_reference text, booked_on date,"
    " incoming boolean, reversal boolean, amount_minor bigint, end_to_end text, remittance text,"
    " counterparty_account text, counterparty_name text, content bytea, entry_id uuid, in_period int",
)
#: Of ``bank_lines l``, as :class:`BankLine` has them.
LINE_COLUMNS = (
    "l.number, l.file, l.line_no, l.entry_reference, l.booked_on, l.incoming, l.reversal, l.amount_minor,"
    " l.end_to_end, l.remittance, l.counterparty_account, l.counterparty_name,"
    " coalesce((SELECT abs(sum(a.amount_minor)) FROM payment_allocations a WHERE a.line = l.number), 0)::bigint"
)
#: A line with something left to allocate.
WAITING = (
    "l.amount_minor > coalesce((SELECT abs(sum(a.amount_minor)) FROM payment_allocations a"
    " WHERE a.line = l.number), 0)"
)


class NewFile(NamedTuple):
    """A file of the bank; balances in fen where it tells them."""

    sha256: str
    name: str
    format: str
    account: str
    opening_minor: int | None
    closing_minor: int | None
    lines: int


class NewLine(NamedTuple):
    """A line to be written; ``entry_id`` and ``in_period`` are of the entry that posts it."""

    file: int
    line_no: int
    account: str
    entry_reference: str
    batch_reference: str | None
    booked_on: date
    incoming: bool
    reversal: bool
    amount_minor: int
    end_to_end: str | None
    remittance: str
    counterparty_account: str | None
    counterparty_name: str | None
    content: bytes
    entry_id: UUID
    in_period: int


class KnownLine(NamedTuple):
    """A line on record as another file may tell of it again; of a batch, the bank's own reference of that."""

    entry_reference: str
    batch_reference: str | None
    booked_on: date
    incoming: bool
    amount_minor: int
    content: bytes


class BankLine(NamedTuple):
    """A line of the bank; ``allocated_minor`` of it, in fen, is allocated."""

    number: int
    file: int
    line_no: int
    entry_reference: str
    booked_on: date
    incoming: bool
    reversal: bool
    amount_minor: int
    end_to_end: str | None
    remittance: str
    counterparty_account: str | None
    counterparty_name: str | None
    allocated_minor: int

    @property
    def rest_minor(self) -> int:
        """What is left to allocate."""
        return self.amount_minor - self.allocated_minor

    @property
    def money(self) -> Money:
        """What of it is left, as matching sees it."""
        return Money(
            self.incoming, self.reversal, self.rest_minor, self.end_to_end, self.remittance,
            self.counterparty_account,
        )  # fmt: skip


def file_known(session: Session, sha256: str) -> bool:
    """Tell whether a file with those bytes was imported."""
    return session.row("SELECT FROM bank_files WHERE sha256 = %s", [sha256]) is not None


def accounts(session: Session) -> list[str]:
    """Return our own accounts of which files have told, the first one first."""
    rows = session.rows("SELECT account FROM bank_files GROUP BY 1 ORDER BY min(number)")
    return [row[0] for row in rows]


def last_closing(session: Session, account: str) -> int | None:
    """Return the closing balance, in fen, that the file before told of an account."""
    row = session.row(
        "SELECT closing_minor FROM bank_files WHERE account = %s AND closing_minor IS NOT NULL"
        " ORDER BY number DESC LIMIT 1",
        [account],
    )
    return row[0] if row else None


def known_lines(session: Session, account: str, references: Sequence[str]) -> list[KnownLine]:
    """Return what is on record under these references of the bank, of lines or of batches, in any capitals."""
    rows = session.rows(
        "SELECT entry_reference, batch_reference, booked_on, incoming, amount_minor, content FROM bank_lines"
        " WHERE account = %s AND (upper(entry_reference) = ANY (%s::text[])"
        " OR upper(batch_reference) = ANY (%s::text[])) ORDER BY number",
        [account, *[array([reference.upper() for reference in references])] * 2],
    )
    return [
        KnownLine(reference, batch, booked_on, incoming, amount, bytes(content))
        for reference, batch, booked_on, incoming, amount, content in rows
    ]


def add_file(session: Session, new: NewFile, at: datetime, by: str) -> int:
    """Write a file, imported by whom and when, and return its number."""
    row = session.row(
        "INSERT INTO bank_files (sha256, name, format, account, opening_minor, closing_minor, lines,"
        " imported_at, imported_by) VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s) RETURNING number",
        [*new, at, by],
    )
    return int(row[0]) if row else 0


def add_lines(session: Session, lines: Sequence[NewLine]) -> None:
    """Write lines; the database refuses a reference of the bank that is on record."""
    batch = Batch()
    batch.insert(_LINES, lines)
    batch.write(session)


def line(session: Session, number: int) -> BankLine | None:
    """Return one line."""
    row = session.row(f"SELECT {LINE_COLUMNS} FROM bank_lines l WHERE l.number = %s", [number])
    return BankLine(*row) if row else None


def lines_waiting(session: Session, *, untouched: bool = False) -> list[BankLine]:
    """Return the lines with something left to allocate, in the order of booking.

    ``untouched`` leaves out those that people are at: a match of them is proposed, or one was taken back.
    """
    rows = session.rows(
        f"SELECT {LINE_COLUMNS} FROM bank_lines l WHERE {WAITING} AND (NOT %s OR NOT EXISTS (SELECT"
        " FROM payment_matches m WHERE m.line = l.number AND (m.state = 'proposed'"
        " OR m.state = 'confirmed' AND m.undoes))) ORDER BY l.booked_on, l.file, l.line_no",
        [untouched],
    )
    return [BankLine(*row) for row in rows]


def lines_of(session: Session, system: int, *, most: int) -> list[BankLine]:
    """Return the newest lines of which something was allocated to a system, the newest first."""
    rows = session.rows(
        f"SELECT {LINE_COLUMNS} FROM bank_lines l WHERE EXISTS (SELECT FROM payment_allocations a"
        " WHERE a.line = l.number AND a.system = %s) ORDER BY l.booked_on DESC, l.number DESC LIMIT %s",
        [system, most],
    )
    return [BankLine(*row) for row in rows]
