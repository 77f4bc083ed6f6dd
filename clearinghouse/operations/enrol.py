"""Enrolling a traveller: a one-time code to the phone, then the no-harm check, then the card (domain.md §1.3).

Until the phone has confirmed, nothing depends on whether the person is a member of anything: not the answer, not
the code, not how long it takes. Who shares a phone with whom is decided in docs/decisions/0013.
"""

from __future__ import annotations

import hmac
import secrets
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import NamedTuple
from uuid import UUID

from clearinghouse.domain.errors import (
    AlreadyAllianceMember,
    CodeExpired,
    CodeWrong,
    EnrolmentUnknown,
    HotelNotYours,
    PersonalDataInvalid,
    TierUnknown,
    TooManyCodes,
)
from clearinghouse.domain.treatment import CardState, CardTier
from clearinghouse.operations.cards import CardView, Desk, view
from clearinghouse.operations.context import Context
from clearinghouse.operations.issuing import issue_card
from clearinghouse.operations.names import plain_name, same_name
from clearinghouse.operations.packs import fields
from clearinghouse.operations.party import Party
from clearinghouse.operations.phones import normal_phone
from clearinghouse.store import enquiry, enrolments, outbox, travellers
from clearinghouse.store.database import Session
from clearinghouse.store.enrolments import Enrolment, Holder, NewEnrolment
from clearinghouse.store.travellers import Person

CODE_MINUTES = 10
_TRIES = 5
_CODES_AN_HOUR = 5
#: What one system may have sent to all phones together: messages cost money and annoy.
_SYSTEM_AN_HOUR = 300
_DIGITS = 6
_PREFIX = "enr_"
#: How many people who never confirmed are forgotten whenever somebody else enrols.
_FORGET_EACH = 20


class Outcome(StrEnum):
    """What came of an enrolment once the phone had confirmed."""

    ISSUED = "issued"
    ALREADY_OWN_MEMBER = "already_own_member"
    ALREADY_ALLIANCE_MEMBER = "already_alliance_member"


@dataclass(frozen=True, slots=True)
class Applicant:
    """A person who wants a card of a hotel in one of its system's tiers, as the front desk typed it."""

    hotel_code: str
    tier_code: str
    name: str
    phone: str
    email: str = ""


class OneTimeCode(NamedTuple):
    """A code to send to a phone (E.164), and what the message may say: the hotel's names and how long it is good."""

    phone: str
    code: str
    hotel_zh: str
    hotel_en: str
    minutes: int


#: Hands a code over for sending; raises ``CodeNotSent`` if it can't.
Sender = Callable[[OneTimeCode], None]


class Begun(NamedTuple):
    """An enrolment that waits for its code, until ``expires_at``."""

    enrolment_id: str
    expires_at: datetime


class Enrolled(NamedTuple):
    """A confirmed enrolment: the card that was issued, or the one that the person had in this system already."""

    outcome: Outcome
    card: CardView


