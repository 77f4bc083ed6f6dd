"""An embedded PostgreSQL of a test's own, and commands that use it as separate processes."""

import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from contextlib import closing, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg2

from clearinghouse.config import Settings
from clearinghouse.store.embedded import Endpoint, ensure_running, stop
from clearinghouse.store.embedded.layout import Layout
from clearinghouse.store.embedded.process import all_processes
from tests.architecture.tree import ROOT

#: Tests kill processes, not machines: what is not flushed survives that, and it is quicker.
QUICK = {"fsync": "off"}
START = (
    "from clearinghouse.config import Settings; import os, sys, time;"
    "from clearinghouse.store.embedded import ensure_running;"
    "settings = Settings.from_environment(os.environ);"
    "endpoint = ensure_running(settings, {'fsync': 'off'});"
    "print(endpoint.pid, flush=True)"
)
START_AND_STAY = f"{START}; time.sleep(600)"


@dataclass
class Cluster:
    """One data folder; ``close`` ends whatever still runs on it."""

    data_dir: Path
    settings: Settings = field(init=False)
    layout: Layout = field(init=False)

    def __post_init__(self) -> None:
        self.settings = Settings(data_dir=self.data_dir)
        self.layout = Layout.under(self.data_dir)

    def start(self) -> Endpoint:
        return ensure_running(self.settings, QUICK)

    def command(
        self,
        code: str = START,
        *,
        prefix: Sequence[str] = (),
        env: dict[str, str] | None = None,
    ) -> "subprocess.Popen[str]":
        """A command in a process of its own, its output captured in pipes."""
        kept = {name: os.environ[name] for name in ("PATH", "PYTHONPATH") if name in os.environ}
        variables = {**kept, "CLEARINGHOUSE_DATA_DIR": str(self.data_dir)}
        return subprocess.Popen(
            [*prefix, sys.executable, "-c", code],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=ROOT,
            env={**variables, "PYTHONDONTWRITEBYTECODE": "1", **(env or {})},
            start_new_session=True,
        )

    def processes(self) -> list[int]:
        """The servers that were started on this data directory."""
        mark = str(self.layout.cluster)
        return [
            process.pid
            for process in all_processes()
            if mark in process.command and process.command[0].endswith("postgres")
        ]

    def close(self) -> None:
        with suppress(Exception):
            stop(self.settings)
        for pid in self.processes():
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)


def ask(endpoint: Endpoint, statement: str, role: str = "clearinghouse_owner") -> Any:
    """The first value of a statement's answer, committed; None where it answers nothing."""
    with closing(psycopg2.connect(endpoint.dsn(role))) as connection:
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute(statement)
            row = cursor.fetchone() if cursor.description else None
            return row[0] if row else None


def answer_of(command: "subprocess.Popen[str]", seconds: float = 120) -> str:
    """What the command printed; it must succeed and end."""
    out, error = command.communicate(timeout=seconds)
    assert command.returncode == 0, error
    return out.strip()
