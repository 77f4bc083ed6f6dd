"""What several answers have in common. Money is in fen, moments have their offset, dates are business dates.

States and codes of all answers are plain text, since a newer service may have more of them than this client knows.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Money:
    """An amount in the smallest unit of its currency: 88888 is ¥888.88."""

    amount_minor: int
    currency: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Sentence:
    """The same in Chinese and English."""

    zh: str
    en: str


def money(amount_minor: int | None) -> dict[str, int] | None:
    """Return an amount in fen as requests state it."""
    return None if amount_minor is None else {"amount_minor": amount_minor}


def moment(value: datetime) -> str:
    """Return a moment as requests state it.

    Raises:
        ValueError: it does not say in which time zone it is.
    """
    if value.utcoffset() is None:
        raise ValueError(
            "a moment needs its time zone, as in datetime.now(ZoneInfo('Asia/Shanghai'))"
        )
    return value.isoformat()


def what_happened(
    business_date: date, occurred_at: datetime, amount_minor: int | None, points: int | None
) -> dict[str, object]:
    """Return when a line happened and over how much, as every request that moves value states it.

    Raises:
        ValueError: the moment does not say in which time zone it is.
    """
    return {
        "business_date": business_date.isoformat(),
        "occurred_at": moment(occurred_at),
        "amount": money(amount_minor),
        "points": points,
    }


def card_named(card: str) -> dict[str, str]:
    """Return what a request calls a card: by the id that a look-up gave, else by its number."""
    return {"card_id" if card.startswith("card_") else "card_number": card}
