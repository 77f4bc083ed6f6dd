"""Closing as a worker does it: in a process of its own, which closes and nets the months that it is told, in turn."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from clearinghouse.config import Settings
from clearinghouse.operations.close import close
from clearinghouse.operations.context import Context
from clearinghouse.store.database import Database
from clearinghouse.store.vault import Vault
from settlement.netting import net_period
from tests.benchmarks.bench import Bench

_ROOT = Path(__file__).resolve().parents[2]


class Closer:
    """That process, seen from the benchmark."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def close_and_net(self, period: int) -> tuple[float, float]:
        """Close and net a month; return when that began and ended, as ``time.perf_counter`` tells it."""
        asked, answers = self._process.stdin, self._process.stdout
        if asked is None or answers is None:
            raise RuntimeError("the process that closes has no pipes")
        asked.write(f"{period}\n")
        asked.flush()
        moments = answers.readline().split()
        if len(moments) != 2:
            raise RuntimeError("the month was not closed; see closer.log")
        began, ended = map(float, moments)
        return began, ended


@contextmanager
def closer(bench: Bench, context: Context) -> Iterator[Closer]:
    """Run the process on some books."""
    command = [sys.executable, "-m", __name__, context.database.owner_url, str(bench.data_dir)]
    with (
        (bench.folder / "closer.log").open("ab") as log,
        subprocess.Popen(
            command, cwd=_ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, text=True
        ) as process,
    ):
        yield Closer(process)


def main(url: str, data_dir: str) -> None:
    """Close and net the periods that come in, a number a line, and tell the moments."""
    database = Database(url)
    context = Context(database, Vault.open(Settings(data_dir=Path(data_dir))))
    for line in sys.stdin:
        # One clock for all processes of a machine, so that who calls can compare.
        began = time.perf_counter()
        close(context, int(line))
        net_period(context, int(line))
        print(began, time.perf_counter(), flush=True)
    database.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
