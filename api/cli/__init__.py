"""The command ``clearinghouse``: exit code 0, 1 where something is refused or fails, 2 for wrong usage."""

from __future__ import annotations

import os
import sys
import traceback

import click

from api.cli.balance import balance
from api.cli.books import positions, settle_period, statement
from api.cli.checks import check
from api.cli.clients import client_commands, keys_commands
from api.cli.db import db_commands
from api.cli.demo import demo
from api.cli.imports import import_pack_command
from api.cli.journal import export_journal
from api.cli.operator import hotel_commands, rulebook_commands, system_commands
from api.cli.serve import serve
from clearinghouse.domain.errors import ClearinghouseError

_DEBUG = "CLEARINGHOUSE_DEBUG"


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="hotel-clearinghouse", message="%(version)s")
def cli() -> None:
    """酒店联盟清算所 · Hotel Alliance Clearing House.

    Member hotels honour each other's cards and pool their travellers' points; every month is settled with one
    net amount per hotel system. What was not exchanged costs nothing (非交换不收费).
    """


for _command in (
    demo,
    serve,
    import_pack_command,
    settle_period,
    positions,
    statement,
    balance,
    check,
    export_journal,
    system_commands,
    hotel_commands,
    rulebook_commands,
    client_commands,
    keys_commands,
    db_commands,
):
    cli.add_command(_command)


def main() -> None:
    """Run the command line; whatever goes wrong is one sentence on standard error."""
    try:
        cli.main(standalone_mode=False)
    except click.exceptions.Exit as stop:
        sys.exit(stop.exit_code)
    except click.ClickException as wrong:
        wrong.show()
        sys.exit(wrong.exit_code)
    except ClearinghouseError as refused:
        click.echo(f"error: {refused.message}", err=True)
        sys.exit(1)
    except (click.Abort, KeyboardInterrupt):
        click.echo(
            "error: interrupted; what was committed stays, and the same command goes on", err=True
        )
        sys.exit(1)
    except BrokenPipeError:
        # Whoever read our output has gone: nothing is left to say, and nobody to say it to.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
    except Exception as failure:  # noqa: BLE001 - a person never sees a traceback, unless they ask for it
        if os.environ.get(_DEBUG):
            traceback.print_exc()
        click.echo(
            f"error: something went wrong that should not ({type(failure).__name__});"
            f" set {_DEBUG}=1 and run it again to see where",
            err=True,
        )
        sys.exit(1)
