"""Cards as the value path and the front desk see them: whose, of which hotel, their tiers and their states."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from clearinghouse.domain.errors import CardStateConflict
from clearinghouse.domain.identifiers import mask_card_number
from clearinghouse.domain.treatment import Card, CardState, CardTier
from clearinghouse.store.bulk import array
from clearinghouse.store.database import Session
from clearinghouse.store.vault import Vault, decrypt_personal, encrypt_text

_COLUMNS = (
    "c.number_index, c.number, c.traveller, c.issuer_hotel, c.has_history,"
    " t.given_on, t.system, t.tier_code, t.alliance_level"
)
_STATES = {state.value: state for state in CardState}

#: What has become of a card, and the cards that it stands in for.
History = tuple[tuple[tuple[datetime, CardState], ...], frozenset[int]]


def cards_with_indexes(session: Session, indexes: Iterable[bytes]) -> dict[bytes, Card]:
    """Return those of the cards that are on record, by the blind index of their numbers."""
    statement = session.prepared(
        f"SELECT {_COLUMNS} FROM unnest(%s::bytea[]) AS wanted (number_index)"
        " JOIN cards c USING (number_index) JOIN card_tiers t ON t.card = c.number"
        " ORDER BY c.number, t.given_on"
    )
    rows = session.rows(statement, [array(indexes)])
    return _cards(session, rows)


def cards_in_place_of(session: Session, lost: Sequence[int]) -> dict[int, Card]:
    """Return, for each card that was replaced, the one that stands for it now, by numbers in the tables."""
    rows = session.rows(
        "WITH RECURSIVE later (card, successor) AS ("
        " SELECT card, replaced_by FROM card_states"
        " WHERE card = ANY (%s::bigint[]) AND replaced_by IS NOT NULL"
        " UNION SELECT l.card, s.replaced_by FROM later l"
        " JOIN card_states s ON s.card = l.successor AND s.replaced_by IS NOT NULL)"
        " SELECT l.card, c.number_index FROM later l JOIN cards c ON c.number = l.successor"
        " WHERE NOT EXISTS (SELECT FROM card_states s"
        " WHERE s.card = l.successor AND s.replaced_by IS NOT NULL)",
        [array(lost)],
    )
    found = cards_with_indexes(session, {bytes(index) for _, index in rows})
    return {card: found[bytes(index)] for card, index in rows}


def _cards(session: Session, rows: Sequence[tuple[Any, ...]]) -> dict[bytes, Card]:
    """Make cards from rows, one for each tier; only cards with a history cost another query."""
    tiers: dict[int, list[CardTier]] = {}
    found = []
    for row in rows:
        if row[1] not in tiers:
            found.append(row)
        tiers.setdefault(row[1], []).append(CardTier(*row[5:]))
    histories = _histories(session, [row[1] for row in found if row[4]])
    return {
        bytes(row[0]): Card(
            row[1], row[2], row[3], tuple(tiers[row[1]]), *histories.get(row[1], ())
        )
        for row in found
    }


def _histories(session: Session, cards: Sequence[int]) -> dict[int, History]:
    """Return the states of cards, oldest first, and what they stand in for, through any number of losses."""
    if not cards:
        return {}
    states: dict[int, list[tuple[datetime, CardState]]] = {card: [] for card in cards}
    stands_for: dict[int, set[int]] = {card: set() for card in cards}
    for card, since, state, predecessor in session.rows(
        "WITH RECURSIVE before (card, predecessor) AS ("
        " SELECT replaced_by, card FROM card_states WHERE replaced_by = ANY (%s::bigint[])"
        " UNION SELECT b.card, s.card FROM before b JOIN card_states s ON s.replaced_by = b.predecessor)"
        " SELECT card, since, state, NULL::bigint FROM ("
        " SELECT card, since, state FROM card_states WHERE card = ANY (%s::bigint[]) ORDER BY number) AS own"
        " UNION ALL SELECT card, NULL, NULL, predecessor FROM before",
        [array(cards), array(cards)],
    ):
        if state is not None:
            states[card].append((since, _STATES[state]))
        else:
            stands_for[card].add(predecessor)
    return {card: (tuple(states[card]), frozenset(stands_for[card])) for card in cards}


class CardOnFile(NamedTuple):
    """A card with what may be shown of its number."""

    card: Card
    masked: str


class LastState(NamedTuple):
    """The state that a card is in since when and why, and the card that was issued in its place."""

    since: datetime
    state: CardState
    reason: str
    replaced_by: int | None


def find_index(session: Session, number_index: bytes) -> int | None:
    """Return the card whose number has a blind index."""
    row = session.row("SELECT number FROM cards WHERE number_index = %s", [number_index])
    return None if row is None else int(row[0])


def on_file(session: Session, number: int) -> CardOnFile | None:
    """Return a card by its number in the tables."""
    rows = session.rows(
        f"SELECT {_COLUMNS} FROM cards c JOIN card_tiers t ON t.card = c.number"
        " WHERE c.number = %s ORDER BY t.given_on",
        [number],
    )
    masked = session.row("SELECT masked FROM cards WHERE number = %s", [number])
    found = list(_cards(session, rows).values())
    return CardOnFile(found[0], masked[0]) if found and masked else None


def lock(session: Session, number: int) -> None:
    """Let nobody else change a card until this transaction ends; posters go on."""
    session.row("SELECT FROM cards WHERE number = %s FOR NO KEY UPDATE", [number])


def last_state(session: Session, number: int) -> LastState | None:
    """Return what became of a card last; ``None`` if it was active all the time."""
    row = session.row(
        "SELECT since, state, reason, replaced_by FROM card_states WHERE card = %s"
        " ORDER BY number DESC LIMIT 1",
        [number],
    )
    return None if row is None else LastState(row[0], _STATES[row[1]], *row[2:])


def add_state(session: Session, card: int, last: LastState, by_client: int | None) -> None:
    """Record a change of state, and that the card and the one in its place have a history.

    No client: people of the operator, whom the audit log names.
    """
    session.run(
        "UPDATE cards SET has_history = true WHERE number = ANY (%s::bigint[]) AND NOT has_history;"
        " INSERT INTO card_states (card, since, state, reason, by_client, replaced_by)"
        " VALUES (%s, %s, %s, %s, %s, %s)",
        [
            array([card] if last.replaced_by is None else [card, last.replaced_by]),
            card, last.since, last.state.value, last.reason, by_client, last.replaced_by,
        ],
    )  # fmt: skip


def give_tier(session: Session, card: int, tier: CardTier) -> bool:
    """Record a tier that is given to a card; ``False`` if it has one from that very day on."""
    return bool(
        session.run(
            "INSERT INTO card_tiers (card, given_on, system, tier_code, alliance_level)"
            " VALUES (%s, %s, %s, %s, %s) ON CONFLICT DO NOTHING",
            [card, tier.given_on, tier.system, tier.tier_code, tier.alliance_level],
        )
    )


def add_card(
    session: Session, vault: Vault, card_number: str, traveller: int, issuer_hotel: int
) -> int | None:
    """Add a card of a traveller; ``None`` if the number is taken.

    Raises:
        CardStateConflict: the traveller's data was erased, so no number can be kept for them.
    """
    row = session.row("SELECT person_key FROM travellers WHERE number = %s", [traveller])
    if row is None or row[0] is None:
        raise CardStateConflict("the data of this card's holder was erased")
    key = vault.person_key(bytes(row[0]))
    added = session.row(
        "INSERT INTO cards (number_index, masked, encrypted, traveller, issuer_hotel)"
        " VALUES (%s, %s, %s, %s, %s) ON CONFLICT (number_index) DO NOTHING RETURNING number",
        [
            vault.blind_index("card", card_number),
            mask_card_number(card_number),
            encrypt_text(key, card_number, "card"),
            traveller,
            issuer_hotel,
        ],
    )
    return None if added is None else int(added[0])


def holder_of(session: Session, vault: Vault, traveller: int) -> Mapping[str, str] | None:
    """Return a traveller's name, phone and email; ``None`` if they were erased."""
    row = session.row(
        "SELECT person_key, personal FROM travellers WHERE number = %s AND person_key IS NOT NULL",
        [traveller],
    )
    return None if row is None else decrypt_personal(vault.person_key(bytes(row[0])), bytes(row[1]))
