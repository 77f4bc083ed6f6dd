"""Enrolments that wait for a one-time code, and who holds which cards under a phone."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from clearinghouse.domain.treatment import CardState
from clearinghouse.store.database import Session
from clearinghouse.store.vault import Vault, decrypt_personal, encrypt_personal

#: First key of the advisory lock under which enrolments of one phone take turns.
_PHONE_LOCK = 727015


class NewEnrolment(NamedTuple):
    """What is known of an enrolment before the phone is confirmed; its index and code are keyed hashes."""

    enrolment: UUID
    system: int
    hotel: int
    tier_code: str
    by_client: int
    phone_index: bytes
    code_hash: bytes
    begun_at: datetime
    expires_at: datetime


class Enrolment(NamedTuple):
    """An enrolment; ``outcome`` and ``card`` are of one that was confirmed."""

    hotel: int
    tier_code: str
    phone_index: bytes
    code_hash: bytes
    tries: int
    expires_at: datetime
    outcome: str | None
    card: int | None


class Holder(NamedTuple):
    """A traveller under a phone, and one of their cards, if they have any."""

    traveller: int
    name: str
    card: int | None
    issuer_hotel: int | None
    state: CardState


def add(session: Session, vault: Vault, new: NewEnrolment, personal: dict[str, str]) -> None:
    """Record an enrolment; the person's data is encrypted with a key of its own."""
    key, wrapped = vault.new_person_key()
    session.run(
        "INSERT INTO enrolments (enrolment, system, hotel, tier_code, by_client, phone_index, code_hash, begun_at,"
        " expires_at, key_id, person_key, personal) VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)",
        [
            new.enrolment, new.system, new.hotel, new.tier_code, new.by_client, new.phone_index, new.code_hash,
            new.begun_at, new.expires_at, vault.key_id, wrapped, encrypt_personal(key, personal),
        ],
    )  # fmt: skip


def hold_phone(session: Session, phone_index: bytes) -> None:
    """Let no other enrolment of this phone go on until this transaction ends."""
    key = int.from_bytes(phone_index[:4], signed=True)
    session.row("SELECT pg_advisory_xact_lock(%s, %s)", [_PHONE_LOCK, key])


def codes_since(session: Session, phone_index: bytes, since: datetime) -> int:
    """Return how many codes a phone was sent since a moment, whoever asked for them."""
    row = session.row(
        "SELECT count(*) FROM enrolments WHERE phone_index = %s AND begun_at > %s",
        [phone_index, since],
    )
    return int(row[0]) if row else 0


def codes_of_system_since(session: Session, system: int, since: datetime) -> int:
    """Return how many codes a system had sent since a moment, to whomever."""
    row = session.row(
        "SELECT count(*) FROM enrolments WHERE system = %s AND begun_at > %s", [system, since]
    )
    return int(row[0]) if row else 0


def lock(session: Session, enrolment: UUID, system: int) -> Enrolment | None:
    """Return an enrolment that a system began, which nobody else can confirm until the end."""
    row = session.row(
        "SELECT hotel, tier_code, phone_index, code_hash, tries, expires_at, outcome, card"
        " FROM enrolments WHERE enrolment = %s AND system = %s FOR UPDATE",
        [enrolment, system],
    )
    if row is None:
        return None
    hotel, tier_code, phone_index, code_hash, *rest = row
    return Enrolment(hotel, tier_code, bytes(phone_index), bytes(code_hash), *rest)


def personal_of(session: Session, vault: Vault, enrolment: UUID) -> dict[str, str]:
    """Return the data of the person who is to be enrolled."""
    row = session.row(
        "SELECT person_key, personal FROM enrolments WHERE enrolment = %s", [enrolment]
    )
    if row is None or row[0] is None:
        raise LookupError("the data of this enrolment was thrown away")
    return decrypt_personal(vault.person_key(bytes(row[0])), bytes(row[1]))


def count_try(session: Session, enrolment: UUID) -> None:
    """Record that a wrong code was given."""
    session.run("UPDATE enrolments SET tries = tries + 1 WHERE enrolment = %s", [enrolment])


def end(session: Session, enrolment: UUID, at: datetime, outcome: str, card: int | None) -> None:
    """Record what came of an enrolment and throw away the data that it kept for it."""
    session.run(
        "UPDATE enrolments SET confirmed_at = %s, outcome = %s, card = %s, person_key = NULL, personal = NULL"
        " WHERE enrolment = %s",
        [at, outcome, card, enrolment],
    )


def forget_expired(session: Session, before: datetime, most: int) -> None:
    """Throw away the data of some people who never confirmed; waits for nobody."""
    session.run(
        "UPDATE enrolments SET person_key = NULL, personal = NULL WHERE enrolment IN ("
        " SELECT enrolment FROM enrolments WHERE personal IS NOT NULL AND expires_at < %s"
        " ORDER BY expires_at LIMIT %s FOR UPDATE SKIP LOCKED)",
        [before, most],
    )


def holders(session: Session, vault: Vault, phone_index: bytes) -> list[Holder]:
    """Return the travellers under a phone with all their cards, in the order in which they were recorded."""
    return [
        Holder(
            number,
            decrypt_personal(vault.person_key(bytes(key)), bytes(personal))["name"],
            card,
            hotel,
            CardState(state),
        )
        for number, key, personal, card, hotel, state in session.rows(
            "SELECT t.number, t.person_key, t.personal, c.number, c.issuer_hotel, coalesce("
            " (SELECT s.state FROM card_states s WHERE s.card = c.number ORDER BY s.number DESC LIMIT 1),"
            " 'active') FROM travellers t LEFT JOIN cards c ON c.traveller = t.number"
            " WHERE t.phone_index = %s AND t.person_key IS NOT NULL ORDER BY t.number, c.number",
            [phone_index],
        )
    ]
