"""Which account runs PostgreSQL, which refuses root.

An ordinary user runs it plainly. Root runs it in a user namespace, where root is seen as another
account while the files stay root's; where namespaces are not allowed (most containers) another
account runs it and owns the database folder. A folder that already belongs to an ordinary
account is always served by that account, so that root and its owner can take turns.
"""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from clearinghouse.config import DATA_DIR
from clearinghouse.domain.errors import DatabaseUnavailable
from clearinghouse.store.embedded.binaries import Binaries
from clearinghouse.store.embedded.layout import Layout, not_ours

_PROBE = '"$1" --version >/dev/null && : >"$2/.probe" && rm -f "$2/.probe"'


@dataclass(frozen=True, slots=True)
class Account:
    """Who runs the server: the owner of its files as this process sees it, and how to become it."""

    uid: int
    gid: int
    prefix: tuple[str, ...] = ()

    def command(self, *arguments: str) -> list[str]:
        """The command line that runs a program as this account."""
        return [*self.prefix, *arguments]


def choose_account(layout: Layout, binaries: Binaries) -> Account:
    """The first account that can run the programs and write the folder; it then owns the folder.

    Call it under the lock, while no server runs on the folder.

    Raises:
        DatabaseUnavailable: No account can.
    """
    me = os.geteuid()
    owner = layout.root.stat().st_uid
    if me not in (0, owner):
        raise not_ours(layout.root)
    for account in _for_root(layout, owner) if me == 0 else _for_user(me):
        if _hand_over(layout.root, account) and _is_usable(account, layout.root, binaries):
            return account
    if me == 0:
        raise DatabaseUnavailable(
            "PostgreSQL refuses to run as root, and no other account here can reach both "
            f"{binaries.folder} and {layout.root}: run the command as an ordinary user, "
            f"or set {DATA_DIR.name} to a folder outside root's home."
        )
    raise DatabaseUnavailable(
        f"PostgreSQL can't run as user {me} on {layout.root}: the account has no entry in the "
        "user database, or the folder can't be written."
    )


def _for_user(uid: int) -> Iterator[Account]:
    if _has_entry(uid):
        yield Account(uid, os.getegid())
    else:
        # initdb wants a name for its user id; containers often run with an id that has none.
        yield from _in_namespace(uid, os.getegid())


def _for_root(layout: Layout, owner: int) -> Iterator[Account]:
    if owner == 0 and not layout.exists:
        # A data folder that somebody else owns is that person's: leave files they can use.
        owner = layout.root.parent.stat().st_uid
    if owner != 0 and _has_entry(owner):
        yield from _as_other(pwd.getpwuid(owner))
        if layout.exists:
            return
    yield from _in_namespace(0, 0)
    yield from _as_other(_unprivileged_entry())


def _in_namespace(uid: int, gid: int) -> Iterator[Account]:
    """Files stay with ``uid``; inside, the server believes it is an account with a name."""
    program = shutil.which("unshare")
    seen = _unprivileged_entry()
    if program is not None and seen is not None:
        mapped = (f"--map-user={seen.pw_uid}", f"--map-group={seen.pw_gid}")
        yield Account(uid, gid, (program, "-U", *mapped, "--"))


def _as_other(entry: pwd.struct_passwd | None) -> Iterator[Account]:
    """Another account; where a folder above is closed to it, with the right to pass (no more)."""
    program = shutil.which("setpriv")
    if program is None or entry is None:
        return
    uid, gid = entry.pw_uid, entry.pw_gid
    become = (program, f"--reuid={uid}", f"--regid={gid}", "--clear-groups")
    yield Account(uid, gid, (*become, "--"))
    passing = ("--inh-caps=-all,+dac_override", "--ambient-caps=-all,+dac_override")
    yield Account(uid, gid, (*become, *passing, "--"))


def _unprivileged_entry() -> pwd.struct_passwd | None:
    """An ordinary account of this machine, "nobody" before any other."""
    entries = [entry for entry in pwd.getpwall() if entry.pw_uid != 0]
    named = [entry for entry in entries if entry.pw_name == "nobody"]
    return next(iter(named or entries), None)


def _has_entry(uid: int) -> bool:
    try:
        pwd.getpwuid(uid)
    except KeyError:
        return False
    return True


def _is_usable(account: Account, folder: Path, binaries: Binaries) -> bool:
    """Tries it: whether a program is allowed here depends on kernel, container and folders."""
    command = account.command("sh", "-c", _PROBE, "probe", binaries.program("postgres"))
    try:
        done = subprocess.run(  # noqa: S603  our own words, and paths as arguments
            [*command, str(folder)],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=30,
            check=False,
        )
    except (OSError, subprocess.SubprocessError):
        return False
    return done.returncode == 0


def _hand_over(root: Path, account: Account) -> bool:
    """Gives our folder and all in it to the account; only root ever needs to."""
    if root.lstat().st_uid == account.uid:
        return True
    try:
        # From the inside out: if we are killed in between, the root still has its old owner.
        for folder, _, files in os.walk(root, topdown=False):
            for path in (*(str(Path(folder, name)) for name in files), folder):
                os.chown(path, account.uid, account.gid, follow_symlinks=False)
    except OSError:
        return False
    return True
