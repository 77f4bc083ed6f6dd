"""Failed attempts to sign in, by login and by address: counted before they are made, so that none run beside it."""

from __future__ import annotations

from datetime import datetime

from clearinghouse.store.database import Session

#: An attempt also clears away this many that are forgotten.
_CLEARED = 100


def take(
    session: Session, subject: bytes, at: datetime, forget_before: datetime
) -> tuple[int, datetime | None]:
    """Count an attempt as failed until it is known better; return the count, and until when it has to wait.

    Where it has to wait, nothing is counted. Whoever counts for the same subject waits for this transaction.
    """
    session.run(
        "INSERT INTO sign_in_attempts AS a (subject, failures, last_at) VALUES (%s, 0, %s)"
        " ON CONFLICT (subject) DO UPDATE SET failures = 0, until = NULL WHERE a.last_at < %s",
        [subject, at, forget_before],
    )
    row = session.row(
        "UPDATE sign_in_attempts SET failures = failures + 1, last_at = %s"
        " WHERE subject = %s AND (until IS NULL OR until <= %s) RETURNING failures",
        [at, subject, at],
    )
    if row is not None:
        return int(row[0]), None
    waiting = session.row(
        "SELECT failures, until FROM sign_in_attempts WHERE subject = %s", [subject]
    )
    return (int(waiting[0]), waiting[1]) if waiting else (1, None)


def pause(session: Session, subject: bytes, until: datetime) -> None:
    """Take no attempt of a subject until a moment."""
    session.run("UPDATE sign_in_attempts SET until = %s WHERE subject = %s", [until, subject])


def give_back(session: Session, subject: bytes) -> None:
    """Take back the count of one attempt that was none that failed, and the pause that it began."""
    session.run(
        "UPDATE sign_in_attempts SET failures = greatest(failures - 1, 0), until = NULL WHERE subject = %s",
        [subject],
    )


def forget(session: Session, subject: bytes) -> None:
    """Forget all failed attempts of a subject."""
    session.run("DELETE FROM sign_in_attempts WHERE subject = %s", [subject])


def clear_away(session: Session, forget_before: datetime) -> None:
    """Clear away some subjects whose last attempt is long ago."""
    session.run(
        "DELETE FROM sign_in_attempts WHERE subject IN (SELECT subject FROM sign_in_attempts"
        " WHERE last_at < %s ORDER BY last_at LIMIT %s FOR UPDATE SKIP LOCKED)",
        [forget_before, _CLEARED],
    )
