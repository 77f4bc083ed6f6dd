"""The server's log: one file and the one before it, each at most 10 MB when a command looks."""

from __future__ import annotations

import os
from pathlib import Path

from clearinghouse.store.embedded.account import Account
from clearinghouse.store.embedded.layout import Layout

BOUND_BYTES = 10 << 20


def size(layout: Layout) -> int:
    """Bytes in the log now."""
    try:
        return layout.log.stat().st_size
    except FileNotFoundError:
        return 0


def since(layout: Layout, offset: int) -> str:
    """What the server has said since the log had this size."""
    return _read(layout.log, offset).decode("utf-8", "replace")


def prepare(layout: Layout, account: Account) -> None:
    """Makes the log where there is none, for the server's account; call it under the lock."""
    descriptor = os.open(layout.log, os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW, 0o600)
    try:
        if os.fstat(descriptor).st_uid != account.uid:
            os.fchown(descriptor, account.uid, account.gid)
    finally:
        os.close(descriptor)


def keep_bounded(layout: Layout) -> None:
    """Keeps the end of a log that is too long and empties it; call it under the lock.

    The server appends to an open file, so the file is emptied in place and never renamed.
    """
    length = size(layout)
    if length <= BOUND_BYTES:
        return
    owner = layout.log.stat()
    fresh = layout.previous_log.with_suffix(".new")
    fresh.unlink(missing_ok=True)
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(_read(layout.log, length - BOUND_BYTES))
        if os.geteuid() == 0:
            os.fchown(descriptor, owner.st_uid, owner.st_gid)
    fresh.replace(layout.previous_log)
    os.truncate(layout.log, 0)


def _read(path: Path, offset: int) -> bytes:
    try:
        with path.open("rb") as file:
            file.seek(offset)
            return file.read(BOUND_BYTES)
    except FileNotFoundError:
        return b""
