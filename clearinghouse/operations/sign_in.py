"""Signing in: a password, then a code of the second factor; a new user sets up both before anything else.

Every answer to a wrong password is the same and takes the same work, whether the login exists or not. Each step gives
another session: whoever had the token of an earlier one has nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from clearinghouse.domain.passwords import PasswordFault, password_fault
from clearinghouse.domain.users import login_key
from clearinghouse.operations import attempts
from clearinghouse.operations.attempts import Attempt
from clearinghouse.operations.context import Context
from clearinghouse.operations.passwords import hash_password, verify_password
from clearinghouse.operations.second_factor import (
    enrolment_uri,
    new_recovery_codes,
    new_secret,
    seal_secret,
    step_of,
    take_code,
    unseal_secret,
)
from clearinghouse.operations.user_sessions import Level, begin_in, hashed
from clearinghouse.store import audit, user_sessions
from clearinghouse.store import users as store
from clearinghouse.store.database import Session
from clearinghouse.store.users import StoredUser


@dataclass(frozen=True, slots=True)
class Refused:
    """An attempt that did not succeed; ``wait`` is how long none is taken, and tells of no login whether it exists."""

    wait: timedelta | None = None


@dataclass(frozen=True, slots=True)
class Passed:
    """A step that succeeded: the token of the new session, what is owed next, and recovery codes that are new."""

    token: str
    level: Level
    recovery_codes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SettingUp:
    """A second factor that is being set up: its secret in base32, and what an app reads from a QR code."""

    login: str
    secret: str
    uri: str


@dataclass(frozen=True, slots=True)
class SetUpRefused:
    """Why setting up, or a change of password, did not succeed."""

    password: PasswordFault | None = None
    same_password: bool = False
    wrong_code: bool = False
    wrong_password: bool = False
    wait: timedelta | None = None


def sign_in(
    context: Context, login: str, password: str, *, operator: bool, address: str
) -> Passed | Refused:
    """Check a login and password: of a member's user, or of one of the operator's people.

    ``address`` is from where it is tried. What passed owes the second factor, or the setting up.
    """
    made = attempts.attempt(context, login, address)
    if made.until is not None:
        return Refused(made.until - context.clock())
    with context.database.posting() as session:
        user = store.by_key(session, login_key(login))
    now = context.clock()
    usable = user if user is not None and _may_try(user, operator, now) else None
    right = verify_password(usable.password_hash if usable else None, password)
    with context.database.posting() as session:
        if usable is None or not right or not _is_still(session, usable):
            _failed(context, session, user if usable else None, made, "password", address)
            return Refused()
        attempts.succeeded(session, made, fully=False)
        level = Level.SETUP if usable.initial_until is not None else Level.SECOND
        return Passed(begin_in(session, now, usable.number, level), level)


def prove(context: Context, token: str, code: str, address: str) -> Passed | Refused:
    """Check the second factor of the session of a token, by a code of the app or a recovery code, and sign in."""
    with context.database.posting() as session:
        owed = _session(context, session, token, Level.SECOND)
    if owed is None:
        return Refused()
    made = attempts.attempt(context, owed.login, address)
    if made.until is not None:
        return Refused(made.until - context.clock())
    now = context.clock()
    with context.database.posting() as session:
        user = store.by_number(session, owed.number, hold=True)
        by = None if user is None else take_code(context, session, user, code)
        if user is None or by is None:
            _failed(context, session, owed, made, "code", address)
            return Refused()
        if not user_sessions.end(session, hashed(token)):
            return Refused()
        attempts.succeeded(session, made, fully=True)
        return _signed_in(context, session, user, now, address, by=by)


def begin_set_up(context: Context, token: str) -> SettingUp | None:
    """Return the second factor that the session of a token sets up, the same each time; ``None``: it does not."""
    with context.database.posting() as session:
        user = _session(context, session, token, Level.SETUP)
        if user is None:
            return None
        sealed = _kept(session, token)
        if sealed is None:
            sealed = seal_secret(context.vault, user.number, new_secret())
            user_sessions.keep_secret(session, hashed(token), sealed)
    secret = unseal_secret(context.vault, user.number, sealed)
    return SettingUp(user.login, secret, enrolment_uri(user.login, secret))


def finish_set_up(
    context: Context, token: str, password: str, code: str, address: str
) -> Passed | SetUpRefused | None:
    """Give a new user its own password and the second factor that a code proves, and sign it in.

    ``None`` where the session of the token sets up nothing, or is over.
    """
    now = context.clock()
    with context.database.posting() as session:
        user = _session(context, session, token, Level.SETUP)
        sealed = _kept(session, token)
    if user is None or sealed is None:
        return None
    step = step_of(unseal_secret(context.vault, user.number, sealed), code, now)
    fault = password_fault(password, user.login)
    same = fault is None and verify_password(user.password_hash, password)
    if fault is not None or same or step is None:
        return SetUpRefused(fault, same, step is None)
    password_hash = hash_password(password)
    with context.database.posting() as session:
        held = store.by_number(session, user.number, hold=True)
        # Meanwhile it may have been set up elsewhere, reset or deactivated.
        if (
            held is None
            or held.initial_until is None
            or not user_sessions.end(session, hashed(token))
        ):
            return None
        store.set_password(session, user.number, password_hash)
        store.set_second_factor(session, user.number, sealed, step)
        codes = new_recovery_codes(context, session, user.number)
        user_sessions.end_all(session, user.number)
        attempts.forgive(context, session, user.login)
        _log(session, now, user, "user.set_up", address=_source(context, address))
        return _signed_in(context, session, user, now, address, by="set-up", codes=codes)


def change_password(
    context: Context, user: int, present: str, wanted: str, address: str
) -> Passed | SetUpRefused:
    """Give a signed-in user another password; all its sessions end, and one begins.

    The present one is asked for again, as at sign-in: a browser that was left open does not know it.
    """
    now = context.clock()
    with context.database.posting() as session:
        found = store.by_number(session, user)
    if found is None or found.deactivated_at is not None:
        return SetUpRefused(wrong_password=True)
    fault = password_fault(wanted, found.login)
    if fault is not None or present == wanted:
        return SetUpRefused(fault, present == wanted)
    made = attempts.attempt(context, found.login, address)
    if made.until is not None:
        return SetUpRefused(wait=made.until - now)
    right = verify_password(found.password_hash, present)
    password_hash = hash_password(wanted) if right else ""
    with context.database.posting() as session:
        if not right or not _is_still(session, found):
            _failed(context, session, found, made, "password", address)
            return SetUpRefused(wrong_password=True)
        attempts.succeeded(session, made, fully=False)
        store.set_password(session, user, password_hash)
        user_sessions.end_all(session, user)
        _log(session, now, found, "user.password")
        return Passed(begin_in(session, now, user, Level.FULL), Level.FULL)


def change_recovery_codes(
    context: Context, token: str, user: int, code: str, address: str
) -> Passed | Refused:
    """Give a signed-in user other recovery codes, for a code of its app; its session goes on under another token."""
    with context.database.posting() as session:
        found = store.by_number(session, user)
    if found is None:
        return Refused()
    made, now = attempts.attempt(context, found.login, address), context.clock()
    if made.until is not None:
        return Refused(made.until - now)
    with context.database.posting() as session:
        held = store.by_number(session, user, hold=True)
        if held is None or take_code(context, session, held, code) is None:
            _failed(context, session, found, made, "code", address)
            return Refused()
        attempts.succeeded(session, made, fully=False)
        # Meanwhile all its sessions may have been ended: none begins out of one that is over.
        if not user_sessions.end(session, hashed(token)):
            return Refused()
        codes = new_recovery_codes(context, session, user)
        _log(session, now, found, "user.recovery_codes")
        return Passed(begin_in(session, now, user, Level.FULL), Level.FULL, codes)


def sign_out(context: Context, token: str, *, everywhere: bool = False) -> None:
    """End the session of a token, and with ``everywhere`` all others of its user."""
    with context.database.posting() as session:
        found = user_sessions.find(session, hashed(token))
        if found is None:
            return
        user_sessions.end(session, hashed(token))
        ended = 1 + (user_sessions.end_all(session, found.user) if everywhere else 0)
        audit.record(
            session, context.clock(), found.login, "sign_out", f"user {found.login}",
            {"sessions": ended}, system=found.system,
        )  # fmt: skip


def _may_try(user: StoredUser, operator: bool, now: datetime) -> bool:
    if user.deactivated_at is not None or (user.system is None) is not operator:
        return False
    return user.initial_until is None or now < user.initial_until


def _is_still(session: Session, seen: StoredUser) -> bool:
    """Tell whether the password that was compared with is the user's still: hashing takes long enough for a reset."""
    held = store.by_number(session, seen.number, hold=True)
    return (
        held is not None
        and held.deactivated_at is None
        and held.password_hash == seen.password_hash
    )


