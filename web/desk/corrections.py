"""Decisions and corrections that wait for a second person, and corrections that the operator proposes itself."""

from __future__ import annotations

from typing import NamedTuple

from flask import Blueprint, flash, redirect, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from clearinghouse.domain.errors import OperatorRefused
from clearinghouse.domain.identifiers import id_in
from clearinghouse.domain.people import same_person
from clearinghouse.operations import confirming
from clearinghouse.operations.confirming import Correction
from clearinghouse.operations.dispute_desk import Effect, effects_of
from clearinghouse.operations.dispute_record import PREFIX
from clearinghouse.store.proposals import Proposal
from web.desk.forms import attempt, typed, yuan_typed
from web.desk.money import REFUSED, money_page, must_be_ticked, number_in_address, period_asked
from web.frame.shared import the_context
from web.frame.staff import Role, authority, desk_page, the_staff

blueprint = Blueprint("desk_corrections", __name__, url_prefix="/desk/disputes")
_US = "operator"
_FIELDS = ("payer", "payee", "amount", "transaction", "leg", "reference", "reason")
_LEGS_MAX = 100_000


class Row(NamedTuple):
    """A proposal as the page shows it; ``effects`` is what it would post, ``refused`` why it can't be any more."""

    proposal: Proposal
    dispute: str | None
    about: str
    effects: list[Effect]
    refused: str | None
    own: bool


@blueprint.get("/proposals")
@desk_page()
def proposals() -> str:
    """Show what waits for a second person."""
    return money_page("desk/disputes/proposals.html", rows=_rows())


@blueprint.post("/proposals/<int:number>/confirm")
@desk_page(Role.FINANCE, Role.ADMIN)
def confirm(number: int) -> Response | tuple[str, int]:
    """Confirm what a colleague has proposed; it is posted."""
    number_in_address(number)

    def act() -> confirming.Confirmed:
        must_be_ticked()
        return confirming.confirm(the_context(), number, authority(typed("reason")))

    done, refused = attempt(act)
    if done is None:
        page = money_page("desk/disputes/proposals.html", rows=_rows(), refused=refused)
        return page, REFUSED
    flash(_("已复核通过并入账，双方会收到通知。"), "good")
    return redirect(url_for("desk_corrections.proposals"))


@blueprint.post("/proposals/<int:number>/withdraw")
@desk_page(Role.FINANCE, Role.ADMIN)
def withdraw(number: int) -> Response | tuple[str, int]:
    """End a proposal without posting anything."""
    number_in_address(number)

    def act() -> bool:
        confirming.withdraw(the_context(), number, authority(typed("reason")))
        return True

    done, refused = attempt(act)
    if done is None:
        page = money_page("desk/disputes/proposals.html", rows=_rows(), refused=refused)
        return page, REFUSED
    flash(_("已撤回，没有入账。"), "good")
    return redirect(url_for("desk_corrections.proposals"))


@blueprint.get("/corrections")
@desk_page()
def corrections() -> str:
    """Show the adjustments of a period, and propose another."""
    return _corrections()


@blueprint.post("/corrections")
@desk_page(Role.FINANCE, Role.ADMIN)
def propose() -> Response | tuple[str, int]:
    """Propose a correction."""
    made, refused = attempt(
        lambda: confirming.propose_correction(
            the_context(), _correction(), authority(typed("reason"))
        )
    )
    if made is None:
        return _corrections(refused), REFUSED
    flash(_("已提出更正，等待另一位同事复核；复核之前不入账。"), "good")
    return redirect(url_for("desk_corrections.proposals"))


def _corrections(refused: str | None = None) -> str:
    period, text, wrong = period_asked()
    return money_page(
        "desk/disputes/corrections.html",
        period_text=text,
        period=period,
        wrong=wrong,
        posted=[] if period is None else confirming.posted(the_context(), period),
        us=_US,
        typed={name: typed(name) for name in _FIELDS},
        refused=refused,
    )


def _correction() -> Correction:
    payer, payee, transaction = typed("payer"), typed("payee"), typed("transaction")
    amount, leg = yuan_typed("amount"), typed("leg") or "1"
    if not payer or not payee:
        raise OperatorRefused(_("请选择付款方和收款方。"))
    if not amount:
        raise OperatorRefused(_("请填写大于 0 的金额。"))
    txn_id = id_in(transaction, "txn_") if transaction else None
    if transaction and txn_id is None:
        raise OperatorRefused(_("交易编号是 txn_ 加 32 位字符，见对账单明细。"))
    if not (leg.isascii() and leg.isdigit() and 0 < int(leg) <= _LEGS_MAX):
        raise OperatorRefused(_("分录序号是从 1 起的整数。"))
    return Correction(
        None if payer == _US else payer,
        None if payee == _US else payee,
        amount,
        None if txn_id is None else (txn_id, int(leg)),
        typed("reference") or None,
    )


def _rows() -> list[Row]:
    return [_row(one) for one in confirming.waiting(the_context())]


def _row(one: Proposal) -> Row:
    document = one.document
    own = same_person(one.proposed_by, the_staff().login)
    if one.dispute_id is None:
        effect = Effect(document["payer"], document["payee"], document["amount_minor"])
        about = document.get("reference") or f"txn_{document['txn_id']}"
        return Row(one, None, about, [effect], None, own)
    dispute_id, amount = one.dispute_id, document["upheld_minor"]
    effects, refused = attempt(lambda: effects_of(the_context(), dispute_id, amount))
    name = PREFIX + dispute_id.hex
    return Row(one, name, name, effects or [], refused, own)
