"""Codes of cards: made for their holder, read by a desk (decision 0029).

What a code calls a card is encrypted with something that nobody can guess, so two codes of one card have nothing in
common that others could recognise.
"""

from __future__ import annotations

import os
from datetime import datetime, timedelta
from typing import NamedTuple

from clearinghouse.domain import compact_jws
from clearinghouse.domain.card_codes import (
    PRINTED_TYPE,
    SHOWN_TYPE,
    PrintedCard,
    ShownCode,
    read_code,
)
from clearinghouse.domain.compact_jws import Unreadable, decoded, encoded
from clearinghouse.domain.errors import CardNotActive, CardUnknown
from clearinghouse.domain.traveller_errors import CardCodeExpired, CardCodeInvalid, CardCodeUsed
from clearinghouse.domain.treatment import Card
from clearinghouse.operations import signing_keys
from clearinghouse.operations.cards import CardView, Desk, view
from clearinghouse.operations.context import Context
from clearinghouse.operations.key_sets import key_set_of
from clearinghouse.operations.party import Party
from clearinghouse.store import cards, keys, shown_codes
from clearinghouse.store.database import Session

SHOWN_SECONDS = 60
PRINTED_DAYS = 30
_HALF = 8
_FORGET_EACH = 50


class Shown(NamedTuple):
    """A code for a moment: the text to show as a QR code, and when it ends."""

    text: str
    expires_at: datetime


class Printed(NamedTuple):
    """A code for paper, and what it says."""

    text: str
    card: PrintedCard


def show_code(context: Context, card: int) -> Shown:
    """Make a code of a card that is good for a minute.

    Raises:
        CardNotActive: the card is good for nothing now.
    """
    with context.database.posting() as session:
        now = context.clock()
        _active(session, card, now)
        # In whole seconds, as the text says it; never longer than said here.
        expires_at = (now + timedelta(seconds=SHOWN_SECONDS)).replace(microsecond=0)
        code = ShownCode(_reference(context, SHOWN_TYPE, card), expires_at)
        return Shown(_signed(context, session, SHOWN_TYPE, code, now), expires_at)


def print_card(context: Context, card: int, last_digits: str) -> Printed:
    """Make a code of a card for paper: what a desk may go by that can't reach us.

    Raises:
        CardNotActive: the card is good for nothing now.
    """
    with context.database.posting() as session:
        now = context.clock()
        found = _active(session, card, now)
        desk = Desk.open(context, _OPERATOR, session)
        tier, in_force = found.tier_on(desk.today), desk.directory.rulebook_on(desk.today)
        if tier is None:
            raise CardNotActive("the card is not issued yet")
        code = PrintedCard(
            _reference(context, PRINTED_TYPE, card),
            last_digits,
            tier.alliance_level,
            in_force.rulebook.offline_floor_minor if in_force else 0,
            now.replace(microsecond=0),
            (now + timedelta(days=PRINTED_DAYS)).replace(microsecond=0),
        )
        return Printed(_signed(context, session, PRINTED_TYPE, code, now), code)


def look_up_code(context: Context, party: Party, text: str) -> CardView:
    """Return the card that a code stands for, as :func:`cards.look_up` does.

    A shown code is the first system's that looks it up, again and again until it ends; a printed one is everybody's.

    Raises:
        CardCodeInvalid: it is no code, or not signed by a good key of ours.
        CardCodeExpired: its time is over.
        CardCodeUsed: another system has looked this code up.
        CardUnknown: the card is gone from the books.
    """
    try:
        jws = compact_jws.opened(text.strip().encode())
        code = read_code(jws.type, jws.content)
    except (Unreadable, UnicodeError):
        raise CardCodeInvalid("that is no code of a card") from None
    with context.database.posting() as session:
        desk = Desk.open(context, party, session)
        found = keys.public_keys(session, signing_keys.CARDS)
        published = [signing_keys.published(key, signing_keys.CARDS) for key in found]
        known = key_set_of(published, signing_keys.CARDS).get(jws.kid)
        if known is None or known.revoked or not known.holds(jws):
            raise CardCodeInvalid("the code is not signed by a good key of the clearing house")
        if desk.now >= code.expires_at:
            raise CardCodeExpired("the code's time is over; let the guest show a new one")
        shown_codes.forget(session, desk.now, _FORGET_EACH)
        if isinstance(code, ShownCode) and party.system is not None:
            nonce = decoded(code.reference.encode())
            if not shown_codes.take(session, nonce, party.system, code.expires_at):
                raise CardCodeUsed("another hotel has read this code; let the guest show a new one")
        card = cards.on_file(session, _card(context, jws.type, code.reference))
        if card is None:
            raise CardUnknown("there is no such card")
        return view(session, desk, card)


#: Who asks for what is nobody's hotel in particular.
_OPERATOR = Party(None, None, None, frozenset())


def _active(session: Session, card: int, now: datetime) -> Card:
    found = cards.on_file(session, card)
    if found is None or not found.card.active_at(now):
        raise CardNotActive("the card is suspended, replaced or closed")
    return found.card


def _signed(
    context: Context,
    session: Session,
    type_: str,
    code: ShownCode | PrintedCard,
    now: datetime,
) -> str:
    kid, private = signing_keys.key_to_sign(context, session, signing_keys.CARDS, now)
    signed = compact_jws.to_sign(kid, type_, code.document)
    return compact_jws.sealed(signed, private.sign(signed)).decode()


def _reference(context: Context, type_: str, card: int) -> str:
    block = card.to_bytes(_HALF) + os.urandom(_HALF)
    return encoded(context.vault.hide(type_, block)).decode()


def _card(context: Context, type_: str, reference: str) -> int:
    return int.from_bytes(context.vault.reveal(type_, decoded(reference.encode()))[:_HALF])
