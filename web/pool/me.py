"""The traveller's own data: what is known, where they are signed in, and all of it to take along."""

from __future__ import annotations

import json

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from clearinghouse.operations.traveller_access import look_at, sessions, sign_out_everywhere
from clearinghouse.operations.traveller_cards import TravellerCard, cards_of
from clearinghouse.operations.traveller_pool import everything_of, person_of
from web.frame.shared import the_context, today
from web.frame.traveller import let_out, the_traveller, traveller_page

blueprint = Blueprint("pool_me", __name__, url_prefix="/pool/me")


@blueprint.get("")
@traveller_page
def me() -> str | Response:
    """Show it."""
    context, visitor = the_context(), the_traveller()
    return render_template(
        "pool/me.html",
        person=person_of(context, visitor.traveller),
        sessions=sessions(context, visitor),
        pools=_other_pools(),
    )


@blueprint.get("/data.json")
@traveller_page
def data() -> Response | str:
    """Give all that is known of the traveller as a file."""
    text = json.dumps(everything_of(the_context(), the_traveller()), ensure_ascii=False, indent=1)
    name = f"clearinghouse-my-data-{today():%Y%m%d}.json"
    return Response(
        text + "\n",
        content_type="application/json; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


@blueprint.post("/pool")
@traveller_page
def look_at_another() -> Response | str:
    """Look at another pool of the same person."""
    pools = [pool for pool, _cards in _other_pools()]
    text = request.form.get("pool", "")
    if text.isascii() and text.isdigit() and 0 < int(text[:6]) <= len(pools):
        look_at(the_context(), the_traveller(), pools[int(text[:6]) - 1])
        flash(_("现在显示的是您的另一个积分池。"), "good")
    return redirect(url_for("pool_home.home"))


@blueprint.post("/sign-out-everywhere")
@traveller_page
def leave_everywhere() -> Response | str:
    """Sign out of all browsers."""
    sign_out_everywhere(the_context(), the_traveller())
    response = let_out(redirect(url_for("pool_sign_in.ask")))
    flash(_("您已在所有设备上退出。"), "good")
    return response


def _other_pools() -> list[tuple[int, list[TravellerCard]]]:
    visitor = the_traveller()
    others = [pool for pool in visitor.pools if pool != visitor.traveller]
    return [(pool, cards_of(the_context(), pool)) for pool in others]
