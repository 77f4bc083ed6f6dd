"""Issuing a card to a traveller on record, with a number of ours or one that the hotel has printed already."""

from __future__ import annotations

import secrets
from collections.abc import Sequence

from stdnum import luhn

from clearinghouse.domain.errors import CardNumberInvalid, CardNumberTaken
from clearinghouse.domain.treatment import CardTier
from clearinghouse.operations.context import Context
from clearinghouse.operations.packs import fields
from clearinghouse.store import cards
from clearinghouse.store.database import Session

#: ISO/IEC 7812: 9 is for numbers that a country assigns for itself, 156 is China. What follows is random, so a
#: number tells nothing of its issuer.
_PREFIX = "9156"
_RANDOM_DIGITS = 11


def issue_card(
    session: Session,
    context: Context,
    traveller: int,
    issuer_hotel: int,
    tiers: Sequence[CardTier],
    card_number: str | None,
) -> int:
    """Issue a card and return its number in the tables; the first of ``tiers`` is given on the day of issue.

    Raises:
        CardNumberInvalid: ``card_number`` is no card number.
        CardNumberTaken: there is a card with it already.
        CardStateConflict: the traveller's data was erased.
    """
    number = new_card_number() if card_number is None else _fit(card_number)
    card = cards.add_card(session, context.vault, number, traveller, issuer_hotel)
    while card is None and card_number is None:
        card = cards.add_card(session, context.vault, new_card_number(), traveller, issuer_hotel)
    if card is None:
        raise CardNumberTaken("there is a card with that number already")
    for tier in tiers:
        cards.give_tier(session, card, tier)
    return card


def new_card_number() -> str:
    """Make a card number that nobody can guess: 16 digits, the last one by Luhn."""
    body = f"{_PREFIX}{secrets.randbelow(10**_RANDOM_DIGITS):0{_RANDOM_DIGITS}}"
    return body + luhn.calc_check_digit(body)


def _fit(card_number: str) -> str:
    try:
        return fields.card_number(card_number)
    except fields.Unfit as reason:
        raise CardNumberInvalid(f"the card number {reason}") from None
