"""Running debits: what systems owe the clearing house right now, and the cached limits that draws are judged by.

A running debit is the debit balance of a system's account, read from sums: frozen net positions, roll-ups of the
months still open, adjustments there, and what moved besides (payments, collateral). No row stands for it that every
transaction would lock. Each process reads it about once a second, and only if a system has a limit at all
(docs/decisions/0023).
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import date, datetime
from threading import Lock, Thread

from clearinghouse.domain.accounts import AccountKind
from clearinghouse.domain.business_day import business_day
from clearinghouse.domain.directory import Directory
from clearinghouse.domain.errors import DatabaseUnavailable
from clearinghouse.domain.limits import Limits
from clearinghouse.domain.movements import MOVEMENT_KINDS
from clearinghouse.domain.netting import FEE_MEASURES, OBLIGATION_KINDS
from clearinghouse.store import rollups
from clearinghouse.store.database import Database, Session

REFRESH_SECONDS = 1.0
#: What is older is not used any more while it is read again: nobody has asked for long.
_TOO_OLD = 5
#: Sequences from so many lines on are worth reading the debits again before them.
_MANY_LINES = 100

_POSITION, _COLLATERAL = AccountKind.POSITION.value, AccountKind.COLLATERAL.value
_OBLIGATIONS = ", ".join(str(measure.value) for measure in OBLIGATION_KINDS)
_FEES = ", ".join(map(str, FEE_MEASURES.values()))
_UNFROZEN = "(SELECT period FROM periods WHERE state IN ('open', 'closing'))"
_KINDS = ", ".join(f"'{kind}'" for kind in sorted(MOVEMENT_KINDS))
#: Roll-ups of the open months: what each system owes as debtor (fees too), and is owed as creditor.
_ROLLED = " UNION ALL ".join(
    f"SELECT {side} AS system, {sign}sum(amount) AS amount FROM {table} WHERE period IN {_UNFROZEN}"
    f" AND measure IN ({measures}) GROUP BY 1"
    for table in ("rollups", "rollup_increments")
    for side, sign, measures in (
        ("debtor", "", f"{_OBLIGATIONS}, {_FEES}"),
        ("creditor", "-", _OBLIGATIONS),
    )
)
#: What a system owes, in parts: (system, amount), below 0 where it is to receive.
_PARTS = f"""
SELECT system, -net_minor::numeric AS amount FROM positions
UNION ALL {_ROLLED}
UNION ALL SELECT system, -amount_minor FROM adjustments WHERE period IN {_UNFROZEN}
UNION ALL SELECT side.account >> 5, side.amount FROM entries e
    JOIN postings p ON p.period = e.period AND p.entry_id = e.entry_id
    CROSS JOIN LATERAL (VALUES (p.debit, p.amount), (p.credit, -p.amount)) AS side (account, amount)
    WHERE e.kind IN ({_KINDS}) AND e.kind NOT IN ('expiry', 'vat') AND side.account & 31 = {_POSITION}
