"""What a check is: one query that judges every row it looks at, and what it found.

A query gives one row for each thing that it judges: how many rows of the books stand behind it, and what
is wrong with it, ``NULL`` where it is sound. Being one query it sees one snapshot, so live traffic beside
it can't make sound books look wrong. Queries scan, hash and aggregate; none looks anything up row by row.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from psycopg2 import DataError

from clearinghouse.store.database import Session

#: Only reads. Months are joined one by one, so that a hash table holds one of them and not all years. Estimates
#: of partitioned tables are rough, and a plan that looks rows up one by one would take hours where they are wrong;
#: two checks run side by side, so none takes a second core.
_SETTINGS = "; ".join(
    (
        "SET TRANSACTION READ ONLY",
        "SET LOCAL enable_partitionwise_join = on",
        "SET LOCAL enable_partitionwise_aggregate = on",
        "SET LOCAL enable_nestloop = off",
        "SET LOCAL max_parallel_workers_per_gather = 0",
        "SET LOCAL work_mem = '128MB'",
    )
)


class Finding(NamedTuple):
    """How many rows were looked at, how many things are wrong, and the first of them in one sentence."""

    rows: int
    wrong: int
    first: str | None


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that must be true of the books (domain.md §5); ``unit`` says what its rows are."""

    number: str
    name_zh: str
    name_en: str
    unit: str
    find: Callable[[Session], Finding]

    def run(self, session: Session) -> Finding:
        """Judge the books as they are now; from here on nothing can be written in this transaction."""
        session.run(_SETTINGS)
        try:
            return self.find(session)
        except DataError as error:
            # A document, number or date that can't even be read is the worst answer, not a failure to ask.
            reason = str(error).splitlines()[0]
            return Finding(0, 1, f"the books hold what can't be read: {reason}")


def query(number: str, name_zh: str, name_en: str, unit: str, judged: str) -> Check:
    """Make a check of a query that yields (rows, what is wrong) for each thing that it judges.

    The sentences name hotels, systems, periods and numbers of the books; never a card, a name or a phone.
    """

    def find(session: Session) -> Finding:
        row = session.row(
            "SELECT coalesce(sum(judged.looked_at), 0)::bigint, min(judged.wrong)"
            f" FROM ({judged}) AS judged (looked_at, wrong)"
        )
        looked_at, first = row or (0, None)
        if first is None:
            return Finding(looked_at, 0, None)
        # Only now, since it costs the same again: how many there are.
        counted = session.row(f"SELECT count(wrong) FROM ({judged}) AS judged (looked_at, wrong)")
        return Finding(looked_at, counted[0] if counted else 1, first)

    return Check(number, name_zh, name_en, unit, find)


def kind(account: str) -> str:
    """Return the expression for the kind of an account."""
    return f"({account} & 31)"


def owner(account: str) -> str:
    """Return the expression for the owner of an account."""
    return f"({account} >> 5)"


def month(period: str) -> str:
    """Return the expression that writes a period as people do."""
    return f"to_char(make_date({period} / 12, {period} % 12 + 1, 1), 'YYYY-MM')"


def period_of(day: str) -> str:
    """Return the expression for the period that a date falls in."""
    return f"(date_part('year', {day})::int * 12 + date_part('month', {day})::int - 1)"


#: Periods whose figures are frozen, and so the last of them.
FROZEN = "(SELECT period, state FROM periods WHERE state IN ('netted', 'stated', 'published', 'settled'))"
CLOSED_THROUGH = "(SELECT coalesce(max(period), 0) FROM periods WHERE state <> 'open')"
FROZEN_THROUGH = f"(SELECT coalesce(max(period), 0) FROM {FROZEN} AS frozen)"


def first_day_after(day: str, months: str) -> str:
    """Return the expression for the first day of the month that is ``months`` + 1 after the date's."""
    return f"(date_trunc('month', {day}::timestamp) + make_interval(months => {months} + 1))"
