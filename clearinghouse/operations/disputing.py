"""Disputes: a system objects to a leg of a published period, the other one answers (domain.md §4 "Disputes").

A dispute stands beside the books: nothing is frozen by it, and what is published stays as it is.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple
from uuid import UUID, uuid4

from clearinghouse.domain.calendar import format_period
from clearinghouse.domain.directory import Directory
from clearinghouse.domain.disputes import (
    DisputeState,
    due_after,
    may_follow,
    respondent_of,
)
from clearinghouse.domain.errors import (
    DisputeAnswered,
    DisputeExists,
    NotFound,
    RespondentOnly,
    StatementNotPublished,
)
from clearinghouse.domain.scopes import OPERATOR
from clearinghouse.operations.context import Context
from clearinghouse.operations.events import refuse_part, seeing
from clearinghouse.operations.party import Party
from clearinghouse.store import disputes as store
from clearinghouse.store import outbox
from clearinghouse.store.database import Session

_PREFIX = "dsp_"


class StepTold(NamedTuple):
    """A state that a dispute reached, when, and by which system; ``None`` is the operator."""

    state: str
    at: datetime
    by: str | None


@dataclass(frozen=True, slots=True)
class Dispute:
    """A dispute as its parties see it; systems by code, ``respondent`` is ``None`` for the operator.

    ``late`` tells that it was opened after its days, ``answer_late`` that it was answered after ``answer_due_at``.
    """

    dispute_id: UUID
    transaction: str
    leg_no: int
    period: str
    opened_by: str
    respondent: str | None
    reason: str
    text: str
    state: str
    late: bool
    opened_at: datetime
    answer_due_at: datetime
    answer: str | None
    answer_text: str | None
    answered_at: datetime | None
    answer_late: bool
    decided_at: datetime | None
    steps: tuple[StepTold, ...]

    @property
    def id(self) -> str:
        """Return the public id."""
        return _PREFIX + self.dispute_id.hex


def open_dispute(
    context: Context, party: Party, txn_id: UUID, leg_no: int, reason: str, text: str
) -> tuple[Dispute, bool]:
    """Dispute a leg; the answer tells whether that is new: the same leg and reason again is the same dispute.

    Raises:
        SystemClientNeeded: the client is bound to some hotels.
        NotFound: no such leg stands on the party's statements.
        LegNotDisputable: the leg is inside one system.
        StatementNotPublished: the leg's period is not published yet.
        DisputeExists: the party disputes that leg for another reason, and that is not decided yet.
    """
    refuse_part(party)
    with context.database.reading(party.system) as session:
        leg = store.leg_of(session, party.system, txn_id, leg_no)
    # The operator is party to no leg.
    if leg is None or party.system is None:
        raise NotFound("there is no such leg on your statements")
    respondent = respondent_of(party.system, leg.host_system, leg.issuer_system, leg.fee_kind)
    if leg.published_at is None:
        raise StatementNotPublished(
            f"the period {format_period(leg.period)} is not published; until then a refund corrects it"
        )
    at = context.clock()
    with context.database.posting() as session:
        directory = context.directory.current(session)
        rules = directory.rulebook_by_number[leg.rulebook].rulebook
        new = store.NewDispute(
            dispute_id=uuid4(),
            period=leg.period,
            txn_id=txn_id,
            leg_no=leg_no,
            opened_by=party.system,
            respondent=respondent,
            client=party.client,
            reason=reason,
            text=text,
            late=at >= due_after(leg.published_at, rules.dispute_days, rules.timezone),
            opened_at=at,
            answer_due_at=due_after(at, rules.answer_days, rules.timezone),
        )
        added = store.add(session, new)
        found = store.undecided(session, party.system, txn_id, leg_no)
        if found is None or found.reason != reason:
            raise DisputeExists("you dispute this leg already, for another reason")
        if added:
            _stepped(session, party, found, DisputeState.OPEN, at, text)
            _tell(session, directory, found, "dispute.opened", at)
        return _shown(session, directory, [found])[0], added


def answer_dispute(
    context: Context, party: Party, dispute_id: UUID, answer: str, text: str
) -> Dispute:
    """Answer a dispute (``accept`` or ``contest``), as its respondent and once; the same answer again changes nothing.

    Raises:
        SystemClientNeeded: the client is bound to some hotels.
        NotFound: the party is no party to such a dispute.
        RespondentOnly: it is not the respondent.
        DisputeAnswered: there is another answer already.
    """
    refuse_part(party)
    with context.database.posting() as session:
        found = _found(session, party, dispute_id, hold=True)
        if found.respondent != party.system:
            raise RespondentOnly("only the respondent can answer a dispute")
        directory = context.directory.current(session)
        if (found.answer, found.answer_text) == (answer, text):
            return _shown(session, directory, [found])[0]
        if not may_follow(DisputeState(found.state), DisputeState.ANSWERED):
            raise DisputeAnswered("the dispute is answered already, and otherwise")
        at = context.clock()
        store.answer(session, dispute_id, answer, text, at)
        found = _found(session, party, dispute_id)
        _stepped(session, party, found, DisputeState.ANSWERED, at, text)
        _tell(session, directory, found, "dispute.answered", at)
        return _shown(session, directory, [found])[0]


def disputes_of(
    context: Context, party: Party, state: str | None, before: UUID | None, limit: int
) -> list[Dispute]:
    """Return the disputes to which the party is one, in a state or in any, the newest first, before one of them.

    A client of the operator with its own scope sees all; without it, those that the operator has to answer.

    Raises:
        SystemClientNeeded: the client is bound to some hotels.
    """
    directory = context.current_directory()
    with seeing(context, party) as session:
        found = store.newest(session, _viewer(party), state, before, limit)
        return _shown(session, directory, found)


def dispute(context: Context, party: Party, dispute_id: UUID) -> Dispute:
    """Return one of the party's disputes.

    Raises:
        SystemClientNeeded: the client is bound to some hotels.
        NotFound: it is no party to such a dispute.
    """
    directory = context.current_directory()
    with seeing(context, party) as session:
        return _shown(session, directory, [_found(session, party, dispute_id)])[0]


def _viewer(party: Party) -> store.Viewer:
    return store.Viewer(party.system, everything=party.is_operator and OPERATOR in party.scopes)


def _found(
    session: Session, party: Party, dispute_id: UUID, *, hold: bool = False
) -> store.Dispute:
    found = store.dispute(session, _viewer(party), dispute_id, hold=hold)
    if found is None:
        raise NotFound("there is no such dispute")
    return found


def _stepped(
    session: Session,
    party: Party,
    found: store.Dispute,
    state: DisputeState,
    at: datetime,
    text: str,
) -> None:
    step = store.Step(state.value, at, party.system)
    store.add_step(session, found.dispute_id, step, party.client, text)


def _tell(
    session: Session, directory: Directory, found: store.Dispute, kind: str, at: datetime
) -> None:
    """Tell both parties, without the texts: these are read where it is known who reads them."""
    payload = {
        "dispute": _PREFIX + found.dispute_id.hex,
        "transaction": f"txn_{found.txn_id.hex}",
        "leg_no": found.leg_no,
        "period": format_period(found.period),
        "opened_by": _code(directory, found.opened_by),
        "respondent": _code(directory, found.respondent),
        "reason": found.reason,
        "state": found.state,
        "answer": found.answer,
        "late": found.late,
        "answer_due_at": found.answer_due_at.isoformat(),
    }
    for system in (found.opened_by, found.respondent):
        outbox.add(session, at, kind, payload, system)


def _shown(session: Session, directory: Directory, found: list[store.Dispute]) -> list[Dispute]:
    steps = store.steps(session, [row.dispute_id for row in found])
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
            state=row.state,
            late=row.late,
            opened_at=row.opened_at,
            answer_due_at=row.answer_due_at,
            answer=row.answer,
            answer_text=row.answer_text,
            answered_at=row.answered_at,
            answer_late=row.answered_at is not None and row.answered_at >= row.answer_due_at,
            decided_at=row.decided_at,
            steps=tuple(
                StepTold(step.state, step.at, _code(directory, step.by_system))
                for step in steps[row.dispute_id]
            ),
        )
        for row in found
    ]


def _code(directory: Directory, system: int | None) -> str | None:
    return None if system is None else directory.systems[system].code
