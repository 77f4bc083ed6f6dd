"""Payments as people page through them: instructions with what is overdue first, lines and files of the bank."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum
from typing import NamedTuple

from clearinghouse.domain.payments import Direction
from clearinghouse.store.database import Session
from clearinghouse.store.payments.instructions import INSTRUCTION_COLUMNS, Instruction
from clearinghouse.store.payments.lines import LINE_COLUMNS, WAITING, BankLine

#: What is still to be paid comes first, the longest due before the others; what is met the newest first.
_RANK = (
    "CASE WHEN i.state = 'confirmed' THEN 1000000 - (i.due_on - DATE '2000-01-01')"
    " ELSE i.due_on - DATE '2000-01-01' END"
)
_PROPOSED = (
    "EXISTS (SELECT FROM payment_matches m WHERE m.line = l.number AND m.state = 'proposed')"
)


class Met(StrEnum):
    """Which instructions are asked for."""

    OUTSTANDING = "outstanding"
    OVERDUE = "overdue"
    CONFIRMED = "confirmed"
    ALL = "all"


class Stage(StrEnum):
    """Which lines of the bank are asked for."""

    WAITING = "waiting"
    PROPOSED = "proposed"
    MATCHED = "matched"
    RETURNED = "returned"
    ALL = "all"


_MET = {
    Met.OUTSTANDING: "i.state <> 'confirmed'",
    Met.OVERDUE: "i.state <> 'confirmed' AND i.due_on < %s",
    Met.CONFIRMED: "i.state = 'confirmed'",
    Met.ALL: "true",
}
_STAGES = {
    Stage.WAITING: f"{WAITING} AND NOT {_PROPOSED}",
    Stage.PROPOSED: _PROPOSED,
    Stage.MATCHED: f"NOT {WAITING}",
    Stage.RETURNED: "l.reversal",
    Stage.ALL: "true",
}


class Ranked(NamedTuple):
    """An instruction and its place in the list: whether it is met, its rank there, its period and system's code."""

    instruction: Instruction
    place: tuple[bool, int, int, str]


class Sums(NamedTuple):
    """What is still to come in and to be paid out, in fen, and how much of the first is overdue and how often."""

    to_come_minor: int
    to_pay_minor: int
    overdue_minor: int
    overdue: int


class BankFileRow(NamedTuple):
    """A file of the bank that was imported; ``new`` of its ``lines`` were not known before.

    ``gap_minor`` is what its opening balance differs by from the closing one told before, ``None`` if either is not.
    """

    number: int
    sha256: str
    name: str
    format: str
    account: str
    opening_minor: int | None
    closing_minor: int | None
    lines: int
    imported_at: datetime
    imported_by: str
    new: int
    waiting: int
    gap_minor: int | None


def ranked(
    session: Session,
    met: Met,
    today: date,
    *,
    period: int | None,
    direction: Direction | None,
    after: tuple[bool, int, int, str] | None,
    limit: int,
) -> list[Ranked]:
    """Return instructions in their order, of a period and a direction or of all, behind a place."""
    wanted, given = _MET[met], [today] if met is Met.OVERDUE else []
    way = None if direction is None else direction.value
    behind = after or (None, None, None, None)
    rows = session.rows(
        f"SELECT i.state = 'confirmed', {_RANK}, s.code, {INSTRUCTION_COLUMNS} FROM payment_instructions i"
        f" JOIN systems s ON s.number = i.system WHERE {wanted}"
        " AND (%s::int IS NULL OR i.period = %s) AND (%s::text IS NULL OR i.direction = %s)"
        f" AND (%s::boolean IS NULL OR (i.state = 'confirmed', {_RANK}, i.period, s.code) > (%s, %s, %s, %s))"
        " ORDER BY 1, 2, i.period, s.code LIMIT %s",
        [*given, period, period, way, way, behind[0], *behind, limit],
    )
    return [
        Ranked(
            Instruction(row[3], row[4], Direction(row[5]), *row[6:]),
            (row[0], row[1], row[3], row[2]),
        )
        for row in rows
    ]


def sums(session: Session, today: date) -> Sums:
    """Return what is still to be paid in all."""
    row = session.row(
        "SELECT coalesce(sum(amount_minor - confirmed_minor) FILTER (WHERE direction = 'in'), 0)::bigint,"
        " coalesce(sum(amount_minor - confirmed_minor) FILTER (WHERE direction = 'out'), 0)::bigint,"
        " coalesce(sum(amount_minor - confirmed_minor) FILTER (WHERE direction = 'in' AND due_on < %s), 0)::bigint,"
        " count(*) FILTER (WHERE direction = 'in' AND due_on < %s)"
        " FROM payment_instructions WHERE state <> 'confirmed'",
        [today, today],
    )
    return Sums(*(row or (0, 0, 0, 0)))


