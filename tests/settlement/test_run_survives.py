"""A run that is killed anywhere and started again ends with the same bytes and signatures (domain.md §4)."""

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta

import psycopg2
import psycopg2.extensions
import pytest

from clearinghouse.domain.calendar import parse_period
from clearinghouse.operations.close import close
from clearinghouse.operations.context import Context
from clearinghouse.operations.prove import prove
from clearinghouse.store import chunks, staging
from clearinghouse.store.database import Database
from clearinghouse.store.vault import Vault
from settlement import staging as when
from settlement.frozen_run import read_run
from settlement.netting import net_period
from settlement.run import settle
from settlement.staging import stage_ahead
from tests.alliances import MiniAlliance, live_a_while
from tests.conftest import Server
from tests.settlement.lives import (
    ROOT,
    Published,
    books,
    lives_until_done,
    published,
    spend_daily,
)

DECEMBER = parse_period("2026-12")
CUT_OFF = datetime(2027, 1, 21, tzinfo=UTC)


@pytest.fixture(scope="module")
def before(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A database with two published months and a third, in which everything happens that can, ready to be settled."""
    name = server.new_database()
    database = Database(server.url(name))
    terms = {"points_expiry_months": 1, "restore_grace_days": 5}
    folder = tmp_path_factory.mktemp("before")
    alliance = MiniAlliance(Context(database, Vault(bytes(32))), folder, rulebook=terms)
    live_a_while(alliance)
    spend_daily(alliance, "2026-12")
    database.close()
    yield name
    server.drop(name)


@pytest.fixture
def url(server: Server, before: str) -> Iterator[str]:
    """A copy of it."""
    name = server.new_database(template=before)
    yield server.url(name)
    server.drop(name)


@pytest.fixture(scope="module")
def uninterrupted(server: Server, before: str) -> dict[str, Published]:
    name = server.new_database(template=before)
    with books(server.url(name), CUT_OFF) as context:
        settle(context, DECEMBER)
    found = published(server.url(name), DECEMBER)
    server.drop(name)
    return found


@pytest.mark.parametrize("behind", [True, False], ids=["behind a commit", "before the next commit"])
def test_a_run_that_is_killed_at_every_commit_ends_with_the_same_bytes(
    url: str, uninterrupted: dict[str, Published], behind: bool
) -> None:
    """Each of its lives commits once, a stage or a file, and is killed; the next one finds another clock."""
    lives = lives_until_done(url, DECEMBER, CUT_OFF, behind=behind)
    # Closing, expiry, netting, four statements, the other files, publishing: none was skipped.
    assert lives > 8 + len([path for path in uninterrupted if "/" not in path]) - 2
    found = published(url, DECEMBER)
    assert found.keys() == uninterrupted.keys()
    assert [path for path in found if found[path] != uninterrupted[path]] == []
    with books(url, CUT_OFF) as context:
        assert [proof.name_en for proof in prove(context) if not proof.holds] == []


def test_a_month_that_was_staged_ahead_ends_with_the_same_bytes(
    url: str, uninterrupted: dict[str, Published], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Half of a chunk is left to the run, which is killed at every commit."""
    monkeypatch.setattr(staging, "_MOST_LEGS", 4)
    monkeypatch.setattr(when, "_SETTLED", timedelta(0))
    with books(url, datetime(2026, 12, 30, tzinfo=UTC)) as context:
        while stage_ahead(context) is not None:
            pass
        with context.database.office() as session:
            made = chunks.known(session, DECEMBER)
            chunks.undo(session, DECEMBER, 1, "Asia/Shanghai")
        with context.database.office() as session:
            assert not staging.stage(session, DECEMBER, 1, wait=True)
    assert len(made) > 3
    lives_until_done(url, DECEMBER, CUT_OFF, behind=True)
    found = published(url, DECEMBER)
    assert [path for path in uninterrupted if found.get(path) != uninterrupted[path]] == []
    assert found.keys() == uninterrupted.keys()


@pytest.mark.parametrize(("killed", "steps"), [("client", 0), ("backend", 1), ("backend", 4)])
def test_a_run_that_is_killed_while_it_stages_ends_with_the_same_bytes(
    url: str,
    uninterrupted: dict[str, Published],
    monkeypatch: pytest.MonkeyPatch,
    killed: str,
    steps: int,
) -> None:
    """So many steps of staging are done, two a chunk; a run waits in the middle of a later one for a table of ours."""
    monkeypatch.setattr(staging, "_LEAST_LEGS", 1)
    monkeypatch.setattr(staging, "_MOST_LEGS", 3)
    with books(url, CUT_OFF) as context:
        close(context, DECEMBER)
        net_period(context, DECEMBER)
        zone = read_run(context, DECEMBER).rulebook.timezone
        with context.database.office() as session:
            assert staging.begin(session, DECEMBER, zone) > 3
        for step in range(steps):
            with context.database.office() as session:
                staging.stage(session, DECEMBER, step // 2, wait=True)
    command = [sys.executable, "-c", _SETTLE, url, str(DECEMBER), CUT_OFF.isoformat()]
    with (
        closing(psycopg2.connect(url.replace("+psycopg2", ""))) as connection,
        connection.cursor() as cursor,
    ):
        cursor.execute("LOCK TABLE cards IN ACCESS EXCLUSIVE MODE")
        run = subprocess.Popen(command, cwd=ROOT, stderr=subprocess.DEVNULL)
        try:
            backends = _staging(cursor)
            if killed == "client":
                run.kill()
            else:
                cursor.execute(
                    "SELECT pg_terminate_backend(pid) FROM unnest(%s) AS pid", [backends]
                )
            # Whoever else of that run waits for us must not wait for ever.
            connection.rollback()
            assert run.wait(120) != 0
        finally:
            run.kill()
            run.wait()
    with books(url, CUT_OFF) as context:
        settle(context, DECEMBER)
        assert [proof.name_en for proof in prove(context) if not proof.holds] == []
    found = published(url, DECEMBER)
    assert found.keys() == uninterrupted.keys()
    assert [path for path in found if found[path] != uninterrupted[path]] == []


#: A worker of its own that settles a month.
_SETTLE = """
import sys
from datetime import datetime
from clearinghouse.store import staging
from settlement.run import settle
from tests.settlement.lives import books
staging._LEAST_LEGS, staging._MOST_LEGS = 1, 3
with books(sys.argv[1], datetime.fromisoformat(sys.argv[3])) as context:
    settle(context, int(sys.argv[2]))
"""


def _staging(cursor: psycopg2.extensions.cursor) -> list[int]:
    """Wait until somebody who stages waits for us; return the backends that do."""
    for _ in range(1_200):
        # Else a transaction goes on seeing what it saw first.
        cursor.execute("SELECT pg_stat_clear_snapshot()")
        cursor.execute(
            "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
            " AND query LIKE '%INSERT INTO staging.%' AND pg_backend_pid() = ANY (pg_blocking_pids(pid))"
        )
        if backends := [pid for (pid,) in cursor.fetchall()]:
            return backends
        time.sleep(0.05)
    raise AssertionError("nobody stages")
