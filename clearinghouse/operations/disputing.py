"""Disputes: a system objects to a leg of a published period, the other one answers (domain.md §4 "Disputes").

A dispute stands beside the books: nothing is frozen by it, and what is published stays as it is. What is upheld is an
adjustment of a later period (``operations.judging``).
"""

from __future__ import annotations

from typing import NamedTuple
from uuid import UUID, uuid4

from clearinghouse.domain.calendar import format_period
from clearinghouse.domain.dispute_errors import (
    DisputeAnswered,
    DisputeExists,
    DisputeNotDecided,
    EscalationClosed,
    LegAmbiguous,
    PartiesOnly,
    RespondentOnly,
    StatementNotPublished,
)
from clearinghouse.domain.disputes import (
    DisputeState,
    claim_minor,
    due_after,
    may_follow,
    respondent_of,
)
from clearinghouse.domain.errors import NotFound
from clearinghouse.operations.context import Context
from clearinghouse.operations.dispute_record import (
    Dispute,
    found_for,
    may_escalate_until,
    named,
    shown,
    step,
    tell,
    told,
    viewer_of,
)
from clearinghouse.operations.events import refuse_part, seeing
from clearinghouse.operations.judging import accept
from clearinghouse.operations.party import Party
from clearinghouse.operations.trail import note_user
from clearinghouse.store import disputes as store
from clearinghouse.store.database import Session

__all__ = [
    "Claim",
    "Dispute",
    "Line",
    "answer_dispute",
    "dispute",
    "disputes_of",
    "escalate_dispute",
    "open_dispute",
]


class Line(NamedTuple):
    """A line of a statement: its transaction, and where that has several, the leg's number or its issuing hotel."""

    txn_id: UUID
    leg_no: int | None = None
    issuer_hotel: str | None = None


class Claim(NamedTuple):
    """What is wrong with a leg; ``amount_minor`` is what is asked of the respondent, in fen (``None``: all of it)."""

    reason: str
    text: str
    amount_minor: int | None = None


def open_dispute(context: Context, party: Party, line: Line, claim: Claim) -> tuple[Dispute, bool]:
    """Dispute the leg of a line; the answer tells whether that is new.

    The same leg and reason again is the same dispute, decided or not: a decision is escalated, not asked for again.

    Raises:
        SystemClientNeeded: the client is bound to some hotels.
        NotFound: no such leg stands on the party's statements.
        LegAmbiguous: several do.
        LegNotDisputable: the leg is inside one system, or nothing is left of it.
        ClaimTooHigh: more is claimed than is left of it.
        StatementNotPublished: the leg's period is not published yet.
        DisputeExists: the party disputes that leg for another reason, and that is not decided yet.
    """
    refuse_part(party)
    system, txn_id = party.system, line.txn_id
    # The operator is party to no leg.
    if system is None:
        raise NotFound("there is no such leg on your statements")
    leg_no = _leg_no(context, system, line)
    with context.database.posting() as session:
        directory = context.directory.current(session)
        found = store.same_claim(session, system, txn_id, leg_no, claim.reason)
        if found is not None:
            return told(session, directory, found), False
        added = store.add(session, _new(context, session, party, txn_id, leg_no, claim))
        found = store.same_claim(session, system, txn_id, leg_no, claim.reason)
        if found is None:
            raise DisputeExists("you dispute this leg already, for another reason")
        if added:
            step(session, found, found.opened_at, system, claim.text, party.doer)
            tell(session, directory, found, "dispute.opened", found.opened_at)
            note_user(session, found.opened_at, party, "dispute.open", named(found))
        return told(session, directory, found), added


def _leg_no(context: Context, system: int, line: Line) -> int:
    """Return the number of the leg that a line is of, as the system may see it."""
    with context.database.reading(system) as session:
        found = store.legs_on_statement(session, system, *line)
    if not found:
        raise NotFound("there is no such leg on your statements")
    if len(found) > 1:
        raise LegAmbiguous("the transaction has several lines; say which by leg_no or issuer_hotel")
    return found[0]


def _new(
    context: Context, session: Session, party: Party, txn_id: UUID, leg_no: int, claim: Claim
) -> store.NewDispute:
    """Make the claim as the rules have it."""
    leg, system = store.leg_of(session, txn_id, leg_no), party.system
    if leg is None or system is None:
        raise NotFound("there is no such leg on your statements")
    respondent = respondent_of(
        system, leg.host_system, leg.issuer_system, leg.fee_kind, claim.reason
    )
    if leg.published_at is None:
        raise StatementNotPublished(
            f"the period {format_period(leg.period)} is not published; until then a refund corrects it"
        )
    limits = leg.claimable(on_fee=respondent is None, by_host=system == leg.host_system)
    rules = context.directory.current(session).rulebook_by_number[leg.rulebook].rulebook
    at = context.clock()
    return store.NewDispute(
        dispute_id=uuid4(),
        period=leg.period,
        txn_id=txn_id,
        leg_no=leg_no,
        opened_by=system,
        respondent=respondent,
        doer=party.doer,
        reason=claim.reason,
        text=claim.text,
        claimed_minor=claim_minor(claim.amount_minor, limits),
        late=at >= due_after(leg.published_at, rules.dispute_days, rules.timezone),
        opened_at=at,
        answer_due_at=due_after(at, rules.answer_days, rules.timezone),
    )