def instructed_periods(session: Session, most: int) -> list[int]:
    """Return the newest periods that have instructions, the newest first."""
    rows = session.rows(
        "SELECT DISTINCT period FROM payment_instructions ORDER BY 1 DESC LIMIT %s", [most]
    )
    return [row[0] for row in rows]


def candidates(
    session: Session, direction: Direction, amount_minor: int, limit: int
) -> list[Instruction]:
    """Return what is open in a direction, the amounts first that are nearest to one."""
    rows = session.rows(
        f"SELECT {INSTRUCTION_COLUMNS} FROM payment_instructions i WHERE i.direction = %s"
        " AND i.state <> 'confirmed' ORDER BY abs(i.amount_minor - i.confirmed_minor - %s), i.period, i.system"
        " LIMIT %s",
        [direction.value, amount_minor, limit],
    )
    return [Instruction(row[0], row[1], Direction(row[2]), *row[3:]) for row in rows]


def stage_lines(session: Session, stage: Stage, after: int | None, limit: int) -> list[BankLine]:
    """Return lines of the bank in a stage behind one of them: those that wait the oldest first, others the newest."""
    oldest_first = stage in (Stage.WAITING, Stage.PROPOSED)
    sign, order = (">", "") if oldest_first else ("<", "DESC")
    rows = session.rows(
        f"SELECT {LINE_COLUMNS} FROM bank_lines l WHERE {_STAGES[stage]}"
        f" AND (%s::bigint IS NULL OR l.number {sign} %s) ORDER BY l.number {order} LIMIT %s",
        [after, after, limit],
    )
    return [BankLine(*row) for row in rows]


def file_lines(session: Session, file: int, after: int | None, limit: int) -> list[BankLine]:
    """Return the new lines that a file brought, in its order, behind one of them."""
    rows = session.rows(
        f"SELECT {LINE_COLUMNS} FROM bank_lines l WHERE l.file = %s"
        " AND (%s::bigint IS NULL OR l.number > %s) ORDER BY l.number LIMIT %s",
        [file, after, after, limit],
    )
    return [BankLine(*row) for row in rows]


def stage_counts(session: Session) -> dict[Stage, int]:
    """Return how many lines wait for somebody, and for how many a match is proposed."""
    row = session.row(
        f"SELECT count(*) FILTER (WHERE NOT {_PROPOSED}), count(*) FILTER (WHERE {_PROPOSED})"
        f" FROM bank_lines l WHERE {WAITING} OR {_PROPOSED}"
    )
    waiting, proposed = row or (0, 0)
    return {Stage.WAITING: waiting, Stage.PROPOSED: proposed}


def files(session: Session, before: int | None, limit: int) -> list[BankFileRow]:
    """Return imported files, the newest first, before one of them."""
    return _files(session, "%s::int IS NULL OR f.number < %s", [before, before], limit)


def file(session: Session, number: int) -> BankFileRow | None:
    """Return one imported file."""
    found = _files(session, "f.number = %s", [number], 1)
    return found[0] if found else None


def file_of_hash(session: Session, sha256: str) -> int | None:
    """Return the number of the file that had these bytes."""
    row = session.row("SELECT number FROM bank_files WHERE sha256 = %s", [sha256])
    return None if row is None else int(row[0])


def _files(session: Session, wanted: str, given: list[object], limit: int) -> list[BankFileRow]:
    rows = session.rows(
        "SELECT f.number, f.sha256, f.name, f.format, f.account, f.opening_minor, f.closing_minor, f.lines,"
        " f.imported_at, f.imported_by, (SELECT count(*) FROM bank_lines l WHERE l.file = f.number),"
        f" (SELECT count(*) FROM bank_lines l WHERE l.file = f.number AND {WAITING}),"
        " f.opening_minor - (SELECT p.closing_minor FROM bank_files p WHERE p.account = f.account"
        "  AND p.number < f.number AND p.closing_minor IS NOT NULL ORDER BY p.number DESC LIMIT 1)"
        f" FROM bank_files f WHERE {wanted} ORDER BY f.number DESC LIMIT %s",
        [*given, limit],
    )
    return [BankFileRow(*row) for row in rows]
