"""Judging disputes: what a decision does to the books, and who is told (domain.md §4 "Disputes").

A decision and its adjustments are one transaction. Nothing that was posted is edited: where a second decision gives
another amount, the first one's adjustments are posted the other way round, and the new ones beside them.
"""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from clearinghouse.domain.adjustments import DISPUTE_OVERTURNED, DISPUTE_UPHELD
from clearinghouse.domain.disputes import (
    NO_ANSWER,
    DisputeState,
    due_after,
    may_be_decided,
)
from clearinghouse.domain.errors import OperatorRefused
from clearinghouse.domain.rulebook import Rulebook
from clearinghouse.operations.adjusting import About, adjust
from clearinghouse.operations.context import Context
from clearinghouse.operations.dispute_record import PREFIX, found_for, step, tell
from clearinghouse.operations.party import Party
from clearinghouse.store import adjustments
from clearinghouse.store import disputes as store
from clearinghouse.store.database import Session
from clearinghouse.store.doer import Doer

_OFFICE = store.Viewer(None, everything=True)
_ACCEPTED = "被争议方接受 The respondent accepts the claim"
_SILENT = "期限内未答复 No answer came in time"
_OVERDUE_EACH = 200

#: Who pays (``None``: the clearing house), who is paid, and how many fen; below zero the other way round.
Move = tuple[int | None, int | None, int]


class Ruling(NamedTuple):
    """What a decision gives the opener, in fen (0: the claim is rejected), and why."""

    upheld_minor: int
    text: str


def accept(session: Session, context: Context, found: store.Dispute, party: Party) -> store.Dispute:
    """Uphold what the respondent, a system, has just accepted, as far as refunds have left it; this is final."""
    leg = _held_leg(session, found)
    amount = min(found.claimed_minor, _most(found, leg))
    at = context.clock()
    _correct(session, context, found, leg, Ruling(amount, _ACCEPTED))
    store.decide(session, found.dispute_id, DisputeState.UPHELD, amount, at, at)
    return _told(session, context, found.dispute_id, at, _ACCEPTED, party)


def check_ruling(
    session: Session, context: Context, dispute_id: UUID, ruling: Ruling
) -> store.Dispute:
    """Return the dispute that a ruling is fit for, held.

    Raises:
        NotFound: there is no such dispute.
        OperatorRefused: it can't be decided now, or gives more than is claimed or left of the leg.
    """
    found = found_for(session, _OFFICE, dispute_id, hold=True)
    if not may_be_decided(DisputeState(found.state), found.answer_due_at, context.clock()):
        raise OperatorRefused(
            f"the dispute can't be decided now: it is {found.state}, and has to be answered, escalated or overdue"
        )
    if not 0 <= ruling.upheld_minor <= found.claimed_minor:
        raise OperatorRefused(f"between 0 and the {found.claimed_minor} fen claimed can be given")
    most = _most(found, _held_leg(session, found)) + (found.upheld_minor or 0)
    if ruling.upheld_minor > most:
        raise OperatorRefused(f"refunds and corrections have left {most} fen of the leg")
    return found


def decide(session: Session, context: Context, dispute_id: UUID, ruling: Ruling) -> store.Dispute:
    """Decide a dispute for the clearing house: two of its people stand behind it (``operations.confirming``).

    Raises:
        NotFound: there is no such dispute.
        OperatorRefused: as :func:`check_ruling`.
    """
    found = check_ruling(session, context, dispute_id, ruling)
    at = context.clock()
    if found.state == DisputeState.OPEN:
        store.answer(session, dispute_id, NO_ANSWER, _SILENT, at)
        found = found_for(session, _OFFICE, dispute_id)
        step(session, found, at, None, _SILENT, Doer())
    leg = _held_leg(session, found)
    if ruling.upheld_minor != (found.upheld_minor or 0):
        _overturn(session, context, found, leg, ruling.text)
        _correct(session, context, found, _held_leg(session, found), ruling)
    rules = _rules(session, context, leg.rulebook)
    until = due_after(at, rules.answer_days, rules.timezone)
    state = DisputeState.UPHELD if ruling.upheld_minor else DisputeState.REJECTED
    store.decide(session, dispute_id, state, ruling.upheld_minor, at, until)
    return _told(session, context, dispute_id, at, ruling.text, None)


