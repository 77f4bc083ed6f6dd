"""``clearinghouse check``: proving the invariants of domain.md §5 from the tables."""

from __future__ import annotations

import click

from api.cli.authority import account
from api.cli.common import books, console
from clearinghouse.operations.context import Context
from clearinghouse.operations.health import note_check
from clearinghouse.operations.prove import ALL_CHECKS, prove


@click.command("check")
def check() -> None:
    """Prove every invariant from the tables, one line each; exit code 1 if one does not hold."""
    with books() as context:
        failed = broken(context)
        note_check(context, account(), len(ALL_CHECKS), failed)
        if failed:
            raise click.exceptions.Exit(1)


def prove_all(context: Context) -> bool:
    """Print one line for each invariant; tell whether all of them hold."""
    return not broken(context)


def broken(context: Context) -> list[str]:
    """Print one line for each invariant; return the numbers of those that do not hold."""
    out = console()
    out.print("[bold]不变量 Invariants[/bold], 由账本表证明 proved from the tables")
    failed = []
    for proof in prove(context):
        mark = "[green]✓[/green]" if proof.holds else "[red]✗[/red]"
        counted = f"[dim]{proof.checked:,}[/dim]"
        out.print(
            f"  {mark} {proof.number} {proof.name_zh} {proof.name_en} {counted}", soft_wrap=True
        )
        if not proof.holds:
            failed.append(proof.number)
            out.print(f"      [red]{proof.detail}[/red]", soft_wrap=True)
    return failed
