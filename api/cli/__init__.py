"""The command ``clearinghouse``: exit code 0, 1 where something is refused or fails, 2 for wrong usage."""

from __future__ import annotations

import os
import sys
import traceback
from importlib import import_module

import click

from clearinghouse.domain.errors import ClearinghouseError

_DEBUG = "CLEARINGHOUSE_DEBUG"
#: Where each command is. It is loaded when it is asked for: all of them together take a second to load.
_COMMANDS = {
    "demo": "demo:demo",
    "serve": "serve:serve",
    "worker": "worker:worker",
    "beat": "worker:beat",
    "import": "imports:import_pack_command",
    "settle": "books:settle_period",
    "stage-ahead": "ahead:stage_open_months",
    "positions": "books:positions",
    "statement": "books:statement",
    "balance": "balance:balance",
    "check": "checks:check",
    "verify": "verify:verify",
    "verify-card": "verify_card:verify_card_command",
    "recompute": "recompute:recompute_period",
    "export-journal": "journal:export_journal",
    "system": "operator:system_commands",
    "hotel": "operator:hotel_commands",
    "rulebook": "operator:rulebook_commands",
    "card": "cards:card_commands",
    "payment": "payments:payment_commands",
    "dispute": "disputes:dispute_commands",
    "adjustment": "adjustments:adjustment_commands",
    "risk": "risk:risk_commands",
    "client": "clients:client_commands",
    "user": "users:user_commands",
    "keys": "keys:keys_commands",
    "db": "db:db_commands",
}


class _Commands(click.Group):
    """Commands that are loaded one by one, by name."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - as click calls it
        """Return the names of all commands."""
        return sorted(_COMMANDS)

    def get_command(
        self,
        ctx: click.Context,  # noqa: ARG002 - as click calls it
        cmd_name: str,
    ) -> click.Command | None:
        """Load a command."""
        place = _COMMANDS.get(cmd_name)
        if place is None:
            return None
        module, _, name = place.partition(":")
        command: click.Command = getattr(import_module(f"{__name__}.{module}"), name)
        return command


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="hotel-clearinghouse", message="%(version)s")
def cli() -> None:
    """酒店联盟清算所 · Hotel Alliance Clearing House.

    Member hotels honour each other's cards and pool their travellers' points; every month is settled with one
    net amount per hotel system. What was not exchanged costs nothing (非交换不收费).
    """


def main() -> None:
    """Run the command line; whatever goes wrong is one sentence on standard error."""
    try:
        # Outside its standalone mode click returns the code of Exit; a command returns nothing of its own.
        code = cli.main(standalone_mode=False)
        if code is not None:
            sys.exit(code)
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