def moves_of(session: Session, context: Context, dispute_id: UUID, upheld_minor: int) -> list[Move]:
    """Return what a decision would post now, that of an earlier one taken back first; nothing is posted.

    Raises:
        NotFound: there is no such dispute.
        OperatorRefused: as :func:`check_ruling`.
    """
    found = check_ruling(session, context, dispute_id, Ruling(upheld_minor, ""))
    if upheld_minor == (found.upheld_minor or 0):
        return []
    leg, back = _held_leg(session, found), _overturning(session, found)
    stands = leg._replace(standing=leg.standing.after(leg.host_system, back))
    return back + _corrections(session, context, found, stands, upheld_minor)


def sweep_overdue(context: Context) -> int:
    """Tell both parties of disputes that nobody has answered in time, each once; return how many there were.

    Silence admits nothing, and holds nothing up: the respondent may still answer, and from now on the clearing house
    may decide without.
    """
    count = 0
    while True:
        with context.database.posting() as session:
            at = context.clock()
            overdue = store.take_overdue(session, at, _OVERDUE_EACH)
            directory = context.directory.current(session)
            for found in overdue:
                tell(session, directory, found, "dispute.overdue", at)
        count += len(overdue)
        if len(overdue) < _OVERDUE_EACH:
            return count


def _told(
    session: Session,
    context: Context,
    dispute_id: UUID,
    at: datetime,
    text: str,
    party: Party | None,
) -> store.Dispute:
    found = found_for(session, _OFFICE, dispute_id)
    by, doer = (None, Doer()) if party is None else (party.system, party.doer)
    step(session, found, at, by, text, doer)
    tell(session, context.directory.current(session), found, "dispute.decided", at)
    return found


def _held_leg(session: Session, found: store.Dispute) -> store.Leg:
    """Return the leg of a dispute as it stands, and let nobody else correct it meanwhile."""
    leg = store.held_leg(session, found.txn_id, found.leg_no)
    if leg is None:
        raise RuntimeError("a dispute is of a leg that is not in the books")
    return leg


def _most(found: store.Dispute, leg: store.Leg) -> int:
    by_host = found.opened_by == leg.host_system
    return leg.claimable(on_fee=found.respondent is None, by_host=by_host).most


def _rules(session: Session, context: Context, rulebook: int) -> Rulebook:
    return context.directory.current(session).rulebook_by_number[rulebook].rulebook


def _correct(
    session: Session, context: Context, found: store.Dispute, leg: store.Leg, ruling: Ruling
) -> None:
    """Post what a ruling gives the opener; where that is value, the host's fee follows it."""
    moves = _corrections(session, context, found, leg, ruling.upheld_minor)
    _post(session, context, found, leg, moves, DISPUTE_UPHELD, ruling.text)


def _corrections(
    session: Session, context: Context, found: store.Dispute, leg: store.Leg, amount: int
) -> list[Move]:
    if amount == 0:
        return []
    moves: list[Move] = [(found.respondent, found.opened_by, amount)]
    if found.respondent is not None:
        host = leg.host_system
        rule = _rules(session, context, leg.rulebook).fee_rule(leg.fee_kind)
        fee = leg.standing.fee_change(amount if found.opened_by == host else -amount, rule)
        moves.append((host, None, fee))
    return moves


def _overturn(
    session: Session, context: Context, found: store.Dispute, leg: store.Leg, text: str
) -> None:
    """Post all that the dispute has led to so far the other way round."""
    _post(session, context, found, leg, _overturning(session, found), DISPUTE_OVERTURNED, text)


def _overturning(session: Session, found: store.Dispute) -> list[Move]:
    return [
        (row.system, row.counterparty, row.amount_minor)
        for row in adjustments.of_dispute(session, found.dispute_id)
        # One row of each adjustment: that of the system that gained by it, or whose fee it was.
        if row.is_fee or row.amount_minor > 0
    ]


def _post(
    session: Session,
    context: Context,
    found: store.Dispute,
    leg: store.Leg,
    moves: list[Move],
    kind: str,
    text: str,
) -> None:
    """Post movements (payer, payee, fen), a negative one the other way round."""
    corrected = store.corrected(leg, found.txn_id, found.leg_no)
    for payer, payee, amount in moves:
        if amount == 0:
            continue
        forward = amount > 0
        adjust(
            session,
            context,
            payer=payer if forward else payee,
            payee=payee if forward else payer,
            amount_minor=abs(amount),
            kind=kind,
            reference=PREFIX + found.dispute_id.hex,
            text=text,
            about=About(corrected, found.dispute_id),
        )
