"""The machine that figures were measured on, and the processor time that a stretch of work takes."""

from __future__ import annotations

import os
import platform
import resource
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import psycopg2

from clearinghouse.store.embedded import Endpoint

_TICKS = os.sysconf("SC_CLK_TCK")
_SHOWN_SETTINGS = ("fsync", "synchronous_commit", "full_page_writes", "shared_buffers")
_FLUSHES = 40


@dataclass(slots=True)
class Taken:
    """Seconds: on the clock, and of processor in Python (all its processes) and in PostgreSQL."""

    seconds: float = 0
    python: float = 0
    postgres: float = 0


@contextmanager
def watched(endpoint: Endpoint) -> Iterator[Taken]:
    """Measure a ``with`` block; what it took is there when it has ended."""
    taken = Taken()
    python, postgres, began = _python_seconds(), _server_seconds(endpoint.pid), time.perf_counter()
    yield taken
    taken.seconds = time.perf_counter() - began
    taken.python = _python_seconds() - python
    taken.postgres = _server_seconds(endpoint.pid) - postgres


def describe(endpoint: Endpoint, folder: Path) -> dict[str, Any]:
    """Return what a reader must know of the machine to compare figures with his own."""
    connection = psycopg2.connect(endpoint.dsn("postgres", "postgres"))
    with connection, connection.cursor() as cursor:
        cursor.execute(
            "SELECT name, current_setting(name) FROM unnest(%s) AS name", [[*_SHOWN_SETTINGS]]
        )
        settings = dict(cursor.fetchall())
    connection.close()
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return {
        "cores": len(os.sched_getaffinity(0)),
        "memory_gib": round(memory / (1 << 30), 1),
        "processor": _processor(),
        "load_before": round(os.getloadavg()[0], 2),
        "flush_ms": round(1000 * _flush_seconds(folder), 3),
        "python": platform.python_version(),
        "postgresql": endpoint.server_version(),
        **settings,
    }


def _python_seconds() -> float:
    """Return the processor time of this process and of those of its children that have ended."""
    used = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(usage.ru_utime + usage.ru_stime for usage in used)


def _server_seconds(postmaster: int) -> float:
    """Return the processor time of the server's processes, those that have ended among them."""
    total = 0.0
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            fields = (folder / "stat").read_text().rpartition(")")[2].split()
        except (FileNotFoundError, ProcessLookupError):
            continue
        user, system, ended_user, ended_system = map(int, fields[11:15])
        if int(folder.name) == postmaster:
            total += user + system + ended_user + ended_system
        elif int(fields[1]) == postmaster:
            total += user + system
    return total / _TICKS


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.machine()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


def _flush_seconds(folder: Path) -> float:
    """Return what it takes to bring one page to the disk: each commit waits for about that long."""
    taken = []
    path = folder / "flush"
    with path.open("wb", buffering=0) as file:
        for _ in range(_FLUSHES):
            file.write(bytes(8192))
            began = time.perf_counter()
            os.fdatasync(file.fileno())
            taken.append(time.perf_counter() - began)
    path.unlink()
    return median(taken)
