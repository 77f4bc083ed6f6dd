"""What one of the operator's people has proposed, for another to confirm or to take back."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple

from flask import Blueprint, flash, redirect, render_template, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from clearinghouse.domain.people import same_person
from clearinghouse.operations import member_terms, two_people
from clearinghouse.store.proposals import Proposal
from web.desk import risk_proposals, words
from web.desk.forms import attempt, typed
from web.frame.shared import the_context
from web.frame.showing import yuan
from web.frame.staff import Role, authority, desk_page, the_staff

blueprint = Blueprint("desk_proposals", __name__, url_prefix="/desk/proposals")


class Row(NamedTuple):
    """A proposal as a page shows it; ``own`` is one's own, which somebody else has to confirm.

    ``asks_account``: whoever confirms it has to type the new bank account again.
    """

    number: int
    what: str
    title: str
    facts: list[tuple[str, str]]
    by: str
    at: datetime
    reason: str
    own: bool
    asks_account: bool


@blueprint.get("/")
@desk_page()
def listing() -> str:
    """Show all that wait for a second person."""
    return render_template("desk/proposals.html", proposals=rows())


@blueprint.post("/<int(max=2147483647):number>/confirm")
@desk_page(Role.FINANCE, Role.ADMIN)
def confirm(number: int) -> Response:
    """Carry out what another person has proposed; what moves money has a page where it is looked at first."""
    if any(one.number == number for one in risk_proposals.waiting()):
        return redirect(url_for("desk_risk_proposals.proposal", number=number))
    back = _about(number)
    _done, refused = attempt(
        lambda: two_people.confirm(
            the_context(),
            number,
            authority("confirmed"),
            {member_terms.AGAIN: typed(member_terms.AGAIN)},
        )
    )
    if refused:
        flash(_("没有执行：%(sentence)s", sentence=refused), "bad")
    else:
        flash(_("已执行，并写入操作记录。"), "good")
    return redirect(back)


@blueprint.post("/<int(max=2147483647):number>/withdraw")
@desk_page(Role.FINANCE, Role.ADMIN)
def withdraw(number: int) -> Response:
    """End a proposal without carrying it out."""
    back = _about(number)
    _done, refused = attempt(
        lambda: two_people.withdraw(the_context(), number, authority("withdrawn"))
    )
    if refused:
        flash(_("没有撤回：%(sentence)s", sentence=refused), "bad")
    else:
        flash(_("已撤回，没有执行。"), "good")
    return redirect(back)


def rows(about: str | None = None) -> list[Row]:
    """Return the proposals that wait, or those about a system or card, as pages show them."""
    return [_row(found) for found in two_people.waiting(the_context(), about)]


def _row(found: Proposal) -> Row:
    document = found.document
    names = {
        "system": _("成员"),
        "period": _("账期"),
        "withdrawn_on": _("退出日期"),
        "uncovered": _("保证金不足仍退出"),
        "card_masked": _("会员卡"),
        "hotel": _("新发卡酒店"),
        "tier": _("新等级"),
    }
    facts = [
        (label, (_("是") if document[name] is True else str(document[name])))
        for name, label in names.items()
        if document.get(name) not in (None, False)
    ]
    facts += _posted(document) + _replaced(document)
    return Row(
        found.number,
        document["what"],
        words.deed(document["what"]),
        facts,
        found.proposed_by,
        found.proposed_at,
        found.reason,
        same_person(found.proposed_by, the_staff().login),
        document.get("sealed") is not None,
    )


def _posted(document: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Tell what is posted of collateral, and by what paper."""
    if "amount_minor" not in document:
        return []
    return [(_("金额（元）"), yuan(document["amount_minor"])), (_("依据"), document["reference"])]


def _replaced(document: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Tell what of a member's terms is replaced by what; of accounts only the end is there."""
    seen, changes = document.get("seen", {}), document.get("changes", {})
    facts = []
    if "bank_account" in changes:
        old, new = (one["bank_account"] or _("未登记") for one in (seen, changes))
        facts.append((_("银行账户"), f"{old} → {new}"))
    if "net_debit_cap_minor" in changes:
        caps = (one["net_debit_cap_minor"] for one in (seen, changes))
        facts.append(
            (
                _("净欠上限（元）"),
                " → ".join(_("未设") if cap is None else yuan(cap) for cap in caps),
            )
        )
    return facts


def _about(number: int) -> str:
    """Return the page of what a proposal is about."""
    found = next((row for row in two_people.waiting(the_context()) if row.number == number), None)
    if found is not None and "system" in found.document:
        return url_for("desk_members.member", code=found.document["system"])
    return url_for("desk_proposals.listing")
