"""The door: where members' finance people, the operator and travellers go from here."""

from __future__ import annotations

from flask import Blueprint, render_template

from web.frame.guarding import open_to_all

blueprint = Blueprint("home", __name__)


@blueprint.get("/")
@open_to_all
def home() -> str:
    """Show the three doors."""
    return render_template("home.html")
