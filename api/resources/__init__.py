"""The resources of the API: one blueprint a file, each registered here."""

from __future__ import annotations

from api.http.blueprint import Blueprint
from api.resources.authorizations import blueprint as authorizations
from api.resources.batches import blueprint as batches
from api.resources.cards import blueprint as cards
from api.resources.disputes import blueprint as disputes
from api.resources.docs import blueprint as docs
from api.resources.enrolments import blueprint as enrolments
from api.resources.events import blueprint as events
from api.resources.evidence import blueprint as evidence
from api.resources.hotels import blueprint as hotels
from api.resources.oauth import blueprint as oauth
from api.resources.periods import blueprint as periods
from api.resources.service import blueprint as service
from api.resources.transactions import blueprint as transactions
from api.resources.webhooks import blueprint as webhooks

BLUEPRINTS: tuple[Blueprint, ...] = (
    oauth,
    hotels,
    cards,
    enrolments,
    transactions,
    authorizations,
    batches,
    periods,
    disputes,
    evidence,
    events,
    webhooks,
    service,
    docs,
)
