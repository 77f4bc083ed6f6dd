"""The operator's desk."""

from __future__ import annotations

from web.desk import (
    clients,
    drafts,
    health,
    home,
    keys,
    member_forms,
    members,
    periods,
    proposals,
    rulebooks,
    standing,
    transfers,
)
from web.desk.money_pages import MONEY
from web.staff import staff_pages

BLUEPRINTS = (
    home.blueprint,
    members.blueprint,
    member_forms.blueprint,
    standing.blueprint,
    proposals.blueprint,
    transfers.blueprint,
    rulebooks.blueprint,
    drafts.blueprint,
    periods.blueprint,
    *MONEY,
    keys.blueprint,
    clients.blueprint,
    health.blueprint,
    *staff_pages("desk"),
)
