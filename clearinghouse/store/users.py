"""Users: people who sign in to the console of their system or to the operator's desk."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from clearinghouse.store.database import Row, Session

_COLUMNS = "number, system, login, role, password_hash, initial_until, totp_sealed, deactivated_at"
_LISTED = "u.number, s.code, u.login, u.role, u.initial_until, u.created_at, u.signed_in_at, u.deactivated_at"


@dataclass(frozen=True, slots=True)
class StoredUser:
    """A user with what proves who it is. ``system`` is ``None`` for the operator's people.

    Attributes:
        password_hash: By argon2.
        initial_until: While an administrator knows the password: until when it is good, for setting up only.
        totp_sealed: The sealed secret of the second factor, once it is set up.
    """

    number: int
    system: int | None
    login: str
    role: str
    password_hash: str
    initial_until: datetime | None
    totp_sealed: bytes | None
    deactivated_at: datetime | None


class ListedUser(NamedTuple):
    """A user as an administrator sees it."""

    number: int
    system_code: str | None
    login: str
    role: str
    initial_until: datetime | None
    created_at: datetime
    signed_in_at: datetime | None
    deactivated_at: datetime | None


def add(
    session: Session,
    system: int | None,
    login: str,
    login_key: str,
    role: str,
    password_hash: str,
    initial_until: datetime,
    at: datetime,
) -> int | None:
    """Record a new user with an initial password and return its number; ``None`` if the login is taken."""
    row = session.row(
        "INSERT INTO users (system, login, login_key, role, password_hash, initial_until, created_at)"
        " VALUES (%s, %s, %s, %s, %s, %s, %s) ON CONFLICT (login_key) DO NOTHING RETURNING number",
        [system, login, login_key, role, password_hash, initial_until, at],
    )
    return int(row[0]) if row else None


def by_key(session: Session, login_key: str, *, hold: bool = False) -> StoredUser | None:
    """Return the user of a login, deactivated or not; with ``hold`` it stays as it is in this transaction."""
    lock = " FOR SHARE" if hold else ""
    row = session.row(f"SELECT {_COLUMNS} FROM users WHERE login_key = %s{lock}", [login_key])
    return _user(row) if row else None


def by_number(session: Session, number: int, *, hold: bool = False) -> StoredUser | None:
    """Return a user, deactivated or not; with ``hold`` nobody else changes it in this transaction."""
    lock = " FOR UPDATE" if hold else ""
    row = session.row(f"SELECT {_COLUMNS} FROM users WHERE number = %s{lock}", [number])
    return _user(row) if row else None


def listed(session: Session, system: int | None) -> list[ListedUser]:
    """Return the users of a system or of the operator (``None``), deactivated ones last, by login."""
    rows = session.rows(
        f"SELECT {_LISTED} FROM users u LEFT JOIN systems s ON s.number = u.system"
        " WHERE u.system IS NOT DISTINCT FROM %s ORDER BY (u.deactivated_at IS NOT NULL), u.login_key",
        [system],
    )
    return [ListedUser(*row) for row in rows]


def every(session: Session) -> list[ListedUser]:
    """Return all users: the operator's first, then by system and login."""
    rows = session.rows(
        f"SELECT {_LISTED} FROM users u LEFT JOIN systems s ON s.number = u.system"
        " ORDER BY s.code NULLS FIRST, u.login_key"
    )
    return [ListedUser(*row) for row in rows]


def hold_admins(session: Session, system: int | None) -> None:
    """Let nobody else change the active administrators of a system, or the operator, in this transaction.

    They are locked in the order of their numbers. Call it before any user is locked: two may end each other.
    """
    session.rows(
        "SELECT FROM users WHERE system IS NOT DISTINCT FROM %s AND role = 'admin' AND deactivated_at IS NULL"
        " ORDER BY number FOR UPDATE",
        [system],
    )


def other_admins(session: Session, user: StoredUser) -> int:
    """Return how many active administrators there are of the user's system, or the operator, beside the user."""
    row = session.row(
        "SELECT count(*) FROM (SELECT FROM users WHERE system IS NOT DISTINCT FROM %s AND role = 'admin'"
        " AND deactivated_at IS NULL AND number <> %s FOR UPDATE) AS others",
        [user.system, user.number],
    )
    return int(row[0]) if row else 0


def set_role(session: Session, number: int, role: str) -> None:
    """Give a user another role."""
    session.run("UPDATE users SET role = %s WHERE number = %s", [role, number])


def set_initial(session: Session, number: int, password_hash: str, until: datetime) -> None:
    """Give a user an initial password again: its own password, second factor and recovery codes are gone."""
    session.run(
        "UPDATE users SET password_hash = %s, initial_until = %s, totp_sealed = NULL WHERE number = %s",
        [password_hash, until, number],
    )
    replace_recovery_codes(session, number, ())


def set_password(session: Session, number: int, password_hash: str) -> None:
    """Record the password that a user has chosen."""
    session.run(
        "UPDATE users SET password_hash = %s, initial_until = NULL WHERE number = %s",
        [password_hash, number],
    )


def set_second_factor(session: Session, number: int, sealed: bytes, step: int) -> None:
    """Record a user's second factor, and the time step of the code that has proved it."""
    session.run(
        "UPDATE users SET totp_sealed = %s, totp_step = greatest(totp_step, %s) WHERE number = %s",
        [sealed, step, number],
    )


def use_step(session: Session, number: int, step: int) -> bool:
    """Record that the code of a time step is used; false if it, or a later one, was before."""
    return (
        session.run(
            "UPDATE users SET totp_step = %s WHERE number = %s AND totp_step < %s",
            [step, number, step],
        )
        == 1
    )


def signed_in(session: Session, number: int, at: datetime) -> None:
    """Record when a user last signed in."""
    session.run("UPDATE users SET signed_in_at = %s WHERE number = %s", [at, number])


def deactivate(session: Session, number: int, at: datetime) -> None:
    """Record that a user is no longer one; its second factor is forgotten."""
    session.run(
        "UPDATE users SET deactivated_at = %s, totp_sealed = NULL WHERE number = %s", [at, number]
    )
    replace_recovery_codes(session, number, ())


def replace_recovery_codes(session: Session, number: int, codes: Collection[bytes]) -> None:
    """Give a user other recovery codes, as keyed hashes; those it had are good no more."""
    session.run("DELETE FROM user_recovery_codes WHERE user_no = %s", [number])
    for code in codes:
        session.run(
            "INSERT INTO user_recovery_codes (user_no, code) VALUES (%s, %s)", [number, code]
        )


def use_recovery_code(session: Session, number: int, code: bytes) -> bool:
    """Use a recovery code up; false if the user has no such one."""
    return (
        session.run(
            "DELETE FROM user_recovery_codes WHERE user_no = %s AND code = %s", [number, code]
        )
        == 1
    )


def recovery_codes_left(session: Session, number: int) -> int:
    """Return how many recovery codes a user still has."""
    row = session.row("SELECT count(*) FROM user_recovery_codes WHERE user_no = %s", [number])
    return int(row[0]) if row else 0


def _user(row: Row) -> StoredUser:
    number, system, login, role, password, until, sealed, gone = row
    return StoredUser(
        number, system, login, role, password, until,
        None if sealed is None else bytes(sealed), gone,
    )  # fmt: skip
