"""A transaction as a hotel states it, and what makes two statements of it the same (domain.md §3)."""

from __future__ import annotations

from datetime import UTC, date, datetime
from enum import StrEnum
from hashlib import blake2b
from typing import Any
from uuid import UUID

_CARD_KEY = "\x1f"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Kind(StrEnum):
    """The kinds of transaction of domain.md §3."""

    SPEND = "spend"
    AWARD = "award"
    REDEEM = "redeem"
    LOAD = "load"
    STORED_VALUE_SPEND = "stored_value_spend"
    REFUND = "refund"


class Line:
    """One transaction as stated by its host; nothing about it is decided yet.

    ``line_no`` is the line of the file or batch it came in (1 is the header). ``amount_minor`` is in fen,
    ``occurred_at`` carries a UTC offset. Which of amount and points matter depends on the kind.
    """

    __slots__ = (
        "amount_minor",
        "business_date",
        "card_number",
        "host_hotel",
        "kind",
        "line_no",
        "occurred_at",
        "original_txn_ref",
        "points",
        "txn_ref",
    )

    def __init__(
        self,
        line_no: int,
        host_hotel: str,
        txn_ref: str,
        original_txn_ref: str | None,
        kind: str,
        card_number: str,
        business_date: date,
        occurred_at: datetime,
        amount_minor: int | None,
        points: int | None,
    ) -> None:
        self.line_no = line_no
        self.host_hotel = host_hotel
        self.txn_ref = txn_ref
        self.original_txn_ref = original_txn_ref
        self.kind = kind
        self.card_number = card_number
        self.business_date = business_date
        self.occurred_at = occurred_at
        self.amount_minor = amount_minor
        self.points = points

    def __reduce__(self) -> tuple[type[Line], tuple[object, ...]]:
        """Send a line to another process as its values, which is twice as quick as by name."""
        return Line, (
            self.line_no, self.host_hotel, self.txn_ref, self.original_txn_ref, self.kind,
            self.card_number, self.business_date, self.occurred_at, self.amount_minor, self.points,
        )  # fmt: skip


class Authorization(Line):
    """A redemption, or a use of stored value, that is only held for now."""

    __slots__ = ()


class Capture(Line):
    """The use of all or part of what the authorisation ``auth_id`` holds; of its kind, card and host."""

    __slots__ = ("auth_id",)

    def __init__(self, auth_id: UUID, *stated: Any) -> None:
        super().__init__(*stated)
        self.auth_id = auth_id


def card_key(card: int) -> str:
    """Name a card by its own number in our books, where a line has no card number to give.

    It begins with a control character, which no card number from outside can.
    """
    return f"{_CARD_KEY}{card}"


def card_of_key(card_number: str) -> int | None:
    """Return the card that :func:`card_key` named; ``None`` for a card number."""
    return int(card_number[1:]) if card_number.startswith(_CARD_KEY) else None


def content_hash(line: Line, card_index: bytes) -> bytes:
    """Hash what a line means, 16 bytes: equal values hash alike however they were spelled.

    The moment is compared in UTC and numbers as numbers, so another offset or leading zeros are the same
    content. Host and reference are the key and not part of it. ``card_index`` is the card number's blind
    index: the number itself could be guessed back from a plain hash.
    """
    since = line.occurred_at - _EPOCH
    meaning = (
        f"{line.kind}\x1f{card_index.hex()}\x1f{line.business_date.toordinal()}"
        f"\x1f{since.days}\x1f{since.seconds}\x1f{since.microseconds}"
        f"\x1f{line.amount_minor}\x1f{line.points}\x1f{line.original_txn_ref or ''}"
    )
    return blake2b(meaning.encode(), digest_size=16).digest()
