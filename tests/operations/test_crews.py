"""Workers that are killed, cut off or interrupted: one sentence, and the same command ends well."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from clearinghouse.store.imports import SEQUENCES_LOCK, WORKERS_LOCK
from tests.conftest import Server
from tests.operations.bulk_pack import write_bulk_pack
from tests.operations.dumping import Dump, differing, meaning
from tests.operations.import_command import (
    MANY_LINES,
    MODULE,
    WORKERS_FROM,
    Command,
    answer,
    asking,
    awaited,
    ended,
    ended_well,
    held_up,
    importing,
    killed,
    lives,
    until,
    workers_of,
)

STAYS = "what was committed stays, run it again\n"
WORKER_ENDED = f"error: a process of this import was ended; {STAYS}"
LOST = f"error: the connection to the database was lost; {STAYS}"
INTERRUPTED = "error: interrupted; what was committed stays, and the same command goes on"
SCRIPT = (str(Path(sys.executable).parent / "clearinghouse"),)
#: A shell that closes standard input and output before it becomes the command.
CLOSED = ("sh", "-c", 'exec "$@" <&- >&-', "sh", *MODULE)


@pytest.fixture(scope="module")
def pack(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A pack that is large enough for workers; some of its cards are unknown."""
    folder = tmp_path_factory.mktemp("packs") / "bulk"
    pack = write_bulk_pack(folder, travellers=300, lines=MANY_LINES)
    assert (pack / "transactions-2026-10.csv").stat().st_size > WORKERS_FROM
    return pack


@pytest.fixture(scope="module")
def whole(
    server: Server, pack: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Dump, bytes]]:
    """The books after an import by one process, and its file of rejections."""
    name = server.new_database()
    rejections = tmp_path_factory.mktemp("whole") / "rejections.csv"
    ended_well(importing(server.url(name), pack, rejections, workers=1))
    yield meaning(server.url(name)), rejections.read_bytes()
    server.drop(name)


class Books:
    """The books of a test, into which the pack is imported with any number of workers."""

    def __init__(self, url: str, pack: Path, whole: tuple[Dump, bytes], rejections: Path) -> None:
        self.url = url
        self.pack = pack
        self._whole = whole
        self._rejections = rejections

    def importing(self, workers: int = 2, program: tuple[str, ...] = MODULE) -> Command:
        """Start the command."""
        return importing(self.url, self.pack, self._rejections, workers=workers, program=program)

    def are_whole(self) -> None:
        """They must say what one undisturbed process makes them say; only how files are cut may differ."""
        found, expected = meaning(self.url), dict(self._whole[0])
        for dump in (found, expected):
            dump["files"] = [(*row[:3], row[4]) for row in dump["files"]]
        assert differing(expected, found) == {}
        assert self._rejections.read_bytes() == self._whole[1]

    def end_whole(self) -> None:
        """The same command again must end them."""
        ended_well(self.importing())
        self.are_whole()


@pytest.fixture
def books(database_url: str, pack: Path, whole: tuple[Dump, bytes], tmp_path: Path) -> Books:
    return Books(database_url, pack, whole, tmp_path / "rejections.csv")


def gone(workers: list[int]) -> bool:
    """Whether none of some processes is left."""
    return not any(map(lives, workers))


@pytest.mark.parametrize(
    ("workers", "program"),
    [(2, SCRIPT), (3, MODULE), (2, CLOSED)],
    ids=["console script", "module", "closed input and output"],
)
def test_workers_make_the_books_that_one_process_makes(
    books: Books, workers: int, program: tuple[str, ...]
) -> None:
    ended_well(books.importing(workers, program))
    books.are_whole()


def test_a_script_that_imports_as_it_is_loaded_does_not_wait_for_itself(
    books: Books, tmp_path: Path
) -> None:
    """It does so in a daemonic process, too, which may have no children by ``multiprocessing``."""
    script = tmp_path / "script.py"
    script.write_text(
        "import sys\n"
        "from multiprocessing import get_context\n"
        "from pathlib import Path\n"
        "from clearinghouse.operations.context import Context\n"
        "from clearinghouse.operations.importing import import_pack\n"
        "from clearinghouse.store.database import Database\n"
        "from clearinghouse.store.vault import Vault\n"
        "def work():\n"
        "    import_pack(Context(Database(sys.argv[1]), Vault(bytes(32))), Path(sys.argv[2]), lanes=2)\n"
        "process = get_context('fork').Process(target=work, daemon=True)\n"
        "process.start()\n"
        "process.join()\n"
        "sys.exit(process.exitcode)\n",
        encoding="utf-8",
    )
    root = str(Path(__file__).parents[2])
    done = subprocess.run(
        [sys.executable, str(script), books.url, str(books.pack)],
        env={**os.environ, "PYTHONPATH": root},
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, b"")
    books.end_whole()


def test_a_worker_is_killed(books: Books) -> None:
    with held_up(books.url) as coming:
        command = books.importing()
        until(lambda: coming() == 2, command)
        workers = workers_of(command)
        assert len(workers) == 2
        os.kill(workers[0], signal.SIGKILL)
    assert ended(command) == (1, WORKER_ENDED)
    assert gone(workers)
    books.end_whole()


