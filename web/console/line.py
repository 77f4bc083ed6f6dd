"""One line of a published statement: why its fee is what it is, what became of it, and how to dispute it."""

from __future__ import annotations

from dataclasses import dataclass

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from clearinghouse.domain.calendar import format_period
from clearinghouse.domain.disputes import CLAIM_MAX, DECIDED, REASONS, DisputeState
from clearinghouse.domain.errors import ClearinghouseError, NotFound
from clearinghouse.domain.rulebook import FeeRule, Rulebook
from clearinghouse.operations.disputing import Claim, Line, open_dispute
from clearinghouse.operations.line_story import LineStory, line_story
from settlement.adjustment_lines import KIND as ADJUSTMENT
from settlement.statements.statement import StatementLine
from settlement.stored_lines import line_at
from settlement.stored_statement import stored_statement
from web.console import evidence_form
from web.console.common import month_of, names_of_systems, the_system
from web.console.identifiers import uuid_of
from web.console.money_form import fen_of
from web.console.texts import one_line
from web.frame.errors import sentence
from web.frame.shared import the_context
from web.frame.staff import Role, console_page, party

blueprint = Blueprint("console_line", __name__, url_prefix="/console/statements")
evidence_form.accept_files(blueprint, "console_line.dispute")

_TEXT_MAX = 2_000
_POINTS_A_VALUE = 100
_PPM_AND_FEN = 10**8


@dataclass(frozen=True, slots=True)
class Why:
    """Why a line's fee is what it is: the rule of that version, and the product before it is rounded, in yuan."""

    rulebook: Rulebook
    rule: FeeRule | None
    exact: str | None
    points_exact: str | None


@blueprint.get("/<period>/lines/<int:number>")
@console_page()
def line(period: str, number: int) -> str:
    """Show a line with all that explains it."""
    month = month_of(period)
    found, story = _line(month, number)
    return _page(month, found, story)


@blueprint.get("/<period>/lines/<int:number>/dispute")
@console_page(Role.FINANCE, Role.ADMIN)
def dispute_form(period: str, number: int) -> str:
    """Show the form by which a line is disputed."""
    month = month_of(period)
    found, story = _line(month, number)
    return _form(month, found, _disputable(story), {}, {})


@blueprint.post("/<period>/lines/<int:number>/dispute")
@console_page(Role.FINANCE, Role.ADMIN)
def dispute(period: str, number: int) -> Response | tuple[str, int]:
    """Open a dispute of a line, with what proves it."""
    month = month_of(period)
    found, story = _line(month, number)
    story = _disputable(story)
    given = {name: request.form.get(name, "") for name in ("reason", "amount", "text")}
    claim, wrong = _claim(given)
    files = evidence_form.files(wrong)
    if claim is None or wrong:
        return _form(month, found, story, given, wrong), 422
    context, who = the_context(), party()
    stated = Line(uuid_of(found.txn_id, "txn_"), story.leg_no)
    try:
        made, added = open_dispute(context, who, stated, claim)
    except ClearinghouseError as error:
        return _form(month, found, story, given, {"form": sentence(error)}), 422
    # The same claim again is the dispute that there is, decided or not.
    flash(_("争议已提出。") if added else _("这一行已有同样的争议。"), "good" if added else "warn")
    evidence_form.bring(context, who, made.dispute_id, files)
    return redirect(url_for("console_disputes.dispute", dispute_id=made.id))


def why(found: StatementLine) -> Why | None:
    """Return why the fee of a line is what it is; ``None`` for an adjustment."""
    directory = the_context().current_directory()
    rulebook = next(
        (v.rulebook for v in directory.rulebooks if v.rulebook.version == found.rulebook_version),
        None,
    )
    if rulebook is None:
        return None
    kind = (found.fee_rule or "").removeprefix("fees.")
    exact = points = None
    if found.fee_base_minor is not None and found.fee_rate_ppm is not None:
        exact = exact_yuan(found.fee_base_minor * found.fee_rate_ppm, _PPM_AND_FEN)
    if found.points is not None and found.kind != "refund":
        value = rulebook.point_value_minor_per_100
        points = exact_yuan(found.points * value, _POINTS_A_VALUE * 100)
    return Why(rulebook, rulebook.fee_rule(kind) if kind else None, exact, points)


def exact_yuan(amount: int, parts: int) -> str:
    """Write so many parts of a yuan exactly, with two decimals at least; ``parts`` (a power of ten) make one."""
    sign = "−" if amount < 0 else ""
    whole, rest = divmod(abs(amount), parts)
    decimals = str(rest).rjust(len(str(parts)) - 1, "0").rstrip("0").ljust(2, "0")
    return f"{sign}{whole:,}.{decimals}"


def _line(month: int, number: int) -> tuple[StatementLine, LineStory | None]:
    context, who = the_context(), party()
    found = line_at(context, who, month, number)
    if found.kind == ADJUSTMENT:
        return found, None
    txn_id = uuid_of(found.txn_id, "txn_")
    return found, line_story(context, who, Line(txn_id, None, found.issuer_hotel))


def _disputable(story: LineStory | None) -> LineStory:
    if story is None or (story.about_value is None and story.about_fee is None):
        raise NotFound("the line can't be disputed")
    return story


def _page(month: int, found: StatementLine, story: LineStory | None) -> str:
    context, who = the_context(), party()
    return render_template(
        "console/line.html",
        period=month,
        line=found,
        story=story,
        why=why(found),
        count=stored_statement(context, who, month).line_count,
        has_open=story is not None and _has_open(story),
        names=names_of_systems(),
    )


def _has_open(story: LineStory) -> bool:
    """Tell whether the system has a dispute of the line that no decision stands on: it can't have another."""
    own = the_system(the_context().current_directory()).code
    return any(
        row.opened_by == own and DisputeState(row.state) not in DECIDED for row in story.disputes
    )


def _form(
    month: int,
    found: StatementLine,
    story: LineStory,
    given: dict[str, str],
    wrong: dict[str, str],
) -> str:
    # What is only about the fee has no other reason, and what is only about the value not that one.
    reasons = [
        reason.code
        for reason in REASONS
        if (reason.code != "fee_wrong" or story.about_fee is not None)
        and (reason.code == "fee_wrong" or story.about_value is not None or found.kind == "spend")
    ]
    return render_template(
        "console/dispute_form.html",
        period=month,
        line=found,
        story=story,
        given=given,
        wrong=wrong,
        reasons=reasons,
        text_max=_TEXT_MAX,
        back=url_for("console_line.line", period=format_period(month), number=found.line_no),
    )


def _claim(given: dict[str, str]) -> tuple[Claim | None, dict[str, str]]:
    wrong: dict[str, str] = {}
    if given["reason"] not in {reason.code for reason in REASONS}:
        wrong["reason"] = _("请选择理由")
    text = one_line(given["text"])
    if not 1 <= len(text) <= _TEXT_MAX:
        wrong["text"] = _("请写明理由，最多 %(most)s 个字符", most=_TEXT_MAX)
    amount = None
    if given["amount"].strip():
        amount = fen_of(given["amount"])
        if amount is None or not 1 <= amount <= CLAIM_MAX:
            wrong["amount"] = _("请填写金额，例如 12.50")
    return (None if wrong else Claim(given["reason"], text, amount)), wrong
