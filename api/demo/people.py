"""Sample travellers and their cards."""

from dataclasses import dataclass
from datetime import date

from api.demo.months import PREVIOUS, YEAR_AGO, Months
from api.demo.network import Row

TRAVELLERS_HEADER = "traveller_ref,name,phone,email"
CARDS_HEADER = "card_number,traveller_ref,issuer_hotel,tier_code,issued_on"

_CARD_PREFIX = "999900"
_UNKNOWN_FROM = 900_000_000


@dataclass(eq=False, slots=True)
class Card:
    """A card as first issued; a later tier is another dated row of cards.csv."""

    number: str
    traveller: int
    issuer_hotel: str
    tier: str
    issued_on: date


def with_luhn_digit(digits: str) -> str:
    """Append the Luhn check digit."""
    total = 0
    for position, digit in enumerate(reversed(digits)):
        value = int(digit) * (2 - position % 2)
        total += value - 9 if value > 9 else value
    return f"{digits}{-total % 10}"


def unknown_card_number(serial: int) -> str:
    """A well-formed card number that no pack holds."""
    return with_luhn_digit(f"{_CARD_PREFIX}{_UNKNOWN_FROM + serial:09d}")


class Roster:
    """All travellers and card rows, each in the pack of the month in which it begins."""

    def __init__(self, months: Months) -> None:
        self._months = months
        self.cards: list[Card] = []
        self.tier_changes: list[Card] = []
        self.travellers = 0

    def enrol(self, hotel: str, tier: str, issued_on: date) -> Card:
        """A new traveller with a card."""
        self.travellers += 1
        return self.add_card(self.travellers, hotel, tier, issued_on)

    def add_card(self, traveller: int, hotel: str, tier: str, issued_on: date) -> Card:
        """A card, perhaps a further one, of a traveller."""
        number = with_luhn_digit(f"{_CARD_PREFIX}{len(self.cards) + 1:09d}")
        card = Card(number, traveller, hotel, tier, issued_on)
        self.cards.append(card)
        return card

    def change_tier(self, card: Card, tier: str, on: date) -> None:
        """Give a card another tier from a day on."""
        change = Card(card.number, card.traveller, card.issuer_hotel, tier, on)
        self.tier_changes.append(change)

    def rows(self) -> list[tuple[list[Row], list[Row]]]:
        """For each of the three packs the rows of travellers.csv and of cards.csv."""
        packs: list[tuple[list[Row], list[Row]]] = [([], []), ([], []), ([], [])]
        enrolled: set[int] = set()
        for card in sorted(self.cards, key=lambda c: self._pack(c.issued_on)):
            travellers, cards = packs[self._pack(card.issued_on)]
            if card.traveller not in enrolled:
                enrolled.add(card.traveller)
                travellers.append(_traveller_row(card.traveller))
            cards.append(_card_row(card))
        for change in self.tier_changes:
            packs[self._pack(change.issued_on)][1].append(_card_row(change))
        return packs

    def _pack(self, issued_on: date) -> int:
        offset = self._months.offset_of(issued_on)
        return 0 if offset <= YEAR_AGO else 1 if offset <= PREVIOUS else 2


def phone_of(traveller: int) -> str:
    """Return a sample traveller's phone."""
    return f"+86199{traveller:08d}"


def name_of(traveller: int) -> str:
    """Return a sample traveller's name in Chinese, the first half of the one on record."""
    return f"示例旅客{traveller:05d}"


def _traveller_ref(number: int) -> str:
    return f"TR{number:05d}"


def _traveller_row(number: int) -> Row:
    name = f"{name_of(number)} Sample Traveller {number:05d}"
    email = f"traveller{number:05d}@example.com"
    return (_traveller_ref(number), name, phone_of(number), email)


def _card_row(card: Card) -> Row:
    ref = _traveller_ref(card.traveller)
    return (card.number, ref, card.issuer_hotel, card.tier, card.issued_on.isoformat())
