"""Codes of cards as a desk reads them from a phone or from paper: signed texts, without a number or a name.

A *shown* code is good for a minute and tells nothing but that we know the card: a desk looks it up with us. A
*printed* card tells so much that a desk which can't reach us may go by it until its end (decision 0029).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from clearinghouse.domain.compact_jws import Unreadable

SHOWN_TYPE = "clearinghouse-code+jws"
PRINTED_TYPE = "clearinghouse-card+jws"

_REFERENCE = re.compile(r"[A-Za-z0-9_-]{22}")
_LAST_DIGITS = re.compile(r"[0-9]{4}")
_MOST = 10**12
_LATEST = 4_102_444_800  # 2100-01-01


@dataclass(frozen=True, slots=True)
class ShownCode:
    """What a rotating code says: a reference that only we understand, another one each time, and until when."""

    reference: str
    expires_at: datetime

    @property
    def document(self) -> dict[str, object]:
        """The content of the signed text."""
        return {"sub": self.reference, "exp": _seconds(self.expires_at)}


@dataclass(frozen=True, slots=True)
class PrintedCard:
    """What a printed card says.

    Attributes:
        reference: What only we understand.
        last_digits: The last four digits of the card number, which is printed beside the code.
        level: The alliance level of the card's tier on the day of printing.
        floor_minor: Fen that a host may take from this card in a day while we can't be reached, by the rulebook.
        issued_at: When it was printed.
        expires_at: From when on it is good for nothing.
    """

    reference: str
    last_digits: str
    level: int
    floor_minor: int
    issued_at: datetime
    expires_at: datetime

    @property
    def document(self) -> dict[str, object]:
        """The content of the signed text."""
        return {
            "sub": self.reference,
            "card": self.last_digits,
            "level": self.level,
            "floor_minor": self.floor_minor,
            "iat": _seconds(self.issued_at),
            "exp": _seconds(self.expires_at),
        }


def read_code(type_: str, document: Mapping[str, Any]) -> ShownCode | PrintedCard:
    """Return what a signed text says of a card.

    Raises:
        Unreadable: it is no code of a card.
    """
    reference = document.get("sub")
    if not isinstance(reference, str) or not _REFERENCE.fullmatch(reference):
        raise Unreadable("it names no card")
    found: ShownCode | PrintedCard
    if type_ == SHOWN_TYPE:
        found = ShownCode(reference, _moment(document, "exp"))
    elif type_ == PRINTED_TYPE:
        digits = document.get("card")
        if not isinstance(digits, str) or not _LAST_DIGITS.fullmatch(digits):
            raise Unreadable("it says no digits of the card")
        found = PrintedCard(
            reference,
            digits,
            _whole(document, "level", -_MOST, _MOST),
            _whole(document, "floor_minor", 0, _MOST),
            _moment(document, "iat"),
            _moment(document, "exp"),
        )
    else:
        raise Unreadable("it is no code of a card")
    if found.document != dict(document):
        raise Unreadable("it says more than a code of a card does")
    return found


def _seconds(moment: datetime) -> int:
    return int(moment.timestamp())


def _moment(document: Mapping[str, Any], name: str) -> datetime:
    return datetime.fromtimestamp(_whole(document, name, 0, _LATEST), UTC)


def _whole(document: Mapping[str, Any], name: str, least: int, most: int) -> int:
    value = document.get(name)
    if type(value) is not int or not least <= value <= most:
        raise Unreadable(f"it says no {name}")
    return value
