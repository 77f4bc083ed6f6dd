"""Authorisations: loading the holds that a sequence meets, and writing what was held or let go."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from clearinghouse.domain.books import Books
from clearinghouse.domain.holds import Hold, HoldState
from clearinghouse.domain.pools import Draw, Lot
from clearinghouse.domain.transactions import Kind
from clearinghouse.store.bulk import array, arrays
from clearinghouse.store.database import Session

_COLUMNS = (
    "auth_id, host_hotel, host_system, txn_ref, content, kind, card, traveller, business_date, occurred_at,"
    " rulebook, amount, held_at, expires_at, state, ended_at, captured, txn_id, lots, parts"
)
_OVER = (
    f"SELECT {_COLUMNS} FROM authorizations"
    " WHERE traveller = ANY (%s::bigint[]) AND state = 'held' AND expires_at <= %s"
)
_NAMED = (
    f" UNION SELECT {_COLUMNS} FROM authorizations WHERE auth_id = ANY (%s::uuid[])"
    f" UNION SELECT {_COLUMNS} FROM authorizations WHERE (host_hotel, txn_ref) IN"
    " (SELECT * FROM unnest(%s::int[], %s::text[]))"
)
_KINDS = {kind.value: kind for kind in Kind}


class Stated(NamedTuple):
    """What never changes of an authorisation: who made it, with which card, and for what."""

    host_hotel: int
    card: int
    kind: Kind
    txn_ref: str


def stated(session: Session, auth_id: UUID) -> Stated | None:
    """Return what was stated with an authorisation; ``None`` if this transaction may not see it."""
    row = session.row(
        "SELECT host_hotel, card, kind, txn_ref FROM authorizations WHERE auth_id = %s", [auth_id]
    )
    return None if row is None else Stated(row[0], row[1], _KINDS[row[2]], row[3])


def load_holds(
    session: Session,
    books: Books,
    travellers: Sequence[int],
    auth_ids: Iterable[UUID],
    references: Sequence[tuple[int, str]],
) -> None:
    """Load the holds that lines name, and let go of those of the locked travellers whose time is over.

    Call it once the travellers' lots are loaded: a hold that stands names lots with something remaining.
    """
    locked = set(travellers)
    hotels, refs = zip(*references, strict=True) if references else ((), ())
    over = [array(travellers), books.now]
    auth_ids = list(auth_ids)
    if auth_ids or refs:
        found = session.rows(
            session.prepared(f"{_OVER}{_NAMED}"),
            [*over, array(auth_ids), array(hotels), array(refs)],
        )
    else:
        found = session.rows(session.prepared(_OVER), over)
    for row in found:
        lots = books.pool(row[7]).lots if row[7] in locked else None
        hold = _hold(row, lots)
        books.holds[hold.auth_id] = hold
        books.hold_references[hold.host_hotel, hold.txn_ref] = hold
        if lots is not None and hold.is_over(books.now):
            books.end_hold(hold, HoldState.EXPIRED, books.now)


def one(session: Session, auth_id: UUID) -> Hold | None:
    """Return an authorisation as this transaction may see it, without its lots."""
    row = session.row(f"SELECT {_COLUMNS} FROM authorizations WHERE auth_id = %s", [auth_id])
    return None if row is None else _hold(row)


def due(session: Session, now: datetime, most: int) -> list[tuple[int, UUID]]:
    """Return travellers and ids of some holds whose time is over, longest over first."""
    rows = session.rows(
        "SELECT traveller, auth_id FROM authorizations"
        " WHERE state = 'held' AND expires_at <= %s ORDER BY expires_at LIMIT %s",
        [now, most],
    )
    return [(row[0], row[1]) for row in rows]


def over_but_held(session: Session, traveller: int, now: datetime) -> dict[int, int]:
    """Return, by lot, how much is still marked as held for authorisations whose time is over."""
    rows = session.rows(
        "SELECT lot, sum(part)::bigint FROM authorizations, unnest(lots, parts) AS held (lot, part)"
        " WHERE traveller = %s AND state = 'held' AND expires_at <= %s GROUP BY lot",
        [traveller, now],
    )
    return dict(rows)


def write_holds(session: Session, books: Books) -> None:
    """Write the authorisations that were made and those that ended."""
    if books.new_holds:
        session.run(
            "INSERT INTO authorizations (auth_id, host_hotel, host_system, txn_ref, content, kind, card, traveller,"
            " business_date, occurred_at, rulebook, amount, held_at, expires_at, lots, parts)"
            " SELECT auth_id, host_hotel, host_system, txn_ref, content, kind, card, traveller, business_date,"
            " occurred_at, rulebook, amount, held_at, expires_at, lots::bigint[], parts::bigint[]"
            " FROM unnest(%s::uuid[], %s::int[], %s::int[], %s::text[], %s::bytea[], %s::text[], %s::bigint[],"
            " %s::bigint[], %s::date[], %s::timestamptz[], %s::int[], %s::bigint[], %s::timestamptz[],"
            " %s::timestamptz[], %s::text[], %s::text[])"
            " AS n (auth_id, host_hotel, host_system, txn_ref, content, kind, card, traveller, business_date,"
            " occurred_at, rulebook, amount, held_at, expires_at, lots, parts)",
            arrays(
                [
                    (
                        h.auth_id, h.host_hotel, h.host_system, h.txn_ref, h.content, h.kind.value, h.card,
                        h.traveller, h.business_date, h.occurred_at, h.rulebook, h.amount, h.held_at, h.expires_at,
                        array(lot.number for lot, _ in h.parts), array(part for _, part in h.parts),
                    )
                    for h in books.new_holds
                ]
            ),
        )  # fmt: skip
    new = {hold.auth_id for hold in books.new_holds}
    ended = [hold for hold in books.ended_holds if hold.auth_id not in new]
    if len(ended) < len(books.ended_holds):
        raise RuntimeError("an authorisation cannot end in the sequence that makes it")
    if ended:
        written = session.run(
            "UPDATE authorizations a SET state = n.state, ended_at = n.ended_at, captured = n.captured,"
            " txn_id = n.txn_id"
            " FROM unnest(%s::uuid[], %s::text[], %s::timestamptz[], %s::bigint[], %s::uuid[])"
            " AS n (auth_id, state, ended_at, captured, txn_id) WHERE a.auth_id = n.auth_id",
            arrays([(h.auth_id, h.state.value, h.ended_at, h.captured, h.txn_id) for h in ended]),
        )
        if written != len(ended):
            raise RuntimeError(f"{len(ended) - written} authorisations of this sequence are gone")


def _hold(row: tuple[Any, ...], lots: Mapping[int, Lot] | None = None) -> Hold:
    """Make a hold from a row of ``_COLUMNS``, with its parts where it still holds them and its lots are given."""
    state = HoldState(row[14])
    parts = []
    if lots is not None and state is HoldState.HELD:
        parts = [Draw(lots[lot], part) for lot, part in zip(row[18], row[19], strict=True)]
    return Hold(
        auth_id=row[0], host_hotel=row[1], host_system=row[2], txn_ref=row[3], content=bytes(row[4]),
        kind=_KINDS[row[5]], card=row[6], traveller=row[7], business_date=row[8], occurred_at=row[9],
        rulebook=row[10], amount=row[11], parts=parts, held_at=row[12], expires_at=row[13], state=state,
        ended_at=row[15], captured=row[16], txn_id=row[17],
    )  # fmt: skip
