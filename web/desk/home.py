"""The first page of the operator's desk: what needs a person today, and the month in a few figures."""

from __future__ import annotations

from flask import Blueprint, g, render_template
from flask.blueprints import BlueprintSetupState

from clearinghouse.operations import dossier
from clearinghouse.operations.dossier import MemberState
from clearinghouse.operations.exposure_report import exposures
from clearinghouse.store import desk
from settlement.beside import calendar
from settlement.impact import last_published
from settlement.paths import statement_path
from settlement.statements.statement import OPERATOR
from web.desk import words
from web.desk.navigation import daily, managing
from web.desk.todo import tasks
from web.frame.shared import the_context
from web.frame.staff import Staff, desk_page

blueprint = Blueprint("desk_home", __name__, url_prefix="/desk")


def _for_templates(state: BlueprintSetupState) -> None:
    """Give all of the desk's templates its navigation and who looks."""
    state.app.jinja_env.globals.update(desk_daily=daily, desk_managing=managing, desk_staff=_staff)


@blueprint.get("/")
@desk_page()
def home() -> str:
    """Show what is to be done, and how the alliance is."""
    context = the_context()
    members, months = dossier.member_list(context), calendar(context)
    last = last_published(context)
    with context.database.office() as session:
        sums = None if last is None else desk.month_sums(session, last)
        path = statement_path(OPERATOR, "csv")
        lines = None if last is None else desk.lines_of_period(session, last, path)
    gone = (MemberState.GONE, MemberState.APPLICATION)
    return render_template(
        "desk/home.html",
        tasks=tasks(context, members, months, exposures(context).systems),
        members=sum(row.state not in gone for row in members),
        hotels=sum(len(row.entry.hotels) for row in members),
        months=months[:3],
        word=words.period_state,
        last=last,
        sums=sums,
        lines=lines,
    )


blueprint.record(_for_templates)


def _staff() -> Staff | None:
    """Return who of the operator's people looks, if anybody does; a page of the sign-in has nobody yet."""
    found = g.get("staff")
    return found if isinstance(found, Staff) and found.system is None else None
