"""Users: the operator and each system's administrators make them, change roles, reset and deactivate them.

A new user gets an initial password, shown once; it is good for setting up an own password and the second factor, and
for nothing else. What is done is in the audit log, where a system's administrators read their own trail.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from clearinghouse.domain.errors import NotFound, OperatorRefused
from clearinghouse.domain.users import Role, login_key, login_of
from clearinghouse.operations import attempts
from clearinghouse.operations.changing import Authority, fit_authority
from clearinghouse.operations.context import Context
from clearinghouse.operations.packs.showing import shown
from clearinghouse.operations.passwords import hash_password, new_password
from clearinghouse.store import audit, user_sessions
from clearinghouse.store import users as store
from clearinghouse.store.database import Session
from clearinghouse.store.users import ListedUser, StoredUser

__all__ = [
    "Invited",
    "ListedUser",
    "change_role",
    "create_user",
    "deactivate_user",
    "every_user",
    "list_users",
    "recovery_codes_left",
    "reset_user",
    "unlock_user",
    "user_named",
]

_INITIAL = timedelta(days=7)
_LAST_ADMIN = "this is the last active administrator; make another one first"


@dataclass(frozen=True, slots=True)
class Invited:
    """A user and the initial password, which is told here and never again."""

    user: int
    login: str
    initial_password: str
    good_until: datetime


def create_user(
    context: Context, system_code: str | None, name: str, role: Role, authority: Authority
) -> Invited:
    """Make a user of a member system, or of the operator where ``system_code`` is ``None``.

    ``name`` needs to be nobody's name: it becomes the login ``name@SYSTEM``, of the operator's people ``name``.

    Raises:
        NotFound: there is no such system.
        OperatorRefused: the login does not fit, or is taken.
    """
    authority, now, password = fit_authority(authority), context.clock(), new_password()
    try:
        login = login_of(name, system_code)
    except ValueError as wrong:
        raise OperatorRefused(str(wrong)) from None
    password_hash = hash_password(password)
    with context.database.office() as session:
        system = _system(context, session, system_code)
        until = now + _INITIAL
        number = store.add(
            session, system, login, login_key(login), role.value, password_hash, until, now
        )
        if number is None:
            raise OperatorRefused(f"there is a user {login} already")
        _log(session, now, authority, "user.create", login, system, role=role.value)
    return Invited(number, login, password, until)


def change_role(
    context: Context, system: int | None, user: int, role: Role, authority: Authority
) -> None:
    """Give a user of a system (``None``: the operator) another role; its sessions end.

    Raises:
        NotFound: the system has no such active user.
        OperatorRefused: it has that role, or is the last administrator.
    """
    authority, now = fit_authority(authority), context.clock()
    with context.database.office() as session:
        store.hold_admins(session, system)
        found = _active(session, system, user)
        if found.role == role.value:
            raise OperatorRefused("the user has that role already")
        _keep_an_admin(session, found)
        store.set_role(session, user, role.value)
        user_sessions.end_all(session, user)
        _log(
            session, now, authority, "user.role", found.login, system,
            role=role.value, former=found.role,
        )  # fmt: skip


def reset_user(context: Context, system: int | None, user: int, authority: Authority) -> Invited:
    """Let a user set up password and second factor anew, with another initial password; its sessions end.

    Raises:
        NotFound: the system has no such active user.
    """
    authority, now, password = fit_authority(authority), context.clock(), new_password()
    password_hash = hash_password(password)
    with context.database.office() as session:
        found = _active(session, system, user)
        until = now + _INITIAL
        store.set_initial(session, user, password_hash, until)
        user_sessions.end_all(session, user)
        attempts.forgive(context, session, found.login)
        _log(session, now, authority, "user.reset", found.login, system)
    return Invited(user, found.login, password, until)


def deactivate_user(context: Context, system: int | None, user: int, authority: Authority) -> None:
    """End a user for good: its sessions end at once, and it can't sign in any more.

    Raises:
        NotFound: the system has no such active user.
        OperatorRefused: it is the last administrator.
    """
    authority, now = fit_authority(authority), context.clock()
    with context.database.office() as session:
        store.hold_admins(session, system)
        found = _active(session, system, user)
        _keep_an_admin(session, found)
        store.deactivate(session, user, now)
        user_sessions.end_all(session, user)
        _log(session, now, authority, "user.deactivate", found.login, system)


def unlock_user(context: Context, system: int | None, user: int, authority: Authority) -> None:
    """Forget the failed attempts of a user's login, so that it may be tried again at once.

    Raises:
        NotFound: the system has no such active user.
    """
    authority, now = fit_authority(authority), context.clock()
    with context.database.office() as session:
        found = _active(session, system, user)
        attempts.forgive(context, session, found.login)
        _log(session, now, authority, "user.unlock", found.login, system)


def list_users(context: Context, system: int | None) -> list[ListedUser]:
    """Return the users of a system, or of the operator (``None``), deactivated ones too."""
    if system is None:
        with context.database.office() as session:
            return store.listed(session, None)
    with context.database.reading(system) as session:
        return store.listed(session, system)


def every_user(context: Context) -> list[ListedUser]:
    """Return all users, for the operator."""
    with context.database.office() as session:
        return store.every(session)


def recovery_codes_left(context: Context, user: int) -> int:
    """Return how many recovery codes a user still has."""
    with context.database.posting() as session:
        return store.recovery_codes_left(session, user)


def user_named(context: Context, login: str) -> StoredUser:
    """Return the active user of a login, for the operator.

    Raises:
        NotFound: there is none.
    """
    with context.database.office() as session:
        found = store.by_key(session, login_key(login))
    if found is None or found.deactivated_at is not None:
        raise NotFound(f"there is no active user {shown(login)}")
    return found


def _system(context: Context, session: Session, code: str | None) -> int | None:
    if code is None:
        return None
    system = context.directory.current(session).system_by_code.get(code)
    if system is None:
        raise NotFound(f"there is no system {shown(code)}")
    return system.number


def _active(session: Session, system: int | None, user: int) -> StoredUser:
    """Return an active user of that system; another's is as none."""
    found = store.by_number(session, user, hold=True)
    if found is None or found.system != system or found.deactivated_at is not None:
        raise NotFound("there is no such user")
    return found


def _keep_an_admin(session: Session, user: StoredUser) -> None:
    if user.role == Role.ADMIN and store.other_admins(session, user) == 0:
        raise OperatorRefused(_LAST_ADMIN)


def _log(
    session: Session,
    at: datetime,
    authority: Authority,
    action: str,
    login: str,
    system: int | None,
    **details: object,
) -> None:
    told = {"reason": authority.reason, **details}
    if authority.approved_by is not None:
        told["approved_by"] = authority.approved_by
    audit.record(session, at, authority.actor, action, f"user {login}", told, system=system)
