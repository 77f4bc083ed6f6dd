"""The command ``import`` as a process of its own, what it starts, and ways to stop it at a moment of one's choice."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

import psycopg2
from psycopg2 import extensions

ROOT = Path(__file__).parents[2]
MODULE = (sys.executable, "-m", "api.cli")
#: Bytes of transactions from which on the command starts workers here.
WORKERS_FROM = 360_000
#: A pack of so many lines of ``write_bulk_pack`` has more than that.
MANY_LINES = 5_200

Command = subprocess.Popen[bytes]
Cursor = extensions.cursor


def importing(
    url: str,
    pack: Path,
    rejections: Path,
    *,
    workers: int = 2,
    program: Sequence[str] = MODULE,
    env: Mapping[str, str] | None = None,
) -> Command:
    """Start the command, in a process group of its own as a shell does."""
    return subprocess.Popen(
        [*program, "import", str(pack), "--rejections", str(rejections)],
        env={
            **os.environ,
            "CLEARINGHOUSE_DATABASE_URL": url,
            "CLEARINGHOUSE_MASTER_KEY": "A" * 43 + "=",
            "CLEARINGHOUSE_IMPORT_WORKERS": str(workers),
            "CLEARINGHOUSE_IMPORT_WORKERS_FROM": str(WORKERS_FROM),
            **(env or {}),
        },
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        cwd=ROOT,
        start_new_session=True,
    )


def ended(command: Command) -> tuple[int, str]:
    """Wait for the command: its exit code and what it said. Orphans of it that still run are waited for, too."""
    _, errors = command.communicate(timeout=120)
    return command.returncode, errors.decode()


def ended_well(command: Command) -> None:
    """Wait for the command; it must succeed and have nothing to say."""
    code, said = ended(command)
    assert (code, said) == (0, ""), said


def killed(command: Command) -> None:
    """Kill the command, not its workers."""
    command.send_signal(signal.SIGKILL)
    command.wait(timeout=60)
    if command.stderr is not None:
        command.stderr.close()


def workers_of(command: Command) -> list[int]:
    """The process ids of its workers that live."""
    text = Path(f"/proc/{command.pid}/task/{command.pid}/children").read_text(encoding="ascii")
    return [pid for pid in map(int, text.split()) if b"Connection(0)" in _arguments(pid)]


def lives(pid: int) -> bool:
    """Whether a process still runs; a zombie does not."""
    return bool(_arguments(pid))


def _arguments(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except (FileNotFoundError, ProcessLookupError):
        return b""


def until(question: Callable[[], object], command: Command | None = None) -> None:
    """Wait until the answer is true; the command must not end before."""
    limit = time.monotonic() + 60
    while not question():
        assert time.monotonic() < limit, "it never came to that"
        assert command is None or command.poll() is None, ended(command)
        time.sleep(0.002)


@contextmanager
def asking(url: str) -> Iterator[Cursor]:
    """A cursor of a connection of its own, each statement a transaction."""
    with closing(psycopg2.connect(url.replace("+psycopg2", ""))) as connection:
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute("SET idle_in_transaction_session_timeout = 0")
            yield cursor


@contextmanager
def held_up(url: str) -> Iterator[Callable[[], int]]:
    """Let no sequence get past its end for a while; yields a function that counts those that have come so far."""
    with asking(url) as cursor, asking(url) as holder:
        holder.execute("BEGIN; LOCK TABLE import_progress IN SHARE MODE")

        def count() -> int:
            cursor.execute(
                "SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = 'import_progress'::regclass"
            )
            return answer(cursor)

        yield count


def awaited(cursor: Cursor, lock: int) -> bool:
    """Whether somebody waits for an advisory lock of this database."""
    cursor.execute(
        "SELECT count(*) FROM pg_locks WHERE NOT granted AND locktype = 'advisory' AND objid = %s"
        " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())",
        [lock],
    )
    return answer(cursor) > 0


def answer(cursor: Cursor) -> int:
    """The number that was asked for."""
    row = cursor.fetchone()
    assert row is not None
    return int(row[0])
