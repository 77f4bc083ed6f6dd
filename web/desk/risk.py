"""Risk at the desk: exposures against caps, collateral, and the guarantee fund with its contributions."""

from __future__ import annotations

from collections.abc import Callable

from flask import Blueprint, flash, redirect, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from clearinghouse.domain.errors import OperatorRefused
from clearinghouse.operations import collateral, exposure_report, risk_cases, two_people
from clearinghouse.operations.changing import fit
from clearinghouse.operations.exposure_report import Exposure
from clearinghouse.operations.foreseeing import amounts_of, foresee_contributions
from clearinghouse.operations.packs import fields
from web.desk import deeds
from web.desk.forms import attempt, typed, yuan_typed
from web.desk.money import (
    PAGE,
    REFUSED,
    member_in_address,
    money_page,
    must_be_typed,
    period_in_address,
)
from web.desk.risk_proposals import waiting
from web.frame.paging import Page, page_of, place
from web.frame.shared import the_context
from web.frame.staff import Role, authority, desk_page

blueprint = Blueprint("desk_risk", __name__, url_prefix="/desk/risk")
_FIELDS = ("amount", "reference", "reason", "deed")


@blueprint.get("/")
@desk_page()
def home() -> str:
    """Show how far everybody is from their limit, who is overdue, and what waits."""
    found = exposure_report.exposures(the_context())
    return money_page(
        "desk/risk/home.html",
        exposures=found,
        page=_page(found.systems),
        cases=risk_cases.risk_cases(the_context()),
        most=PAGE,
        waiting=waiting(),
    )


@blueprint.get("/collateral/<code>")
@desk_page()
def pledge(code: str) -> str:
    """Show a member's collateral."""
    return _pledge(member_in_address(code).code)


@blueprint.post("/collateral/<code>")
@desk_page(Role.FINANCE, Role.ADMIN)
def change_pledge(code: str) -> Response | tuple[str, int]:
    """Propose to take in or to give back collateral."""
    code = member_in_address(code).code

    def act() -> object:
        what, amount = typed("deed"), yuan_typed("amount")
        if what not in (deeds.POST, deeds.RELEASE):
            raise OperatorRefused(_("请选择收取或退还。"))
        if not amount:
            raise OperatorRefused(_("请填写大于 0 的金额。"))
        must_be_typed(code)
        pledged = collateral.pledged(the_context(), code)
        if what == deeds.RELEASE and amount > pledged.free_minor:
            raise OperatorRefused(_("要退还的金额超过了现在可以退还的部分。"))
        reference = fit("reference", fields.reference, typed("reference"))
        collateral.must_be_new(the_context(), code, reference, back=what == deeds.RELEASE)
        values = {"system": code, "amount_minor": amount, "reference": reference}
        return two_people.propose(the_context(), what, values, authority(typed("reason")))

    return _proposed(act, lambda refused: _pledge(code, refused))


@blueprint.get("/fund")
@desk_page()
def fund() -> str:
    """Show the guarantee fund, and for which months contributions can be asked for."""
    return money_page(
        "desk/risk/fund.html",
        fund=risk_cases.fund(the_context()),
        waiting=waiting(deeds.CONTRIBUTIONS),
    )


@blueprint.get("/fund/<period_text>")
@desk_page()
def contributions(period_text: str) -> str:
    """Show what contributions for a month would be."""
    return _contributions(period_text)


@blueprint.post("/fund/<period_text>")
@desk_page(Role.FINANCE, Role.ADMIN)
def ask_for_contributions(period_text: str) -> Response | tuple[str, int]:
    """Propose contributions for a month."""
    period = period_in_address(period_text)

    def act() -> object:
        must_be_typed(period_text)
        found = foresee_contributions(the_context(), period)
        if not found:
            raise OperatorRefused(_("没有成员需要缴存。"))
        values = {"period": period_text, "seen": amounts_of(found)}
        return two_people.propose(
            the_context(), deeds.CONTRIBUTIONS, values, authority(typed("reason"))
        )

    return _proposed(act, lambda refused: _contributions(period_text, refused))


def _page(rows: tuple[Exposure, ...]) -> Page[Exposure]:
    """Return a page of exposures; they are few enough to be put in order anew each time."""
    after = place((str,))
    codes = [row.system_code for row in rows]
    first = codes.index(after[0]) + 1 if after is not None and after[0] in codes else 0
    return page_of(rows[first : first + PAGE + 1], PAGE, lambda row: (row.system_code,))


def _proposed(
    act: Callable[[], object], again: Callable[[str | None], str]
) -> Response | tuple[str, int]:
    made, refused = attempt(act)
    if made is None:
        return again(refused), REFUSED
    flash(_("已提出，等待另一位同事复核；复核之前不入账。"), "good")
    return redirect(url_for("desk_risk_proposals.listing"))


def _pledge(code: str, refused: str | None = None) -> str:
    return money_page(
        "desk/risk/collateral.html",
        member=member_in_address(code),
        pledged=collateral.pledged(the_context(), code),
        waiting=waiting(deeds.POST, code) + waiting(deeds.RELEASE, code),
        typed={name: typed(name) for name in _FIELDS},
        refused=refused,
    )


def _contributions(period_text: str, refused: str | None = None) -> str:
    period = period_in_address(period_text)
    found, why_not = attempt(lambda: foresee_contributions(the_context(), period))
    values = {"period": period_text, "seen": amounts_of(found or [])}
    return money_page(
        "desk/risk/contributions.html",
        period=period,
        period_text=period_text,
        contributions=found or [],
        told=deeds.told(deeds.CONTRIBUTIONS, values),
        why_not=why_not,
        waiting=waiting(deeds.CONTRIBUTIONS, period_text),
        refused=refused,
        reason=typed("reason"),
    )
