"""A card holder goes over to another system, with the operator's approval (domain.md §1 principle 3, second exception).

Nobody makes another's card holder its own by itself. Where the holder wants it, or a hotel has to give its cards up,
two of the operator's people may let another hotel issue a card in the old one's place. The pool is the traveller's and
stays: the points go on being those of their issuers. The new card stands for the old one, so what was bought with that
can still be refunded (docs/decisions/0031).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from clearinghouse.domain.business_day import business_day
from clearinghouse.domain.errors import (
    CardStateConflict,
    CardUnknown,
    HotelUnknown,
    OperatorRefused,
    TierUnknown,
)
from clearinghouse.domain.treatment import CardState, CardTier, matching_tier
from clearinghouse.operations.booking import must_be_two
from clearinghouse.operations.changing import Authority, Change, changing
from clearinghouse.operations.context import Context
from clearinghouse.operations.enquire import read_card_number
from clearinghouse.operations.issuing import issue_card
from clearinghouse.store import cards, outbox
from clearinghouse.store.cards import CardOnFile, LastState

#: Why the card has ended, for its system; where its holder went is none of its business.
_TOLD = "transferred with the approval of the clearing house"


class Transfer(NamedTuple):
    """A card, by its number in the tables, that a hotel is to issue another one for, in a tier of its system.

    Without a tier it is the one that a visitor with the card is treated by there.
    """

    card: int
    hotel: str
    tier: str | None = None


class CardFound(NamedTuple):
    """A card as the operator may see it: its number in the tables, masked, and whose it is."""

    card: int
    masked: str
    hotel: str
    system: str
    state: CardState


class Transferred(NamedTuple):
    """What became of it: both cards masked, and the systems they are of."""

    old_masked: str
    new_masked: str
    from_system: str
    to_system: str
    tier: str


def find_card(context: Context, card_number: str) -> CardFound:
    """Return a card by its number, however it was typed.

    Raises:
        CardUnknown: it is no card number, or there is no such card.
    """
    index = context.vault.blind_index("card", read_card_number(card_number))
    with context.database.office() as session:
        number = cards.find_index(session, index)
        found = None if number is None else cards.on_file(session, number)
        if found is None:
            raise CardUnknown("there is no such card")
        directory, hotel = context.directory.current(session), found.card.issuer_hotel
        now = context.clock()
        system = directory.issuer_system(hotel, business_day(directory, now))
        return CardFound(
            found.card.number,
            found.masked,
            directory.hotels[hotel].code,
            directory.systems[system].code,
            found.card.state_at(now),
        )


def transfer(context: Context, wanted: Transfer, authority: Authority) -> Transferred:
    """End a card and let a hotel of another system issue one in its place, on the same pool.

    Both systems hear of their own card: one that it was closed, the other that it was issued.

    Raises:
        CardUnknown, HotelUnknown, TierUnknown: there is none, or not today.
        CardStateConflict: the card is not active, or its holder's data was erased.
        OperatorRefused: the hotel is of the card's own system, its system is leaving, or only one person says so.
    """
    with changing(context, authority) as change:
        must_be_two(change)
        cards.lock(change.session, wanted.card)
        old = cards.on_file(change.session, wanted.card)
        if old is None:
            raise CardUnknown("there is no such card")
        if not old.card.active_at(change.now):
            raise CardStateConflict("only an active card can be transferred")
        hotel, before, after = _systems(change, old, wanted.hotel)
        tier = _tier(change, old, after, wanted.tier)
        new = issue_card(change.session, context, old.card.traveller, hotel, [tier], None)
        ended = LastState(change.now, CardState.REPLACED, _TOLD, new)
        cards.add_state(change.session, wanted.card, ended, None)
        _tell(change, "card.closed", wanted.card, before, {"since": change.now.isoformat()})
        given = {"hotel": wanted.hotel, "tier_code": tier.tier_code}
        _tell(change, "card.issued", new, after, given)
        issued = cards.on_file(change.session, new)
        systems = context.directory.current(change.session).systems
        done = Transferred(
            old.masked,
            issued.masked if issued else "",
            systems[before].code,
            systems[after].code,
            tier.tier_code,
        )
        change.record(
            "card.transfer", f"card {old.masked}", {"hotel": wanted.hotel, **done._asdict()}
        )
        return done


def _systems(change: Change, old: CardOnFile, hotel_code: str) -> tuple[int, int, int]:
    """Return the hotel that is to issue the new card, and the systems of the old card and of it."""
    directory = change.context.directory.current(change.session)
    hotel = directory.hotel_by_code.get(hotel_code)
    after = None if hotel is None else directory.system_of(hotel.number, change.today)
    if hotel is None or after is None:
        raise HotelUnknown("there is no such hotel in the alliance today")
    before = directory.issuer_system(old.card.issuer_hotel, change.today)
    if before == after:
        raise OperatorRefused(
            "the card is one of that system already; a lost one is replaced there"
        )
    if not directory.standing(after).may_issue(change.today):
        raise OperatorRefused(f"{directory.systems[after].code} is leaving and issues no cards")
    return hotel.number, before, after


def _tier(change: Change, old: CardOnFile, system: int, code: str | None) -> CardTier:
    directory, today = change.context.directory.current(change.session), change.today
    held = old.card.tier_on(today)
    tiers = directory.tiers_on(system, today)
    if code is not None:
        found = directory.tier_on(system, code, today)
    else:
        found = matching_tier(tiers, held.alliance_level) if tiers and held else None
    if found is None:
        raise TierUnknown("there is no such tier in the system's programme")
    return CardTier(today, system, found.code, found.alliance_level)


def _tell(change: Change, kind: str, card: int, system: int, told: Mapping[str, object]) -> None:
    card_id = change.context.vault.card_id(card, system)
    outbox.add(change.session, change.now, kind, {"card_id": card_id, **told}, system)
