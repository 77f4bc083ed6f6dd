"""The first page of a traveller: what there is to spend, what ends soon, and who issued it."""

from __future__ import annotations

from flask import Blueprint, render_template
from werkzeug.wrappers import Response

from clearinghouse.operations.traveller_pool import person_of, pool_of
from web.frame.shared import the_context
from web.frame.traveller import the_traveller, traveller_page

blueprint = Blueprint("pool_home", __name__, url_prefix="/pool")


@blueprint.get("")
@traveller_page
def home() -> str | Response:
    """Show it."""
    traveller = the_traveller().traveller
    return render_template(
        "pool/home.html",
        pool=pool_of(the_context(), traveller),
        name=person_of(the_context(), traveller).get("name", ""),
    )
