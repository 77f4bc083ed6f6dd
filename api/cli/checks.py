"""``clearinghouse check``: proving the invariants of domain.md §5 from the tables."""

from __future__ import annotations

import click

from api.cli.common import books, console
from clearinghouse.operations.context import Context
from clearinghouse.operations.prove import prove


@click.command("check")
def check() -> None:
    """Prove every invariant from the tables, one line each; exit code 1 if one does not hold."""
    with books() as context:
        if not prove_all(context):
            raise click.exceptions.Exit(1)


def prove_all(context: Context) -> bool:
    """Print one line for each invariant; tell whether all of them hold."""
    out = console()
    out.print("[bold]不变量 Invariants[/bold], 由账本表证明 proved from the tables")
    holds = True
    for proof in prove(context):
        mark = "[green]✓[/green]" if proof.holds else "[red]✗[/red]"
        counted = f"[dim]{proof.checked:,}[/dim]"
        out.print(
            f"  {mark} {proof.number} {proof.name_zh} {proof.name_en} {counted}", soft_wrap=True
        )
        if not proof.holds:
            holds = False
            out.print(f"      [red]{proof.detail}[/red]", soft_wrap=True)
    return holds
