"""What all schemas share: nothing undocumented is taken, and every value has its bounds.

    class CardLookup(Schema):
        card_number = CardNumber(required=True)
        hotel = HotelCode(required=True)

Every text has a pattern that leaves out control characters and a largest length, every number a least and a most, so
that OpenAPI says exactly what is accepted.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Any, ClassVar

import marshmallow
from marshmallow import fields, validate

from clearinghouse.domain.calendar import parse_day
from clearinghouse.operations.packs.fields import (
    AMOUNT_MAX,
    CODE_MAX,
    LATEST,
    Unfit,
    moment,
)

#: No control characters, no quotation mark, and no blanks at either end.
_REFERENCE = r'^(?!\s)[^\x00-\x1f"\x7f-\xa0\u2028\u2029]+(?<!\s)$'
_PROSE = r"^[^\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]*$"
_CODE = r"^[\w][\w.-]*$"
_DAY = r"^(19|2[01])[0-9]{2}-[0-9]{2}-[0-9]{2}$"
_EXACT = 2**53
_TIME = r"([01][0-9]|2[0-3]):[0-5][0-9]"
_MOMENT = (
    rf"^2[01][0-9]{{2}}-[0-9]{{2}}-[0-9]{{2}}T{_TIME}:[0-5][0-9](\.[0-9]{{1,6}})?(Z|[+-]{_TIME})$"
)


class Schema(marshmallow.Schema):
    """Base of every schema: a member that it does not name is refused (no mass assignment).

    ``rules`` are keywords of JSON Schema that tell in the document what a ``validates_schema`` checks.
    """

    rules: ClassVar[Mapping[str, Any]] = {}

    class Meta:
        """What is not named is refused."""

        unknown = marshmallow.RAISE


class Text(fields.String):
    """A text on one line of ``least`` to ``most`` characters; ``pattern`` is an ECMA-compatible expression."""

    def __init__(self, most: int, *, least: int = 1, pattern: str = _PROSE, **options: Any) -> None:
        checks = [
            validate.Length(min=least, max=most),
            # `$` also matches before a line break at the end; `\Z` is not known to other languages.
            validate.Regexp(re.compile(pattern.removesuffix("$") + r"\Z")),
        ]
        options.setdefault("metadata", {}).setdefault("pattern", pattern)
        super().__init__(validate=checks, **options)


class Whole(fields.Integer):
    """A whole number within bounds; no text, no fraction. JSON has one kind of number: ``42.0`` is 42."""

    def __init__(self, least: int, most: int, **options: Any) -> None:
        super().__init__(strict=True, validate=validate.Range(min=least, max=most), **options)

    def _deserialize(self, value: Any, *rest: Any, **options: Any) -> Any:
        # Beyond that a float is no longer one number.
        if isinstance(value, float) and value.is_integer() and abs(value) <= _EXACT:
            value = int(value)
        return super()._deserialize(value, *rest, **options)


class Amount(Whole):
    """An amount of fen or points, 0 or more; ``least`` and ``most`` narrow it."""

    def __init__(self, least: int = 0, most: int = AMOUNT_MAX, **options: Any) -> None:
        super().__init__(least, most, **options)


class Choice(fields.String):
    """One of some words."""

    def __init__(self, *words: str, **options: Any) -> None:
        super().__init__(validate=validate.OneOf(words), **options)


class Reference(Text):
    """A hotel's own reference: printable, up to 64 characters, no quotation marks.

    No pattern that all languages read can leave out what is invisible, so the document says that in words.
    """

    def __init__(self, **options: Any) -> None:
        said = "可见字符，不含引号 visible characters, no quotation mark"
        options["metadata"] = {"description": said, **options.get("metadata", {})}
        super().__init__(CODE_MAX, pattern=_REFERENCE, **options)

    def _deserialize(self, value: Any, *rest: Any, **options: Any) -> str:
        text = str(super()._deserialize(value, *rest, **options))
        if not text.isprintable():
            raise marshmallow.ValidationError("Has a control or invisible character.")
        return text


class HotelCode(Text):
    """The code of a hotel or system."""

    def __init__(self, **options: Any) -> None:
        super().__init__(CODE_MAX, pattern=_CODE, **options)


class CardNumber(Text):
    """A card number: 16 digits. Whether there is such a card is another question."""

    def __init__(self, **options: Any) -> None:
        metadata = {"description": "16 位数字，末位为 Luhn 校验位 16 digits, the last one by Luhn"}
        options["metadata"] = {**metadata, **options.get("metadata", {})}
        super().__init__(16, least=16, pattern=r"^[0-9]{16}$", **options)


class Moment(fields.Field[datetime]):
    """A moment with its offset, as in ``2026-11-30T18:05:00+08:00``; shown in UTC."""

    def __init__(self, **options: Any) -> None:
        options["metadata"] = {
            "type": "string",
            "format": "date-time",
            "pattern": _MOMENT,
            **options.get("metadata", {}),
        }
        super().__init__(**options)

    def _serialize(self, value: Any, *_: Any, **__: Any) -> Any:
        return None if value is None else write_moment(value)

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> datetime:
        if not isinstance(value, str) or not re.fullmatch(_MOMENT, value, re.ASCII):
            raise marshmallow.ValidationError("Not a moment like 2026-11-30T18:05:00+08:00.")
        try:
            return moment(value)
        except Unfit as reason:
            raise marshmallow.ValidationError(f"It {reason}.") from None


class Day(fields.Field[date]):
    """A date, as in ``2026-11-30``."""

    def __init__(self, **options: Any) -> None:
        options["metadata"] = {
            "type": "string",
            "format": "date",
            "pattern": _DAY,
            **options.get("metadata", {}),
        }
        super().__init__(**options)

    def _serialize(self, value: Any, *_: Any, **__: Any) -> Any:
        return None if value is None else value.isoformat()

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> date:
        try:
            day = parse_day(value) if isinstance(value, str) else None
        except ValueError:
            day = None
        if day is None or not date(1900, 1, 1) <= day <= LATEST:
            raise marshmallow.ValidationError("Not a date like 2026-11-30.")
        return day


class MoneyView(Schema):
    """An amount of money in fen."""

    amount_minor = Whole(-AMOUNT_MAX * 1000, AMOUNT_MAX * 1000, required=True)
    currency = Choice("CNY", required=True)


class Money(fields.Nested):
    """Money as the API writes it, ``{"amount_minor": 88888, "currency": "CNY"}``."""

    def __init__(self, **options: Any) -> None:
        super().__init__(MoneyView, **options)


def money(amount_minor: int) -> dict[str, Any]:
    """Return money as the API writes it."""
    return {"amount_minor": amount_minor, "currency": "CNY"}


def write_moment(value: datetime) -> str:
    """Write a moment in UTC: ``2026-11-30T10:05:00Z``."""
    return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
