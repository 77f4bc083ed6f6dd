"""The traveller's pool of points and stored value."""

from __future__ import annotations

from web.pool import cards, code, history, home, hotels, me, sign_in, stays

BLUEPRINTS = (
    sign_in.blueprint,
    home.blueprint,
    history.blueprint,
    cards.blueprint,
    code.blueprint,
    hotels.blueprint,
    stays.blueprint,
    me.blueprint,
)
