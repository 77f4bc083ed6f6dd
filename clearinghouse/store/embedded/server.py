"""The embedded PostgreSQL as commands use it: there when needed, shared, stopped on request."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from clearinghouse.config import Settings
from clearinghouse.domain.errors import DatabaseUnavailable
from clearinghouse.store.embedded import log
from clearinghouse.store.embedded.endpoint import Answer, Endpoint
from clearinghouse.store.embedded.layout import Layout, make_folders
from clearinghouse.store.embedded.lock import exclusive
from clearinghouse.store.embedded.process import read_pid_file, running_postmaster
from clearinghouse.store.embedded.start import (
    START_SECONDS,
    STOP_SECONDS,
    private_endpoint,
    start_locked,
    wait_for_end,
)

_LOCK_SECONDS = START_SECONDS + 60


class State(StrEnum):
    """What the embedded server is doing. Stale: it ended without stopping (crash, kill -9)."""

    RUNNING = "running"
    STARTING = "starting"
    STOPPING = "stopping"
    STOPPED = "stopped"
    STALE = "stale"


_NOT_YET_OR_NO_MORE = {"starting": State.STARTING, "stopping": State.STOPPING}


@dataclass(frozen=True, slots=True)
class Status:
    """The embedded server and its data, without changing either.

    Attributes:
        state: What it is doing.
        data_dir: PostgreSQL's data directory, made or not.
        version: Of the running server ("18.6"), or what made the data ("18"); None without data.
        pid: The server's process, while it runs.
        socket_folder: Where it listens, while it runs.
        size_bytes: What the data takes on disk.
    """

    state: State
    data_dir: Path
    version: str | None = None
    pid: int | None = None
    socket_folder: Path | None = None
    size_bytes: int = 0


def ensure_running(
    settings: Settings, server_settings: Mapping[str, str] | None = None
) -> Endpoint:
    """The running server, started first where needed; any number of commands may call it at once.

    It keeps running when this process ends, however that ends.

    Args:
        settings: Data folder and programs. Its external database URL is the caller's business.
        server_settings: PostgreSQL settings beside ours, for the server started here (tests turn
            ``fsync`` off); a server that runs already keeps its own.

    Raises:
        DatabaseUnavailable: It can't run here; one sentence says why and what to do.
    """
    layout = Layout.under(settings.data_dir)
    with _one_sentence(layout):
        endpoint = _answering(layout)
        if endpoint is None or log.size(layout) > log.BOUND_BYTES:
            make_folders(layout)
            with exclusive(layout.lock, _LOCK_SECONDS) as lock:
                log.keep_bounded(layout)
                endpoint = start_locked(layout, settings, server_settings or {}, lock)
        return endpoint


def stop(settings: Settings) -> bool:
    """Stops the server, cutting off its connections but losing nothing; False if none ran.

    Raises:
        DatabaseUnavailable: It belongs to somebody else, or did not stop in time.
    """
    layout = Layout.under(settings.data_dir)
    with _one_sentence(layout):
        if not layout.exists:
            return False
        with exclusive(layout.lock, _LOCK_SECONDS):
            running = running_postmaster(layout.cluster)
            if running is None:
                _refuse_unseen(layout)
                return False
            pid = running[0].pid
            os.kill(pid, signal.SIGINT)
            if not wait_for_end(pid, STOP_SECONDS):
                raise DatabaseUnavailable(
                    f"PostgreSQL (process {pid}) is still stopping after {STOP_SECONDS} seconds. "
                    f"Its log: {layout.log}"
                )
            return True


def exists(settings: Settings) -> bool:
    """Tell whether there is an embedded database under the data folder, running or not."""
    return Layout.under(settings.data_dir).cluster.is_dir()


def status(settings: Settings) -> Status:
    """What runs and what is there; makes, starts and repairs nothing.

    Raises:
        DatabaseUnavailable: The data belong to somebody else.
    """
    layout = Layout.under(settings.data_dir)
    with _one_sentence(layout):
        if not layout.exists:
            return Status(State.STOPPED, layout.cluster)
        version = (layout.cluster / "PG_VERSION").read_text().strip()
        size = _disk_bytes(layout.cluster)
        running = running_postmaster(layout.cluster)
        if running is None:
            return Status(_state_unseen(layout), layout.cluster, version, size_bytes=size)
        process, found = running
        state = _NOT_YET_OR_NO_MORE.get(found.state, State.RUNNING)
        endpoint = private_endpoint(layout, found)
        version = (endpoint.server_version() if endpoint else None) or version
        return Status(state, layout.cluster, version, process.pid, found.socket_folder, size)


def _answering(layout: Layout) -> Endpoint | None:
    """The quick way, without a lock: the server says it is ready, and it answers."""
    found = read_pid_file(layout.cluster)
    # A copied data directory brings along a file that names the socket of the original's server.
    if found is None or found.state != "ready" or found.cluster != layout.cluster:
        return None
    endpoint = private_endpoint(layout, found)
    return endpoint if endpoint is not None and endpoint.ask() is Answer.READY else None


def _state_unseen(layout: Layout) -> State:
    """The state where no process of the server can be seen from here."""
    if _answering(layout) is not None:
        return State.RUNNING
    return State.STOPPED if read_pid_file(layout.cluster) is None else State.STALE


def _refuse_unseen(layout: Layout) -> None:
    if _answering(layout) is not None:
        raise DatabaseUnavailable(
            f"PostgreSQL runs on {layout.cluster}, but its process can't be seen from here, "
            "perhaps because it is in another container: stop it there."
        )


def _disk_bytes(folder: Path) -> int:
    total = 0
    for base, _, names in os.walk(folder):
        for name in names:
            try:
                total += Path(base, name).lstat().st_blocks * 512
            except FileNotFoundError:
                continue  # the server removes files while we count
    return total


@contextmanager
def _one_sentence(layout: Layout) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        reason = error.strerror or type(error).__name__
        place = error.filename or layout.root
        raise DatabaseUnavailable(f"The database can't be used: {place}: {reason}.") from error
