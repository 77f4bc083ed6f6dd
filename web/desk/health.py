"""How the service is: the database, events on their way, the runs, what waits for people, the last check."""

from __future__ import annotations

from flask import Blueprint, render_template

from clearinghouse.operations.health import health_of
from settlement.beside import calendar, is_under_way, progress
from web.desk import words
from web.frame.shared import the_context
from web.frame.staff import desk_page

blueprint = Blueprint("desk_health", __name__, url_prefix="/desk/health")


@blueprint.get("/")
@desk_page()
def health() -> str:
    """Show it."""
    context = the_context()
    runs = [
        (row, progress(context, row.period)) for row in calendar(context) if is_under_way(row.state)
    ]
    return render_template(
        "desk/health.html", health=health_of(context), runs=runs, word=words.period_state
    )
