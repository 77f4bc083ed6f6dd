"""What the desk's pages of money share: how long their lists are, what was asked for, and what was typed to confirm."""

from __future__ import annotations

from enum import StrEnum
from typing import Any, TypeVar

from flask import render_template, request
from flask_babel import gettext as _
from werkzeug.exceptions import NotFound

from clearinghouse.domain.calendar import parse_period
from clearinghouse.domain.directory import System
from clearinghouse.domain.errors import OperatorRefused
from web.desk import money_words
from web.desk.forms import typed
from web.frame.shared import the_context
from web.frame.staff import the_staff

PAGE = 50
#: What was asked for and refused: the form is shown again with what was typed.
REFUSED = 422
_LARGEST_NUMBER = 1 << 31

Choice = TypeVar("Choice", bound=StrEnum)


def money_page(template: str, **values: Any) -> str:
    """Make a page; templates have the words of money, the members by code, and whether this person may act."""
    directory = the_context().current_directory()
    return render_template(
        template,
        words=money_words,
        members=directory.system_by_code,
        acts=the_staff().acts,
        **values,
    )


def asked(name: str, kind: type[Choice]) -> Choice | None:
    """Return the choice that a filter of the address makes; ``None`` where it makes none that there is."""
    text = request.args.get(name, "")
    return kind(text) if text in list(kind) else None


def period_asked() -> tuple[int | None, str, str | None]:
    """Return the period that the address asks for, its text, and what is wrong with that."""
    text = request.args.get("period", "")[:20].strip()
    if not text:
        return None, "", None
    try:
        return parse_period(text), text, None
    except ValueError:
        return None, text, _("请写成年-月，例如 2026-10。")


def period_in_address(text: str) -> int:
    """Return the period in an address.

    Raises:
        NotFound: it is none.
    """
    try:
        return parse_period(text)
    except ValueError:
        raise NotFound from None


def member_in_address(code: str) -> System:
    """Return the member in an address.

    Raises:
        NotFound: there is none.
    """
    found = the_context().current_directory().system_by_code.get(code)
    if found is None:
        raise NotFound
    return found


def number_in_address(number: int) -> int:
    """Return the number in an address, if the books could have one so large.

    Raises:
        NotFound: they could not.
    """
    if number >= _LARGEST_NUMBER:
        raise NotFound
    return number


def must_be_typed(wanted: str) -> None:
    """Refuse a dangerous step whose confirmation was not typed as asked.

    Raises:
        OperatorRefused: something else was typed.
    """
    if typed("confirmation") != wanted:
        raise OperatorRefused(_("请在确认框中原样输入 %(wanted)s。", wanted=wanted))


def must_be_ticked(name: str = "checked") -> None:
    """Refuse what somebody confirms without saying that they have looked at it.

    Raises:
        OperatorRefused: the box is not ticked.
    """
    if typed(name) != "yes":
        raise OperatorRefused(_("请先核对内容，并勾选确认框。"))
