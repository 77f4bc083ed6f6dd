"""The first page of a traveller."""

from __future__ import annotations

from flask import Blueprint, render_template

from web.frame.guarding import open_to_all

blueprint = Blueprint("pool_home", __name__, url_prefix="/pool")


@blueprint.get("/")
@open_to_all
def home() -> str:
    """Show it."""
    return render_template("pool/home.html")
