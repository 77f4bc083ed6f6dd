"""The transfer of a card holder to another system, where the operator approves it (domain.md §1 principle 3)."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from clearinghouse.domain.errors import OperatorRefused
from clearinghouse.operations import card_transfers, registry, two_people
from clearinghouse.operations.card_transfers import CardFound
from web.desk import proposals
from web.desk.forms import attempt, must_be_sure, typed
from web.frame.shared import the_context
from web.frame.staff import Role, authority, desk_page

blueprint = Blueprint("desk_transfers", __name__, url_prefix="/desk/transfers")


@blueprint.route("/", methods=["GET", "POST"])
@desk_page(Role.FINANCE, Role.ADMIN)
def transfer() -> str | Response:
    """Propose a transfer; the card's number is in the form only, and kept nowhere."""
    refused = None
    if request.method == "POST":
        found, refused = attempt(_propose)
        if found is not None:
            flash(_("已提出转移 %(card)s，待另一位同事复核。", card=found.masked), "good")
            return redirect(url_for("desk_transfers.transfer"))
    return render_template(
        "desk/transfer.html",
        hotels=[row for row in registry.hotels(the_context()) if row.system_code],
        chosen=typed("hotel"),
        tier=typed("tier"),
        refused=refused,
        proposals=[row for row in proposals.rows() if row.what == "card.transfer"],
    )


def _propose() -> CardFound:
    must_be_sure()
    found = card_transfers.find_card(the_context(), typed("card"))
    hotel = next((r for r in registry.hotels(the_context()) if r.code == typed("hotel")), None)
    if hotel is None or hotel.system_code is None:
        raise OperatorRefused(_("请选择新发卡酒店"))
    if hotel.system_code == found.system:
        raise OperatorRefused(_("这张卡已属于该系统；挂失补卡由本系统办理"))
    values = {
        "card": found.card,
        "card_masked": found.masked,
        "hotel": typed("hotel"),
        "tier": typed("tier") or None,
    }
    two_people.propose(the_context(), "card.transfer", values, authority(typed("reason")))
    return found
