"""The grammar of a pack's values: text in, value out. White space around a value means nothing.

Every parser raises :class:`Unfit` with the end of a sentence ("is not a whole number"); the caller puts
file, line, column and value in front of it.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from typing import TypeVar

from stdnum import luhn

#: Money in fen and points: far beyond any hotel's, far within 64 bits, also when multiplied by a rate.
AMOUNT_MAX = 10**12
CODE_MAX = 64
NAME_MAX = 200
#: A system's code names its statement's file, and file names end at 255 bytes.
CODE_BYTES_MAX = 200
EARN_MAX = 1000
LEVEL_MAX = 1000
RANK_MAX = 30_000
EARLIEST = date(1900, 1, 1)
#: Transaction ids count months from 2000; the longest expiry after this last day still fits.
FIRST_BUSINESS_DATE = date(2000, 1, 1)
LATEST = date(2199, 12, 31)

_BLANKS = " \t\u00a0\u3000"
_WHOLE = re.compile(r"[+-]?[0-9]+")
_DECIMAL = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)")
_CODE = re.compile(r"\w[\w.-]*")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
_PHONE = re.compile(r"\+?[0-9][0-9 ()/-]{3,38}[0-9]")
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+")
_ISO_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_PPM = Decimal(1_000_000)

T = TypeVar("T")


class Unfit(ValueError):
    """A value doesn't fit its column; the text ends a sentence that begins with the column and the value."""


def reference(text: str) -> str:
    """Return a reference (transaction, traveller, card, kind): any printable text up to 64 characters.

    Raises:
        Unfit: empty, too long, or with control characters or quotation marks.
    """
    text = text.strip(_BLANKS)
    if len(text) > CODE_MAX:
        raise Unfit(f"is longer than {CODE_MAX} characters")
    if not text:
        raise Unfit("is empty")
    if not text.isprintable():
        raise Unfit("has a control or invisible character")
    if '"' in text:
        raise Unfit("has a quotation mark")
    return text


def bank_account(text: str) -> str:
    """Return the number of a bank account: a reference, in the narrow characters that banks read, however it was typed.

    Raises:
        Unfit: as a reference.
    """
    return reference(unicodedata.normalize("NFKC", text))


def code(text: str) -> str:
    """Return the code of a system or hotel: it stands in file and account names, so only plain characters.

    Raises:
        Unfit: empty, too long, or with anything but letters, digits, dots, hyphens and underscores.
    """
    text = reference(text)
    if not _CODE.fullmatch(text):
        raise Unfit("may have only letters, digits, dots, hyphens and underscores")
    if len(text.encode()) > CODE_BYTES_MAX:
        raise Unfit(f"is longer than {CODE_BYTES_MAX} bytes")
    return text


def prose(most: int = NAME_MAX) -> Callable[[str], str]:
    """Make a parser of names and the like: free text on one line, possibly empty, of at most that length."""

    def parse(text: str) -> str:
        text = text.strip(_BLANKS)
        if len(text) > most:
            raise Unfit(f"is longer than {most} characters")
        if _CONTROL.search(text):
            raise Unfit("has a control character")
        return text

    return parse


def optional(parse: Callable[[str], T]) -> Callable[[str], T | None]:
    """Make a parser that takes an empty value for ``None``."""

    def parse_or_none(text: str) -> T | None:
        return parse(text) if text.strip(_BLANKS) else None

    return parse_or_none


def whole(least: int, most: int) -> Callable[[str], int]:
    """Make a parser of whole numbers (ASCII digits, possibly signed, leading zeros allowed) within bounds."""

    def parse(text: str) -> int:
        text = text.strip(_BLANKS)
        if not text:
            raise Unfit("is empty")
        if not _WHOLE.fullmatch(text):
            raise Unfit("is not a whole number")
        digits = text.lstrip("+-").lstrip("0")
        # Python itself refuses to read thousands of digits, leading zeros included.
        value = int(digits or "0") if len(digits) <= CODE_MAX else AMOUNT_MAX + 1
        value = -value if text.startswith("-") else value
        if not least <= value <= most:
            raise Unfit(f"is not between {least:,} and {most:,}")
        return value

    return parse


