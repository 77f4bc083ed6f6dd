"""Travellers and cards: personal data goes through the vault, never into a column as it is."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import NamedTuple

from clearinghouse.domain.identifiers import mask_card_number
from clearinghouse.store.bulk import Batch, array, arrays, table
from clearinghouse.store.database import Session
from clearinghouse.store.vault import Vault, decrypt_personal, encrypt_personal, encrypt_text


class Person(NamedTuple):
    """A traveller's personal data; ``phone`` and ``email`` are normalised for look-up by the caller."""

    ref: str
    name: str
    phone: str
    email: str


class CardOnRecord(NamedTuple):
    """A card: whose, of which hotel, and the tier it was given on each date."""

    traveller_ref: str
    issuer_hotel: str
    tiers: dict[date, str]


class NewCard(NamedTuple):
    """A card to issue, by the codes of what it refers to."""

    number: str
    traveller_ref: str
    issuer_hotel: str


class TierGiven(NamedTuple):
    """A tier given to a card on a date by a system, at the level that the tier has that day."""

    card_number: str
    given_on: date
    system_code: str
    tier_code: str
    alliance_level: int


PEOPLE = table(
    "travellers",
    "ref text, key_id text, person_key bytea, personal bytea, phone_index bytea, email_index bytea,"
    " profile_on date",
)
UPDATES = table(
    "travellers",
    "number bigint, personal bytea, phone_index bytea, email_index bytea, profile_on date",
)


def known_travellers(session: Session, refs: Sequence[str]) -> dict[str, date]:
    """Return those of the references that are on record, with the date their profile is as of."""
    rows = session.rows(
        "SELECT ref, profile_on FROM travellers WHERE ref = ANY (%s::text[])", [array(refs)]
    )
    return dict(rows)


def add_travellers(session: Session, vault: Vault, people: Sequence[Person], as_of: date) -> int:
    """Add travellers, each with a key of its own."""
    rows = []
    for person in people:
        key, wrapped = vault.new_person_key()
        rows.append(
            (
                person.ref,
                vault.key_id,
                wrapped,
                _sealed(key, person),
                *_indexes(vault, person),
                as_of,
            )
        )
    batch = Batch()
    batch.insert(PEOPLE, rows)
    batch.write(session)
    return len(rows)


def number_of(session: Session, ref: str) -> int:
    """Return the number in the tables of a traveller who is on record."""
    row = session.row("SELECT number FROM travellers WHERE ref = %s", [ref])
    if row is None:
        raise LookupError("there is no such traveller")
    return int(row[0])


def update_travellers(
    session: Session, vault: Vault, people: Sequence[Person], as_of: date
) -> list[str]:
    """Bring travellers up to date whose data on record is older than ``as_of``.

    Returns the references of those whose data is of the same date and differs: a contradiction, not written.
    An erased traveller (without a key) stays erased.
    """
    wanted = {person.ref: person for person in people}
    rows, contradictions = [], []
    for number, ref, wrapped, personal, profile_on in session.rows(
        "SELECT number, ref, person_key, personal, profile_on FROM travellers"
        " WHERE ref = ANY (%s::text[]) AND profile_on <= %s AND person_key IS NOT NULL",
        [array(wanted), as_of],
    ):
        person = wanted[ref]
        key = vault.person_key(bytes(wrapped))
        same = decrypt_personal(key, bytes(personal)) == _values(person)
        if not same and profile_on == as_of:
            contradictions.append(ref)
        elif profile_on < as_of:
            sealed = bytes(personal) if same else _sealed(key, person)
            rows.append((number, sealed, *_indexes(vault, person), as_of))
    if rows and not contradictions:
        names = ", ".join(name for name, _ in UPDATES.columns)
        session.run(
            "UPDATE travellers t SET personal = n.personal, phone_index = n.phone_index,"
            " email_index = n.email_index, profile_on = n.profile_on"
            f" FROM {UPDATES.unnest()} AS n ({names}) WHERE t.number = n.number",
            arrays(rows),
        )
    return contradictions


