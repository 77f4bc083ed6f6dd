"""Lock-out: after some failed attempts of a login or from an address the next ones wait, longer each time.

A login that nobody has is counted like any other, so a pause tells nothing. Every attempt is counted as failed before
it is made and taken back where it succeeds: attempts that are made at once can't pass by the count.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from ipaddress import ip_address
from typing import NamedTuple

from clearinghouse.domain.users import login_key
from clearinghouse.operations.context import Context
from clearinghouse.store import sign_in_attempts as store
from clearinghouse.store.database import Session
from clearinghouse.store.vault import Vault

_FORGOTTEN = timedelta(hours=24)
_FIRST, _LONGEST = timedelta(seconds=30), timedelta(minutes=15)
#: So many failures are free; a house behind one address has several people who mistype.
_FREE_OF_LOGIN, _FREE_OF_ADDRESS = 5, 20


class Attempt(NamedTuple):
    """An attempt that was counted; ``until`` is when it may be made where it has to wait.

    ``begins_pause`` tells that it was the one after which the next has to wait.
    """

    login: bytes
    address: bytes
    until: datetime | None
    begins_pause: bool


def attempt(context: Context, login: str, address: str) -> Attempt:
    """Count an attempt to sign in as ``login`` from an address."""
    now = context.clock()
    by_login, by_address = _of_login(context.vault, login), _of_address(context.vault, address)
    with context.database.posting() as session:
        store.clear_away(session, now - _FORGOTTEN)
        # Always in this order: two that wait for each other's would deadlock.
        first, until = _take(session, by_address, now, _FREE_OF_ADDRESS)
        if until is not None:
            return Attempt(by_login, by_address, until, begins_pause=False)
        second, until = _take(session, by_login, now, _FREE_OF_LOGIN)
        if until is not None:
            # It was not made, so the address has no part in it.
            store.give_back(session, by_address)
        return Attempt(by_login, by_address, until, begins_pause=first or second)


def succeeded(session: Session, made: Attempt, *, fully: bool) -> None:
    """Take back what was counted of an attempt; who is ``fully`` signed in begins without failures."""
    store.give_back(session, made.address)
    if fully:
        store.forget(session, made.login)
    else:
        store.give_back(session, made.login)


def forgive(context: Context, session: Session, login: str) -> None:
    """Forget the failed attempts of a login."""
    store.forget(session, _of_login(context.vault, login))


def _take(
    session: Session, subject: bytes, now: datetime, free: int
) -> tuple[bool, datetime | None]:
    """Count for one subject; tell whether that begins a pause, and until when it has to wait."""
    failures, until = store.take(session, subject, now, now - _FORGOTTEN)
    if until is not None or failures < free:
        return False, until
    doubled = _FIRST * (1 << min(failures - free, 10))
    store.pause(session, subject, now + min(doubled, _LONGEST))
    return True, None


def _of_login(vault: Vault, login: str) -> bytes:
    return vault.blind_index("sign-in login", login_key(login))


def _of_address(vault: Vault, address: str) -> bytes:
    try:
        found = ip_address(address)
    except ValueError:
        return vault.blind_index("sign-in address", "unknown")
    # Whoever has one address of IPv6 has a whole /64 of them.
    packed = found.packed[:8] if found.version == 6 else found.packed
    return vault.blind_index("sign-in address", packed.hex())
