"""Matches that one person proposes and another one decides on, and reminders that were sent."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import NamedTuple

from clearinghouse.domain.matching import Part
from clearinghouse.store.bulk import Batch, table
from clearinghouse.store.database import Session

_PARTS = table(
    "payment_match_parts",
    "match bigint, seq int, system int, period int, amount_minor bigint, collateral boolean",
)


class ProposedMatch(NamedTuple):
    """A match of a line, in the state ``proposed``, ``confirmed`` or ``rejected``; ``undoes`` takes its parts back."""

    number: int
    line: int
    undoes: bool
    state: str
    proposed_by: str
    proposed_at: datetime
    reason: str
    parts: tuple[Part, ...] = ()


class Reminder(NamedTuple):
    """A reminder of the instruction of a period and system; what was outstanding then, in fen."""

    period: int
    system: int
    stage: str
    as_of: date
    outstanding_minor: int


def propose(
    session: Session,
    line: int,
    parts: Sequence[Part],
    *,
    undoes: bool,
    by: str,
    reason: str,
    at: datetime,
) -> int:
    """Record a proposal and return its number; the caller has seen that the line has none that waits."""
    row = session.row(
        "INSERT INTO payment_matches (line, undoes, proposed_by, proposed_at, reason)"
        " VALUES (%s, %s, %s, %s, %s) RETURNING number",
        [line, undoes, by, at, reason],
    )
    number = int(row[0]) if row else 0
    batch = Batch()
    batch.insert(
        _PARTS,
        [(number, seq, *part) for seq, part in enumerate(parts, start=1)],
    )
    batch.write(session)
    return number


def waiting(session: Session, line: int | None = None) -> list[ProposedMatch]:
    """Return the proposals that nobody has decided on, of a line or of all, the oldest first."""
    rows = session.rows(
        "SELECT number, line, undoes, state, proposed_by, proposed_at, reason FROM payment_matches"
        " WHERE state = 'proposed' AND (%s::bigint IS NULL OR line = %s) ORDER BY number",
        [line, line],
    )
    parts: dict[int, list[Part]] = {}
    for match, *part in session.rows(
        "SELECT match, system, period, amount_minor, collateral FROM payment_match_parts"
        " WHERE match = ANY (%s) ORDER BY match, seq",
        [[row[0] for row in rows]],
    ):
        parts.setdefault(match, []).append(Part(*part))
    return [ProposedMatch(*(*row, tuple(parts.get(row[0], ())))) for row in rows]


def decide(session: Session, number: int, state: str, by: str, reason: str, at: datetime) -> None:
    """Confirm or reject a proposal; the database refuses that whoever proposed it confirms it."""
    session.run(
        "UPDATE payment_matches SET state = %s, decided_by = %s, decided_at = %s, decision_reason = %s"
        " WHERE number = %s",
        [state, by, at, reason, number],
    )


def reminders(session: Session) -> list[Reminder]:
    """Return every reminder of instructions that are still to be paid, in the order in which they were sent."""
    rows = session.rows(
        "SELECT r.period, r.system, r.stage, r.as_of, r.outstanding_minor FROM payment_reminders r"
        " JOIN payment_instructions i USING (period, system) WHERE i.state <> 'confirmed' ORDER BY r.at, r.as_of"
    )
    return [Reminder(*row) for row in rows]


def add_reminder(session: Session, reminder: Reminder, at: datetime) -> None:
    """Record that a system was reminded; each stage once."""
    session.run(
        "INSERT INTO payment_reminders (period, system, stage, as_of, outstanding_minor, at)"
        " VALUES (%s, %s, %s, %s, %s, %s)",
        [*reminder, at],
    )
