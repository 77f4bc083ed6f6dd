"""The traveller's cards, and a printed one for where there is no signal."""

from __future__ import annotations

from flask import Blueprint, render_template, request
from werkzeug.exceptions import NotFound
from werkzeug.wrappers import Response

from clearinghouse.operations.card_codes import PRINTED_DAYS, print_card
from clearinghouse.operations.traveller_cards import TravellerCard, card_at, cards_of
from clearinghouse.operations.traveller_pool import person_of
from web.frame.shared import the_context
from web.frame.traveller import the_traveller, traveller_page
from web.pool.qr import drawn

blueprint = Blueprint("pool_cards", __name__, url_prefix="/pool/card")


@blueprint.get("")
@traveller_page
def cards() -> str | Response:
    """Show the cards."""
    return render_template("pool/cards.html", cards=own_cards())


@blueprint.get("/print")
@traveller_page
def paper() -> str | Response:
    """Show a card to print."""
    card = chosen_card()
    if not card.is_good:
        return render_template("pool/no_code.html", card=card)
    printed = print_card(the_context(), card.card, card.last_digits)
    return render_template(
        "pool/print.html",
        card=card,
        printed=printed.card,
        text=printed.text,
        picture=drawn(printed.text),
        days=PRINTED_DAYS,
        name=person_of(the_context(), the_traveller().traveller).get("name", ""),
    )


def own_cards() -> list[TravellerCard]:
    """Return the cards of the traveller who looks."""
    return cards_of(the_context(), the_traveller().traveller)


def chosen_card() -> TravellerCard:
    """Return the card that ``?card=`` names by its place among the traveller's own; without it the first good one.

    Raises:
        NotFound: there is none at that place.
        CardUnknown: the traveller has no card there.
    """
    text = request.args.get("card", "")
    if text and not (text.isascii() and text.isdigit() and len(text) < 6):
        raise NotFound
    return card_at(own_cards(), int(text) if text else None)
