"""Books with a published month and one that may be closed, and the commands that sign and verify."""

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import psycopg2
from click.testing import CliRunner

from api.cli.verify import verify
from clearinghouse.config import Settings
from clearinghouse.domain.calendar import parse_period
from clearinghouse.operations import signing_keys
from clearinghouse.operations.changing import Authority
from clearinghouse.operations.context import Context
from clearinghouse.operations.prove import ALL_CHECKS
from clearinghouse.operations.signing_keys import STATEMENTS, rotate
from clearinghouse.store import signatures
from settlement.recompute import recompute
from tests.api.office import Office

SEPTEMBER, OCTOBER, NOVEMBER = map(parse_period, ("2026-09", "2026-10", "2026-11"))
WHY = Authority("示例", "test")
NOW = datetime(2026, 11, 8, tzinfo=UTC)


@dataclass
class Books:
    """A copy of the books, a month later, and the operator's commands on it."""

    context: Context
    office: Office
    out: Path

    def rotate(self, *, compromised: bool = False, purpose: str = STATEMENTS) -> str:
        return rotate(self.context, purpose, WHY, compromised=compromised)

    def key_of(self, period: int) -> str | None:
        """The key that signs a period."""
        with self.context.database.office() as session:
            found = signatures.key_of(session, period)
        return found and found[0]

    def named(self, period: int) -> str | None:
        """The key whose fingerprint the files of a period say."""
        with self.context.database.office() as session:
            found = signing_keys.signing_key(session, period)
        return found and found.kid

    def differing(self, period: int) -> list[str]:
        """The files of a published period that are not the same when they are made again."""
        return [file.path for file in recompute(self.context, period) if file.wrong]

    def tamper(self, statement: str) -> None:
        """Do as the owner of the tables what nobody may."""
        url = self.context.database.owner_url.replace("+psycopg2", "", 1)
        with psycopg2.connect(url) as connection, connection.cursor() as cursor:
            for able in ("DISABLE", "ENABLE"):
                for table in ("positions", "period_file_chunks"):
                    cursor.execute(f"ALTER TABLE {table} {able} TRIGGER USER")
                if able == "DISABLE":
                    cursor.execute(statement)
                    assert cursor.rowcount
        connection.close()

    def verified(self, *arguments: object) -> tuple[int, list[str]]:
        """Run ``verify``; its exit code and lines."""
        words = [str(argument) for argument in arguments]
        nowhere = Settings(self.out / "elsewhere", database_url="postgresql://nobody@127.0.0.1:1/x")
        result = CliRunner().invoke(verify, words, obj=nowhere)
        assert result.exception is None or isinstance(result.exception, SystemExit), result
        return result.exit_code, result.stdout.splitlines()

    def failing(self) -> list[str]:
        """The numbers of the checks of files that do not hold."""
        found = []
        for check in ALL_CHECKS:
            if check.number in ("1.6", "7.3", "7.4", "7.5", "8.3"):
                with self.context.database.office() as session:
                    if check.run(session).wrong:
                        found.append(check.number)
        return found


def all_files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file() and path.suffix != ".sig")
