"""One command at a time may make, start or stop the database."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from clearinghouse.domain.errors import DatabaseUnavailable
from clearinghouse.store.embedded.layout import not_ours

_POLL_SECONDS = 0.02


@contextmanager
def exclusive(path: Path, timeout_seconds: float) -> Iterator[int]:
    """Holds the lock file; yields its descriptor.

    The kernel lets go when the last process that has the descriptor ends, also by kill -9. A
    program started with the descriptor (``pass_fds``) therefore keeps the lock until it ends too.

    Raises:
        DatabaseUnavailable: Another command held the lock for all that time.
    """
    deadline = time.monotonic() + timeout_seconds
    while True:
        descriptor = open_lock(path)
        try:
            if try_lock(descriptor) and _is_at(path, descriptor):
                break
            if time.monotonic() > deadline:
                raise DatabaseUnavailable(
                    f"Another command has been starting or stopping the database in {path.parent} "
                    f"for {timeout_seconds:.0f} seconds: try again when it has ended."
                )
        except BaseException:
            os.close(descriptor)
            raise
        os.close(descriptor)
        time.sleep(_POLL_SECONDS)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def open_lock(path: Path) -> int:
    """Opens a lock file, made for the owner of its folder where it is missing.

    Raises:
        DatabaseUnavailable: It belongs to somebody else, or can't be made.
    """
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
        folder = path.parent.stat()
        if os.geteuid() == 0 and os.fstat(descriptor).st_uid != folder.st_uid:
            os.fchown(descriptor, folder.st_uid, folder.st_gid)
    except PermissionError:
        raise not_ours(path.parent) from None
    except OSError as error:
        raise DatabaseUnavailable(
            f"The lock file {path} can't be opened ({error.strerror})."
        ) from None
    return descriptor


def try_lock(descriptor: int) -> bool:
    """Takes the lock if nobody else has it."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _is_at(path: Path, descriptor: int) -> bool:
    # A folder removed and made anew has another lock file: a lock on the old one guards nothing.
    try:
        return os.path.samestat(os.fstat(descriptor), path.stat())
    except FileNotFoundError:
        return False