def begin(context: Context, party: Party, applicant: Applicant, send: Sender) -> Begun:
    """Begin an enrolment: record it and, once that is committed, send a one-time code to the phone.

    Raises:
        HotelUnknown, HotelNotYours: the hotel is not one of the party's.
        TierUnknown: its system has no such tier today.
        PersonalDataInvalid: the name, phone or e-mail does not fit.
        TooManyCodes: the phone was sent too many codes within the hour, or the system asked for too many.
        CodeNotSent: the code could not be sent; another one can be asked for.
    """
    name, phone, email = _fit(applicant)
    vault = context.vault
    index = vault.blind_index("phone", phone)
    enrolment = UUID(bytes=secrets.token_bytes(16))
    code = f"{secrets.randbelow(10**_DIGITS):0{_DIGITS}}"
    with context.database.posting() as session:
        desk = Desk.open(context, party, session)
        hotel, system = _issuer(desk, applicant.hotel_code)
        _tier(desk, system, applicant.tier_code)
        enrolments.forget_expired(session, desk.now, _FORGET_EACH)
        enrolments.hold_phone(session, index)
        an_hour_ago = desk.now - timedelta(hours=1)
        if enrolments.codes_since(session, index, an_hour_ago) >= _CODES_AN_HOUR:
            raise TooManyCodes("this phone was sent as many codes as it may be within an hour")
        if enrolments.codes_of_system_since(session, system, an_hour_ago) >= _SYSTEM_AN_HOUR:
            raise TooManyCodes("your system asked for as many codes as it may within an hour")
        expires_at = desk.now + timedelta(minutes=CODE_MINUTES)
        new = NewEnrolment(
            enrolment, system, hotel, applicant.tier_code, party.of_a_client(), index,
            _code_hash(context, enrolment, code), desk.now, expires_at,
        )  # fmt: skip
        enrolments.add(session, vault, new, {"name": name, "phone": phone, "email": email})
        names = enquiry.hotel_names(session, [hotel], desk.today)[hotel]
    zh, en = names.name_zh or names.name_en, names.name_en or names.name_zh
    send(OneTimeCode(phone, code, zh, en, CODE_MINUTES))
    return Begun(_PREFIX + enrolment.hex, expires_at)


def confirm(
    context: Context, party: Party, enrolment_id: str, code: str, card_number: str | None = None
) -> Enrolled:
    """Confirm the phone by its code; then, and only then, look who holds cards under it, and issue the card.

    Confirming again with the right code returns what came of it, while the code is good.

    Raises:
        EnrolmentUnknown: the party began no such enrolment.
        CodeExpired: its time is over, or it was tried too often.
        CodeWrong: that is not the code.
        AlreadyAllianceMember: the person holds an active card of another system.
        CardNumberInvalid, CardNumberTaken: the number given for the card can't be used; the code stays good.
        TierUnknown: the tier is gone since.
    """
    with context.database.posting() as session:
        desk = Desk.open(context, party, session)
        number, found = _find(session, desk, enrolment_id)
        if desk.now >= found.expires_at or found.tries >= _TRIES:
            raise CodeExpired("the code is no longer good; begin the enrolment again")
        right = hmac.compare_digest(_code_hash(context, number, code), found.code_hash)
        if not right:
            enrolments.count_try(session, number)
        outcome, card = _outcome(session, desk, number, found, card_number) if right else (None, 0)
        # The number of a card is never 0 and it is there for all but a refusal.
        seen = view(session, desk, desk.find(session, _id(desk, card))) if card else None
    # Raised only now: a wrong try, and a refusal, are to be committed.
    if outcome is None:
        raise CodeWrong("that is not the code that was sent")
    if seen is None:
        raise AlreadyAllianceMember("the person holds an active card of the alliance already")
    return Enrolled(outcome, seen)


def _find(session: Session, desk: Desk, enrolment_id: str) -> tuple[UUID, Enrolment]:
    """Return an enrolment that the party's system began at a hotel for which the party may speak."""
    text = enrolment_id.removeprefix(_PREFIX)
    try:
        number = UUID(hex=text)
    except ValueError:
        number = None
    found = None
    if number is not None and enrolment_id == _PREFIX + number.hex and desk.party.system:
        found = enrolments.lock(session, number, desk.party.system)
    if (
        number is None
        or found is None
        or not desk.party.may_act_for(desk.directory, found.hotel, desk.today)
    ):
        raise EnrolmentUnknown("there is no such enrolment")
    return number, found


