"""``clearinghouse export-journal``: the journal as a plain-text ledger."""

from __future__ import annotations

from pathlib import Path

import click

from api.cli.common import PERIOD, books, print_bytes, write_file
from settlement.journal import export_journal as journal_of

_STDOUT = Path("-")


@click.command("export-journal")
@click.argument("period", type=PERIOD)
@click.option(
    "--format",
    expose_value=False,
    type=click.Choice(["hledger"]),
    default="hledger",
    show_default=True,
    help="The ledger's dialect.",
)
@click.option(
    "--out",
    type=click.Path(path_type=Path, dir_okay=False),
    default=_STDOUT,
    help="File to write.  [default: standard output]",
)
def export_journal(period: int, out: Path) -> None:
    """Write the whole journal of the month PERIOD (YYYY-MM) as a plain-text ledger.

    It begins with the balances that earlier months left and ends by asserting those at the month's end, so
    "hledger check" proves it, and "hledger balance" gives the balances of the books. It has no names and no
    card numbers of travellers. A month that is still open is exported as it stands, and says so.
    """
    with books() as context:
        content = journal_of(context, period)
        if out == _STDOUT:
            print_bytes(content)
        else:
            write_file(out, content)
