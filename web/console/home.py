"""The first page of the finance console."""

from __future__ import annotations

from flask import Blueprint, render_template

from web.frame.guarding import open_to_all

blueprint = Blueprint("console_home", __name__, url_prefix="/console")


@blueprint.get("/")
@open_to_all
def home() -> str:
    """Show it."""
    return render_template("console/home.html")
