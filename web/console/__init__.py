"""The finance console of a member system."""

from __future__ import annotations

from web.console import (
    disputes,
    downloads,
    home,
    line,
    lines,
    payments,
    rules,
    statements,
    stays,
)
from web.staff import staff_pages

BLUEPRINTS = (
    home.blueprint,
    statements.blueprint,
    lines.blueprint,
    line.blueprint,
    downloads.blueprint,
    payments.blueprint,
    disputes.blueprint,
    rules.blueprint,
    stays.blueprint,
    *staff_pages("console"),
)
