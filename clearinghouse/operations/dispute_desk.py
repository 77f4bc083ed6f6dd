"""Disputes as the clearing house works on them: what is to be decided, by when, about which line, with what effect."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import NamedTuple
from uuid import UUID

from clearinghouse.domain.disputes import DECIDED, DisputeState, may_be_decided
from clearinghouse.domain.errors import NotFound
from clearinghouse.operations.context import Context
from clearinghouse.operations.dispute_record import Dispute, found_for, shown
from clearinghouse.operations.judging import Move, moves_of
from clearinghouse.store import dispute_desk as store
from clearinghouse.store import disputes

#: States in which no decision stands.
UNDECIDED = tuple(state.value for state in DisputeState if state not in DECIDED)
_OFFICE = disputes.Viewer(None, everything=True)


class Effect(NamedTuple):
    """A movement of a decision: who pays, who is paid (``None``: the clearing house, a fee), and how many fen."""

    payer: str | None
    payee: str | None
    amount_minor: int


@dataclass(frozen=True, slots=True)
class DisputedLine:
    """The line that a dispute is about, by codes; money in fen.

    ``stands_minor`` and ``stands_fee_minor`` are what refunds and adjustments have left of its value and its fee,
    ``most_minor`` what a decision can give the opener at most, ``decidable`` whether it can be decided now.
    """

    txn_ref: str
    kind: str
    business_date: date
    late: bool
    host_hotel: str
    host_system: str
    issuer_hotel: str
    issuer_system: str
    rulebook: str
    points: int | None
    base_minor: int
    obligation_minor: int
    fee_minor: int
    stands_minor: int
    stands_fee_minor: int
    most_minor: int
    decidable: bool


def disputes_by_deadline(
    context: Context, states: tuple[str, ...], after: tuple[datetime, UUID] | None, limit: int
) -> list[Dispute]:
    """Return disputes in some states, the most overdue first, behind one of them (its deadline and id)."""
    directory = context.current_directory()
    with context.database.office() as session:
        found = [
            found_for(session, _OFFICE, dispute_id)
            for dispute_id in store.by_deadline(session, states, after, limit)
        ]
        return shown(session, directory, found)


def disputed_line(context: Context, dispute_id: UUID) -> DisputedLine:
    """Return the line of a dispute as it stands now.

    Raises:
        NotFound: there is no such dispute.
    """
    directory = context.current_directory()
    with context.database.office() as session:
        found = found_for(session, _OFFICE, dispute_id)
        row = store.line(session, found.txn_id, found.leg_no)
        leg = disputes.leg_of(session, found.txn_id, found.leg_no)
        if row is None or leg is None:
            raise NotFound("there is no such leg")
        by_host = found.opened_by == leg.host_system
        most = leg.claimable(on_fee=found.respondent is None, by_host=by_host).most
        return DisputedLine(
            row.txn_ref,
            row.kind,
            row.business_date,
            row.late,
            directory.hotels[row.host_hotel].code,
            directory.systems[row.host_system].code,
            directory.hotels[row.issuer_hotel].code,
            directory.systems[row.issuer_system].code,
            directory.rulebook_by_number[row.rulebook].rulebook.version,
            row.points,
            row.base_minor,
            row.obligation_minor,
            row.fee_minor,
            leg.standing.base_minor,
            leg.standing.fee_minor,
            min(found.claimed_minor, most + (found.upheld_minor or 0)),
            may_be_decided(DisputeState(found.state), found.answer_due_at, context.clock()),
        )


def effects_of(context: Context, dispute_id: UUID, upheld_minor: int) -> list[Effect]:
    """Return what a decision would post now, and what it would take back of an earlier one; nothing is posted.

    Raises:
        NotFound: there is no such dispute.
        OperatorRefused: it can't be decided now, or not so.
    """
    systems = context.current_directory().systems

    def named(move: Move) -> Effect:
        payer, payee, amount = move if move[2] > 0 else (move[1], move[0], -move[2])
        return Effect(
            None if payer is None else systems[payer].code,
            None if payee is None else systems[payee].code,
            amount,
        )

    with context.database.posting() as session:
        found = moves_of(session, context, dispute_id, upheld_minor)
    return [named(move) for move in found if move[2]]
