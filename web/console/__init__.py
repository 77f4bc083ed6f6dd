"""The finance console of a member system."""

from __future__ import annotations

from web.console import home

BLUEPRINTS = (home.blueprint,)
