"""Making a new cluster: in a folder beside, complete with role and database, then renamed.

So a data directory that exists is always whole, also after a kill -9 in the middle: the next
command waits for the orphaned initdb (it inherits the lock), removes its folder and starts anew.
"""

from __future__ import annotations

import os
import secrets
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

from clearinghouse.domain.errors import DatabaseUnavailable
from clearinghouse.store.embedded import configuration
from clearinghouse.store.embedded.account import Account
from clearinghouse.store.embedded.binaries import Binaries
from clearinghouse.store.embedded.endpoint import (
    DATABASE,
    MAINTENANCE_DATABASE,
    OWNER,
    SUPERUSER,
)
from clearinghouse.store.embedded.layout import Layout

_UNFINISHED = "data.new-"
# CREATEROLE: the migrations make the poster and reader roles. One statement a line.
_FIRST_STATEMENTS = (
    f"CREATE ROLE {OWNER} LOGIN NOSUPERUSER CREATEROLE\nCREATE DATABASE {DATABASE} OWNER {OWNER}\n"
)
_TIMEOUT_SECONDS = 300


def make_cluster(
    layout: Layout, account: Account, binaries: Binaries, lock: int, extra: Mapping[str, str]
) -> None:
    """Makes ``layout.cluster``, which must not exist.

    Args:
        layout: The folders; the account owns them.
        account: Who runs the server.
        binaries: The programs.
        lock: Descriptor of the held lock, inherited by the programs.
        extra: Settings beside ours; ``fsync=off`` also makes initdb quick.

    Raises:
        DatabaseUnavailable: It failed; the sentence repeats what PostgreSQL said.
    """
    for leftover in layout.root.glob(f"{_UNFINISHED}*"):
        shutil.rmtree(leftover, ignore_errors=True)
    _refuse_strange_folder(layout.cluster)
    fresh = layout.root / f"{_UNFINISHED}{secrets.token_hex(4)}"
    quick = extra.get("fsync") == "off"
    options = ["-U", SUPERUSER, "--auth=trust", "--data-checksums", "--no-instructions"]
    options += [*configuration.initdb_locale(binaries), *(["--no-sync"] if quick else [])]
    initdb = [binaries.program("initdb"), "-D", str(fresh), *options]
    try:
        _run(account.command(*initdb), layout.root, lock)
        _include_our_file(fresh)
        write_settings(fresh, account, {**extra, "shared_buffers": "16MB", "listen_addresses": ""})
        single = [binaries.program("postgres"), "--single", "-D", str(fresh)]
        single += ["-c", "exit_on_error=on", MAINTENANCE_DATABASE]
        _run(account.command(*single), layout.root, lock, _FIRST_STATEMENTS)
        fresh.rename(layout.cluster)
        _sync(layout.root)
    except OSError as error:
        shutil.rmtree(fresh, ignore_errors=True)
        raise DatabaseUnavailable(
            f"The database can't be made in {layout.root} ({error.strerror})."
        ) from None
    except DatabaseUnavailable:
        shutil.rmtree(fresh, ignore_errors=True)
        raise


def write_settings(cluster: Path, account: Account, settings: Mapping[str, str]) -> None:
    """Writes our settings file as the server's account owns it, whole or not at all."""
    path = cluster / configuration.FILE_NAME
    fresh = path.with_suffix(".new")
    fresh.unlink(missing_ok=True)
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(configuration.render(settings))
        _own(descriptor, account)
        file.flush()
        os.fsync(descriptor)
    fresh.replace(path)


def _include_our_file(cluster: Path) -> None:
    with (cluster / "postgresql.conf").open("a") as file:
        file.write(f"\ninclude '{configuration.FILE_NAME}'\n")
        file.flush()
        os.fsync(file.fileno())
    with (cluster / "pg_hba.conf").open("w") as file:
        file.write(configuration.HOST_RULES)
        file.flush()
        os.fsync(file.fileno())


def _run(command: list[str], folder: Path, lock: int, text: str = "") -> None:
    try:
        done = subprocess.run(  # noqa: S603  PostgreSQL's programs, our words
            command,
            input=text,
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            cwd=folder,
            env=environment(),
            pass_fds=(lock,),
            timeout=_TIMEOUT_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise DatabaseUnavailable(
            f"Making the database in {folder} took more than {_TIMEOUT_SECONDS} seconds."
        ) from None
    if done.returncode != 0:
        raise DatabaseUnavailable(
            f"The database can't be made in {folder}: {complaint(done.stderr)}"
        )


def environment() -> dict[str, str]:
    """What PostgreSQL's programs see: nothing of the caller's PG* variables or locale."""
    kept = {name: os.environ[name] for name in ("PATH", "LD_LIBRARY_PATH") if name in os.environ}
    return {**kept, "LC_ALL": "C", "TZ": "UTC"}


def complaint(text: str) -> str:
    """PostgreSQL's own reason from what it printed, as the end of a sentence."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    # About a faulty configuration file the last word only says that it is faulty.
    for mark in ("FATAL:", "PANIC:", "error:", "ERROR:", "LOG:"):
        for line in reversed(lines):
            if mark in line and "contains errors" not in line:
                return f"{line.partition(mark)[2].strip().rstrip('.')}."
    return f"{lines[-1].rstrip('.')}." if lines else "it gave no reason."


def _refuse_strange_folder(cluster: Path) -> None:
    if cluster.is_dir() and any(cluster.iterdir()):
        raise DatabaseUnavailable(
            f"{cluster} is not empty and holds no PostgreSQL database: remove it or move it away."
        )


def _own(descriptor: int, account: Account) -> None:
    if os.fstat(descriptor).st_uid != account.uid:
        os.fchown(descriptor, account.uid, account.gid)


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
