"""Travellers sign in with a one-time code to their phone or e-mail address, and stay signed in (decision 0029).

Until the code and the name are right, nothing depends on whether anybody is known under the phone or address: not the
answer, not the work, not how long it takes. Whether something is sent is found out afterwards, behind the answer.
"""

from __future__ import annotations

import hmac
import secrets
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from typing import NamedTuple
from uuid import UUID

from clearinghouse.domain.errors import CodeExpired, CodeWrong, PersonalDataInvalid, TooManyCodes
from clearinghouse.operations.context import Context
from clearinghouse.operations.names import answers_to
from clearinghouse.operations.packs import fields
from clearinghouse.operations.phones import normal_phone
from clearinghouse.store import traveller_access
from clearinghouse.store.traveller_access import NewCode, TravellerSession

CODE_MINUTES = 10
CODE_DIGITS = 6
#: How often a code may be tried, and all codes for one phone or address together within a day.
TRIES = 5
TRIES_A_DAY = 30
#: Codes within an hour: for one phone or address; by one network address, behind which a whole hotel may be; by all.
CODES_AN_HOUR = 5
ASKED_AN_HOUR = 60
ALL_AN_HOUR = 20_000
#: A session ends when it was not used for so long; it is noted at most once in so many minutes that it was.
IDLE = timedelta(days=30)
_NOTED_EVERY = timedelta(minutes=10)
_KEPT = timedelta(days=1)
_FORGET_EACH = 50
_TOKEN_BYTES = 32
_LONGEST = 254


@dataclass(frozen=True, slots=True)
class Place:
    """A phone (E.164) or an e-mail address; ``kind`` is ``phone`` or ``email``."""

    kind: str
    value: str


class Letter(NamedTuple):
    """A code that waits to be sent, once somebody is known under its place."""

    place: Place
    place_index: bytes
    code: str


class Asked(NamedTuple):
    """A code that was asked for: what the browser gives back with it, until when, and what is to be sent."""

    request: str
    expires_at: datetime
    letter: Letter


@dataclass(frozen=True, slots=True)
class Visitor:
    """A traveller who is signed in, by number in the tables, and all pools that are the same person's."""

    traveller: int
    pools: tuple[int, ...]
    token_hash: bytes
    begun_at: datetime


#: Hands a code over: to where, the code, minutes.
SendCode = Callable[[str, str, int], None]


def place_of(text: str) -> Place:
    """Read a phone or an e-mail address as people write them.

    Raises:
        PersonalDataInvalid: it is neither.
    """
    text = unicodedata.normalize("NFKC", text).strip()
    if len(text) <= _LONGEST and "@" in text:
        try:
            return Place("email", fields.email(text).lower())
        except fields.Unfit:
            raise PersonalDataInvalid("that is no e-mail address", "place") from None
    phone = normal_phone(text) if text and len(text) <= _LONGEST else None
    if phone is None:
        raise PersonalDataInvalid(
            "that is neither a telephone number nor an e-mail address", "place"
        )
    return Place("phone", phone)


def ask_code(context: Context, place: Place, asker: str) -> Asked:
    """Make a sign-in code for a phone or address; nobody is looked up.

    ``asker`` is the network address that asks. Hand the letter to :func:`deliver` once the answer is on its way.

    Raises:
        TooManyCodes: too many were asked for within the hour, for this place, by this asker or by all.
    """
    vault, now = context.vault, context.clock()
    index, by = vault.blind_index(place.kind, place.value), vault.blind_index("asker", asker)
    request = UUID(bytes=secrets.token_bytes(16))
    code = f"{secrets.randbelow(10**CODE_DIGITS):0{CODE_DIGITS}}"
    expires_at = now + timedelta(minutes=CODE_MINUTES)
    with context.database.posting() as session:
        traveller_access.forget_codes(session, now - _KEPT, _FORGET_EACH)
        traveller_access.hold_place(session, index)
        lately = traveller_access.codes_since(session, index, by, now - timedelta(hours=1))
        if lately.of_place >= CODES_AN_HOUR:
            raise TooManyCodes("as many codes as there may be within an hour were asked for here")
        if lately.by_asker >= ASKED_AN_HOUR or lately.of_all >= ALL_AN_HOUR:
            raise TooManyCodes("too many codes were asked for; try again in an hour")
        new = NewCode(request, index, by, _code_hash(context, request, code), now, expires_at)
        traveller_access.add_code(session, new)
    return Asked(f"{place.kind}.{request.hex}", expires_at, Letter(place, index, code))


