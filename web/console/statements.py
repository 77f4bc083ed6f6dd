"""Statements: the list of months, and each published one as it was signed."""

from __future__ import annotations

from flask import Blueprint, render_template
from werkzeug.exceptions import BadRequest

from clearinghouse.operations.payments.listing import own_instructions
from clearinghouse.operations.signing_keys import STATEMENTS, all_keys, shown
from settlement.published import own_files, periods_seen
from settlement.statements.presentation import payment_rows, to_transfer_minor
from settlement.stored_statement import stored_statement
from web.console.common import month_of, own_system, the_system
from web.frame.paging import Page, page_of, place
from web.frame.shared import the_context
from web.frame.staff import console_page, party

blueprint = Blueprint("console_statements", __name__, url_prefix="/console/statements")

_MONTHS_A_PAGE = 24
#: Rows of one section that a page shows; all of them are in the files.
_ROWS_SHOWN = 200


@blueprint.get("")
@console_page()
def months() -> str:
    """List the months, the newest first, with what each came to and whether it is paid."""
    context = the_context()
    before = place((int,))
    if before is not None and not 0 < before[0] < 10**6:
        raise BadRequest
    rows = periods_seen(
        context, party(), before=before[0] if before else None, most=_MONTHS_A_PAGE + 1
    )
    page: Page[object] = page_of(rows, _MONTHS_A_PAGE, lambda row: (row.period,))
    instructed = {row.instruction.period: row for row in own_instructions(context, own_system())}
    return render_template("console/statements.html", page=page, instructed=instructed)


@blueprint.get("/<period>")
@console_page()
def statement(period: str) -> str:
    """Show a published statement: everything but its lines."""
    context, number, who = the_context(), month_of(period), party()
    found = stored_statement(context, who, number)
    payments = own_instructions(context, own_system(), number)
    return render_template(
        "console/statement.html",
        period=number,
        statement=found,
        files=own_files(context, who, number),
        settling=payment_rows(found.payment) if found.payment else (),
        transfer_minor=to_transfer_minor(found),
        payment=payments[0] if payments else None,
        rows_shown=_ROWS_SHOWN,
    )


@blueprint.get("/verifying")
@console_page()
def verifying() -> str:
    """Tell how to prove that a file is the clearing house's and unchanged."""
    context = the_context()
    keys = [(shown(key.kid, key.public_key), key) for key in all_keys(context, STATEMENTS)]
    code = the_system(context.current_directory()).code
    return render_template("console/verifying.html", keys=keys, code=code)
