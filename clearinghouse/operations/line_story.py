"""What became of a published line: refunds, disputes and adjustments that came later (domain.md §4 "Corrections").

The line itself never changes. This is read by the books' indexes of one transaction, however long its month is.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from uuid import UUID

from clearinghouse.domain.dispute_errors import LegNotDisputable
from clearinghouse.domain.disputes import FEE_WRONG, Claimable, respondent_of
from clearinghouse.domain.errors import NotFound
from clearinghouse.operations.context import Context
from clearinghouse.operations.dispute_record import Dispute, shown
from clearinghouse.operations.disputing import Line
from clearinghouse.operations.events import refuse_part
from clearinghouse.operations.party import Party
from clearinghouse.store import adjustments
from clearinghouse.store import disputes as store
from clearinghouse.store.disputes import Reversal

_OF_VALUE = "amount_wrong"


@dataclass(frozen=True, slots=True)
class Adjusted:
    """An adjustment of the line in a later period; fen as it is to the party, ``is_fee`` where it is of the fee."""

    period: int
    business_date: date
    amount_minor: int
    is_fee: bool
    reference: str
    text: str


@dataclass(frozen=True, slots=True)
class LineStory:
    """What became of a line, as one of its two systems may know it; money in fen.

    ``reverses`` is the line that it takes back, and ``reversals`` those that take it back; without their fees where
    the party is not the host. ``about_value`` and ``about_fee`` are what can be claimed, ``None`` where nothing can.
    ``stands_minor`` is the value that refunds and adjustments have left.
    """

    leg_no: int
    is_host: bool
    reverses: Reversal | None
    reversals: tuple[Reversal, ...]
    disputes: tuple[Dispute, ...]
    adjustments: tuple[Adjusted, ...]
    about_value: Claimable | None
    about_fee: Claimable | None
    stands_minor: int


def line_story(context: Context, party: Party, line: Line) -> LineStory:
    """Return what became of a line of the party's own.

    Raises:
        SystemClientNeeded: the client is bound to some hotels.
        NotFound: no such leg stands on the party's statements.
    """
    refuse_part(party)
    system = party.system
    if system is None:
        raise NotFound("there is no such leg on your statements")
    with context.database.reading(system) as session:
        numbers = store.legs_on_statement(session, system, *line)
    if len(numbers) != 1:
        raise NotFound("there is no such leg on your statements")
    leg_no = numbers[0]
    directory = context.current_directory()
    with context.database.posting() as session:
        leg = store.leg_of(session, line.txn_id, leg_no)
        if leg is None:
            raise NotFound("there is no such leg on your statements")
        is_host = leg.host_system == system
        own = (line.txn_id, leg_no)
        family = store.reversals(session, *leg.root)
        found = [row if is_host else row._replace(fee_minor=None) for row in family]
        claims = store.of_leg(session, system, *own)
        return LineStory(
            leg_no=leg_no,
            is_host=is_host,
            reverses=None if leg.root == own else found[0],
            reversals=tuple(found[1:]) if leg.root == own else (),
            disputes=tuple(shown(session, directory, claims)),
            adjustments=tuple(
                Adjusted(
                    row.period, row.business_date, row.amount_minor, row.is_fee, row.reference,
                    row.text,
                )
                for row in adjustments.of_leg(session, system, *own)
            ),
            about_value=_claimable(leg, system, _OF_VALUE),
            about_fee=_claimable(leg, system, FEE_WRONG),
            stands_minor=leg.standing.base_minor,
        )  # fmt: skip


def legs_seen(context: Context, party: Party, txn_id: UUID) -> list[int]:
    """Return the numbers of a transaction's legs that stand on the party's statements, in the order of its lines.

    Raises:
        SystemClientNeeded: the client is bound to some hotels.
    """
    refuse_part(party)
    with context.database.reading(party.system) as session:
        return store.legs_on_statement(session, party.system or 0, txn_id, None, None)


def _claimable(leg: store.Leg, system: int, reason: str) -> Claimable | None:
    try:
        respondent = respondent_of(system, leg.host_system, leg.issuer_system, leg.fee_kind, reason)
    except LegNotDisputable:
        return None
    # A claim on a leg of cash is one on its fee, whatever the reason.
    if reason == _OF_VALUE and respondent is None:
        return None
    found = leg.claimable(on_fee=respondent is None, by_host=system == leg.host_system)
    return found if found.most else None
