"""``clearinghouse dispute``: what systems object to, and how the clearing house decides it."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from api.cli.authority import proposed, signed_by
from api.cli.common import books, write_file
from api.cli.dispute_tables import show_dispute_in_full, show_disputes, show_proposals
from api.cli.money_type import YUAN
from api.cli.tables import FORMAT, print_json
from clearinghouse.domain.disputes import DisputeState
from clearinghouse.domain.errors import NotFound
from clearinghouse.domain.identifiers import id_in
from clearinghouse.domain.money import yuan
from clearinghouse.domain.scopes import OPERATOR
from clearinghouse.operations import confirming, disputing, evidence, judging
from clearinghouse.operations.changing import Authority
from clearinghouse.operations.context import Context
from clearinghouse.operations.dispute_record import PREFIX, Dispute
from clearinghouse.operations.party import Party

#: The clearing house's own people, who see all disputes.
_OFFICE = Party(0, None, None, frozenset({OPERATOR}))
_MOST = 500


@click.group("dispute")
def dispute_commands() -> None:
    """Disputes about lines of published statements.

    \b
    dispute list              what is disputed, and the decisions that wait for a second person
    dispute show ID           what was said, step by step, and the evidence
    dispute evidence ID       writes the files of evidence to a folder
    dispute decide ID …       one person proposes a decision
    dispute confirm NUMBER    another person confirms it; then it is posted, and both systems are told
    dispute withdraw NUMBER   a proposal ends without effect
    dispute remind            tells the parties of disputes that nobody has answered in time

    What is upheld is an adjustment on the next statements of both systems; nothing published is changed.
    """  # noqa: D301  click reads the backspace


@dispute_commands.command("list")
@click.option(
    "--state",
    type=click.Choice([state.value for state in DisputeState]),
    help="Only disputes in this state.",
)
@FORMAT
def list_disputes(state: str | None, format_name: str) -> None:
    """List disputes, the newest first."""
    with books() as context:
        found = disputing.disputes_of(context, _OFFICE, state, None, _MOST)
        waiting = confirming.waiting(context)
    if format_name == "json":
        print_json(
            {
                "disputes": [dispute_document(row) for row in found],
                "proposals": [row._asdict() for row in waiting if row.dispute_id is not None],
            }
        )
        return
    show_disputes(found)
    show_proposals([row for row in waiting if row.dispute_id is not None])


@dispute_commands.command("show")
@click.argument("dispute_id")
@FORMAT
def show_dispute(dispute_id: str, format_name: str) -> None:
    """Show the dispute DISPUTE_ID (dsp_…)."""
    with books() as context:
        found = _found(context, dispute_id)
    if format_name == "json":
        print_json(dispute_document(found))
    else:
        show_dispute_in_full(found)


@dispute_commands.command("evidence")
@click.argument("dispute_id")
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path(),
    help="Folder to write to.  [default: the current one]",
)
def write_evidence(dispute_id: str, out: Path) -> None:
    """Write the files of evidence of the dispute DISPUTE_ID, numbered in the order in which they came.

    They are what the systems have sent: open them with care.
    """
    with books() as context:
        found = _found(context, dispute_id)
        for number, file in enumerate(found.evidence, start=1):
            opened = evidence.open_evidence(context, _OFFICE, found.dispute_id, file.evidence_id)
            path = out / f"{found.id}-{number:02d}-{file.name}"
            write_file(path, [opened.content])
            click.echo(f"{path}  {file.by or 'operator'}  {file.media_type}  sha256:{file.sha256}")
    if not found.evidence:
        click.echo("there is no evidence")


@dispute_commands.command("decide")
@click.argument("dispute_id")
@click.argument("outcome", type=click.Choice(["uphold", "reject"]))
@click.option(
    "--amount", type=YUAN, help="Yuan that the opener is given.  [default: all that it claims]"
)
@proposed
def decide(dispute_id: str, outcome: str, amount: int | None, authority: Authority) -> None:
    """Propose to uphold the dispute DISPUTE_ID, in whole or in part, or to reject it.

    The reason is that of the decision: both systems read it. Another person confirms it.
    """
    if outcome == "reject" and amount is not None:
        raise click.UsageError("a claim that is rejected gives nothing: leave --amount out")
    with books() as context:
        found = _found(context, dispute_id)
        upheld = 0 if outcome == "reject" else amount
        made = confirming.propose_decision(context, found.dispute_id, upheld, authority)
    click.echo(
        f"proposal {made.number}: {outcome} {found.id} with ¥{yuan(made.document['upheld_minor'])} of"
        f" ¥{yuan(found.claimed_minor)}; another person confirms it with: clearinghouse dispute confirm {made.number}"
    )


@click.command("confirm")
@click.argument("number", type=click.IntRange(1, 2**31 - 1))
@signed_by("confirmed")
def confirm(number: int, authority: Authority) -> None:
    """Confirm the proposal NUMBER of another person: it is posted, and told to those whom it concerns."""
    with books() as context:
        done = confirming.confirm(context, number, authority)
    what = (
        f"adjustment {done.adjustment} is posted"
        if done.dispute_state is None
        else f"the dispute is {done.dispute_state}"
    )
    click.echo(f"proposal {number} is confirmed: {what}")


@click.command("withdraw")
@click.argument("number", type=click.IntRange(1, 2**31 - 1))
@signed_by("withdrawn")
def withdraw(number: int, authority: Authority) -> None:
    """End the proposal NUMBER without effect."""
    with books() as context:
        confirming.withdraw(context, number, authority)
    click.echo(f"proposal {number} is withdrawn")


dispute_commands.add_command(confirm)
dispute_commands.add_command(withdraw)


@dispute_commands.command("remind")
def remind() -> None:
    """Tell both parties of every dispute that nobody has answered in time, once; the service does so by itself."""
    with books() as context:
        count = judging.sweep_overdue(context)
    click.echo(f"{count} disputes are overdue since the last time")


def dispute_document(found: Dispute) -> dict[str, Any]:
    """Return a dispute as a script reads it."""
    return {"id": found.id, **asdict(found)}


def _found(context: Context, text: str) -> Dispute:
    dispute_id = id_in(text, PREFIX)
    if dispute_id is None:
        raise NotFound("there is no such dispute")
    return disputing.dispute(context, _OFFICE, dispute_id)
