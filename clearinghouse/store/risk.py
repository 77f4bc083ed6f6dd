"""Defaults, the claims that they leave, and contributions to the guarantee fund, as they are stored (domain.md §4).

Each row stands beside postings of the ledger, which ``check`` 9 holds it against. What a system still has to pay, and
what it is to be paid, are the instructions of its periods (``store.payments``); what risk does to them are allocations
and covers there.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import NamedTuple

from clearinghouse.domain.waterfall import Recovery
from clearinghouse.store.database import Session

#: The guarantee fund, as a claimant.
FUND = 0


class DefaultRow(NamedTuple):
    """A default: what was unpaid of a period's net and how it was covered, in fen."""

    number: int
    period: int
    system: int
    unpaid_minor: int
    collateral_minor: int
    fund_minor: int
    haircut_minor: int
    borne_minor: int
    declared_at: datetime


_DEFAULT = (
    "number, period, system, unpaid_minor, collateral_minor, fund_minor, haircut_minor, borne_minor,"
    " declared_at"
)


def overdue(session: Session, today: date) -> dict[int, int]:
    """Return what systems should have paid by now and have not, in fen; collateral that met it is no debt."""
    return dict(
        session.rows(
            "SELECT system, sum(amount_minor - confirmed_minor)::bigint FROM payment_instructions"
            " WHERE direction = 'in' AND due_on < %s AND confirmed_minor < amount_minor GROUP BY 1",
            [today],
        )
    )


def defaults(session: Session, system: int | None = None) -> list[DefaultRow]:
    """Return all defaults, or those of one system, oldest first."""
    return [
        DefaultRow(*row)
        for row in session.rows(
            f"SELECT {_DEFAULT} FROM defaults WHERE %s::int IS NULL OR system = %s ORDER BY number",
            [system, system],
        )
    ]


def default_of(session: Session, period: int, system: int) -> DefaultRow | None:
    """Return the default of a system on a period's net, if there was one."""
    row = session.row(
        f"SELECT {_DEFAULT} FROM defaults WHERE period = %s AND system = %s", [period, system]
    )
    return None if row is None else DefaultRow(*row)


def add_default(session: Session, default: DefaultRow, claims: Mapping[int, int]) -> int:
    """Record a default and the claims that it leaves, by claimant (0: the fund); return its number."""
    row = session.row(
        "INSERT INTO defaults (period, system, unpaid_minor, collateral_minor, fund_minor,"
        " haircut_minor, borne_minor, declared_at) VALUES (%s, %s, %s, %s, %s, %s, %s, %s)"
        " RETURNING number",
        default[1:],
    )
    number = int(row[0]) if row else 0
    for claimant, amount in claims.items():
        session.run(
            "INSERT INTO claims (default_no, claimant, amount_minor) VALUES (%s, %s, %s)",
            [number, claimant, amount],
        )
    return number


def borne_for(session: Session, period: int) -> dict[int, int]:
    """Return what systems have borne so far of the defaults on a period, in fen, paid back or not."""
    return dict(
        session.rows(
            "SELECT c.claimant, sum(c.amount_minor)::bigint FROM claims c"
            " JOIN defaults d ON d.number = c.default_no WHERE d.period = %s AND c.claimant <> 0 GROUP BY 1",
            [period],
        )
    )


def outstanding_claims(session: Session, default_no: int) -> dict[int, int]:
    """Return what of the claims on a default is not paid yet, in fen, by claimant (0: the fund)."""
    rows = session.rows(
        "SELECT c.claimant, c.amount_minor - coalesce(sum(p.amount_minor), 0)::bigint FROM claims c"
        " LEFT JOIN claim_payments p USING (default_no, claimant)"
        " WHERE c.default_no = %s GROUP BY c.claimant, c.amount_minor ORDER BY 1",
        [default_no],
    )
    return {claimant: amount for claimant, amount in rows if amount}


