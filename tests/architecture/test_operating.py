"""docs/operating.md names commands, scripts and services that exist; its statement erases a person and nothing else."""

import re
from pathlib import Path

import click
import yaml

from api.cli import cli
from clearinghouse.operations.context import Context
from clearinghouse.operations.prove import prove
from tests.alliances import CARDS, MiniAlliance
from tests.architecture.tree import ROOT

TEXT = (ROOT / "docs" / "operating.md").read_text(encoding="utf-8")
CODE = re.findall(r"`([^`\n]+)`", TEXT) + re.findall(r"```sh\n(.*?)```", TEXT, re.DOTALL)
SERVICES = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))["services"]
#: Commands that the document also calls by their last words alone.
GROUPS = "keys|payment|dispute|risk|system|adjustment|db|rulebook|client"


def command_of(words: list[str]) -> bool:
    """Whether these words begin with a command of ours."""
    command: click.Command | None = cli
    for word in words:
        if not isinstance(command, click.Group):
            return True
        command = command.get_command(click.Context(command), word)
        if command is None:
            return False
    return True


def test_commands_exist() -> None:
    told = [
        match.split()
        for code in CODE
        for match in re.findall(r"(?:^|api |[ ;&]) *clearinghouse ((?:[a-z][a-z-]+ ?){1,2})", code)
    ]
    told += [code.split()[:2] for code in CODE if re.match(rf"({GROUPS}) [a-z-]+", code)]
    assert len(told) > 30
    assert [words for words in told if not command_of(words)] == []


def test_services_and_scripts_exist() -> None:
    table = TEXT[TEXT.index("| service | is |") : TEXT.index("Put a proxy")]
    assert set(re.findall(r"^\| `([a-z-]+)` \|", table, re.MULTILINE)) == SERVICES.keys()
    script = (ROOT / "deploy" / "backup.sh").read_text(encoding="utf-8")
    for word in re.findall(
        r"backup(?:\.sh|-base) (journal|daily|base|healthy|restore|forward)", TEXT
    ):
        assert f"    {word}) " in script
    for name in re.findall(r"deploy/[a-z]+\.sh|tests/[a-z_/]+\.py", TEXT):
        assert (ROOT / name).exists()


def test_the_metrics_that_are_watched_are_told() -> None:
    told = (ROOT / "api" / "http" / "metrics.py").read_text(encoding="utf-8")
    for name in set(re.findall(r"`(clearinghouse_\w+)`", TEXT[TEXT.index("## Watching") :])):
        assert f'"{name.removesuffix("_total")}"' in told


def test_a_person_is_erased_and_the_books_stay_whole(context: Context, tmp_path: Path) -> None:
    alliance = MiniAlliance(context, tmp_path)
    alliance.accept("spend", "AUR-BJ", "1", "T1", "2026-11-03", amount=120_000)
    number = alliance.value(
        "SELECT t.number FROM travellers t JOIN cards c ON c.traveller = t.number WHERE c.masked LIKE %s",
        f"%{CARDS['T1'][-4:]}",
    )
    statement = re.search(r"```sql\n(UPDATE travellers .*?);\n```", TEXT, re.DOTALL)
    assert statement
    with alliance.database.office() as session:
        assert session.run(statement[1].replace(":traveller", "%s"), [number]) == 1
    kept = alliance.rows(
        "SELECT person_key, personal, phone_index FROM travellers WHERE number = %s", number
    )
    assert kept == [(None, None, None)]
    alliance.accept("redeem", "CLD-GZ", "2", "T1", "2026-11-04", points=700)
    assert all(proof.holds for proof in prove(alliance.context))
