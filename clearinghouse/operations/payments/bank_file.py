"""A file of the bank as every format tells it, and the grammar of its values."""

from __future__ import annotations

import re
from datetime import date
from hashlib import sha256
from typing import NamedTuple

from clearinghouse.domain.calendar import parse_day
from clearinghouse.domain.errors import BankFileFault
from clearinghouse.operations.packs.showing import shown

#: More lines than any bank books on one account between two files.
LINES_MAX = 50_000
_AMOUNT = re.compile(r"(?P<whole>[0-9]{1,13})(?:\.(?P<part>[0-9]{1,5}))?")
_REFERENCE_MAX = 140
_TEXT_MAX = 1000


class FileLine(NamedTuple):
    """A booked movement of our account; ``amount_minor`` is in fen, above 0.

    ``reversal`` takes an earlier payment back; ``incoming`` says which way the money goes all the same. Of what the
    bank booked in one sum, ``batch_reference`` is its own of that entry.
    """

    place: str
    entry_reference: str
    booked_on: date
    incoming: bool
    reversal: bool
    amount_minor: int
    end_to_end: str | None
    remittance: str
    counterparty_account: str | None
    counterparty_name: str | None
    batch_reference: str | None = None

    @property
    def own_reference(self) -> str:
        """Return by what the bank knows the entry that it is, or is a part of."""
        return self.batch_reference or self.entry_reference

    @property
    def content(self) -> bytes:
        """Return the hash of what must not change about it; texts may come fuller a second time."""
        told = (self.booked_on, self.incoming, self.reversal, self.amount_minor)
        return sha256(repr(told).encode()).digest()


class FileContent(NamedTuple):
    """A file as read: our account, its balances in fen where they are told, and what was booked.

    ``not_booked`` counts what the bank only announces.
    """

    format: str
    account: str
    opening_minor: int | None
    closing_minor: int | None
    lines: tuple[FileLine, ...]
    not_booked: int


def fen(text: str, place: str) -> int:
    """Return an amount written in yuan, with a decimal point.

    Raises:
        BankFileFault: it is no such amount, or not a whole number of fen.
    """
    found = _AMOUNT.fullmatch(text.strip())
    if found is None:
        raise BankFileFault(f"{shown(text)} is not an amount in yuan such as 1234.50", place)
    part = found["part"] or ""
    if part[2:].strip("0"):
        raise BankFileFault(f"{shown(text)} is not a whole number of fen", place)
    return int(found["whole"]) * 100 + int(part[:2].ljust(2, "0"))


def day(text: str, place: str) -> date:
    """Return a date.

    Raises:
        BankFileFault: it is none.
    """
    try:
        return parse_day(text.strip())
    except ValueError as wrong:
        raise BankFileFault(str(wrong), place) from None


def must_be_currency(text: str | None, currency: str, place: str) -> None:
    """Refuse another currency than that of the rulebook.

    Raises:
        BankFileFault: it is another.
    """
    if text != currency:
        raise BankFileFault(f"the currency is {shown(text or '')}, not {currency}", place)


def reference(text: str, place: str) -> str:
    """Return a reference of the bank on one line.

    Raises:
        BankFileFault: it is missing, or longer than any is.
    """
    text = one_line(text)
    if not text or len(text) > _REFERENCE_MAX:
        raise BankFileFault(
            "the bank's reference of the entry is missing or too long; without it nobody could tell"
            " whether the entry was imported before",
            place,
        )
    return text


def one_line(text: str | None) -> str:
    """Return a text on one line, cut to what anybody reads."""
    plain = "".join(c if c.isprintable() else " " for c in text or "")
    return " ".join(plain.split())[:_TEXT_MAX]
