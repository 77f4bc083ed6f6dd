"""What changes of the alliance need of the store: turns, periods that stay open meanwhile, and profiles."""

from __future__ import annotations

import time
from datetime import date

from clearinghouse.domain.calendar import period_of
from clearinghouse.store.database import Session
from clearinghouse.store.imports import IMPORT_LOCK
from clearinghouse.store.loading import PERIOD_LOCK
from clearinghouse.store.members import SystemProfile
from clearinghouse.store.periods import closed_through
from clearinghouse.store.runs import RUN_LOCK

_PATIENCE_SECONDS = 5.0
_TRY_EVERY_SECONDS = 0.05


def take_turn(session: Session) -> bool:
    """Keep imports and other changes out until this transaction ends; ``False`` if one goes on for long."""
    return _try_lock(session, IMPORT_LOCK, _PATIENCE_SECONDS)


def keep_settlements_out(session: Session) -> bool:
    """Let no settlement begin until this transaction ends; ``False`` if one is running."""
    return _try_lock(session, RUN_LOCK, 0)


def _try_lock(session: Session, lock: int, seconds: float) -> bool:
    until = time.monotonic() + seconds
    while True:
        row = session.row("SELECT pg_try_advisory_xact_lock(%s)", [lock])
        if row and row[0]:
            return True
        if time.monotonic() >= until:
            return False
        time.sleep(_TRY_EVERY_SECONDS)


def hold_open(session: Session, day: date) -> int:
    """Share the lock of a day's period, as posters do; return the last period that is closed by then.

    If the day's period is open, no closing of it gets beyond its first stage until this transaction ends.
    """
    session.row("SELECT pg_advisory_xact_lock_shared(%s, %s)", [PERIOD_LOCK, period_of(day)])
    return closed_through(session)


def change_profile(session: Session, code: str, profile: SystemProfile, on: date) -> None:
    """Put a system's profile in the place of the one on record, as of a date or the newer one on record."""
    session.run(
        "UPDATE systems SET name_zh = %s, name_en = %s, uscc = %s, bank_account = %s,"
        " net_debit_cap_minor = %s, collateral_minor = %s, profile_on = greatest(profile_on, %s)"
        " WHERE code = %s",
        [*profile, on, code],
    )


def legs_since(session: Session, hotel_code: str, day: date) -> int:
    """Return how many legs from a business date on have a hotel as their host or issuer."""
    row = session.row(
        "SELECT count(*) FROM hotels h JOIN legs g ON h.number IN (g.host_hotel, g.issuer_hotel)"
        " JOIN transactions t ON t.period = g.period AND t.txn_id = g.txn_id"
        " WHERE h.code = %s AND g.period >= %s AND t.business_date >= %s",
        [hotel_code, period_of(day), day],
    )
    return int(row[0]) if row else 0
