"""A traveller's own cards, as the traveller sees them: which hotel's, which tier, and what they are good for where."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from clearinghouse.domain.errors import CardUnknown, HotelUnknown
from clearinghouse.domain.traveller_errors import CardAlreadyHeld
from clearinghouse.domain.treatment import CardState, CardTier
from clearinghouse.operations.balance import HostBalance, balance_for
from clearinghouse.operations.cards import Desk, Treatment, treatment_of
from clearinghouse.operations.context import Context
from clearinghouse.operations.issuing import issue_card
from clearinghouse.operations.party import Party
from clearinghouse.store import asked_cards, cards, enquiry, outbox, traveller_history
from clearinghouse.store.database import Session
from clearinghouse.store.enquiry import HotelName

#: Who may look at any hotel: a traveller's card is looked at where the traveller says.
_ANYWHERE = Party(None, None, None, frozenset())
#: How many cards a traveller may ask for within a year.
ASKED_A_YEAR = 5
_YEAR = timedelta(days=365)


@dataclass(frozen=True, slots=True)
class TravellerCard:
    """A card with its number in full: for its holder's eyes alone.

    Attributes:
        place: Its place among the traveller's cards, from 1 on; what addresses call it.
        card: Its number in the tables.
        status: What it is good for now.
        issuer: The hotel that issued it; ``system_code``, ``system_zh`` and ``system_en`` are whose that is today.
        tier_zh: What its tier is called, in Chinese; ``tier_en`` in English. Empty before its first day.
        level: The alliance level of its tier, ``None`` before its first day.
        issued_on: Its first day.
    """

    place: int
    card: int
    number: str
    status: CardState
    issuer: HotelName
    system_code: str
    system_zh: str
    system_en: str
    tier_zh: str
    tier_en: str
    level: int | None
    issued_on: date

    @property
    def is_good(self) -> bool:
        """Tell whether it can be shown at a desk now."""
        return self.status is CardState.ACTIVE and self.level is not None

    @property
    def last_digits(self) -> str:
        """The last four digits of its number."""
        return self.number[-4:]


@dataclass(frozen=True, slots=True)
class AtHotel:
    """What a card is good for at a hotel; ``treatment`` is ``None`` unless the card is active."""

    hotel: HotelName
    system_zh: str
    system_en: str
    treatment: Treatment | None
    usable: HostBalance


def cards_of(context: Context, traveller: int) -> list[TravellerCard]:
    """Return a traveller's cards in the order in which they were recorded."""
    with context.database.posting() as session:
        return _cards(context, session, traveller)


def at_hotel(context: Context, card: int, hotel_code: str) -> AtHotel:
    """Return how a card is treated at a hotel today and what it can spend there now.

    Raises:
        HotelUnknown: there is no such hotel in the alliance today.
    """
    card_id = context.vault.card_id(card, None)
    usable = balance_for(context, _ANYWHERE, card_id, hotel_code)
    treatment = None
    if usable.status is CardState.ACTIVE:
        treatment = treatment_of(context, _ANYWHERE, card_id, hotel_code)
    with context.database.posting() as session:
        desk = Desk.open(context, _ANYWHERE, session)
        hotel, system = desk.host(hotel_code)
        name = enquiry.hotel_names(session, [hotel], desk.today)[hotel]
    whose = desk.directory.systems[system]
    return AtHotel(name, whose.name_zh, whose.name_en, treatment, usable)


def ask_for_card(context: Context, traveller: int, hotel_code: str) -> TravellerCard:
    """Issue a card of a hotel's system to a traveller who asks for it, unsolicited: its lowest tier, on their own pool.

    The third exception of domain.md §1.3; it is recorded. Nothing becomes of the cards that the traveller has.

    Raises:
        HotelUnknown: there is no such hotel in the alliance today, or it issues nothing any more.
        CardAlreadyHeld: the traveller has a card of that system, or asked for several within the year.
    """
    with context.database.posting() as session:
        desk = Desk.open(context, _ANYWHERE, session)
        hotel, system = desk.host(hotel_code)
        tiers = desk.directory.tiers_on(system, desk.today)
        if not tiers or not desk.directory.standing(system).may_cross(desk.today):
            raise HotelUnknown("this hotel issues no cards now")
        asked_cards.hold_traveller(session, traveller)
        held = _cards(context, session, traveller)
        code = desk.directory.systems[system].code
        if any(card.system_code == code and _counts(card.status) for card in held):
            raise CardAlreadyHeld("you have a card of that system already")
        if asked_cards.asked_since(session, traveller, desk.now - _YEAR) >= ASKED_A_YEAR:
            raise CardAlreadyHeld("as many cards as there may be were asked for within a year")
        lowest = min(tiers, key=lambda tier: (tier.rank, tier.alliance_level, tier.code))
        tier = CardTier(desk.today, system, lowest.code, lowest.alliance_level)
        card = issue_card(session, context, traveller, hotel, [tier], None)
        asked_cards.add(session, card, traveller, system, hotel, desk.now)
        told = {
            "card_id": context.vault.card_id(card, system),
            "hotel": hotel_code,
            "tier_code": lowest.code,
            "asked_for_by_traveller": True,
        }
        outbox.add(session, desk.now, "card.issued", told, system)
        return next(c for c in _cards(context, session, traveller) if c.card == card)


def _counts(status: CardState) -> bool:
    return status in (CardState.ACTIVE, CardState.SUSPENDED)


def _cards(context: Context, session: Session, traveller: int) -> list[TravellerCard]:
    desk = Desk.open(context, _ANYWHERE, session)
    held = traveller_history.cards_of(session, context.vault, traveller)
    on_file = [found for each in held if (found := cards.on_file(session, each.card))]
    names = enquiry.hotel_names(session, {found.card.issuer_hotel for found in on_file}, desk.today)
    numbers = {each.card: each.number for each in held}
    made = []
    for place, found in enumerate(on_file, start=1):
        card, directory = found.card, desk.directory
        tier = card.tier_on(desk.today)
        known = tier and directory.tier_on(tier.system, tier.tier_code, desk.today)
        system = directory.systems[directory.issuer_system(card.issuer_hotel, desk.today)]
        made.append(
            TravellerCard(
                place=place,
                card=card.number,
                number=numbers[card.number],
                status=card.state_at(desk.now),
                issuer=names[card.issuer_hotel],
                system_code=system.code,
                system_zh=system.name_zh,
                system_en=system.name_en,
                tier_zh=known.name_zh if known else tier.tier_code if tier else "",
                tier_en=known.name_en if known else tier.tier_code if tier else "",
                level=tier.alliance_level if tier else None,
                issued_on=card.tiers[0].given_on,
            )
        )
    return made


def card_at(held: list[TravellerCard], place: int | None) -> TravellerCard:
    """Return the card at a place; without one the first that is good, else the last there is.

    Raises:
        CardUnknown: the traveller has none there, or none at all.
    """
    if place is not None:
        found = [card for card in held if card.place == place]
    else:
        found = [card for card in held if card.is_good] or held[-1:]
    if not found:
        raise CardUnknown("there is no such card")
    return found[0]
