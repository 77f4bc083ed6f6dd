"""Runs that are killed: on copies of one small alliance whose month is ready to be settled, and what they leave."""

import os
import signal
import subprocess
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

from sqlalchemy import Engine

from clearinghouse.operations.changing import Authority
from clearinghouse.operations.context import Context
from clearinghouse.operations.signing_keys import STATEMENTS, rotate
from clearinghouse.store.database import Database, Session
from clearinghouse.store.vault import Vault
from settlement.run import files_of, read_file, settle, signatures_of
from tests.alliances import MiniAlliance

_MOST = 200
ROOT = Path(__file__).resolve().parents[2]
_ANY_TIME = datetime(2030, 1, 1, tzinfo=UTC)


class Published(NamedTuple):
    """A published file: its bytes and its signature."""

    content: bytes
    signature: bytes | None


class Mortal(Database):
    """A database whose process is killed at a commit of something written: behind it, or before the next."""

    def __init__(self, url: str, *, commits: int, behind: bool) -> None:
        super().__init__(url)
        self._left = commits
        self._behind = behind

    @contextmanager
    def _begin(self, engine: Engine, opening: str = "") -> Iterator[Session]:
        with super()._begin(engine, opening) as session:
            yield session
            row = session.row("SELECT pg_current_xact_id_if_assigned() IS NOT NULL")
            wrote = row is not None and row[0]
            # Two threads may have committed at once.
            if wrote and self._left <= 0:
                die()
        self._left -= wrote
        if wrote and self._left <= 0 and self._behind:
            die()


def die() -> None:
    """End as by ``kill -9``."""
    os.kill(os.getpid(), signal.SIGKILL)
    signal.pause()


@contextmanager
def books(url: str, at: datetime) -> Iterator[Context]:
    """The books at ``url``, at a moment that stands still."""
    database = Database(url)
    yield Context(database, Vault(bytes(32)), lambda: at)
    database.close()


def spend_daily(alliance: MiniAlliance, month: str) -> None:
    """Let a traveller spend at another system's hotel on most days of a month."""
    for day in range(1, 25):
        alliance.accept("spend", "CLD-GZ", f"D{day}", "T1", f"{month}-{day:02}", amount=day * 100)


def lives_until_done(url: str, period: int, at: datetime, *, behind: bool) -> int:
    """Settle in one process after the other, each killed when it has committed once; return how many there were."""
    # In a process of their own, which has rendered nothing: threads of libraries do not survive a fork.
    command = [sys.executable, "-m", __name__, url, str(period), at.isoformat(), str(int(behind))]
    done = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=300
    )
    assert done.returncode == 0, done.stderr
    return int(done.stdout)


def _live(url: str, period: int, at: datetime, *, behind: bool) -> bool:
    """Settle in a process that is killed when it has committed once; tell whether it was over before that."""
    child = os.fork()
    if child == 0:
        code = 1
        try:
            database = Mortal(url, commits=1, behind=behind)
            settle(Context(database, Vault(bytes(32)), lambda: at), period)
            code = 0
        except BaseException:  # noqa: BLE001 - whatever it is, this process ends here
            traceback.print_exc()
        sys.stderr.flush()
        os._exit(code)
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    if code not in (0, -signal.SIGKILL):
        sys.exit(code)
    return code == 0


def published(url: str, period: int) -> dict[str, Published]:
    """Everything that is published of a period, by path."""
    with books(url, _ANY_TIME) as context:
        signatures = signatures_of(context, period)
        return {
            file.path: Published(
                b"".join(read_file(context, period, file.path)), signatures.get(file.path)
            )
            for file in files_of(context, period)
        }


def written(folder: Path) -> dict[str, bytes]:
    """What lies in a folder, by path."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def _main(url: str, period: str, at: str, behind: str) -> None:
    lives = 1
    # Each life finds another clock, and those after the first another key for what closes from now on.
    while not _live(
        url,
        int(period),
        datetime.fromisoformat(at) + timedelta(hours=lives),
        behind=behind == "1",
    ):
        if lives == 1:
            with books(url, datetime.fromisoformat(at)) as context:
                rotate(context, STATEMENTS, Authority("tests", "a new key"), compromised=False)
        lives += 1
        if lives == _MOST:
            sys.exit("it does not end")
    print(lives)


if __name__ == "__main__":
    _main(*sys.argv[1:])
