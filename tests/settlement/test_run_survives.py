"""A run that is killed anywhere and started again ends with the same bytes (domain.md §4)."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import psycopg2
import pytest

from api.demo import write_sample_packs
from clearinghouse.domain.calendar import parse_period
from clearinghouse.operations.context import Context
from clearinghouse.operations.importing import import_pack
from clearinghouse.store.database import Database
from clearinghouse.store.vault import Vault
from settlement.run import files_of, read_file, settle
from tests.conftest import Server

MONTH = "2026-10"
PERIOD = parse_period(MONTH)
KEY = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="

#: Where the run is killed: as soon as this query answers with true.
MOMENTS = {
    "closing": "SELECT EXISTS (SELECT FROM periods WHERE state = 'closing')",
    "expiring": "SELECT EXISTS (SELECT FROM entries WHERE kind = 'expiry')",
    "netted": "SELECT EXISTS (SELECT FROM periods WHERE period = {period} AND state = 'netted')",
    "first statement": "SELECT EXISTS (SELECT FROM period_files WHERE period = {period})",
    "half of the statements": "SELECT count(*) > 26 FROM period_files WHERE period = {period}",
    "stated": "SELECT EXISTS (SELECT FROM periods WHERE period = {period} AND state = 'stated')",
}


@pytest.fixture(scope="module")
def before(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A database that is ready to settle the sample's October."""
    name = server.new_database()
    folder = tmp_path_factory.mktemp("packs")
    facts = write_sample_packs(folder, travellers=300, lines=1_500)
    database = Database(server.url(name))
    context = Context(database, Vault(bytes(32)))
    for pack in facts.packs:
        import_pack(context, pack.folder)
        if pack.period != MONTH:
            settle(context, parse_period(pack.period))
    database.close()
    yield name
    server.drop(name)


def everything(server: Server, name: str) -> dict[str, bytes]:
    database = Database(server.url(name))
    context = Context(database, Vault(bytes(32)))
    try:
        return {
            file.path: b"".join(read_file(context, PERIOD, file.path))
            for file in files_of(context, PERIOD)
        }
    finally:
        database.close()


def settling(url: str, out: Path) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(
        [sys.executable, "-m", "api.cli", "settle", MONTH, "--out", str(out)],
        env={**os.environ, "CLEARINGHOUSE_DATABASE_URL": url, "CLEARINGHOUSE_MASTER_KEY": KEY},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        cwd=Path(__file__).parents[2],
    )


@pytest.fixture(scope="module")
def uninterrupted(
    server: Server, before: str, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, bytes]:
    name = server.new_database(template=before)
    command = settling(server.url(name), tmp_path_factory.mktemp("whole"))
    _, errors = command.communicate(timeout=120)
    assert command.returncode == 0, errors
    found = everything(server, name)
    server.drop(name)
    return found


@pytest.mark.parametrize("moment", MOMENTS)
def test_a_killed_run_goes_on_to_the_same_bytes(
    server: Server, before: str, uninterrupted: dict[str, bytes], tmp_path: Path, moment: str
) -> None:
    name = server.new_database(template=before)
    url = server.url(name)
    command = settling(url, tmp_path)
    question = MOMENTS[moment].format(period=PERIOD)
    killed = False
    with closing(psycopg2.connect(url.replace("+psycopg2", ""))) as connection:
        connection.autocommit = True
        with connection.cursor() as cursor:
            while command.poll() is None and not killed:
                cursor.execute(question)
                row = cursor.fetchone()
                if row and row[0]:
                    command.send_signal(signal.SIGKILL)
                    killed = True
                time.sleep(0.001)
    command.communicate(timeout=60)
    assert killed, "the run was over before the moment came"

    again = settling(url, tmp_path)
    _, errors = again.communicate(timeout=120)
    assert again.returncode == 0, errors
    found = everything(server, name)
    server.drop(name)
    assert found.keys() == uninterrupted.keys()
    assert [path for path in found if found[path] != uninterrupted[path]] == []
    written = {
        str(path.relative_to(tmp_path / MONTH)): path.read_bytes()
        for path in (tmp_path / MONTH).rglob("*")
        if path.is_file()
    }
    assert written == uninterrupted


def test_a_settled_month_is_served_as_it_was_published(
    server: Server, before: str, uninterrupted: dict[str, bytes], tmp_path: Path
) -> None:
    name = server.new_database(template=before)
    for attempt in ("first", "second"):
        command = settling(server.url(name), tmp_path / attempt)
        _, errors = command.communicate(timeout=120)
        assert command.returncode == 0, errors
    first, second = (
        {path.name: path.read_bytes() for path in (tmp_path / attempt).rglob("*") if path.is_file()}
        for attempt in ("first", "second")
    )
    server.drop(name)
    assert first == second
    assert len(first) == len(uninterrupted)
