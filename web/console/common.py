"""What the pages of the console share: whose they are, months in addresses, and what templates are given."""

from __future__ import annotations

from flask import Blueprint, current_app, request
from flask.sansio.blueprints import BlueprintSetupState
from flask_babel import gettext as _

from clearinghouse.domain.calendar import parse_period
from clearinghouse.domain.directory import Directory, System
from clearinghouse.domain.errors import NotFound
from web.console import words
from web.frame.shared import the_context
from web.frame.showing import named
from web.frame.staff import the_staff


def own_system() -> int:
    """Return the number of the system whose people look; only in a console page."""
    system = the_staff().system
    if system is None:
        raise NotFound("the console is of a member system")
    return system


def the_system(directory: Directory) -> System:
    """Return the system whose people look."""
    return directory.systems[own_system()]


def month_of(text: str) -> int:
    """Return the period that an address names.

    Raises:
        NotFound: it is none.
    """
    try:
        return parse_period(text)
    except ValueError:
        raise NotFound("there is no such period") from None


def names_of_systems() -> dict[str, str]:
    """Return the name of every system by its code, in the page's language."""
    return {
        system.code: named(system) for system in the_context().current_directory().systems.values()
    }


def console_nav() -> list[tuple[str, str, bool]]:
    """Return the entries of the navigation: address, text, whether one is there; those that there are pages for."""
    entries = [
        ("/console/", _("首页")),
        ("/console/statements", _("对账单")),
        ("/console/payments", _("付款")),
        ("/console/disputes", _("争议")),
        ("/console/rules", _("规则")),
        ("/console/stays", _("住店补报")),
    ]
    if the_staff().manages:
        entries += [("/console/users", _("用户")), ("/console/audit", _("操作记录"))]
    rules = {rule.rule.rstrip("/") for rule in current_app.url_map.iter_rules()}
    path = request.path.rstrip("/")
    return [
        (href, text, path == href.rstrip("/") or (href != "/console/" and path.startswith(f"{href}/")))
        for href, text in entries
        if href.rstrip("/") in rules
    ]  # fmt: skip


def equip(blueprint: Blueprint) -> None:
    """Give the site's templates what those of the console use."""

    def add(state: BlueprintSetupState) -> None:
        state.app.jinja_env.globals.update(
            words=words, console_nav=console_nav, the_staff=the_staff
        )

    blueprint.record_once(add)
