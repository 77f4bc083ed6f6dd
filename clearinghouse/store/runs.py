"""Who may take a run further, how far it is, and why it has stopped (domain.md §4)."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from clearinghouse.store.database import Session
from clearinghouse.store.imports import may_idle

#: Advisory lock of whoever takes a run from one stage to the next.
RUN_LOCK = 727007
#: Advisory locks of those who make statements: below the number are the period and whose it is.
_STATEMENT_LOCK = 727020
_MOST_SYSTEMS = (1 << 24) - 1
#: Advisory lock of whoever stages ahead.
_AHEAD_LOCK = 727042


class Standing(NamedTuple):
    """How far a period is: its state, and of how many statements how many are stored (0 of 0 before it is netted)."""

    state: str | None
    stored: int
    statements: int


class Failure(NamedTuple):
    """The last time that a stage of a run failed, and why in one sentence."""

    at: datetime
    sentence: str


def hold_run(session: Session, *, wait: bool) -> bool:
    """Hold the lock of a run until this transaction ends, without ``wait`` only if it is free; tell if it is held."""
    return _hold(session, RUN_LOCK, wait=wait)


def hold_statement(session: Session, period: int, system: int, *, wait: bool) -> bool:
    """Hold the lock of one party's statement (0: the clearing house's) as :func:`hold_run` holds that of the run."""
    return _hold(session, _statement_lock(period, system), wait=wait)


def hold_ahead(session: Session) -> bool:
    """Be the only one who stages ahead until this transaction ends, unless another process is; tell whether we are."""
    return _hold(session, _AHEAD_LOCK, wait=False)


def statements_held(session: Session, period: int) -> set[int]:
    """Return whose statements of a period somebody is making now (0: the clearing house's)."""
    first = _statement_lock(period, 0)
    rows = session.rows(
        "SELECT (classid::bigint << 32 | objid::bigint) - %s FROM pg_locks WHERE locktype = 'advisory' AND granted"
        " AND objsubid = 1 AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
        " AND classid::bigint << 32 | objid::bigint BETWEEN %s AND %s",
        [first, first, first + _MOST_SYSTEMS],
    )
    return {row[0] for row in rows}


def is_at_work(session: Session, period: int) -> bool:
    """Tell whether somebody takes a run further at this moment, or makes a statement of the period, in any process."""
    row = session.row(
        "SELECT EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory' AND granted AND objsubid = 1"
        " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
        " AND classid::bigint << 32 | objid::bigint = %s)",
        [RUN_LOCK],
    )
    return bool(row and row[0]) or bool(statements_held(session, period))


def missing_statements(session: Session, period: int, path: str) -> list[int | None]:
    """Return whose statements are not stored, the clearing house's (``None``) first, systems by code.

    ``path`` is what their paths are like. Nobody's is missing before the period is netted.
    """
    return [
        row[0]
        for row in session.rows(
            "SELECT party FROM ("
            " SELECT p.system AS party, s.code FROM positions p JOIN systems s ON s.number = p.system"
            "  WHERE p.period = %s"
            " UNION ALL SELECT NULL, '' FROM netted_runs WHERE period = %s"
            ") AS parties WHERE NOT EXISTS (SELECT FROM period_files f"
            "  WHERE f.period = %s AND f.path LIKE %s AND f.system IS NOT DISTINCT FROM party)"
            ' ORDER BY party IS NOT NULL, code COLLATE "C"',
            [period, period, period, path],
        )
    ]


def is_stated(session: Session, period: int, system: int | None, path: str) -> bool:
    """Tell whether the statement of a system (``None``: of the clearing house) is stored."""
    row = session.row(
        "SELECT EXISTS (SELECT FROM period_files"
        " WHERE period = %s AND path LIKE %s AND system IS NOT DISTINCT FROM %s)",
        [period, path, system],
    )
    return bool(row and row[0])


def standing(session: Session, period: int, path: str) -> Standing:
    """Return how far the run of a period is; ``path`` is what the paths of statements are like."""
    row = session.row(
        "SELECT (SELECT state FROM periods WHERE period = %s),"
        " (SELECT count(*) FROM period_files WHERE period = %s AND path LIKE %s),"
        " (SELECT count(*) FROM positions WHERE period = %s)"
        " + (SELECT count(*) FROM netted_runs WHERE period = %s)",
        [period, period, path, period, period],
    )
    return Standing(*row) if row else Standing(None, 0, 0)


def record_failure(session: Session, period: int, at: datetime, sentence: str) -> None:
    """Remember why a run has stopped."""
    session.run(
        "INSERT INTO run_failures (period, at, sentence) VALUES (%s, %s, %s)"
        " ON CONFLICT (period) DO UPDATE SET at = excluded.at, sentence = excluded.sentence",
        [period, at, sentence],
    )


def failure_of(session: Session, period: int) -> Failure | None:
    """Return why the run of a period stopped last, if it ever did."""
    row = session.row("SELECT at, sentence FROM run_failures WHERE period = %s", [period])
    return None if row is None else Failure(*row)


def _statement_lock(period: int, system: int) -> int:
    return _STATEMENT_LOCK << 40 | period << 24 | system


def _hold(session: Session, lock: int, *, wait: bool) -> bool:
    may_idle(session)
    if wait:
        session.row("SELECT pg_advisory_xact_lock(%s)", [lock])
        return True
    row = session.row("SELECT pg_try_advisory_xact_lock(%s)", [lock])
    return bool(row and row[0])
