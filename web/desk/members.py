"""Members on the desk: the list, and one member's file."""

from __future__ import annotations

from flask import Blueprint, render_template, request

from clearinghouse.operations import dossier
from clearinghouse.operations.dossier import MemberState
from web.desk import proposals, words
from web.frame.shared import the_context
from web.frame.staff import desk_page

blueprint = Blueprint("desk_members", __name__, url_prefix="/desk/members")


@blueprint.get("/")
@desk_page()
def listing() -> str:
    """Show all members, or those in one state, and how far each membership is."""
    everybody = dossier.member_list(the_context())
    counts = {
        state: sum(row.state is state for row in everybody)
        for state in MemberState
        if any(row.state is state for row in everybody)
    }
    wanted = request.args.get("state", "")
    shown = [row for row in everybody if wanted in ("", row.state.value)]
    return render_template(
        "desk/members/list.html",
        members=shown,
        total=len(everybody),
        counts=counts,
        wanted=wanted,
        word=words.member_state,
    )


@blueprint.get("/<code>")
@desk_page()
def member(code: str) -> str:
    """Show everything about one member."""
    found = dossier.dossier(the_context(), code)
    return render_template(
        "desk/members/member.html",
        file=found,
        entry=found.member.entry,
        profile=found.member.entry.profile,
        state=words.member_state(found.member.state),
        states=MemberState,
        since=dossier.since,
        step=words.standing_step,
        warning=words.warning,
        proposals=proposals.rows(code),
    )