def test_a_worker_is_killed_while_more_shares_than_workers_are_sent(books: Books) -> None:
    """A file that was cut into three lanes goes on with two workers."""
    with held_up(books.url) as coming:
        command = books.importing(3)
        until(lambda: coming() == 3, command)
        workers = workers_of(command)
        killed(command)
        for worker in workers:
            os.kill(worker, signal.SIGKILL)
    with held_up(books.url) as coming:
        command = books.importing(2)
        until(lambda: coming() == 2, command)
        os.kill(workers_of(command)[0], signal.SIGKILL)
    assert ended(command) == (1, WORKER_ENDED)
    books.end_whole()


def test_the_next_import_waits_for_the_workers_of_one_that_was_killed(books: Books) -> None:
    with asking(books.url) as cursor:
        with held_up(books.url) as coming:
            command = books.importing()
            until(lambda: coming() == 2, command)
            workers = workers_of(command)
            killed(command)
            second = books.importing()
            until(lambda: awaited(cursor, WORKERS_LOCK), second)
            assert all(map(lives, workers))
        ended_well(second)
    assert gone(workers)
    books.are_whole()


def test_the_next_import_waits_for_what_the_server_is_still_committing(books: Books) -> None:
    """All processes are killed while the server commits what they have asked for."""
    with asking(books.url) as cursor, asking(books.url) as holder:
        cursor.execute(
            "CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS"
            " $$ BEGIN PERFORM pg_advisory_xact_lock_shared(1); RETURN NULL; END $$;"
            "CREATE CONSTRAINT TRIGGER slow AFTER INSERT ON import_progress"
            " DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION slow()"
        )

        def committing() -> int:
            cursor.execute(
                "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
                " AND query = 'COMMIT' AND wait_event_type = 'Lock'"
            )
            return answer(cursor)

        holder.execute("BEGIN; SELECT pg_advisory_xact_lock(1)")
        command = books.importing()
        until(lambda: committing() == 2, command)
        workers = workers_of(command)
        for process in (command.pid, *workers):
            os.kill(process, signal.SIGKILL)
        command.wait(timeout=60)
        second = books.importing()
        until(lambda: awaited(cursor, SEQUENCES_LOCK), second)
        holder.execute("COMMIT")
        ended_well(second)
    books.are_whole()


def interrupt(command: Command) -> None:
    """Send what Ctrl-C sends: a signal to the group. A worker in it would answer with a traceback of its own."""
    assert all(os.getpgid(worker) != command.pid for worker in workers_of(command))
    os.killpg(command.pid, signal.SIGINT)


def test_it_is_interrupted_while_workers_start(books: Books) -> None:
    command = books.importing()
    until(lambda: len(workers_of(command)) == 2, command)
    workers = workers_of(command)
    interrupt(command)
    code, said = ended(command)
    assert (code, said.strip()) == (1, INTERRUPTED)
    assert gone(workers)
    books.end_whole()


def test_it_is_interrupted_while_workers_post(books: Books) -> None:
    with held_up(books.url) as coming:
        command = books.importing()
        until(lambda: coming() == 2, command)
        workers = workers_of(command)
        interrupt(command)
        code, said = ended(command)
        assert (code, said.strip()) == (1, INTERRUPTED)
        assert gone(workers)
    books.end_whole()


def test_the_database_is_lost(books: Books) -> None:
    with asking(books.url) as cursor, held_up(books.url) as coming:
        command = books.importing()
        until(lambda: coming() == 2, command)
        cursor.execute(
            "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            " AND query NOT LIKE '%LOCK TABLE%' AND query NOT LIKE '%FROM pg_locks%'"
        )
        assert ended(command) == (1, LOST)
    books.end_whole()


def test_a_server_that_ends_idle_transactions_does_not_end_the_locks_of_an_import(
    books: Books,
) -> None:
    with asking(books.url) as cursor:
        cursor.execute("SELECT current_database()")
        row = cursor.fetchone()
        assert row is not None
        cursor.execute(
            f"ALTER DATABASE \"{row[0]}\" SET idle_in_transaction_session_timeout = '2s'"
        )
        with held_up(books.url) as coming:
            command = books.importing()
            until(lambda: coming() == 2, command)
            time.sleep(2.5)
    ended_well(command)
    books.are_whole()


def test_a_fault_in_a_worker_tells_where_it_was(books: Books) -> None:
    with asking(books.url) as cursor:
        cursor.execute(
            "CREATE FUNCTION fault() RETURNS trigger LANGUAGE plpgsql AS"
            " $$ BEGIN RAISE EXCEPTION 'no'; END $$;"
            "CREATE TRIGGER fault BEFORE INSERT ON import_progress EXECUTE FUNCTION fault()"
        )
        command = importing(
            books.url, books.pack, Path(os.devnull), env={"CLEARINGHOUSE_DEBUG": "1"}
        )
        code, said = ended(command)
        assert code == 1
        assert said.count("error: ") == 1
        assert "In a worker:\nTraceback" in said
        assert "sequence_done" in said
        cursor.execute("DROP FUNCTION fault CASCADE")
    books.end_whole()
