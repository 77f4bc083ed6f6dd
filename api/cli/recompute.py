"""``clearinghouse recompute``: a published period calculated again, and its files proved."""

from __future__ import annotations

import click

from api.cli.common import PERIOD, books, console
from settlement.recompute import recompute

_HOW = {
    "bytes": "字节相同 same bytes",
    "content": "内容相同 same content",
    "figures": "数字相同 same figures",
}


@click.command("recompute")
@click.argument("period", type=PERIOD)
def recompute_period(period: int) -> None:
    """Calculate the published month PERIOD (YYYY-MM) again from postings, and prove its files.

    One line for each set of figures and each file; exit code 1 if one is not what was published. Nothing is written.
    """
    out = console()
    differ = count = 0
    with books() as context:
        for proved in recompute(context, period):
            count += 1
            differ += proved.wrong is not None
            mark = "[red]✗[/red]" if proved.wrong else "[green]✓[/green]"
            said = (
                f"[red]{proved.wrong}[/red]" if proved.wrong else f"[dim]{_HOW[proved.how]}[/dim]"
            )
            out.print(f"  {mark} {proved.path} {said}", soft_wrap=True, highlight=False)
    if differ:
        click.echo(f"error: {differ} of {count} are not what was published", err=True)
        raise click.exceptions.Exit(1)
    out.print(f"复算相符 {count} of {count} are what was published")
