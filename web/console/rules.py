"""The rulebook in force and its other versions, in words: fees, the value of a point, expiry, days."""

from __future__ import annotations

from flask import Blueprint, render_template

from clearinghouse.domain.errors import NotFound
from clearinghouse.domain.rulebook import FEE_KINDS, rulebook_sha256
from web.console.common import own_system
from web.frame.shared import the_context, today
from web.frame.staff import console_page

blueprint = Blueprint("console_rules", __name__, url_prefix="/console/rules")


@blueprint.get("")
@console_page()
def rules() -> str:
    """Show the version in force, and which others there are."""
    return _page(None)


@blueprint.get("/<version>")
@console_page()
def one(version: str) -> str:
    """Show one version."""
    return _page(version)


def _page(version: str | None) -> str:
    directory = the_context().current_directory()
    in_force = directory.rulebook_on(today())
    versions = sorted(
        directory.rulebooks, key=lambda row: row.rulebook.effective_from, reverse=True
    )
    chosen = next((row for row in versions if row.rulebook.version == version), None)
    if version is None:
        chosen = in_force or (versions[0] if versions else None)
    if version is not None and chosen is None:
        raise NotFound("there is no such version")
    return render_template(
        "console/rules.html",
        chosen=chosen,
        in_force=in_force,
        versions=versions,
        kinds=FEE_KINDS,
        system=own_system(),
        sha256=rulebook_sha256(chosen.rulebook) if chosen else "",
    )
