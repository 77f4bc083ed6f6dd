"""The cards that lines name: looked up once, by number or by their own number in our books."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from clearinghouse.domain.transactions import Line, card_of_key
from clearinghouse.domain.treatment import Card, CardState
from clearinghouse.store.bulk import array
from clearinghouse.store.cards import cards_in_place_of, cards_with_indexes
from clearinghouse.store.database import Session
from clearinghouse.store.vault import Vault


class Cards(NamedTuple):
    """The cards that some lines name, by number, as far as they are known, and the blind index of each number."""

    cards: Mapping[str, Card]
    indexes: Mapping[str, bytes]


class CardFile:
    """Remembers cards for the length of a file, so a tier that is given meanwhile counts from the next file."""

    #: More than this is forgotten and looked up again.
    KEEP = 200_000

    def __init__(self) -> None:
        self._cards: dict[str, Card] = {}
        self._indexes: dict[str, bytes] = {}

    def look_up(self, session: Session, lines: Sequence[Line], vault: Vault) -> Cards:
        """Return the cards that lines name; what is returned stays as it is, whatever is looked up later."""
        if len(self._indexes) > self.KEEP:
            self._cards, self._indexes = {}, {}
        named = {line.card_number for line in lines}
        unknown = named - self._cards.keys()
        if unknown:
            indexes = _indexes(session, unknown, vault)
            cards = cards_with_indexes(session, set(indexes.values()))
            self._cards |= {name: cards[index] for name, index in indexes.items() if index in cards}
            self._cards |= _in_their_place(session, lines, unknown, self._cards)
            self._indexes |= indexes
        return Cards(
            {number: self._cards[number] for number in named & self._cards.keys()},
            {number: self._indexes[number] for number in named},
        )


def _indexes(session: Session, names: Iterable[str], vault: Vault) -> dict[str, bytes]:
    """Return the blind index of each card number, and of each card that is named by its own number."""
    keys = {name: card for name in names if (card := card_of_key(name)) is not None}
    found = {name: vault.blind_index("card", name) for name in names if name not in keys}
    if keys:
        rows = session.rows(
            "SELECT number, number_index FROM cards WHERE number = ANY (%s::bigint[])",
            [array(keys.values())],
        )
        index_of = {number: bytes(index) for number, index in rows}
        found |= {name: index_of.get(card, b"") for name, card in keys.items()}
    return found


def _in_their_place(
    session: Session, lines: Sequence[Line], names: Iterable[str], cards: Mapping[str, Card]
) -> dict[str, Card]:
    """Return, for cards named by their own number and lost when a line occurred, those in their place.

    Such lines go on with an earlier one, a refund or a capture, whose card its holder no longer has.
    """
    keys = {name for name in names if card_of_key(name) is not None and name in cards}
    lost = {
        line.card_number
        for line in (lines if keys else ())
        if line.card_number in keys
        and cards[line.card_number].state_at(line.occurred_at) is CardState.REPLACED
    }
    found = cards_in_place_of(session, [cards[name].number for name in lost]) if lost else {}
    return {name: found[cards[name].number] for name in lost}