def answer_dispute(
    context: Context, party: Party, dispute_id: UUID, answer: str, text: str
) -> Dispute:
    """Answer a dispute (``accept`` or ``contest``), as its respondent and once; the same answer again changes nothing.

    What a system accepts is upheld at once, and adjusted in this very transaction. Where the operator is the
    respondent it is only an answer: a fee is given back by two people.

    Raises:
        SystemClientNeeded: the client is bound to some hotels.
        NotFound: the party is no party to such a dispute.
        RespondentOnly: it is not the respondent.
        DisputeAnswered: there is another answer already.
    """
    refuse_part(party)
    with context.database.posting() as session:
        found = found_for(session, viewer_of(party), dispute_id, hold=True)
        if found.respondent != party.system:
            raise RespondentOnly("only the respondent can answer a dispute")
        directory = context.directory.current(session)
        if (found.answer, found.answer_text) == (answer, text):
            return told(session, directory, found)
        if not may_follow(DisputeState(found.state), DisputeState.ANSWERED):
            raise DisputeAnswered("the dispute is answered already, and otherwise")
        at = context.clock()
        store.answer(session, dispute_id, answer, text, at)
        found = found_for(session, viewer_of(party), dispute_id)
        step(session, found, at, party.system, text, party.doer)
        tell(session, directory, found, "dispute.answered", at)
        note_user(session, at, party, "dispute.answer", named(found), answer=answer)
        if answer == "accept" and found.respondent is not None:
            found = accept(session, context, found, party)
        return told(session, directory, found)


def escalate_dispute(context: Context, party: Party, dispute_id: UUID, text: str) -> Dispute:
    """Ask for another decision, as one of the two systems and once in a dispute; in time, by ``escalate_until``.

    The same again by the same system is the same escalation.

    Raises:
        SystemClientNeeded: the client is bound to some hotels.
        NotFound: the party is no party to such a dispute.
        PartiesOnly: it is the operator, who has decided.
        DisputeNotDecided: no decision stands on it.
        EscalationClosed: it is too late, was done already, or the claim was accepted.
        DisputeExists: the opener has another undecided dispute of that leg.
    """
    refuse_part(party)
    with context.database.posting() as session:
        found = found_for(session, viewer_of(party), dispute_id, hold=True)
        if party.system is None:
            raise PartiesOnly("only the two systems of a dispute can escalate it")
        directory = context.directory.current(session)
        if found.state == DisputeState.ESCALATED and found.escalated_by == party.system:
            return told(session, directory, found)
        if not may_follow(DisputeState(found.state), DisputeState.ESCALATED):
            raise (
                EscalationClosed("the dispute is escalated already")
                if found.escalated_at
                else DisputeNotDecided("the dispute is not decided yet")
            )
        at, until = context.clock(), may_escalate_until(found)
        if until is None or at >= until:
            raise EscalationClosed("the decision on the dispute is final")
        if store.other_undecided(session, found):
            raise DisputeExists("another dispute of this leg has to be decided first")
        store.escalate(session, dispute_id, party.system, at)
        found = found_for(session, viewer_of(party), dispute_id)
        step(session, found, at, party.system, text, party.doer)
        tell(session, directory, found, "dispute.escalated", at)
        note_user(session, at, party, "dispute.escalate", named(found))
        return told(session, directory, found)


def disputes_of(
    context: Context,
    party: Party,
    state: str | None,
    before: UUID | None,
    limit: int,
    side: str | None = None,
) -> list[Dispute]:
    """Return the disputes to which the party is one, in a state or in any, the newest first, before one of them.

    A client of the operator with its own scope sees all; without it, those that the operator has to answer. Of those of
    a system, ``side`` leaves what it has ``opened`` or has to ``answer``.

    Raises:
        SystemClientNeeded: the client is bound to some hotels.
    """
    directory = context.current_directory()
    with seeing(context, party) as session:
        found = store.newest(session, viewer_of(party), state, before, limit, side)
        return shown(session, directory, found)


def dispute(context: Context, party: Party, dispute_id: UUID) -> Dispute:
    """Return one of the party's disputes.

    Raises:
        SystemClientNeeded: the client is bound to some hotels.
        NotFound: it is no party to such a dispute.
    """
    directory = context.current_directory()
    with seeing(context, party) as session:
        return told(session, directory, found_for(session, viewer_of(party), dispute_id))
