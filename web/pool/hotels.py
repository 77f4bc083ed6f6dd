"""Where a card is honoured, and how it is treated at the hotel that the traveller picks."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from clearinghouse.domain.traveller_errors import CardAlreadyHeld
from clearinghouse.operations import honouring
from clearinghouse.operations.party import Party
from clearinghouse.operations.traveller_cards import ask_for_card, at_hotel
from web.frame.paging import page_of, place
from web.frame.shared import the_context
from web.frame.showing import named
from web.frame.traveller import the_traveller, traveller_page
from web.pool.cards import chosen_card, own_cards

blueprint = Blueprint("pool_hotels", __name__, url_prefix="/pool/hotels")

_PAGE = 30
_CITIES = 24
_LONGEST = 60
#: Every member, and every traveller, may know all hotels.
_ANYBODY = Party(None, None, None, frozenset())


@blueprint.get("")
@traveller_page
def search() -> str | Response:
    """Find hotels by city or name."""
    text = " ".join(request.args.get("q", "").replace("\x00", "").split())[:_LONGEST]
    after = place((str,))
    found = honouring.hotels(
        the_context(),
        _ANYBODY,
        most=_PAGE + 1,
        after=after[0].replace("\x00", "") if after else None,
        text=text or None,
    )
    return render_template(
        "pool/hotels.html",
        text=text,
        page=page_of(found, _PAGE, lambda hotel: (hotel.code,)),
        cities=honouring.cities(the_context(), _CITIES),
        for_stay="stay" in request.args,
    )


@blueprint.get("/<code>")
@traveller_page
def hotel(code: str) -> str | Response:
    """Show a hotel, how a card is treated there, and what can be spent there."""
    where = honouring.hotel(the_context(), _ANYBODY, code)
    card = chosen_card()
    return render_template(
        "pool/hotel.html",
        where=where,
        card=card,
        cards=own_cards(),
        visit=at_hotel(the_context(), card.card, code),
    )


@blueprint.route("/<code>/card", methods=["GET", "POST"])
@traveller_page
def ask(code: str) -> str | Response | tuple[str, int]:
    """Let the traveller ask for a card of a hotel that they have none of, by themselves."""
    where = honouring.hotel(the_context(), _ANYBODY, code)
    wrong = None
    if request.method == "POST":
        if request.form.get("own_wish") != "yes":
            wrong = _("请确认这是您自己的意愿。")
        else:
            try:
                card = ask_for_card(the_context(), the_traveller().traveller, code)
            except CardAlreadyHeld:
                flash(_("您已持有该系统的会员卡，或一年内申请过多。"), "warn")
                return redirect(url_for("pool_hotels.hotel", code=code))
            flash(_("您已有%(hotel)s的会员卡，积分仍在同一个积分池。", hotel=named(where)), "good")
            return redirect(url_for("pool_hotels.hotel", code=code, card=card.place))
    page = render_template("pool/ask_card.html", where=where, wrong=wrong)
    return (page, 422) if wrong else page
