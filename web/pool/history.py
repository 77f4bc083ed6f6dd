"""What happened to the pool, in plain words."""

from __future__ import annotations

from flask import Blueprint, render_template
from werkzeug.exceptions import BadRequest
from werkzeug.wrappers import Response

from clearinghouse.domain.errors import NotFound
from clearinghouse.operations.traveller_history import happening, history
from web.frame.paging import page_of, place
from web.frame.shared import the_context
from web.frame.traveller import the_traveller, traveller_page
from web.pool.words import told

blueprint = Blueprint("pool_history", __name__, url_prefix="/pool/history")

_PAGE = 20


@blueprint.get("")
@traveller_page
def all_of_it() -> str | Response:
    """Show it, the newest first."""
    after = place((str,))
    try:
        found = history(
            the_context(),
            the_traveller().traveller,
            before=after[0] if after else None,
            most=_PAGE + 1,
        )
    except NotFound:
        raise BadRequest from None
    page = page_of([told(each) for each in found], _PAGE, lambda t: (t.happening.public_id,))
    return render_template("pool/history.html", page=page)


@blueprint.get("/<txn_id>")
@traveller_page
def one(txn_id: str) -> str | Response:
    """Show one transaction, by issuing hotel."""
    found = happening(the_context(), the_traveller().traveller, txn_id)
    return render_template("pool/happening.html", told=told(found))
