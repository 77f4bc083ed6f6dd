"""The operator's desk."""

from __future__ import annotations

from web.desk import home

BLUEPRINTS = (home.blueprint,)
