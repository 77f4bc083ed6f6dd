"""The code for the desk: a QR code that changes before its minute is over."""

from __future__ import annotations

from flask import Blueprint, render_template
from werkzeug.wrappers import Response

from clearinghouse.domain.errors import CardNotActive
from clearinghouse.operations.card_codes import SHOWN_SECONDS, show_code
from web.frame.shared import the_context
from web.frame.traveller import traveller_page
from web.pool.cards import chosen_card, own_cards
from web.pool.qr import drawn, picture

blueprint = Blueprint("pool_code", __name__, url_prefix="/pool/code")

#: A new one comes so much before the former one ends, for a desk that is just reading it.
_EVERY = SHOWN_SECONDS - 15


@blueprint.get("")
@traveller_page
def code() -> str | Response:
    """Show a code of a card."""
    card = chosen_card()
    if not card.is_good:
        return render_template("pool/no_code.html", card=card)
    shown = show_code(the_context(), card.card)
    return render_template(
        "pool/code.html",
        card=card,
        others=[other for other in own_cards() if other.is_good and other.place != card.place],
        picture=drawn(shown.text),
        seconds=SHOWN_SECONDS,
        every=_EVERY,
    )


@blueprint.get("/picture")
@traveller_page
def fresh() -> Response | str:
    """Give a new code as a picture alone, for the script of the page."""
    try:
        shown = show_code(the_context(), chosen_card().card)
    except CardNotActive:
        return Response(status=410)
    return Response(picture(shown.text), content_type="image/svg+xml")
