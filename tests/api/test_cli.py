"""The command line as a person or a script meets it: exit codes, one sentence, nothing half-done."""

import csv
import io
import json
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import psycopg2
import pytest

from api.cli import main
from api.demo import write_sample_packs

KEY = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="
Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(
    database_url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Run:
    monkeypatch.setenv("CLEARINGHOUSE_DATABASE_URL", database_url)
    monkeypatch.setenv("CLEARINGHOUSE_MASTER_KEY", KEY)
    monkeypatch.delenv("CLEARINGHOUSE_DEBUG", raising=False)

    def command(*arguments: object) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["clearinghouse", *map(str, arguments)])
        try:
            main()
            code = 0
        except SystemExit as stop:
            code = int(stop.code or 0)
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return command


@pytest.fixture(scope="module")
def packs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("packs")
    write_sample_packs(folder, travellers=200, lines=1_000)
    return folder


def copy_of(pack: Path, to: Path) -> Path:
    to.mkdir()
    for file in pack.iterdir():
        (to / file.name).write_bytes(file.read_bytes())
    return to


def rows_in_every_table(database_url: str) -> dict[str, int]:
    dsn = database_url.replace("+psycopg2", "")
    counts = {}
    with closing(psycopg2.connect(dsn)) as connection, connection.cursor() as cursor:
        cursor.execute(
            "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace"
            " AND relkind IN ('r', 'p') AND NOT relispartition ORDER BY 1"
        )
        for (table,) in cursor.fetchall():
            cursor.execute(f'SELECT count(*) FROM "{table}"')
            row = cursor.fetchone()
            counts[table] = row[0] if row else -1
    return counts


def test_a_month_from_import_to_statement(run: Run, packs: Path, tmp_path: Path) -> None:
    for month in ("2025-10", "2026-09"):
        pack = copy_of(packs / month, tmp_path / month)
        assert run("import", pack)[0] == 0
        assert run("settle", month, "--out", tmp_path / "out")[0] == 0
    pack = copy_of(packs / "2026-10", tmp_path / "2026-10")
    code, out, err = run("import", pack)
    assert (code, err) == (0, "")
    assert "transactions" in out
    with (pack / "rejections.csv").open(newline="", encoding="utf-8") as file:
        refused = list(csv.DictReader(file))
    assert list(refused[0]) == ["file", "line", "host_hotel", "txn_ref", "code", "message"]

    code, out, err = run("positions", "2026-10", "--format", "json")
    assert code == 0
    before = json.loads(out)
    assert run("settle", "2026-10", "--out", tmp_path / "out")[0] == 0
    code, out, err = run("positions", "2026-10", "--format", "csv")
    after = list(csv.DictReader(io.StringIO(out)))
    assert [{k: str(v) for k, v in row.items()} for row in before] == after
    assert out == (tmp_path / "out/2026-10/positions.csv").read_text(encoding="utf-8")
    assert sum(int(row["net_minor"]) + int(row["fees_minor"]) for row in after) == 0

    target = tmp_path / "maple.csv"
    assert run("statement", "2026-10", "MAPLE", "--format", "csv", "--out", target)[0] == 0
    assert target.read_bytes() == (tmp_path / "out/2026-10/statements/MAPLE.csv").read_bytes()
    code, out, _ = run("statement", "2026-10", "MAPLE", "--format", "camt053", "--out", "-")
    assert code == 0
    stored = tmp_path / "out/2026-10/statements/MAPLE.camt053.xml"
    assert out.encode() == stored.read_bytes()
    assert run("check")[0] == 0

    keys = tmp_path / "out/jwks.json"
    code, out, _ = run("verify", "--keys", keys, target, stored)
    assert (code, out.count("有效 OK · 2026-10 · MAPLE")) == (0, 2)
    target.write_bytes(target.read_bytes() + b"\n")
    code, out, _ = run("verify", "--keys", keys, target, stored)
    assert (code, out.count("OK"), out.count("FAILED")) == (1, 1, 1)