"""
_DEBITS = f"SELECT system, sum(amount)::bigint FROM ({_PARTS}) AS parts GROUP BY 1"
_BALANCES = (
    "SELECT side.account >> 5, sum(side.amount)::bigint FROM entries e"
    " JOIN postings p ON p.period = e.period AND p.entry_id = e.entry_id"
    " CROSS JOIN LATERAL (VALUES (p.debit, -p.amount), (p.credit, p.amount)) AS side (account, amount)"
    " WHERE e.kind NOT IN ('expiry', 'vat') AND side.account & 31 = %s GROUP BY 1"
)


def debits(session: Session) -> dict[int, int]:
    """Return what every system owes, in fen, below 0 where it is to receive; VAT on top from its netting on."""
    return dict(session.rows(_DEBITS))


def balances(session: Session, kind: AccountKind) -> dict[int, int]:
    """Return the credit balances of accounts that only entries of money move (collateral, claims, fund), by owner."""
    return dict(session.rows(_BALANCES, [kind.value]))


def limits_of(session: Session, directory: Directory, today: date) -> dict[int, int]:
    """Return the limits of systems that have one: the cap and what is posted as collateral.

    A system that has left the alliance has no credit beyond its collateral, whatever its cap was (decision 0023).
    """
    collateral = balances(session, AccountKind.COLLATERAL)
    leaving = {s for s, stands in directory.standings.items() if not stands.may_issue(today)}
    caps = {**directory.caps, **dict.fromkeys(leaving, 0)}
    return {system: cap + collateral.get(system, 0) for system, cap in caps.items()}


class Exposures:
    """Keeps one database's limits and running debits for a process; safe to share between threads."""

    def __init__(self, refresh_seconds: float = REFRESH_SECONDS) -> None:
        self._refresh_seconds = refresh_seconds
        self._state, self._reading, self._deciding = Lock(), Lock(), Lock()
        self._directory: Directory | None = None
        self._read_at = float("-inf")
        self._limits: dict[int, int] = {}
        self._debits: dict[int, int] = {}
        #: What sequences have added that are under way: a reading does not see it, however often one begins.
        self._under_way: dict[Session, dict[int, int]] = {}
        #: What those have added that have ended since the last reading began.
        self._meanwhile: dict[int, int] = {}

    def keep_fresh(
        self, database: Database, directory: Directory, now: datetime, lines: int = 1
    ) -> None:
        """See to it that limits are fresh for a sequence of so many lines; at no cost where nobody has one.

        What is known is used while it is read anew behind, so no request waits for that; but if the directory has
        changed, the sequence is long or nobody has asked for some seconds, it is read now. So take no lock before for
        which anybody waits.
        """
        if not directory.caps and not directory.standings:
            return
        asked_at = time.monotonic()
        is_long = lines >= _MANY_LINES
        if is_long or self._is_unfit(directory, asked_at):
            with self._reading:
                # Somebody else may have read it while we waited for our turn.
                if (is_long and self._read_at < asked_at) or self._is_unfit(directory, asked_at):
                    self._read(database, directory, now)
            return
        is_due = asked_at - self._read_at >= self._refresh_seconds
        if is_due and self._reading.acquire(blocking=False):
            known = database, directory, now
            try:
                Thread(target=self._read_behind, args=known, daemon=True).start()
            except RuntimeError:
                # No thread is to be had: what is known is used until a request reads it itself, or gets one.
                self._reading.release()

    @contextmanager
    def deciding(self, session: Session, directory: Directory) -> Iterator[Limits | None]:
        """Lend the limits to one sequence at a time; what it decides is counted at once (``None``: no limits).

        It is kept apart until the transaction ends (:meth:`end`).
        """
        if not directory.caps and not directory.standings:
            yield None
            return
        with self._deciding:
            limits = self.limits(directory)
            yield limits
            if limits is not None:
                with self._state:
                    _count(self._debits, limits.added)
                    _count(self._under_way.setdefault(session, {}), limits.added)

    def end(self, session: Session, *, may_stand: bool) -> None:
        """Say that a transaction has ended: readings that begin from now on see what it has added, if that may stand.

        What can't is taken back at once, since the same lines may be tried again.
        """
        if session in self._under_way:
            with self._state:
                added = self._under_way.pop(session)
                if may_stand:
                    _count(self._meanwhile, added)
                else:
                    _count(self._debits, {system: -amount for system, amount in added.items()})

    def limits(self, directory: Directory) -> Limits | None:
        """Return what is known at this moment to judge draws by; ``None`` where nobody has a limit."""
        if not directory.caps and not directory.standings:
            return None
        with self._state:
            return Limits(self._limits, self._debits) if self._limits else None

    def _is_unfit(self, directory: Directory, at: float) -> bool:
        """Tell whether what is known may not be used at a moment, not even while it is read again."""
        too_old = at - self._read_at >= self._refresh_seconds * _TOO_OLD
        return directory is not self._directory or too_old

    def _read_behind(self, database: Database, directory: Directory, now: datetime) -> None:
        try:
            # What can't be read now is read by a later request, which is told why not.
            with suppress(DatabaseUnavailable):
                self._read(database, directory, now)
        finally:
            self._reading.release()

    def _read(self, database: Database, directory: Directory, now: datetime) -> None:
        """Read limits and debits; the caller holds the lock of reading."""
        began = time.monotonic()
        with self._state:
            self._meanwhile = {}
        # Connections of their own: whoever waits for this may hold one of the value path.
        with database.office() as session:
            rollups.fold_if_free(session)
        with database.office() as session:
            found = limits_of(session, directory, business_day(directory, now))
            owed = debits(session) if found else {}
        with self._state:
            # Some of it may be in what was read already: rather for a moment too careful than not enough.
            for added in (self._meanwhile, *self._under_way.values()):
                _count(owed, added)
            self._limits, self._debits = found, owed
            self._directory, self._read_at = directory, began


def _count(sums: dict[int, int], added: Mapping[int, int]) -> None:
    for system, amount in added.items():
        sums[system] = sums.get(system, 0) + amount
