"""What the desk's forms share: what was typed, and what the core said to it."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date
from typing import TypeVar

from flask import request
from flask_babel import gettext as _

from clearinghouse.domain.calendar import parse_day
from clearinghouse.domain.errors import ClearinghouseError, DatabaseUnavailable, OperatorRefused
from web.frame.errors import sentence

T = TypeVar("T")
_LONGEST = 2000
#: Any other comma may stand for a decimal point: 12,50 is not 1250.
_IN_THOUSANDS = re.compile(r"[0-9]{1,3}(,[0-9]{3})+")


def typed(name: str) -> str:
    """Return what was typed into a field, without blanks around it; a NUL can't be typed, and no database takes it."""
    return request.form.get(name, "")[:_LONGEST].replace("\x00", "").strip()


def day_typed(name: str) -> date:
    """Return the day in a field.

    Raises:
        OperatorRefused: it is none.
    """
    try:
        return parse_day(typed(name))
    except ValueError:
        raise OperatorRefused(_("日期请写成年-月-日，例如 2026-11-30")) from None


def yuan_typed(name: str) -> int | None:
    """Return an amount that was typed in yuan, in fen; ``None`` where the field is empty.

    Raises:
        OperatorRefused: it is no amount in yuan with at most two decimals.
    """
    return yuan_in(typed(name))


def yuan_in(text: str) -> int | None:
    """Return the fen of a text in yuan; ``None`` where it is empty.

    Raises:
        OperatorRefused: it is no amount in yuan with at most two decimals.
    """
    text = text[:_LONGEST].strip().replace("，", ",")
    if not text:
        return None
    whole, _dot, rest = text.partition(".")
    if _IN_THOUSANDS.fullmatch(whole):
        whole = whole.replace(",", "")
    digits = whole + rest
    if not (digits.isascii() and digits.isdigit() and whole and len(rest) <= 2 and len(whole) < 14):
        raise OperatorRefused(_("金额请写成元，最多两位小数，例如 50000 或 1234.50"))
    return int(whole) * 100 + int(rest.ljust(2, "0"))


def attempt(act: Callable[[], T]) -> tuple[T | None, str | None]:
    """Do something and return what it returns, or (second) why it was refused, in a sentence of the page's language."""
    try:
        return act(), None
    except DatabaseUnavailable:
        raise
    except ClearinghouseError as error:
        return None, sentence(error)


def must_be_sure() -> None:
    """Refuse a dangerous step that nobody has ticked.

    Raises:
        OperatorRefused: the box is not ticked.
    """
    if not request.form.get("sure"):
        raise OperatorRefused(_("请勾选确认"))
