"""Changing a card: its tier, its state, and another card in its place (docs/decisions/0014).

Only the card's own system may, through any client that has the scope. A card keeps what it was: tiers and states
are dated and added, and each change writes its event in the same transaction.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, timedelta

from clearinghouse.domain.errors import (
    CardStateConflict,
    CardUnknown,
    TierDateRefused,
    TierUnknown,
)
from clearinghouse.domain.treatment import CardState, CardTier
from clearinghouse.operations.cards import CardView, Desk, view
from clearinghouse.operations.context import Context
from clearinghouse.operations.issuing import issue_card
from clearinghouse.operations.party import Party
from clearinghouse.store import cards, outbox
from clearinghouse.store.cards import CardOnFile, LastState
from clearinghouse.store.database import Session

#: How long beforehand a tier may be given.
_TIER_AHEAD = timedelta(days=366)
_MAY_BECOME = {
    CardState.ACTIVE: (CardState.SUSPENDED, CardState.CLOSED),
    CardState.SUSPENDED: (CardState.ACTIVE, CardState.CLOSED),
}
_EVENTS = {
    CardState.ACTIVE: "card.reactivated",
    CardState.SUSPENDED: "card.suspended",
    CardState.CLOSED: "card.closed",
    CardState.REPLACED: "card.replaced",
}


@dataclass(frozen=True, slots=True)
class CardChange:
    """What shall change of a card: another tier from a day on (``None``: today), another status, or both."""

    tier_code: str | None = None
    tier_from: date | None = None
    status: CardState | None = None
    reason: str = ""


def change_card(context: Context, party: Party, card_id: str, change: CardChange) -> CardView:
    """Give a card another tier, suspend, reactivate or close it. What is so already is left as it is.

    Raises:
        CardUnknown: the party's system has no such card; a visiting one is none of its own.
        CardStateConflict: the card is replaced or closed, which is for good.
        TierUnknown: the programme has no such tier on that day.
        TierDateRefused: the day is over or too far off, or the card has another tier from that very day on.
    """
    with context.database.posting() as session:
        desk = Desk.open(context, party, session)
        found = _own_card(session, desk, card_id)
        if change.tier_code is not None:
            _give_tier(session, desk, found, change.tier_code, change.tier_from or desk.today)
        if change.status is not None:
            _change_state(session, desk, found, change.status, change.reason)
        return view(session, desk, desk.find(session, card_id))


def replace_card(
    context: Context, party: Party, card_id: str, card_number: str | None, reason: str
) -> CardView:
    """Issue another card in the place of one that was lost: same traveller and pool, same issuer, same tier.

    The old one is good for nothing from now on. Asked again, it returns the card that was issued then.

    Raises:
        CardUnknown: the party's system has no such card.
        CardStateConflict: the card is closed, or was replaced by one with another number.
        CardNumberInvalid: ``card_number`` is no card number.
        CardNumberTaken: there is a card with it already.
    """
    with context.database.posting() as session:
        desk = Desk.open(context, party, session)
        found = _own_card(session, desk, card_id)
        last = cards.last_state(session, found.card.number)
        if last is not None and last.replaced_by is not None:
            successor = _successor(session, desk, last.replaced_by, card_number)
        elif last is not None and last.state is CardState.CLOSED:
            raise CardStateConflict("the card is closed, so none can be issued in its place")
        else:
            number = issue_card(
                session,
                context,
                found.card.traveller,
                found.card.issuer_hotel,
                _tiers_from(found, desk.today),
                card_number,
            )
            _record(session, desk, found, CardState.REPLACED, reason, number)
            successor = number
        return view(
            session,
            desk,
            desk.find(session, context.vault.card_id(successor, party.system)),
        )


def _own_card(session: Session, desk: Desk, card_id: str) -> CardOnFile:
    """Return a card of the party's own system, which nobody else can change until the end.

    Raises:
        CardUnknown: there is none; of a visiting card, and for the operator, that is all that is said.
    """
    number = desk.context.vault.card_of(card_id, desk.party.system)
    if number is not None:
        cards.lock(session, number)
    found = desk.find(session, card_id)
    if not desk.is_own(found.card):
        raise CardUnknown("there is no such card")
    return found


def _give_tier(session: Session, desk: Desk, found: CardOnFile, code: str, day: date) -> None:
    state = found.card.state_at(desk.now)
    if state not in _MAY_BECOME:
        raise CardStateConflict(f"the card is {state}: its tier can't change")
    if not desk.today <= day <= desk.today + _TIER_AHEAD:
        raise TierDateRefused(
            f"a tier can be given from today on, at most {_TIER_AHEAD.days} days ahead"
        )
    system = desk.party.system or 0
    tier = desk.directory.tier_on(system, code, day)
    if tier is None:
        raise TierUnknown("there is no such tier in the system's programme")
    held = found.card.tier_on(day)
    if held is not None and (held.system, held.tier_code) == (system, code):
        return
    given = CardTier(day, system, code, tier.alliance_level)
    if not cards.give_tier(session, found.card.number, given):
        raise TierDateRefused(
            f"the card was given another tier from {day} on; a tier counts for whole days"
        )
    told = {"tier_code": code, "alliance_level": tier.alliance_level, "from": day.isoformat()}
    _tell(session, desk, "card.tier_changed", found.card.number, told)


def _change_state(
    session: Session, desk: Desk, found: CardOnFile, wanted: CardState, reason: str
) -> None:
    last = cards.last_state(session, found.card.number)
    state = CardState.ACTIVE if last is None else last.state
    if state is wanted:
        return
    if wanted not in _MAY_BECOME.get(state, ()):
        raise CardStateConflict(f"the card is {state} and can't become {wanted}")
    _record(session, desk, found, wanted, reason)


def _record(
    session: Session,
    desk: Desk,
    found: CardOnFile,
    state: CardState,
    reason: str,
    replaced_by: int | None = None,
) -> None:
    """Add a state to a card's history and tell its system."""
    card = found.card.number
    before = cards.last_state(session, card)
    # Clocks of two machines may differ: the later state must not be dated before the earlier one.
    since = desk.now if before is None else max(desk.now, before.since)
    cards.add_state(
        session, card, LastState(since, state, reason, replaced_by), desk.party.of_a_client()
    )
    vault, system = desk.context.vault, desk.party.system
    told = {"since": since.isoformat(), "reason": reason}
    if replaced_by is not None:
        told["replaced_by"] = vault.card_id(replaced_by, system)
    _tell(session, desk, _EVENTS[state], card, told)


def _tell(
    session: Session, desk: Desk, kind: str, card: int, told: dict[str, object] | dict[str, str]
) -> None:
    system = desk.party.system
    payload = {"card_id": desk.context.vault.card_id(card, system), **told}
    outbox.add(session, desk.now, kind, payload, system)


def _tiers_from(found: CardOnFile, today: date) -> list[CardTier]:
    """Return what a card's tiers are from today on, with today as the first day."""
    held = found.card.tier_on(today)
    later = [tier for tier in found.card.tiers if tier.given_on > today]
    return later if held is None else [replace(held, given_on=today), *later]


def _successor(session: Session, desk: Desk, number: int, card_number: str | None) -> int:
    """Return the card that was issued in a card's place, if it may be the one that is asked for."""
    index = None if card_number is None else desk.context.vault.blind_index("card", card_number)
    if index is not None and cards.find_index(session, index) != number:
        raise CardStateConflict("the card was replaced already, by one with another number")
    return number