def _outcome(
    session: Session, desk: Desk, number: UUID, found: Enrolment, card_number: str | None
) -> tuple[Outcome, int | None]:
    """Decide what comes of a confirmed enrolment, unless that was done before, and write it."""
    if found.outcome is not None:
        return Outcome(found.outcome), found.card
    context = desk.context
    enrolments.hold_phone(session, found.phone_index)
    person = enrolments.personal_of(session, context.vault, number)
    known = enrolments.holders(session, context.vault, found.phone_index)
    outcome, card, traveller = _no_harm(desk, known, person["name"])
    system = desk.party.system or 0
    if outcome is Outcome.ISSUED:
        tier = _tier(desk, system, found.tier_code)
        if traveller is None:
            traveller = _new_traveller(session, desk, number, person)
        card = issue_card(session, context, traveller, found.hotel, [tier], card_number)
    enrolments.end(session, number, desk.now, outcome.value, card)
    told: dict[str, object] = {"enrolment_id": _PREFIX + number.hex, "outcome": outcome.value}
    if card is not None:
        told["card_id"] = _id(desk, card)
    outbox.add(session, desk.now, "enrolment.confirmed", told, system)
    if outcome is Outcome.ISSUED:
        told = {
            "card_id": told["card_id"],
            "hotel": desk.directory.hotels[found.hotel].code,
            "tier_code": found.tier_code,
        }
        outbox.add(session, desk.now, "card.issued", told, system)
    return outcome, card


def _no_harm(
    desk: Desk, known: Sequence[Holder], name: str
) -> tuple[Outcome, int | None, int | None]:
    """Judge by those who are known under the phone; return also the card they have, or whose pool is theirs.

    The newest card of the own system counts first, by name; then any card of another system, by whatever name.
    """
    live = [h for h in known if h.state in (CardState.ACTIVE, CardState.SUSPENDED)]
    same = {h.traveller for h in known if same_name(h.name, name)}
    own, others = [], False
    for holder in live:
        if holder.card is None or holder.issuer_hotel is None:
            continue
        system = desk.directory.issuer_system(holder.issuer_hotel, desk.today)
        if system != desk.party.system:
            others = True
        elif holder.traveller in same:
            own.append(holder.card)
    if own:
        return Outcome.ALREADY_OWN_MEMBER, max(own), None
    if others:
        return Outcome.ALREADY_ALLIANCE_MEMBER, None, None
    return Outcome.ISSUED, None, min(same, default=None)


def _new_traveller(session: Session, desk: Desk, number: UUID, person: dict[str, str]) -> int:
    ref = _PREFIX + number.hex
    new = Person(ref, person["name"], person["phone"], person["email"])
    travellers.add_travellers(session, desk.context.vault, [new], desk.today)
    return travellers.number_of(session, ref)


def _issuer(desk: Desk, hotel_code: str) -> tuple[int, int]:
    """Return the issuing hotel and its system; the operator enrols nobody."""
    if desk.party.is_operator:
        raise HotelNotYours("only a hotel's own system enrols its card holders")
    return desk.host(hotel_code)


def _tier(desk: Desk, system: int, code: str) -> CardTier:
    tier = desk.directory.tier_on(system, code, desk.today)
    if tier is None:
        raise TierUnknown("there is no such tier in the system's programme")
    return CardTier(desk.today, system, code, tier.alliance_level)


def _id(desk: Desk, card: int) -> str:
    return desk.context.vault.card_id(card, desk.party.system)


def _code_hash(context: Context, enrolment: UUID, code: str) -> bytes:
    """Return the keyed hash of a code as it may have been typed; without the key it can't be tried out."""
    digits = unicodedata.normalize("NFKC", code).strip()
    return context.vault.blind_index("one-time code", f"{enrolment.hex}\x00{digits}")


def _fit(applicant: Applicant) -> tuple[str, str, str]:
    """Return name, phone and e-mail as they are kept."""
    try:
        name = fields.prose()(applicant.name)
    except fields.Unfit as reason:
        raise PersonalDataInvalid(f"the name {reason}", "name") from None
    if not plain_name(name):
        raise PersonalDataInvalid("the name is missing", "name")
    phone = normal_phone(applicant.phone)
    if phone is None:
        raise PersonalDataInvalid("the phone is not a telephone number", "phone")
    try:
        email = fields.email(applicant.email).lower()
    except fields.Unfit as reason:
        raise PersonalDataInvalid(f"the e-mail address {reason}", "email") from None
    return name, phone, email
