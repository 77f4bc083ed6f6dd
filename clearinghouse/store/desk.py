"""What the operator's desk looks at beside the other stores: a member's history, dates of periods, what waits."""

from __future__ import annotations

from datetime import date, datetime
from typing import NamedTuple

from clearinghouse.store.database import Session
from clearinghouse.store.members import Membership

_LATE_COUNTED = 20_000


class Acceptance(NamedTuple):
    """A system's yes to a version of the rulebook."""

    version: str
    accepted_at: datetime
    accepted_by: str


class StandingStep(NamedTuple):
    """A step of a system's standing as it was recorded; dates are a withdrawal's."""

    step: str
    withdrawn_on: date | None
    run_off_until: date | None
    recorded_at: datetime
    reason: str


class PeriodDates(NamedTuple):
    """A period with what is recorded of its dates; ``due_on`` is the last day to pay, once that is instructed."""

    period: int
    state: str
    closing_at: datetime | None
    published_at: datetime | None
    due_on: date | None


class Waiting(NamedTuple):
    """How much waits for a person: matches and lines of the bank, disputes, and the next deadline of an answer."""

    matches: int
    disputes_to_decide: int
    oldest_to_decide: datetime | None
    disputes_open: int
    next_answer_due: datetime | None


class MonthSums(NamedTuple):
    """A netted period in a few sums, in fen: gross obligations, fees, and what net receivers are paid."""

    gross_minor: int
    fees_minor: int
    settled_minor: int


def acceptances(session: Session, code: str) -> list[Acceptance]:
    """Return what a system has accepted, the newest version first."""
    rows = session.rows(
        "SELECT r.version, a.accepted_at, a.accepted_by FROM acceptances a"
        " JOIN rulebooks r ON r.number = a.rulebook JOIN systems s ON s.number = a.system"
        " WHERE s.code = %s ORDER BY r.effective_from DESC",
        [code],
    )
    return [Acceptance(*row) for row in rows]


def hotel_histories(session: Session, code: str) -> list[Membership]:
    """Return all memberships of the hotels that are or ever were a system's, by code, the oldest first."""
    rows = session.rows(
        "SELECT h.code, m.effective_from, s.code, m.name_zh, m.name_en, m.city FROM memberships m"
        " JOIN hotels h ON h.number = m.hotel JOIN systems s ON s.number = m.system"
        " WHERE m.hotel IN (SELECT hotel FROM memberships o JOIN systems w ON w.number = o.system"
        "  WHERE w.code = %s) ORDER BY h.code, m.effective_from",
        [code],
    )
    return [Membership(*row) for row in rows]


def standing_steps(session: Session, code: str) -> list[StandingStep]:
    """Return the steps of a system's standing, the newest first."""
    rows = session.rows(
        "SELECT t.step, t.withdrawn_on, t.run_off_until, t.recorded_at, t.reason FROM standings t"
        " JOIN systems s ON s.number = t.system WHERE s.code = %s ORDER BY t.number DESC",
        [code],
    )
    return [StandingStep(*row) for row in rows]


def period_dates(session: Session, most: int) -> list[PeriodDates]:
    """Return up to ``most`` periods that were ever opened, the newest first."""
    rows = session.rows(
        "SELECT p.period, p.state, p.closing_at, p.published_at,"
        " (SELECT max(i.due_on) FROM payment_instructions i WHERE i.period = p.period)"
        " FROM periods p ORDER BY p.period DESC LIMIT %s",
        [most],
    )
    return [PeriodDates(*row) for row in rows]


def waiting(session: Session) -> Waiting:
    """Return how much waits for a person at the clearing house."""
    row = session.row(
        "SELECT (SELECT count(*) FROM payment_matches WHERE state = 'proposed'),"
        " count(*) FILTER (WHERE state IN ('answered', 'escalated') OR overdue_at IS NOT NULL),"
        " min(coalesce(escalated_at, answered_at, overdue_at))"
        "  FILTER (WHERE state IN ('answered', 'escalated') OR overdue_at IS NOT NULL),"
        " count(*) FILTER (WHERE state = 'open' AND overdue_at IS NULL),"
        " min(answer_due_at) FILTER (WHERE state = 'open' AND overdue_at IS NULL)"
        " FROM disputes WHERE state NOT IN ('upheld', 'rejected')"
    )
    return Waiting(*(row or (0, 0, None, 0, None)))


def lines_of_period(session: Session, period: int, path: str) -> int | None:
    """Return how many lines a published statement has, by its path; ``None`` if there is none."""
    row = session.row(
        "SELECT rows FROM period_files WHERE period = %s AND path = %s", [period, path]
    )
    return None if row is None else row[0]


def month_sums(session: Session, period: int) -> MonthSums | None:
    """Return the sums of a netted period; ``None`` before it is netted."""
    row = session.row(
        "SELECT (SELECT coalesce(sum(amount_minor), 0)::bigint FROM obligations WHERE period = %s),"
        " coalesce(sum(fees_minor), 0)::bigint, coalesce(sum(greatest(net_minor, 0)), 0)::bigint, count(*)"
        " FROM positions WHERE period = %s",
        [period, period],
    )
    return None if row is None or row[3] == 0 else MonthSums(*row[:3])


def late_lines(session: Session, period: int) -> int | None:
    """Return how many transactions came late into a period; ``None`` where it has too many to count them at once.

    There is no roll-up of them, and a page reads no month whole.
    """
    found = session.row(
        "SELECT count(*), count(*) FILTER (WHERE late) FROM"
        " (SELECT late FROM transactions WHERE period = %s LIMIT %s) AS first_ones",
        [period, _LATE_COUNTED + 1],
    )
    return None if found is None or found[0] > _LATE_COUNTED else int(found[1])
