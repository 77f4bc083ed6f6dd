"""Payments: what is to be paid or received, what the bank has confirmed, and where to pay to."""

from __future__ import annotations

from typing import NamedTuple

from flask import Blueprint, render_template

from clearinghouse.operations.payments.listing import Account, account
from clearinghouse.store.payments.lines import BankLine
from web.console.common import own_system, the_system
from web.frame.shared import the_context, today
from web.frame.staff import console_page

blueprint = Blueprint("console_payments", __name__, url_prefix="/console/payments")

_OPEN = ("open", "partial", "covered")


class Arrived(NamedTuple):
    """What of a line of the bank met the system's payments, in fen, and whether that was collateral."""

    line: BankLine
    amount_minor: int
    periods: tuple[int, ...]
    collateral: bool


@blueprint.get("")
@console_page()
def payments() -> str:
    """Show all payments of the system."""
    context = the_context()
    system = the_system(context.current_directory())
    found = account(context, system.code)
    newest_first = sorted(found.instructions, key=lambda row: -row.instruction.period)
    return render_template(
        "console/payments.html",
        outstanding=[row for row in newest_first if row.instruction.state in _OPEN],
        done=[row for row in newest_first if row.instruction.state not in _OPEN],
        arrived=arrived(found, own_system()),
        credit_minor=found.credit_minor,
        operator=context.operator,
        today=today(),
    )


def arrived(found: Account, system: int) -> list[Arrived]:
    """Return the bank's lines with what of each is this system's; one may be for several."""
    rows = []
    for row in found.lines:
        own = [part for part in row.parts if part.system == system]
        if own:
            rows.append(
                Arrived(
                    row.line,
                    sum(part.amount_minor for part in own),
                    tuple(part.period for part in own if part.period is not None),
                    any(part.collateral for part in own),
                )
            )
    return rows
