"""Disputes as they are stored: the claim and its answer, written once, and the steps of each."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from clearinghouse.domain.disputes import CASH
from clearinghouse.domain.identifiers import period_of_id
from clearinghouse.store.bulk import array
from clearinghouse.store.database import Session

_COLUMNS = (
    "dispute_id, period, txn_id, leg_no, opened_by, respondent, reason, text, state, late,"
    " opened_at, answer_due_at, answer, answer_text, answered_at, decided_at"
)


class Viewer(NamedTuple):
    """For whom disputes are read: a system, the operator (``None``) for its own, or ``everything``."""

    system: int | None
    everything: bool = False


class Leg(NamedTuple):
    """A leg and the period it is in, as far as a dispute needs them."""

    period: int
    fee_kind: str
    host_system: int
    issuer_system: int
    rulebook: int
    published_at: datetime | None


class NewDispute(NamedTuple):
    """A claim to be recorded."""

    dispute_id: UUID
    period: int
    txn_id: UUID
    leg_no: int
    opened_by: int
    respondent: int | None
    client: int
    reason: str
    text: str
    late: bool
    opened_at: datetime
    answer_due_at: datetime


class Dispute(NamedTuple):
    """A dispute; systems by number, ``respondent`` is ``None`` for the operator."""

    dispute_id: UUID
    period: int
    txn_id: UUID
    leg_no: int
    opened_by: int
    respondent: int | None
    reason: str
    text: str
    state: str
    late: bool
    opened_at: datetime
    answer_due_at: datetime
    answer: str | None
    answer_text: str | None
    answered_at: datetime | None
    decided_at: datetime | None


class Step(NamedTuple):
    """A step of a dispute; ``by_system`` is ``None`` for the operator."""

    state: str
    at: datetime
    by_system: int | None


def leg_of(session: Session, system: int | None, txn_id: UUID, leg_no: int) -> Leg | None:
    """Return a leg that stands on a system's statement; a leg of cash stands on its host's alone."""
    row = session.row(
        "SELECT g.period, g.fee_kind, g.host_system, g.issuer_system, g.rulebook, p.published_at"
        " FROM legs g JOIN periods p ON p.period = g.period"
        " WHERE g.period = %s AND g.txn_id = %s AND g.leg_no = %s"
        " AND (g.host_system = %s OR (g.issuer_system = %s AND g.fee_kind <> %s))",
        [period_of_id(txn_id), txn_id, leg_no, system, system, CASH],
    )
    return Leg(*row) if row else None


def add(session: Session, new: NewDispute) -> bool:
    """Record a claim; ``False``: the opener has an undecided one of that leg."""
    count = session.run(
        "INSERT INTO disputes (dispute_id, period, txn_id, leg_no, opened_by, respondent, client,"
        " reason, text, late, opened_at, answer_due_at)"
        " VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)"
        " ON CONFLICT (txn_id, leg_no, opened_by) WHERE state NOT IN ('upheld', 'rejected') DO NOTHING",
        list(new),
    )
    return count == 1


def undecided(session: Session, system: int, txn_id: UUID, leg_no: int) -> Dispute | None:
    """Return the undecided dispute of a leg that a system has opened."""
    row = session.row(
        f"SELECT {_COLUMNS} FROM disputes WHERE txn_id = %s AND leg_no = %s AND opened_by = %s"
        " AND state NOT IN ('upheld', 'rejected')",
        [txn_id, leg_no, system],
    )
    return Dispute(*row) if row else None


def dispute(
    session: Session, viewer: Viewer, dispute_id: UUID, *, hold: bool = False
) -> Dispute | None:
    """Return a dispute that the viewer may see; held, nobody else changes it until this transaction ends."""
    seen, parameters = _seen(viewer)
    row = session.row(
        f"SELECT {_COLUMNS} FROM disputes WHERE dispute_id = %s AND {seen}"
        + (" FOR NO KEY UPDATE" if hold else ""),
        [dispute_id, *parameters],
    )
    return Dispute(*row) if row else None


def newest(
    session: Session, viewer: Viewer, state: str | None, before: UUID | None, limit: int
) -> list[Dispute]:
    """Return disputes that the viewer may see, in a state or in any, the newest first, before one of them."""
    seen, parameters = _seen(viewer)
    rows = session.rows(
        f"SELECT {_COLUMNS} FROM disputes WHERE {seen} AND (%s::text IS NULL OR state = %s)"
        " AND (%s::uuid IS NULL OR (opened_at, dispute_id) <"
        " (SELECT b.opened_at, b.dispute_id FROM disputes b WHERE b.dispute_id = %s))"
        " ORDER BY opened_at DESC, dispute_id DESC LIMIT %s",
        [*parameters, state, state, before, before, limit],
    )
    return [Dispute(*row) for row in rows]


def answer(session: Session, dispute_id: UUID, said: str, text: str, at: datetime) -> None:
    """Record the answer to a dispute; the database refuses a second one."""
    session.run(
        "UPDATE disputes SET state = 'answered', answer = %s, answer_text = %s, answered_at = %s"
        " WHERE dispute_id = %s",
        [said, text, at, dispute_id],
    )


def add_step(session: Session, dispute_id: UUID, step: Step, client: int, text: str) -> None:
    """Record a step of a dispute that this transaction has added or holds."""
    session.run(
        "INSERT INTO dispute_steps (dispute_id, step, state, at, by_system, client, text)"
        " SELECT %s, count(*) + 1, %s, %s, %s, %s, %s FROM dispute_steps WHERE dispute_id = %s",
        [dispute_id, *step, client, text, dispute_id],
    )


def steps(session: Session, wanted: Sequence[UUID]) -> dict[UUID, list[Step]]:
    """Return the steps of disputes, each in order."""
    found: dict[UUID, list[Step]] = {}
    for dispute_id, *step in session.rows(
        "SELECT dispute_id, state, at, by_system FROM dispute_steps"
        " WHERE dispute_id = ANY (%s::uuid[]) ORDER BY dispute_id, step",
        [array(wanted)],
    ):
        found.setdefault(dispute_id, []).append(Step(*step))
    return found


def _seen(viewer: Viewer) -> tuple[str, list[object]]:
    if viewer.everything:
        return "true", []
    if viewer.system is None:
        return "respondent IS NULL", []
    return "(opened_by = %s OR respondent = %s)", [viewer.system, viewer.system]
