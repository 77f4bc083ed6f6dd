"""``clearinghouse card``: what only the operator may do with a card."""

from __future__ import annotations

import click

from api.cli.authority import signed
from api.cli.common import books
from clearinghouse.operations import card_transfers
from clearinghouse.operations.card_transfers import Transfer
from clearinghouse.operations.changing import Authority


@click.group("card")
def card_commands() -> None:
    """Cards, where the operator's approval is needed."""


@card_commands.command("transfer")
@click.argument("hotel")
@click.option(
    "--number",
    prompt="会员卡号 Card number",
    hide_input=True,
    help="The card that ends; asked for, if it is not given.",
)
@click.option("--tier", metavar="CODE", help="Tier of the new card.  [default: by alliance level]")
@signed
def transfer_card(hotel: str, number: str, tier: str | None, authority: Authority) -> None:
    """Let HOTEL issue a card in the place of one of another system, because its holder asks for it.

    The old card ends. The pool is the traveller's and stays. It needs two people: --by and --approved-by.
    """
    with books() as context:
        found = card_transfers.find_card(context, number)
        done = card_transfers.transfer(context, Transfer(found.card, hotel, tier), authority)
    click.echo(
        f"{done.old_masked} of {done.from_system} has ended; {done.new_masked} of {done.to_system}"
        f" stands for it, in tier {done.tier}"
    )