def test_a_proof_that_fails_is_the_exit_code(run: Run, database_url: str) -> None:
    """Through the whole command line: click gives back the code of a command that ends with one."""
    assert run("check")[0] == 0
    dsn = database_url.replace("+psycopg2", "")
    with closing(psycopg2.connect(dsn)) as connection, connection, connection.cursor() as cursor:
        cursor.execute("ALTER TABLE postings DISABLE TRIGGER USER")
    code, out, _ = run("check")
    assert (code, "✗ 1.6" in out) == (1, True)


def test_the_same_pack_twice_changes_nothing(
    run: Run, packs: Path, tmp_path: Path, database_url: str
) -> None:
    pack = copy_of(packs / "2025-10", tmp_path / "pack")
    assert run("import", pack)[0] == 0
    rows, refused = rows_in_every_table(database_url), (pack / "rejections.csv").read_bytes()
    assert run("import", pack)[0] == 0
    again = rows_in_every_table(database_url)
    # An event tells that an import was run; the books know nothing of it.
    assert {**again, "outbox": rows["outbox"]} == rows
    assert (pack / "rejections.csv").read_bytes() == refused


def cut(name: str) -> Callable[[Path], None]:
    return lambda pack: (pack / name).unlink()


def change(name: str, old: str, new: str) -> Callable[[Path], None]:
    def edit(pack: Path) -> None:
        text = (pack / name).read_text(encoding="utf-8")
        assert old in text
        (pack / name).write_text(text.replace(old, new, 1), encoding="utf-8")

    return edit


TRANSACTIONS = "transactions-2025-10.csv"
FAULTS = {
    "no hotels": (cut("hotels.csv"), "hotels.csv"),
    "a column is missing": (change(TRANSACTIONS, ",points", ""), f"{TRANSACTIONS} line 1"),
    "a huge number": (change(TRANSACTIONS, ",\n", "1e30,\n"), f"{TRANSACTIONS} line"),
    "a rate below zero": (
        change("rulebook.json", '"rate_ppm": ', '"rate_ppm": -'),
        "rulebook.json",
    ),
    "a NUL byte": (change(TRANSACTIONS, "spend", "spe\0nd"), f"{TRANSACTIONS} line"),
    "an unknown system": (change("hotels.csv", "SPRUCE,", "NOBODY,"), "hotels.csv line"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_structural_fault_is_one_sentence_and_nothing_is_written(
    run: Run, packs: Path, tmp_path: Path, database_url: str, fault: str
) -> None:
    damage, place = FAULTS[fault]
    pack = copy_of(packs / "2025-10", tmp_path / "pack")
    damage(pack)
    empty = rows_in_every_table(database_url)
    code, out, err = run("import", pack)
    assert (code, out) == (1, "")
    assert err.startswith("error: ")
    assert err.count("\n") == 1
    assert place in err
    assert rows_in_every_table(database_url) == empty
    assert not (pack / "rejections.csv").exists()


@pytest.mark.parametrize(
    ("arguments", "code", "sentence"),
    [
        (("settle", "2026-13"), 2, "is not a month"),
        (("settle", "2026-10"), 1, "rulebook"),
        (("positions", "2026-10"), 1, "nothing is posted in 2026-10"),
        (("statement", "2026-10", "AUR"), 1, "not settled"),
        (("import", "/nowhere/at/all"), 1, "error: "),
        (("statement", "2026-10", "AUR", "--format", "doc"), 2, "doc"),
        (("nonsense",), 2, "nonsense"),
    ],
)
def test_what_cannot_be_done_is_said_in_one_sentence(
    run: Run, arguments: tuple[str, ...], code: int, sentence: str
) -> None:
    found, out, err = run(*arguments)
    assert found == code
    assert sentence in err
    assert "Traceback" not in err
    assert out == ""


def test_an_unreachable_database_is_one_sentence(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLEARINGHOUSE_DATABASE_URL", "postgresql://nobody:secret@127.0.0.1:1/none")
    code, _, err = run("check")
    assert code == 1
    assert err.startswith("error: the database can't be")
    assert "secret" not in err


def test_every_command_explains_itself(run: Run) -> None:
    code, out, _ = run("--help")
    assert code == 0
    commands = [
        line.split()[0] for line in out.partition("Commands:")[2].splitlines() if line.strip()
    ]
    assert {"demo", "import", "settle", "positions", "statement", "check", "db"} <= set(commands)
    for command in commands:
        assert run(command, "--help")[0] == 0, command
