"""Starting the server, under the lock: recover what a crash left, launch, wait until it answers."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from clearinghouse.config import POSTGRES_BIN, Settings
from clearinghouse.domain.errors import DatabaseUnavailable
from clearinghouse.store.embedded import configuration, log
from clearinghouse.store.embedded.account import Account, choose_account
from clearinghouse.store.embedded.binaries import Binaries, find_binaries
from clearinghouse.store.embedded.endpoint import Answer, Endpoint
from clearinghouse.store.embedded.initialise import (
    complaint,
    environment,
    make_cluster,
    write_settings,
)
from clearinghouse.store.embedded.layout import PORT, Layout, is_private, make_socket_folder
from clearinghouse.store.embedded.lock import open_lock, try_lock
from clearinghouse.store.embedded.process import (
    PidFile,
    find_process,
    left_behind,
    orphans,
    read_pid_file,
    running_postmaster,
)

STOP_SECONDS = 120  # a fast shutdown writes all that is dirty
START_SECONDS = 300  # crash recovery replays up to max_wal_size
_SILENT_SECONDS = 2
_ORPHAN_PATIENCE_SECONDS = 3
_ORPHAN_LIMIT_SECONDS = 30
_POLL_SECONDS = 0.005
# The shell ends at once, so the server is nobody's child here: no zombie, no pipe held open.
_DETACH = '"$@" </dev/null >>"$0" 2>&1 & echo $!'


def start_locked(
    layout: Layout, settings: Settings, extra: Mapping[str, str], lock: int
) -> Endpoint:
    """Adopts the server that runs, or starts one, making the cluster first where there is none.

    Raises:
        DatabaseUnavailable: It can't be started; the sentence says why.
    """
    running = running_postmaster(layout.cluster)
    if running is not None and running[1].state == "stopping":
        wait_for_end(running[0].pid, STOP_SECONDS)
        running = None
    if running is not None:
        return _await_ready(layout, running[0].pid, log_offset=log.size(layout))
    binaries = find_binaries(settings.postgres_bin)
    if layout.exists:
        _check_version(layout, binaries)
    with _server_lock(layout) as server_lock:
        account = choose_account(layout, binaries)
        if not layout.exists:
            _end_left_behind(layout)
            make_cluster(layout, account, binaries, lock, extra)
        sockets = make_socket_folder(layout, account.uid, account.gid)
        ours = configuration.server_settings(
            layout.cluster, sockets, lz4=_has_lz4(binaries, layout.cluster)
        )
        write_settings(layout.cluster, account, {**ours, **extra})
        _clear_traces(layout, sockets)
        log.prepare(layout, account)
        offset = log.size(layout)
        pid = _launch(layout, account, binaries, server_lock)
    return _await_ready(layout, pid, offset)


def _check_version(layout: Layout, binaries: Binaries) -> None:
    made_by = (layout.cluster / "PG_VERSION").read_text().strip()
    if made_by != str(binaries.major):
        raise DatabaseUnavailable(
            f"The database in {layout.cluster} was made by PostgreSQL {made_by} and the programs "
            f"in {binaries.folder} are PostgreSQL {binaries.version}: set {POSTGRES_BIN.name} to "
            f"PostgreSQL {made_by}, or dump the database with it and load it into a new one."
        )


def _has_lz4(binaries: Binaries, cluster: Path) -> bool:
    ask = ("-C", "wal_compression", "-c", "wal_compression=lz4", "-D", str(cluster))
    done = subprocess.run(  # noqa: S603  PostgreSQL's program, our words
        [binaries.program("postgres"), *ask],
        capture_output=True,
        env=environment(),
        check=False,
    )
    return done.returncode == 0


def _end_left_behind(layout: Layout) -> None:
    """Ends the server of a folder that was deleted; it would end by itself within a minute."""
    for pid in left_behind(layout.cluster):
        _signal([pid], signal.SIGQUIT)
        wait_for_end(pid, _ORPHAN_LIMIT_SECONDS)


@contextmanager
def _server_lock(layout: Layout) -> Iterator[int]:
    """The lock that the server's processes inherit: once we hold it, none of them is alive.

    After a kill -9 of the postmaster its children end by themselves, unless they are busy. The lock
    also sees a server in another container, whose process ids mean nothing here.
    """
    descriptor = open_lock(layout.server_lock)
    try:
        began = time.monotonic()
        while not try_lock(descriptor):
            waited = time.monotonic() - began
            if waited > _ORPHAN_LIMIT_SECONDS:
                raise DatabaseUnavailable(
                    f"A PostgreSQL that can't be seen from here still uses {layout.cluster}, "
                    "perhaps in another container: stop it there first."
                )
            if waited > _ORPHAN_PATIENCE_SECONDS:
                hard = waited > 3 * _ORPHAN_PATIENCE_SECONDS
                left = orphans(configuration.last_title(layout.cluster))
                _signal(left, signal.SIGKILL if hard else signal.SIGQUIT)
                time.sleep(0.2)
            time.sleep(_POLL_SECONDS)
        yield descriptor
    finally:
        os.close(descriptor)


def _clear_traces(layout: Layout, sockets: Path) -> None:
    """Removes what a killed server left and PostgreSQL would stumble over; under both locks.

    The socket's lock file names a process id only, which may be another program's by now. A whole
    postmaster.pid stays: PostgreSQL reads more from it than the id.
    """
    for name in (f".s.PGSQL.{PORT}", f".s.PGSQL.{PORT}.lock"):
        (sockets / name).unlink(missing_ok=True)
    if read_pid_file(layout.cluster) is None:
        (layout.cluster / "postmaster.pid").unlink(missing_ok=True)


def _launch(layout: Layout, account: Account, binaries: Binaries, server_lock: int) -> int:
    """Starts the server in its own session; returns its process id."""
    server = account.command(binaries.program("postgres"), "-D", str(layout.cluster))
    variables = environment()
    stale = read_pid_file(layout.cluster)
    if stale is not None:
        # The id in a stale postmaster.pid may belong to another program by now, and PostgreSQL
        # would refuse. This names the id as harmless (pg_ctl's own way) and, unlike removing
        # the file, keeps PostgreSQL's second check, on shared memory.
        variables["PG_GRANDPARENT_PID"] = str(stale.pid)
    shell = subprocess.run(  # noqa: S603  PostgreSQL's program, paths as arguments
        ["sh", "-c", _DETACH, str(layout.log), *server],  # noqa: S607  POSIX has it everywhere
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        cwd=layout.root,
        env=variables,
        pass_fds=(server_lock,),
        start_new_session=True,
        check=False,
    )
    try:
        return int(shell.stdout)
    except ValueError:
        raise DatabaseUnavailable(f"The log {layout.log} can't be written.") from None


def _await_ready(layout: Layout, pid: int, log_offset: int) -> Endpoint:
    """Waits until the server takes connections, also through a crash recovery."""
    deadline = time.monotonic() + START_SECONDS
    silent_from: float | None = None
    while time.monotonic() < deadline:
        running = running_postmaster(layout.cluster)
        if running is None and find_process(pid) is None:
            said = complaint(log.since(layout, log_offset))
            raise DatabaseUnavailable(f"PostgreSQL did not start: {said} Its log: {layout.log}")
        if running is not None and running[1].state == "ready":
            endpoint = private_endpoint(layout, running[1])
            answer = Answer.NONE if endpoint is None else endpoint.ask()
            if endpoint is not None and answer is Answer.READY:
                return endpoint
            if answer is Answer.NONE:
                silent_from = silent_from or time.monotonic()
                if time.monotonic() > silent_from + _SILENT_SECONDS:
                    raise DatabaseUnavailable(
                        f"PostgreSQL runs on {layout.cluster} (process {running[0].pid}) but can't "
                        "be reached, perhaps because a folder was moved: run "
                        "'clearinghouse db stop', then try again."
                    )
        time.sleep(_POLL_SECONDS)
    raise DatabaseUnavailable(
        f"PostgreSQL has been starting for {START_SECONDS} seconds, perhaps recovering from a "
        f"crash: try again later. Its log: {layout.log}"
    )


def private_endpoint(layout: Layout, found: PidFile) -> Endpoint | None:
    """The endpoint a server wrote down, if its socket folder is one that only its owner enters."""
    folder = found.socket_folder
    if folder is None or not is_private(folder, layout.cluster.stat().st_uid):
        return None
    return Endpoint(folder, found.pid)


def wait_for_end(pid: int, seconds: float) -> bool:
    """Whether the process ended within this time."""
    deadline = time.monotonic() + seconds
    while find_process(pid) is not None:
        if time.monotonic() > deadline:
            return False
        time.sleep(_POLL_SECONDS)
    return True


def _signal(pids: list[int], number: signal.Signals) -> None:
    for pid in pids:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(pid, number)
