"""The rulebook on the desk: its versions, each in words, and two of them side by side."""

from __future__ import annotations

from flask import Blueprint, render_template, request

from clearinghouse.operations import registry
from web.desk.rules import chapters, differences
from web.frame.shared import the_context
from web.frame.staff import desk_page

blueprint = Blueprint("desk_rulebooks", __name__, url_prefix="/desk/rulebooks")


@blueprint.get("/")
@desk_page()
def listing() -> str:
    """Show all versions, the newest first, and who has accepted each."""
    found = registry.rulebooks(the_context())[::-1]
    return render_template("desk/rulebooks/list.html", versions=found)


@blueprint.get("/compare")
@desk_page()
def compare() -> str:
    """Show the rules in which two versions differ."""
    one = registry.rulebook(the_context(), request.args.get("from", "")[:64])
    other = registry.rulebook(the_context(), request.args.get("to", "")[:64])
    return render_template(
        "desk/rulebooks/compare.html",
        one=one,
        other=other,
        differences=differences(one.document, other.document),
        versions=registry.rulebooks(the_context())[::-1],
    )


@blueprint.get("/<version>")
@desk_page()
def version(version: str) -> str:
    """Show one version whole, every rule in words."""
    versions = registry.rulebooks(the_context())
    found = registry.rulebook(the_context(), version)
    earlier = [row for row in versions if row.effective_from < found.effective_from]
    return render_template(
        "desk/rulebooks/version.html",
        found=found,
        chapters=chapters(found.document),
        earlier=earlier[-1] if earlier else None,
    )