def _session(context: Context, session: Session, token: str, level: Level) -> StoredUser | None:
    """Return the user of a session that is good, and of that level."""
    found, now = user_sessions.find(session, hashed(token)), context.clock()
    if found is None or found.level != level.value or now >= found.ends_at:
        return None
    return store.by_number(session, found.user)


def _kept(session: Session, token: str) -> bytes | None:
    found = user_sessions.find(session, hashed(token))
    return None if found is None else found.totp_sealed


def _signed_in(
    context: Context,
    session: Session,
    user: StoredUser,
    now: datetime,
    address: str,
    *,
    by: str,
    codes: tuple[str, ...] = (),
) -> Passed:
    store.signed_in(session, user.number, now)
    _log(session, now, user, "sign_in", by=by, address=_source(context, address))
    return Passed(begin_in(session, now, user.number, Level.FULL), Level.FULL, codes)


def _failed(
    context: Context,
    session: Session,
    user: StoredUser | None,
    made: Attempt,
    what: str,
    address: str,
) -> None:
    """Write down that an attempt failed; of a login that does not exist nothing is written but that."""
    told = {"what": what, "address": _source(context, address)}
    _log(session, context.clock(), user, "sign_in.failed", **told)
    if made.begins_pause:
        _log(session, context.clock(), user, "sign_in.paused", **told)


def _log(
    session: Session, at: datetime, user: StoredUser | None, action: str, **details: object
) -> None:
    # Who mistypes may write the password where the login belongs, so an unknown login is never kept.
    login = user.login if user is not None else "unknown"
    audit.record(
        session, at, login, action, f"user {login}", details,
        system=user.system if user is not None else None,
    )  # fmt: skip


def _source(context: Context, address: str) -> str:
    """Return a mark by which attempts from one address are recognised; the address itself is not kept."""
    return context.vault.blind_index("address in the trail", address).hex()[:8]
