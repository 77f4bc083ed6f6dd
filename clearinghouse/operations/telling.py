"""What the parties are told of value: events, written with the transactions they tell of (interfaces.md "HTTP").

The host hears of its own transaction. An issuer hears that its points or stored value were used, where and for
how much value, not by whom or for what (domain.md §1 principle 3).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

from clearinghouse.domain.books import Books, Txn
from clearinghouse.domain.deciding import Accepted, Held, Outcome
from clearinghouse.domain.directory import Directory
from clearinghouse.domain.holds import Hold, HoldState
from clearinghouse.domain.transactions import Kind
from clearinghouse.store import outbox
from clearinghouse.store.bulk import Batch
from clearinghouse.store.outbox import NewEvent

_ENDED: Mapping[HoldState, str] = {
    HoldState.CAPTURED: "authorization.captured",
    HoldState.VOIDED: "authorization.voided",
    HoldState.EXPIRED: "authorization.expired",
}


def tell_of_ended_holds(batch: Batch, books: Books, directory: Directory, at: datetime) -> None:
    """Tell the hosts of authorisations that ended with this sequence."""
    outbox.add_all(batch, at, [_of_hold(hold, directory) for hold in books.ended_holds])


def tell_of_outcomes(
    batch: Batch, outcomes: Sequence[Outcome], directory: Directory, at: datetime
) -> None:
    """Tell the parties of transactions and authorisations that a sequence has just put into the books."""
    events: list[NewEvent] = []
    for outcome in outcomes:
        if isinstance(outcome, Accepted):
            events.extend(_of_transaction(outcome.txn, directory))
        elif isinstance(outcome, Held) and not outcome.repeated:
            events.append(_of_hold(outcome.hold, directory))
    outbox.add_all(batch, at, events)


def _of_transaction(txn: Txn, directory: Directory) -> Iterator[NewEvent]:
    kind = "transaction.refunded" if txn.kind is Kind.REFUND else "transaction.posted"
    host = directory.hotels[txn.host_hotel].code
    yield NewEvent(
        kind,
        {
            "transaction": f"txn_{txn.txn_id.hex}",
            "kind": txn.kind.value,
            "host_hotel": host,
            "txn_ref": txn.txn_ref,
            "business_date": txn.business_date.isoformat(),
            "points": txn.points,
            "amount_minor": txn.amount_minor,
            "fee_minor": sum(leg.fee_minor for leg in txn.legs),
        },
        txn.host_system,
    )
    for leg in txn.legs:
        # A leg for cash tells only the host what it costs; nothing of the card's issuer was used.
        if leg.is_cross_system and leg.fee_kind != "spend":
            yield NewEvent(
                kind,
                {
                    "transaction": f"txn_{txn.txn_id.hex}",
                    "kind": leg.fee_kind,
                    "host_hotel": host,
                    "issuer_hotel": directory.hotels[leg.issuer_hotel].code,
                    "business_date": txn.business_date.isoformat(),
                    "points": leg.points,
                    "obligation_minor": leg.obligation_minor,
                },
                leg.issuer_system,
            )


def _of_hold(hold: Hold, directory: Directory) -> NewEvent:
    in_points = hold.kind is Kind.REDEEM
    return NewEvent(
        _ENDED.get(hold.state, "authorization.held"),
        {
            "authorization": f"auth_{hold.auth_id.hex}",
            "kind": hold.kind.value,
            "host_hotel": directory.hotels[hold.host_hotel].code,
            "txn_ref": hold.txn_ref,
            "points": hold.amount if in_points else None,
            "amount_minor": None if in_points else hold.amount,
            "captured": hold.captured,
            "transaction": None if hold.txn_id is None else f"txn_{hold.txn_id.hex}",
            "expires_at": hold.expires_at.isoformat(),
        },
        hold.host_system,
    )
