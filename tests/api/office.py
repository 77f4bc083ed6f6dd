"""The commands as the operator runs them, on the books of a test."""

import json
from pathlib import Path
from typing import Any

import click
from click.testing import CliRunner, Result

from clearinghouse.config import Settings
from clearinghouse.domain.errors import ClearinghouseError


class Office:
    """Runs commands on one database, whose vault has the key of the test's context."""

    def __init__(self, database_url: str, folder: Path) -> None:
        self._settings = Settings(folder, database_url=database_url, master_key=bytes(32))

    def result(self, command: click.Command, *arguments: object) -> Result:
        """Run a command, whatever comes of it."""
        return CliRunner().invoke(command, [str(a) for a in arguments], obj=self._settings)

    def run(self, command: click.Command, *arguments: object) -> str:
        """Run a command that must succeed; what it prints."""
        result = self.result(command, *arguments)
        assert result.exit_code == 0, (result.output, result.exception)
        return result.stdout

    def json(self, command: click.Command, *arguments: object) -> Any:
        """Run a command that must print JSON."""
        return json.loads(self.run(command, *arguments))

    def refusal(self, command: click.Command, *arguments: object) -> str:
        """Run a command that must be refused; its one sentence, as the command line shows it."""
        result = self.result(command, *arguments)
        assert isinstance(result.exception, ClearinghouseError), (result.output, result.exception)
        assert result.stdout == ""
        assert "\n" not in result.exception.message
        return result.exception.message

    def misuse(self, command: click.Command, *arguments: object) -> str:
        """Run a command that must be wrong usage; what it says."""
        result = self.result(command, *arguments)
        assert result.exit_code == 2, (result.output, result.exception)
        return result.stderr
