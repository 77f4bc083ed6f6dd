"""The first page of the operator's desk."""

from __future__ import annotations

from flask import Blueprint, render_template

from web.frame.guarding import open_to_all

blueprint = Blueprint("desk_home", __name__, url_prefix="/desk")


@blueprint.get("/")
@open_to_all
def home() -> str:
    """Show it."""
    return render_template("desk/home.html")
