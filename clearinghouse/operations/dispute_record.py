"""A dispute as its parties see it, and what they are told of each of its steps (domain.md §4 "Disputes")."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from clearinghouse.domain.calendar import format_period
from clearinghouse.domain.directory import Directory
from clearinghouse.domain.disputes import DECIDED, DisputeState
from clearinghouse.domain.errors import NotFound
from clearinghouse.domain.scopes import OPERATOR
from clearinghouse.operations.party import Party
from clearinghouse.store import disputes as store
from clearinghouse.store import evidence, outbox
from clearinghouse.store.database import Session
from clearinghouse.store.doer import Doer

PREFIX = "dsp_"
EVIDENCE_PREFIX = "evi_"
_CURRENCY = "CNY"


class StepTold(NamedTuple):
    """A state that a dispute reached, when, by which system (``None`` is the operator), and what was said.

    ``upheld_minor`` is what a decision gives the opener, in fen.
    """

    state: str
    at: datetime
    by: str | None
    text: str
    upheld_minor: int | None


class EvidenceTold(NamedTuple):
    """A file of evidence, by whom (``None`` is the operator), its SHA-256 and size in bytes."""

    evidence_id: UUID
    by: str | None
    name: str
    media_type: str
    size: int
    sha256: str
    at: datetime

    @property
    def id(self) -> str:
        """Return the public id."""
        return EVIDENCE_PREFIX + self.evidence_id.hex


@dataclass(frozen=True, slots=True)
class Dispute:
    """A dispute as its parties see it; systems by code, ``respondent`` is ``None`` for the operator; money in fen.

    ``late`` tells that it was opened after its days, ``answer_late`` that it was answered after ``answer_due_at``,
    ``overdue`` that both were told that no answer had come. ``escalate_until`` is there while a party may still ask
    for another decision.
    """

    dispute_id: UUID
    transaction: str
    leg_no: int
    period: str
    opened_by: str
    respondent: str | None
    reason: str
    text: str
    claimed_minor: int
    state: str
    late: bool
    opened_at: datetime
    answer_due_at: datetime
    overdue: bool
    answer: str | None
    answer_text: str | None
    answered_at: datetime | None
    answer_late: bool
    upheld_minor: int | None
    decided_at: datetime | None
    escalate_until: datetime | None
    escalated_by: str | None
    escalated_at: datetime | None
    steps: tuple[StepTold, ...]
    evidence: tuple[EvidenceTold, ...]

    @property
    def id(self) -> str:
        """Return the public id."""
        return PREFIX + self.dispute_id.hex


def named(found: store.Dispute) -> str:
    """Return what the audit log calls a dispute."""
    return f"dispute {PREFIX}{found.dispute_id.hex}"


def viewer_of(party: Party) -> store.Viewer:
    """Return for whom disputes are read: a client of the operator with its own scope sees all of them."""
    return store.Viewer(party.system, everything=party.is_operator and OPERATOR in party.scopes)


def found_for(
    session: Session, viewer: store.Viewer, dispute_id: UUID, *, hold: bool = False
) -> store.Dispute:
    """Return a dispute that the viewer may see; held, nobody else changes it until this transaction ends.

    Raises:
        NotFound: there is none.
    """
    found = store.dispute(session, viewer, dispute_id, hold=hold)
    if found is None:
        raise NotFound("there is no such dispute")
    return found


def shown(session: Session, directory: Directory, found: list[store.Dispute]) -> list[Dispute]:
    """Return disputes as their parties see them."""
    ids = [row.dispute_id for row in found]
    steps, files = store.steps(session, ids), evidence.files_of(session, ids)
    return [
        Dispute(
            dispute_id=row.dispute_id,
            transaction=f"txn_{row.txn_id.hex}",
            leg_no=row.leg_no,
            period=format_period(row.period),
            opened_by=directory.systems[row.opened_by].code,
            respondent=_code(directory, row.respondent),
            reason=row.reason,
            text=row.text,
            claimed_minor=row.claimed_minor,
            state=row.state,
            late=row.late,
            opened_at=row.opened_at,
            answer_due_at=row.answer_due_at,
            overdue=row.overdue_at is not None,
            answer=row.answer,
            answer_text=row.answer_text,
            answered_at=row.answered_at,
            answer_late=row.answered_at is not None and row.answered_at >= row.answer_due_at,
            upheld_minor=row.upheld_minor,
            decided_at=row.decided_at,
            escalate_until=may_escalate_until(row),
            escalated_by=_code(directory, row.escalated_by),
            escalated_at=row.escalated_at,
            steps=tuple(
                StepTold(step.state, step.at, _code(directory, step.by_system), *step[3:])
                for step in steps.get(row.dispute_id, ())
            ),
            evidence=tuple(
                evidence_told(directory, file) for file in files.get(row.dispute_id, ())
            ),
        )
        for row in found
    ]


def evidence_told(directory: Directory, file: evidence.EvidenceFile) -> EvidenceTold:
    """Return a file of evidence as the parties see it."""
    by = _code(directory, file.by_system)
    return EvidenceTold(
        file.evidence_id, by, file.name, file.media_type, file.size, file.sha256, file.at
    )


def may_escalate_until(found: store.Dispute) -> datetime | None:
    """Return until when a party may ask for another decision; ``None`` where it may not, or may no more.

    What the respondent has accepted is agreed: its time was over at once.
    """
    decided = DisputeState(found.state) in DECIDED and found.escalated_at is None
    return found.escalate_until if decided and found.escalate_until != found.decided_at else None


def told(session: Session, directory: Directory, found: store.Dispute) -> Dispute:
    """Return one dispute as its parties see it."""
    return shown(session, directory, [found])[0]


def step(
    session: Session,
    found: store.Dispute,
    at: datetime,
    by_system: int | None,
    text: str,
    doer: Doer,
) -> None:
    """Record that a dispute has reached the state that it is in."""
    upheld = found.upheld_minor if DisputeState(found.state) in DECIDED else None
    store.add_step(
        session, found.dispute_id, store.Step(found.state, at, by_system, text, upheld), doer
    )


def tell(
    session: Session, directory: Directory, found: store.Dispute, kind: str, at: datetime
) -> None:
    """Tell both parties, without the texts: these are read where it is known who reads them."""
    until = may_escalate_until(found)
    payload = {
        "dispute": PREFIX + found.dispute_id.hex,
        "transaction": f"txn_{found.txn_id.hex}",
        "leg_no": found.leg_no,
        "period": format_period(found.period),
        "opened_by": _code(directory, found.opened_by),
        "respondent": _code(directory, found.respondent),
        "reason": found.reason,
        "claimed": _money(found.claimed_minor),
        "state": found.state,
        "answer": found.answer,
        "late": found.late,
        "answer_due_at": found.answer_due_at.isoformat(),
        "upheld": None if found.upheld_minor is None else _money(found.upheld_minor),
        "escalate_until": None if until is None else until.isoformat(),
        "escalated_by": _code(directory, found.escalated_by),
    }
    for system in (found.opened_by, found.respondent):
        outbox.add(session, at, kind, payload, system)


def _money(amount_minor: int) -> dict[str, Any]:
    return {"amount_minor": amount_minor, "currency": _CURRENCY}


def _code(directory: Directory, system: int | None) -> str | None:
    return None if system is None else directory.systems[system].code
