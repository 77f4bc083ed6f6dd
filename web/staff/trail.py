"""The audit trail: a system's administrators read what their own people did, the operator reads everything."""

from __future__ import annotations

from flask import Blueprint, render_template, request

from clearinghouse.domain.users import Role
from clearinghouse.operations.trail import trail
from web.frame.paging import page_of, place
from web.frame.shared import the_context
from web.frame.staff import DESK, staff_page, the_staff
from web.staff.actions import action_name, details_of, kinds, subject_name

_ROWS = 50


def pages(area: str) -> Blueprint:
    """Make the trail of an area: a system's for its administrators, the operator's for all its people."""
    blueprint = Blueprint(
        f"{area}_audit", __name__, url_prefix=f"/{area}/audit", url_defaults={"area": area}
    )
    page = staff_page(area) if area == DESK else staff_page(area, Role.ADMIN)
    blueprint.add_url_rule("", "audit", page(audit), methods=["GET"])
    return blueprint


def audit(area: str) -> str:
    """Show it, the newest first."""
    after = place((int,))
    action = request.args.get("action", "").replace("\x00", "")[:60] or None
    actor = request.args.get("actor", "").replace("\x00", "").strip()[:128] or None
    found = trail(
        the_context(), the_staff().system, _ROWS + 1,
        before=after[0] if after else None, action=action, actor=actor,
    )  # fmt: skip
    return render_template(
        "staff/audit.html",
        area=area,
        page=page_of(found, _ROWS, lambda row: (row.number,)),
        kinds=kinds(area),
        action=action or "",
        actor=actor or "",
        action_name=action_name,
        subject_name=subject_name,
        details_of=details_of,
    )
