"""What runs: postmaster.pid, and whether the process it names is really our server.

A process id alone proves nothing: after a crash of the machine or a long time it may belong to
something else. Ours is a PostgreSQL that was started on this very data directory.
"""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from clearinghouse.store.embedded.layout import not_ours

_PROC = Path("/proc")


@dataclass(frozen=True, slots=True)
class PidFile:
    """postmaster.pid: process id, data directory, socket folder and state (``ready``, …)."""

    pid: int
    cluster: Path
    socket_folder: Path | None
    state: str


@dataclass(frozen=True, slots=True)
class Process:
    """A living process."""

    pid: int
    parent: int
    command: tuple[str, ...]


def read_pid_file(cluster: Path) -> PidFile | None:
    """What the server has written about itself; None if there is nothing or it is not complete.

    Raises:
        DatabaseUnavailable: The data directory belongs to somebody else.
    """
    try:
        lines = (cluster / "postmaster.pid").read_bytes().split(b"\n")
        pid, place = int(lines[0]), Path(os.fsdecode(lines[1]))
    except PermissionError:
        raise not_ours(cluster.parent) from None
    except (FileNotFoundError, NotADirectoryError, ValueError, IndexError):
        return None
    folder = lines[4].strip() if len(lines) > 4 else b""
    state = lines[7].strip().decode("ascii", "replace") if len(lines) > 7 else "starting"
    return PidFile(pid, place, Path(os.fsdecode(folder)) if folder else None, state or "starting")


def find_process(pid: int) -> Process | None:
    """The process with this id; None if it has ended, also where nobody collected it (zombie)."""
    if pid <= 0:
        return None
    if _PROC.joinpath("self", "stat").exists():
        return _from_proc(pid)
    return next((process for process in _from_ps("-p", str(pid))), None)


def all_processes() -> list[Process]:
    """Every living process this account can see."""
    if _PROC.joinpath("self", "stat").exists():
        pids = [int(entry.name) for entry in _PROC.iterdir() if entry.name.isdigit()]
        return [process for pid in pids if (process := _from_proc(pid)) is not None]
    return _from_ps("-ax")


def is_postmaster(process: Process, cluster: Path) -> bool:
    """Whether the process is a PostgreSQL server started on this data directory."""
    if not _is_postgres(process):
        return False
    if _names(process.command, cluster):
        return True
    # The folder may have been renamed under a running server; it stands in it all the same.
    try:
        return (_PROC / str(process.pid) / "cwd").samefile(cluster)
    except OSError:
        return False


def running_postmaster(cluster: Path) -> tuple[Process, PidFile] | None:
    """The server that runs on this data directory, if any, with what it says of itself."""
    found = read_pid_file(cluster)
    process = find_process(found.pid) if found is not None else None
    if found is None or process is None or not is_postmaster(process, cluster):
        return None
    return process, found


def orphans(title: str) -> list[int]:
    """Ids of server processes of this cluster (by its title) whose postmaster is gone."""
    mark = f"postgres: {title}: "
    processes = {process.pid: process for process in all_processes()}
    return [
        process.pid
        for process in processes.values()
        if process.command[0].startswith(mark)
        # A child of a living postmaster is at work.
        and not (
            process.parent in processes
            and _is_postgres(processes[process.parent])
            and "-D" in processes[process.parent].command
        )
    ]


def left_behind(cluster: Path) -> list[int]:
    """Ids of servers that were started on this path and whose folder has been deleted since."""
    return [
        process.pid
        for process in all_processes()
        if _is_postgres(process)
        and _names(process.command, cluster)
        # Without this mark it may be the server of a container that uses the same path.
        and _working_folder(process.pid).endswith(" (deleted)")
    ]


def _working_folder(pid: int) -> str:
    try:
        return str((_PROC / str(pid) / "cwd").readlink())
    except OSError:
        return ""


def _is_postgres(process: Process) -> bool:
    return Path(process.command[0]).name == "postgres"


def _names(command: tuple[str, ...], cluster: Path) -> bool:
    return ("-D", str(cluster)) in pairwise(command)


def _from_proc(pid: int) -> Process | None:
    try:
        # The name in parentheses may itself hold spaces and parentheses.
        state, parent = (_PROC / str(pid) / "stat").read_bytes().rpartition(b")")[2].split()[:2]
        command = (_PROC / str(pid) / "cmdline").read_bytes()
    except (OSError, ValueError):
        return None
    if state in {b"Z", b"X"}:
        return None
    words = command.rstrip(b"\0").split(b"\0")
    return Process(pid, int(parent), tuple(os.fsdecode(word) for word in words))


def _from_ps(*selection: str) -> list[Process]:
    """The same from ``ps``, for systems without /proc."""
    columns = ("-ww", "-o", "pid=", "-o", "ppid=", "-o", "stat=", "-o", "command=")
    answer = subprocess.run(  # noqa: S603  our own words
        ["ps", *selection, *columns],  # noqa: S607  wherever the system keeps it
        capture_output=True,
        text=True,
        check=False,
    ).stdout
    found = []
    for line in answer.splitlines():
        pid, parent, state, command = line.split(maxsplit=3)
        if not state.startswith("Z"):
            found.append(Process(int(pid), int(parent), _words(command)))
    return found


def _words(command: str) -> tuple[str, ...]:
    """``ps`` joins words by spaces: keep a process title, and a path with spaces, in one piece."""
    program, mark, folder = command.partition(" -D ")
    return (program, "-D", folder) if mark else (command,)
