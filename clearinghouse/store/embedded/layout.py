"""The folders of the embedded database: one folder of its own under the data folder, mode 0700.

Nothing outside that folder has its permissions or owner changed. The one exception to "everything
inside it" is the socket: a socket's address holds about 104 bytes, so a long path gets a short
folder of its own in the temporary folder, which is checked before every use.
"""

from __future__ import annotations

import hashlib
import os
import socket
import stat
import tempfile
from dataclasses import dataclass
from pathlib import Path

from clearinghouse.config import DATA_DIR
from clearinghouse.domain.errors import DatabaseUnavailable

PORT = 5432
PRIVATE = 0o700
#: sockaddr_un holds 104 bytes on the smallest system, and ``/.s.PGSQL.5432`` needs 14 and a NUL.
LONGEST_SOCKET_FOLDER = 104 - len(f"/.s.PGSQL.{PORT}") - 1


@dataclass(frozen=True, slots=True)
class Layout:
    """Paths under ``root``, which is ``<data folder>/postgresql`` with links resolved."""

    root: Path

    @classmethod
    def under(cls, data_dir: Path) -> Layout:
        """The layout under a data folder, which need not exist."""
        return cls((data_dir / "postgresql").resolve())

    @property
    def cluster(self) -> Path:
        """PostgreSQL's own data directory; complete whenever it exists."""
        return self.root / "data"

    @property
    def lock(self) -> Path:
        """Held by a command while it starts or stops the server."""
        return self.root / "lock"

    @property
    def server_lock(self) -> Path:
        """Held by every process of the server for as long as it lives."""
        return self.root / "server.lock"

    @property
    def log(self) -> Path:
        """What the server says."""
        return self.root / "server.log"

    @property
    def previous_log(self) -> Path:
        """The log before the last time it reached its bound."""
        return self.root / "server.log.1"

    @property
    def exists(self) -> bool:
        """Whether a cluster has been made here.

        Raises:
            DatabaseUnavailable: The folder belongs to somebody else.
        """
        try:
            return (self.cluster / "PG_VERSION").exists()
        except PermissionError:
            raise not_ours(self.root) from None

    @property
    def short_socket_folder(self) -> Path:
        """Where the socket stands if it can't stand under ``root``; derived from ``root``."""
        name = hashlib.sha256(os.fsencode(self.root)).hexdigest()[:16]
        return Path(tempfile.gettempdir()) / f"hotel-clearinghouse-{name}"


def not_ours(folder: Path) -> DatabaseUnavailable:
    """The error for a folder that another user owns."""
    return DatabaseUnavailable(
        f"The database folder {folder} belongs to another user: "
        f"run the command as that user, or set {DATA_DIR.name} to a folder of your own."
    )


def make_folders(layout: Layout) -> None:
    """Makes ``root`` and its parents.

    Raises:
        DatabaseUnavailable: The place can't be written.
    """
    try:
        layout.root.parent.mkdir(mode=PRIVATE, parents=True, exist_ok=True)
        layout.root.mkdir(mode=PRIVATE, exist_ok=True)
        if layout.root.stat().st_uid == os.geteuid():
            tighten(layout.root)
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise DatabaseUnavailable(
            f"The database folder {layout.root} can't be made ({reason}): "
            f"set {DATA_DIR.name} to a folder you can write."
        ) from None


def tighten(folder: Path) -> None:
    """Takes every right from group and others on a folder of ours."""
    if stat.S_IMODE(folder.stat().st_mode) != PRIVATE:
        folder.chmod(PRIVATE)


def make_socket_folder(layout: Layout, uid: int, gid: int) -> Path:
    """Makes the folder for the server's socket, which ``uid`` owns; returns it.

    Raises:
        DatabaseUnavailable: Something that is not our folder stands there.
    """
    own = layout.root / "run"
    if _is_good_address(own):
        _make_private(own, uid, gid)
        if can_hold_socket(own):
            return own
    _make_private(layout.short_socket_folder, uid, gid)
    return layout.short_socket_folder


def can_hold_socket(folder: Path) -> bool:
    """Whether its file system knows sockets; shared folders of virtual machines may not."""
    path = folder / ".probe"
    path.unlink(missing_ok=True)
    with socket.socket(socket.AF_UNIX) as probe:
        try:
            probe.bind(os.fsencode(path))
        except PermissionError:
            return True  # not the file system's fault: the server's account will see
        except OSError:
            return False
    path.unlink(missing_ok=True)
    return True


def _make_private(folder: Path, uid: int, gid: int) -> None:
    try:
        folder.mkdir(mode=PRIVATE)
    except FileExistsError:
        pass
    except OSError as error:
        raise DatabaseUnavailable(
            f"The socket folder {folder} can't be made ({error.strerror})."
        ) from None
    # Never follow a link: in a shared temporary folder somebody else may have put one here.
    found = folder.lstat()
    if stat.S_ISDIR(found.st_mode) and found.st_uid == os.geteuid():
        tighten(folder)
        if found.st_uid != uid:
            os.chown(folder, uid, gid, follow_symlinks=False)
    if not is_private(folder, uid):
        raise DatabaseUnavailable(
            f"The socket folder {folder} is not a folder that only this account can enter: "
            f"remove it, or set {DATA_DIR.name} to a shorter path."
        )


def is_private(folder: Path, uid: int) -> bool:
    """Whether this is a real folder that ``uid`` owns and nobody else can enter."""
    try:
        found = folder.lstat()
    except OSError:
        return False
    return (
        stat.S_ISDIR(found.st_mode)
        and found.st_uid == uid
        and stat.S_IMODE(found.st_mode) == PRIVATE
    )


def _is_good_address(folder: Path) -> bool:
    """Whether libpq and PostgreSQL can name a socket in this folder."""
    text = os.fsencode(folder)
    try:
        text.decode()
    except UnicodeDecodeError:
        return False
    # A comma separates hosts in libpq and folders in PostgreSQL, and libpq can't escape it.
    return len(text) <= LONGEST_SOCKET_FOLDER and not set(text) & set(b',"')
