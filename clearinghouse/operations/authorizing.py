"""Letting go of what authorisations hold: by the host's word, or because their time is over (domain.md §3)."""

from __future__ import annotations

from uuid import UUID

from clearinghouse.domain.directory import Directory
from clearinghouse.domain.errors import NotFound, RefusalCode
from clearinghouse.domain.holding import refusal_of_ended
from clearinghouse.domain.holds import Hold, HoldState
from clearinghouse.operations.context import Context
from clearinghouse.operations.party import Party
from clearinghouse.operations.telling import tell_of_ended_holds
from clearinghouse.store import holds
from clearinghouse.store.bulk import Batch
from clearinghouse.store.database import Session
from clearinghouse.store.ledger import write_books
from clearinghouse.store.loading import load_pools

#: Authorisations that the sweeper ends in one transaction: few enough that no traveller waits for it.
_SWEPT_EACH = 200


def authorization(context: Context, party: Party, auth_id: UUID) -> tuple[Hold, Directory]:
    """Return an authorisation of the party's own; one whose time is over is told as expired.

    Raises:
        NotFound: it has none with this id.
    """
    now = context.clock()
    directory = context.current_directory()
    with context.database.reading(party.system) as session:
        hold = holds.one(session, auth_id)
    if hold is None or not party.may_see_hotel(hold.host_hotel):
        raise NotFound("there is no such authorisation")
    if hold.is_over(now):
        hold.state, hold.ended_at = HoldState.EXPIRED, hold.expires_at
    return hold, directory


def void(context: Context, session: Session, hold: Hold) -> Hold | RefusalCode:
    """Let go of what an authorisation holds; again, it stays voided. Within a transaction that writes it."""
    now = context.clock()
    directory = context.directory.current(session)
    books = load_pools(session, [hold.traveller], [hold.auth_id], now)
    found = books.holds[hold.auth_id]
    if found.state is HoldState.HELD:
        books.end_hold(found, HoldState.VOIDED, now)
    refused = None if found.state is HoldState.VOIDED else refusal_of_ended(found)
    batch = Batch()
    tell_of_ended_holds(batch, books, directory, now)
    write_books(session, books, now, batch)
    return refused or found


def sweep(context: Context) -> int:
    """Let go of what is held by authorisations whose time is over; return how many there were."""
    swept = 0
    while True:
        now = context.clock()
        with context.database.posting() as session:
            due = holds.due(session, now, _SWEPT_EACH)
            directory = context.directory.current(session)
            books = load_pools(session, sorted({traveller for traveller, _ in due}), (), now)
            batch = Batch()
            tell_of_ended_holds(batch, books, directory, now)
            write_books(session, books, now, batch)
        swept += len(books.ended_holds)
        if len(due) < _SWEPT_EACH:
            return swept