def recovered(session: Session, default_no: int) -> Recovery:
    """Return what was handed on of a default so far and not taken back."""
    row = session.row(
        "SELECT coalesce(sum(kept_minor), 0)::bigint FROM recoveries WHERE default_no = %s",
        [default_no],
    )
    claims: dict[int, int] = dict(
        session.rows(
            "SELECT claimant, sum(amount_minor)::bigint FROM claim_payments WHERE default_no = %s"
            " GROUP BY 1 HAVING sum(amount_minor) <> 0 ORDER BY 1",
            [default_no],
        )
    )
    fund = claims.pop(FUND, 0)
    return Recovery(claims, fund, int(row[0]) if row else 0)


def advanced(session: Session, system: int) -> int:
    """Return what others and we have advanced for a system's defaults and it has not paid since, in fen."""
    row = session.row(
        "SELECT coalesce(sum(least(d.unpaid_minor - d.collateral_minor - coalesce(r.paid, 0),"
        " i.amount_minor - i.confirmed_minor)), 0)::bigint FROM defaults d"
        " JOIN payment_instructions i USING (period, system)"
        " LEFT JOIN (SELECT default_no, sum(paid_minor) AS paid FROM recoveries GROUP BY 1) AS r"
        " ON r.default_no = d.number WHERE system = %s",
        [system],
    )
    return int(row[0]) if row else 0


def backed_collateral(session: Session) -> dict[int, int]:
    """Return the money of systems' collateral, in fen: what lines of the bank brought of it, less what was drawn.

    More than that may be posted, until its line comes.
    """
    return dict(
        session.rows(
            "SELECT system, sum(amount)::bigint FROM (SELECT system, amount_minor AS amount"
            " FROM payment_allocations WHERE kind = 'collateral'"
            " UNION ALL SELECT system, -collateral_minor FROM defaults) AS parts GROUP BY 1"
        )
    )


def add_recovery(session: Session, default_no: int, share: Recovery, at: datetime) -> None:
    """Record what each claimant got of what a defaulter has paid, or gave back of what is gone again."""
    row = session.row(
        "INSERT INTO recoveries (default_no, paid_minor, kept_minor, at) VALUES (%s, %s, %s, %s)"
        " RETURNING number",
        [default_no, share.paid_minor, share.kept_minor, at],
    )
    to_fund = {FUND: share.fund_minor} if share.fund_minor else {}
    for claimant, amount in {**to_fund, **share.claims}.items():
        session.run(
            "INSERT INTO claim_payments (recovery, default_no, claimant, amount_minor)"
            " VALUES (%s, %s, %s, %s)",
            [row and row[0], default_no, claimant, amount],
        )


class Average(NamedTuple):
    """A system's average monthly payables over the months up to a period, in fen, rounded half up."""

    system: int
    months: int
    payable_minor: int


def average_payables(session: Session, period: int, months: int) -> list[Average]:
    """Return the average monthly payables of every system over its last ``months`` netted months up to a period."""
    rows = session.rows(
        "SELECT system, count(*)::int, greatest(round(avg(payable_minor)), 0)::bigint FROM positions"
        " WHERE period > %s AND period <= %s GROUP BY 1 ORDER BY 1",
        [period - months, period],
    )
    return [Average(*row) for row in rows]


def contributed(session: Session) -> dict[int, int]:
    """Return what every system has contributed to the guarantee fund so far, in fen."""
    return dict(
        session.rows("SELECT system, sum(amount_minor)::bigint FROM contributions GROUP BY 1")
    )


def has_contributed(session: Session, period: int) -> bool:
    """Tell whether the contributions of a period are posted."""
    return session.row("SELECT FROM contributions WHERE period = %s LIMIT 1", [period]) is not None


def add_contributions(
    session: Session,
    period: int,
    rows: Iterable[tuple[int, int, int, int]],
    at: datetime,
) -> None:
    """Record contributions: system, average monthly payables, rate in ppm and amount in fen."""
    for system, average, rate, amount in rows:
        session.run(
            "INSERT INTO contributions (period, system, average_minor, rate_ppm, amount_minor, at)"
            " VALUES (%s, %s, %s, %s, %s, %s)",
            [period, system, average, rate, amount, at],
        )
