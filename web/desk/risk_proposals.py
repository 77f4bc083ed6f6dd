"""Deeds of risk that one person has proposed: looked at again, and confirmed by another with the code typed."""

from __future__ import annotations

from typing import NamedTuple

from flask import Blueprint, flash, redirect, url_for
from flask_babel import gettext as _
from werkzeug.exceptions import NotFound
from werkzeug.wrappers import Response

from clearinghouse.domain.people import same_person
from clearinghouse.operations import two_people
from clearinghouse.store.proposals import Proposal
from web.desk import deeds
from web.desk.deeds import Told
from web.desk.forms import attempt
from web.desk.money import REFUSED, money_page, must_be_typed, number_in_address
from web.frame.shared import the_context
from web.frame.staff import Role, authority, desk_page, the_staff

blueprint = Blueprint("desk_risk_proposals", __name__, url_prefix="/desk/risk/proposals")


class Row(NamedTuple):
    """A proposal of risk in words; ``own`` is one's own."""

    proposal: Proposal
    told: Told
    own: bool


@blueprint.get("/")
@desk_page()
def listing() -> str:
    """Show what waits for a second person."""
    return money_page("desk/risk/proposals.html", rows=[_row(one) for one in waiting()])


@blueprint.get("/<int:number>")
@desk_page()
def proposal(number: int) -> str:
    """Show what a proposal would post."""
    return _page(_found(number))


@blueprint.post("/<int:number>/confirm")
@desk_page(Role.FINANCE, Role.ADMIN)
def confirm(number: int) -> Response | tuple[str, int]:
    """Carry out what a colleague has proposed."""
    found = _found(number)

    def act() -> bool:
        must_be_typed(deeds.told_of(found).to_type)
        two_people.confirm(the_context(), number, authority("confirmed"))
        return True

    done, refused = attempt(act)
    if done is None:
        return _page(found, refused), REFUSED
    flash(_("已执行并入账，写入操作记录。"), "good")
    return redirect(url_for("desk_risk.home"))


@blueprint.post("/<int:number>/withdraw")
@desk_page(Role.FINANCE, Role.ADMIN)
def withdraw(number: int) -> Response | tuple[str, int]:
    """End a proposal without carrying it out."""
    found = _found(number)

    def act() -> bool:
        two_people.withdraw(the_context(), number, authority("withdrawn"))
        return True

    done, refused = attempt(act)
    if done is None:
        return _page(found, refused), REFUSED
    flash(_("已撤回，没有执行。"), "good")
    return redirect(url_for("desk_risk_proposals.listing"))


def waiting(what: str | None = None, about: str | None = None) -> list[Proposal]:
    """Return deeds of risk that wait: all, or of one kind, or about a system or period."""
    wanted = deeds.DEEDS if what is None else (what,)
    found = two_people.waiting(the_context(), about)
    return [one for one in found if one.document["what"] in wanted]


def _found(number: int) -> Proposal:
    number_in_address(number)
    found = next((one for one in waiting() if one.number == number), None)
    if found is None:
        raise NotFound
    return found


def _row(found: Proposal) -> Row:
    own = same_person(found.proposed_by, the_staff().login)
    return Row(found, deeds.told_of(found), own)


def _page(found: Proposal, refused: str | None = None) -> str:
    return money_page("desk/risk/proposal.html", row=_row(found), refused=refused)