_signed_amount = whole(-AMOUNT_MAX, AMOUNT_MAX)


def amount(text: str) -> int | None:
    """Return an amount of fen or points, ``None`` where empty; its sign is the books' business.

    Raises:
        Unfit: no whole number, or beyond ±10^12.
    """
    if not text:
        return None
    if (
        text.isascii() and text.isdigit() and len(text) <= 12
    ):  # the usual spelling, without a pattern
        return int(text)
    return _signed_amount(text) if text.strip(_BLANKS) else None


def earn_rate(text: str) -> int:
    """Return points per yuan × 1,000,000 from a decimal number with at most six decimals, exactly.

    Raises:
        Unfit: no plain decimal number, negative, above 1,000, or finer than a millionth.
    """
    text = text.strip(_BLANKS)
    if not text:
        raise Unfit("is empty")
    if len(text) > CODE_MAX or not _DECIMAL.fullmatch(text):
        raise Unfit("is not a decimal number")
    rate = Decimal(text)
    if rate < 0:
        raise Unfit("is negative")
    if rate > EARN_MAX:
        raise Unfit(f"is more than {EARN_MAX:,} points per yuan")
    ppm = rate * _PPM
    if ppm != int(ppm):
        raise Unfit("has more than six decimals")
    return int(ppm)


def day(earliest: date = EARLIEST) -> Callable[[str], date]:
    """Make a parser of dates written ``YYYY-MM-DD``, from ``earliest`` to the end of 2199."""

    def parse(text: str) -> date:
        text = text.strip(_BLANKS)
        if not text:
            raise Unfit("is empty")
        try:
            value = date.fromisoformat(text) if _ISO_DATE.fullmatch(text) else None
        except ValueError:
            value = None
        if value is None:
            raise Unfit("is not a date written YYYY-MM-DD")
        if not earliest <= value <= LATEST:
            raise Unfit(f"is not between {earliest} and {LATEST}")
        return value

    return parse


def moment(text: str) -> datetime:
    """Return a moment written in ISO 8601 with its UTC offset (``Z`` or ``+08:00``); the offset is kept.

    Raises:
        Unfit: no such moment, no offset, or a year before 2000 or after 2199.
    """
    text = text.strip(_BLANKS)
    try:
        # The library takes any character between date and time; ISO 8601 has "T", and a space is common.
        value = datetime.fromisoformat(text) if text[10:11] in "T " else None
    except ValueError:
        value = None
    if value is None:
        raise Unfit(
            "is not a moment written like 2026-11-30T18:05:00+08:00" if text else "is empty"
        )
    if value.tzinfo is None:
        raise Unfit("has no UTC offset; write it like 2026-11-30T18:05:00+08:00")
    # Years at the edge of the calendar can't be turned into another time zone.
    if not 1999 <= value.year <= 2200:
        raise Unfit(f"is not between {FIRST_BUSINESS_DATE} and {LATEST}")
    return value


def card_number(text: str) -> str:
    """Return a card number that may be issued: 16 digits, the last one by Luhn.

    Raises:
        Unfit: any other text.
    """
    text = text.strip(_BLANKS)
    if not text:
        raise Unfit("is empty")
    if len(text) != 16 or not (text.isascii() and text.isdigit()):
        raise Unfit("is not 16 digits")
    if not luhn.is_valid(text):
        raise Unfit("has a wrong check digit")
    return text


def phone(text: str) -> str:
    """Return a telephone number as written, empty where not given.

    Raises:
        Unfit: no telephone number.
    """
    text = text.strip(_BLANKS)
    if text and not _PHONE.fullmatch(text):
        raise Unfit("is not a telephone number")
    return text


def email(text: str) -> str:
    """Return an e-mail address as written, empty where not given.

    Raises:
        Unfit: no e-mail address.
    """
    text = prose(254)(text)
    if text and not _EMAIL.fullmatch(text):
        raise Unfit("is not an e-mail address")
    return text


def benefits(text: str) -> tuple[str, ...]:
    """Return the benefits that a tier lists, separated by semicolons.

    Raises:
        Unfit: too long or with control characters.
    """
    return tuple(part for item in prose(2000)(text).split(";") if (part := item.strip(_BLANKS)))