def known_cards(session: Session, vault: Vault, numbers: Sequence[str]) -> dict[str, CardOnRecord]:
    """Return those of the card numbers that are on record."""
    number_of = {vault.blind_index("card", number): number for number in numbers}
    found: dict[str, CardOnRecord] = {}
    for index, ref, hotel, given_on, tier_code in session.rows(
        "SELECT c.number_index, v.ref, h.code, t.given_on, t.tier_code FROM cards c"
        " JOIN travellers v ON v.number = c.traveller JOIN hotels h ON h.number = c.issuer_hotel"
        " JOIN card_tiers t ON t.card = c.number WHERE c.number_index = ANY (%s::bytea[])",
        [array(number_of)],
    ):
        card = found.setdefault(number_of[bytes(index)], CardOnRecord(ref, hotel, {}))
        card.tiers[given_on] = tier_code
    return found


def foreign_key_id(session: Session, vault: Vault) -> str | None:
    """Return the id of the master key that protects the travellers on record, if it is another than the vault's."""
    row = session.row("SELECT key_id FROM travellers WHERE key_id IS NOT NULL LIMIT 1")
    return None if row is None or row[0] == vault.key_id else str(row[0])


def any_cards(session: Session) -> bool:
    """Tell whether there is any card at all."""
    return session.row("SELECT FROM cards LIMIT 1") is not None


def add_cards(session: Session, vault: Vault, cards: Sequence[NewCard]) -> int:
    """Add cards of travellers that are on record; each number is encrypted with its holder's key."""
    if not cards:
        return 0
    keys = {
        ref: vault.person_key(bytes(wrapped))
        for ref, wrapped in session.rows(
            "SELECT ref, person_key FROM travellers WHERE ref = ANY (%s::text[])",
            [array({card.traveller_ref for card in cards})],
        )
    }
    rows = [
        (
            vault.blind_index("card", card.number),
            mask_card_number(card.number),
            encrypt_text(keys[card.traveller_ref], card.number, "card"),
            card.traveller_ref,
            card.issuer_hotel,
        )
        for card in cards
    ]
    return session.run(
        "INSERT INTO cards (number_index, masked, encrypted, traveller, issuer_hotel)"
        " SELECT n.number_index, n.masked, n.encrypted, t.number, h.number"
        " FROM unnest(%s::bytea[], %s::text[], %s::bytea[], %s::text[], %s::text[])"
        " AS n (number_index, masked, encrypted, ref, hotel)"
        " JOIN travellers t ON t.ref = n.ref JOIN hotels h ON h.code = n.hotel",
        arrays(rows),
    )


def give_tiers(session: Session, vault: Vault, given: Sequence[TierGiven]) -> int:
    """Record tiers given to cards; one that is on record for that date is left as it is."""
    if not given:
        return 0
    rows = [(vault.blind_index("card", tier.card_number), *tier[1:]) for tier in given]
    return session.run(
        "INSERT INTO card_tiers (card, given_on, system, tier_code, alliance_level)"
        " SELECT c.number, n.given_on, s.number, n.tier_code, n.alliance_level"
        " FROM unnest(%s::bytea[], %s::date[], %s::text[], %s::text[], %s::int[])"
        " AS n (number_index, given_on, system, tier_code, alliance_level)"
        " JOIN cards c ON c.number_index = n.number_index JOIN systems s ON s.code = n.system"
        " ON CONFLICT DO NOTHING",
        arrays(rows),
    )


def _values(person: Person) -> dict[str, str]:
    return {"name": person.name, "phone": person.phone, "email": person.email}


def _sealed(key: bytes, person: Person) -> bytes:
    return encrypt_personal(key, _values(person))


def _indexes(vault: Vault, person: Person) -> tuple[bytes | None, bytes | None]:
    return (
        vault.blind_index("phone", person.phone) if person.phone else None,
        vault.blind_index("email", person.email.lower()) if person.email else None,
    )
