"""``clearinghouse adjustment``: corrections that the operator posts without a dispute."""

from __future__ import annotations

import click

from api.cli.authority import proposed
from api.cli.common import PERIOD, books
from api.cli.dispute_tables import show_proposals
from api.cli.disputes import confirm, withdraw
from api.cli.money_type import YUAN
from api.cli.tables import FORMAT, print_json, print_table
from clearinghouse.domain.identifiers import id_in
from clearinghouse.domain.money import yuan
from clearinghouse.operations import confirming
from clearinghouse.operations.changing import Authority
from clearinghouse.operations.confirming import Correction

_US = "operator"


@click.group("adjustment")
def adjustment_commands() -> None:
    """Corrections of published months: entries in the next one, never an edit.

    \b
    adjustment list YYYY-MM      the adjustments of a month, and what waits for a second person
    adjustment propose …         one person proposes a correction
    adjustment confirm NUMBER    another person confirms it; then it is posted
    adjustment withdraw NUMBER   a proposal ends without effect
    """  # noqa: D301  click reads the backspace


@adjustment_commands.command("list")
@click.argument("period", type=PERIOD, required=False)
@FORMAT
def list_adjustments(period: int | None, format_name: str) -> None:
    """List the adjustments of the month PERIOD, and the corrections that wait for a second person."""
    with books() as context:
        found = [] if period is None else confirming.posted(context, period)
        waiting = [row for row in confirming.waiting(context) if row.dispute_id is None]
    if format_name == "json":
        told = [row._asdict() for row in found]
        print_json({"adjustments": told, "proposals": [row._asdict() for row in waiting]})
        return
    if period is not None:
        print_table(
            "调整 Adjustments",
            ("编号 No.", "系统 System", "对方 Counterparty", "种类 Kind", "依据 Reference", "说明 Text",
             "金额(元) Amount (CNY)"),
            [
                (
                    row.number,
                    row.system,
                    row.counterparty or "清算所手续费 operator's fee",
                    row.kind,
                    row.reference,
                    row.text,
                    yuan(row.amount_minor),
                )
                for row in found
            ],
            figures=1,
        )  # fmt: skip
    show_proposals(waiting)


@adjustment_commands.command("propose")
@click.argument("payer")
@click.argument("payee")
@click.argument("amount", type=YUAN)
@click.option("--transaction", metavar="TXN_ID", help="The transaction that is corrected (txn_…).")
@click.option("--leg", "leg_no", type=click.IntRange(1, 100_000), default=1, show_default=True)
@click.option(
    "--reference", help="What is corrected, where it is no transaction: a statement's number."
)
@proposed
def propose(
    payer: str,
    payee: str,
    amount: int,
    transaction: str | None,
    leg_no: int,
    reference: str | None,
    authority: Authority,
) -> None:
    """Propose that PAYER pays PAYEE the AMOUNT (yuan) on their next statements.

    One of the two may be "operator": then it is a fee that is charged (as PAYEE) or given back (as PAYER), with its
    VAT. The reason stands on the statements of both.
    """
    txn_id = None if transaction is None else id_in(transaction, "txn_")
    if transaction is not None and txn_id is None:
        raise click.UsageError("a transaction's id is txn_ and 32 digits, as on the statement")
    correction = Correction(
        None if payer == _US else payer,
        None if payee == _US else payee,
        amount,
        None if txn_id is None else (txn_id, leg_no),
        reference,
    )
    with books() as context:
        made = confirming.propose_correction(context, correction, authority)
    click.echo(
        f"proposal {made.number}: {payer} pays {payee} ¥{yuan(amount)};"
        f" another person confirms it with: clearinghouse adjustment confirm {made.number}"
    )


adjustment_commands.add_command(confirm)
adjustment_commands.add_command(withdraw)