def deliver(context: Context, letter: Letter, send: SendCode) -> None:
    """Send a code, if a traveller is known under its place; else nothing is sent to anybody.

    Raises:
        CodeNotSent: the gateway did not take it.
    """
    with context.database.posting() as session:
        known = traveller_access.anybody_under(session, letter.place.kind, letter.place_index)
    if known:
        send(letter.place.value, letter.code, CODE_MINUTES)


def sign_in(context: Context, asked: str, code: str, name: str) -> tuple[str, Visitor]:
    """Begin a session with a code and the name on record; return its secret token, which is kept nowhere.

    The name tells people apart who share a phone, and keeps whoever got a number anew out of its former owner's
    pool (docs/decisions/0013). A code is good once.

    Raises:
        CodeExpired: its time is over, it was used, or it, or codes for its place, were tried too often.
        CodeWrong: that is not the code, or nobody of that name is known there; which of them is not told.
    """
    kind, request = _asked(asked)
    token = secrets.token_urlsafe(_TOKEN_BYTES)
    visitor = None
    with context.database.posting() as session:
        now = context.clock()
        found = traveller_access.lock_code(session, request)
        if found is None or found.used or now >= found.expires_at or found.tries >= TRIES:
            raise CodeExpired("the code is no longer good; ask for another one")
        # Not under the place's lock: tries of two codes at once may pass it by a few, which changes no odds.
        if traveller_access.tries_since(session, found.place_index, now - _KEPT) >= TRIES_A_DAY:
            raise CodeExpired("codes for this phone or address were tried too often; try tomorrow")
        pools: list[int] = []
        if hmac.compare_digest(_code_hash(context, request, code), found.code_hash):
            known = traveller_access.people_under(session, context.vault, kind, found.place_index)
            pools = [who.traveller for who in known if answers_to(who.name, name)]
        if pools:
            traveller_access.use_code(session, request, now)
            traveller_access.forget_sessions(session, now - IDLE, _FORGET_EACH)
            traveller_access.add_session(session, _hash(token), pools[0], pools, now)
            visitor = Visitor(pools[0], tuple(pools), _hash(token), now)
        else:
            traveller_access.count_try(session, request)
    # Raised only now: a wrong try is to be committed.
    if visitor is None:
        raise CodeWrong("the code or the name is not right")
    return token, visitor


def visitor_with(context: Context, token: str) -> Visitor | None:
    """Return who is signed in with a token; ``None`` if nobody is, or not for thirty days."""
    now, hashed = context.clock(), _hash(token)
    with context.database.posting() as session:
        found = traveller_access.find_session(session, hashed, now - IDLE)
        if found is None:
            return None
        if now - found.seen_at > _NOTED_EVERY:
            traveller_access.see_session(session, hashed, now)
    return Visitor(found.traveller, found.pools, hashed, found.begun_at)


def sign_out(context: Context, visitor: Visitor) -> None:
    """End this session."""
    with context.database.posting() as session:
        traveller_access.end_session(session, visitor.token_hash)


def sign_out_everywhere(context: Context, visitor: Visitor) -> int:
    """End all sessions of the person, this one too; return how many there were."""
    with context.database.posting() as session:
        return traveller_access.end_sessions_of(session, visitor.pools)


def sessions(context: Context, visitor: Visitor) -> list[TravellerSession]:
    """Return the sessions of the person that are still good, the latest first."""
    with context.database.posting() as session:
        since = context.clock() - IDLE
        return traveller_access.sessions_of(session, visitor.pools, since)


def look_at(context: Context, visitor: Visitor, traveller: int) -> None:
    """Look at another pool of the same person from now on; one that is not theirs changes nothing."""
    if traveller in visitor.pools:
        with context.database.posting() as session:
            traveller_access.look_at(session, visitor.token_hash, traveller)


def _asked(asked: str) -> tuple[str, UUID]:
    kind, _, text = asked.partition(".")
    try:
        request = UUID(hex=text)
    except ValueError:
        request = UUID(int=0)
    if kind not in ("phone", "email"):
        raise CodeExpired("the code is no longer good; ask for another one")
    return kind, request


def _hash(token: str) -> bytes:
    # Of 32 random bytes no key is needed to keep the hash from being undone.
    return sha256(token.encode()).digest()


def _code_hash(context: Context, request: UUID, code: str) -> bytes:
    """Return the keyed hash of a code as it may have been typed; without the key it can't be tried out."""
    digits = "".join(unicodedata.normalize("NFKC", code).split())[:_LONGEST]
    return context.vault.blind_index("sign-in code", f"{request.hex}\x00{digits}")
