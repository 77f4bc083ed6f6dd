"""Backups as docs/operating.md tells them: taken while the service posts, and restored to a moment."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import pytest

from clearinghouse.config import Settings
from clearinghouse.operations.opening import opened
from clearinghouse.store.embedded import Endpoint
from clearinghouse.store.embedded.binaries import find_binaries
from tests.alliances import MiniAlliance
from tests.architecture.tree import ROOT
from tests.store.clusters import Cluster, ask
from tests.waiting import wait_until

SCRIPT = ROOT / "deploy" / "backup.sh"


@dataclass
class Backups:
    """The script's commands on the server of a data folder."""

    folder: Path
    endpoint: Endpoint
    env: dict[str, str] = field(init=False)

    def __post_init__(self) -> None:
        programs = find_binaries(None).folder
        self.env = {
            "PATH": f"{programs}:{os.environ['PATH']}",
            "BACKUP_DIR": str(self.folder),
            "BACKUP_KEEP": "1",
            "PGHOST": str(self.endpoint.socket_folder),
            "PGUSER": "clearinghouse_backup",
            "PGDATABASE": "clearinghouse",
        }

    def run(self, *words: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            ["sh", str(SCRIPT), *words], env=self.env, capture_output=True, text=True, check=False
        )

    def do(self, *words: str) -> str:
        done = self.run(*words)
        assert done.returncode == 0, done.stderr
        return done.stdout

    @contextmanager
    def receiving(self) -> Iterator[None]:
        process = subprocess.Popen(
            ["sh", str(SCRIPT), "journal"],
            env=self.env,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        try:
            wait_until(lambda: self.number("SELECT count(*) FROM pg_stat_replication") == 1)
            yield
        finally:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()

    def number(self, statement: str) -> int:
        return int(ask(self.endpoint, statement, "postgres"))

    def all_is_received(self) -> bool:
        return bool(
            ask(
                self.endpoint,
                "SELECT bool_and(flush_lsn >= pg_current_wal_lsn()) FROM pg_stat_replication",
                "postgres",
            )
        )


@pytest.fixture
def lived(tmp_path: Path) -> Iterator[Cluster]:
    cluster = Cluster(tmp_path / "books")
    endpoint = cluster.start()
    ask(endpoint, "CREATE ROLE clearinghouse_backup LOGIN REPLICATION", "postgres")
    yield cluster
    cluster.close()


def posted(settings: Settings) -> list[str]:
    with opened(settings) as context, context.database.office() as session:
        return [row[0] for row in session.rows("SELECT txn_ref FROM transactions ORDER BY txn_ref")]


def run_check(cluster: Cluster) -> None:
    command = [sys.executable, "-m", "api.cli", "check"]
    env = {**os.environ, "CLEARINGHOUSE_DATA_DIR": str(cluster.data_dir)}
    done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_books_come_back_as_they_were_at_a_moment_and_as_they_were_last(
    lived: Cluster, tmp_path: Path
) -> None:
    backups = Backups(tmp_path / "it's 100% safe", lived.start())
    with opened(lived.settings) as context, backups.receiving():
        alliance = MiniAlliance(context, tmp_path)
        alliance.accept("spend", "AUR-BJ", "R1", "T1", "2026-11-03", amount=120000)
        assert "too old" in backups.run("healthy").stderr
        backups.do("base")
        alliance.accept("redeem", "CLD-GZ", "R2", "T1", "2026-11-04", points=500)
        moment: datetime = ask(backups.endpoint, "SELECT clock_timestamp()")
        alliance.accept("redeem", "CLD-GZ", "R3", "T1", "2026-11-05", points=700)
        wait_until(backups.all_is_received)
        backups.do("healthy")
        told = backups.number("SELECT max(xact::text::bigint) FROM outbox")
    assert "not being received" in backups.run("healthy").stderr
    # The machine is lost: all that is left is the backup, and the master key, which is kept elsewhere.
    lived.close()
    key = (lived.data_dir / "master.key").read_bytes()
    shutil.rmtree(lived.data_dir)

    for name, when, refs in (
        ("then", f"{moment:%Y-%m-%d %H:%M:%S.%f%z}", ["R1", "R2"]),
        ("last", "", ["R1", "R2", "R3"]),
    ):
        restored = Cluster(tmp_path / name)
        restored.layout.root.mkdir(parents=True)
        (restored.data_dir / "master.key").write_bytes(key)
        backups.do("restore", str(restored.layout.cluster), *([when] if when else []))
        try:
            backups.endpoint = restored.start()
            assert posted(restored.settings) == refs
            run_check(restored)
            # Who has read events so far must not find new ones before the place that they have read.
            Backups(tmp_path / "other", backups.endpoint).do("forward", "500")
            assert backups.number("SELECT pg_current_xact_id()::text::bigint") > told
        finally:
            restored.close()


def test_what_is_too_old_is_removed_and_journal_with_it(lived: Cluster, tmp_path: Path) -> None:
    backups = Backups(tmp_path / "backup", lived.start())
    with backups.receiving():
        backups.do("base")
        first = backups.do("list").split()
        oldest = min(path.name for path in (tmp_path / "backup/journal").iterdir())
        ask(backups.endpoint, "SELECT pg_switch_wal()", "postgres")
        # Names are of a second: the next one needs another.
        wait_until(lambda: time.strftime("%Y%m%dT%H%M%SZ", time.gmtime()) not in " ".join(first))
        backups.do("base")
        second = backups.do("list").split()
        assert (len(second), second == first) == (1, False)
        assert not (tmp_path / "backup/journal" / oldest).exists()
    refused = backups.run("restore", str(tmp_path / "new"), "2026-01-01 00:00:00+08")
    assert "no base backup from before" in refused.stderr
    assert "is there already" in backups.run("restore", str(tmp_path)).stderr
    assert "is no moment" in backups.run("restore", str(tmp_path / "new"), "soon-ish").stderr
    assert backups.run("restore").returncode != 0
    assert backups.run().returncode == 2


def test_a_backup_that_does_not_hold_what_it_says_is_not_one(
    lived: Cluster, tmp_path: Path
) -> None:
    backups = Backups(tmp_path / "backup", lived.start())
    tools = tmp_path / "tools"
    tools.mkdir()
    (tools / "pg_verifybackup").write_text("#!/bin/sh\nexit 1\n")
    (tools / "pg_verifybackup").chmod(0o755)
    backups.env["PATH"] = f"{tools}:{backups.env['PATH']}"
    assert backups.run("base").returncode == 1
    assert backups.do("list") == ""
