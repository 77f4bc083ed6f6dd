"""The traveller's pool of points and stored value."""

from __future__ import annotations

from web.pool import home

BLUEPRINTS = (home.blueprint,)
