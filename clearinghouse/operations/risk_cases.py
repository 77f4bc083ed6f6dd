"""Debtors that are overdue, defaults and the claims that they left: what the operator has to act on (domain.md §4)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime

from clearinghouse.domain.accounts import AccountKind
from clearinghouse.domain.business_day import business_day
from clearinghouse.domain.calendar import last_day
from clearinghouse.domain.directory import Directory
from clearinghouse.domain.payments import Direction
from clearinghouse.operations.context import Context
from clearinghouse.operations.foreseeing import MONTHS, paid_since
from clearinghouse.store import exposure, periods, risk
from clearinghouse.store.database import Session
from clearinghouse.store.payments import instructions
from clearinghouse.store.risk import FUND, DefaultRow
from clearinghouse.store.snapshot import hold_still


@dataclass(frozen=True, slots=True)
class Debtor:
    """A payment that a system has not made in time, in fen; no default was declared for it."""

    system: str
    period: int
    reference: str
    due_on: date
    days_overdue: int
    outstanding_minor: int


@dataclass(frozen=True, slots=True)
class Defaulted:
    """A default and what became of it, in fen; ``claims`` are outstanding, by code.

    ``unpaid_minor`` was in default, and met first from collateral. ``fund_claim_minor`` is what the fund waits for,
    ``owed_minor`` what the system still owes of that period, ``to_hand_on_minor`` what it has paid since and nobody
    got yet; below zero: what was handed on is gone again.
    """

    system: str
    period: int
    declared_at: datetime
    unpaid_minor: int
    collateral_minor: int
    fund_minor: int
    haircut_minor: int
    borne_minor: int
    claims: Mapping[str, int]
    fund_claim_minor: int
    owed_minor: int
    to_hand_on_minor: int


@dataclass(frozen=True, slots=True)
class Cases:
    """What the operator has to act on: the longest overdue first, defaults the newest first."""

    debtors: tuple[Debtor, ...]
    defaults: tuple[Defaulted, ...]


@dataclass(frozen=True, slots=True)
class FundMonth:
    """A published period that contributions can be asked for; ``rate_ppm`` is what its rulebook wants."""

    period: int
    rate_ppm: int
    contributed: bool


@dataclass(frozen=True, slots=True)
class Fund:
    """The guarantee fund in fen: what it holds and has advanced, what each system contributed, and recent periods."""

    balance_minor: int
    claims_minor: int
    contributed: Mapping[str, int]
    months: tuple[FundMonth, ...]


def risk_cases(context: Context) -> Cases:
    """Return debtors that are overdue, and all defaults."""
    with context.database.office() as session:
        hold_still(session)
        directory = context.directory.current(session)
        today = business_day(directory, context.clock())
        defaults = risk.defaults(session)
        known = {(one.period, one.system) for one in defaults}
        debtors = [
            Debtor(
                directory.systems[one.system].code,
                one.period,
                one.reference,
                one.due_on,
                (today - one.due_on).days,
                one.outstanding_minor,
            )
            for one in instructions.instructions(session, unpaid=True)
            if one.direction is Direction.IN
            and one.due_on < today
            and (one.period, one.system) not in known
        ]
        return Cases(
            tuple(sorted(debtors, key=lambda one: (-one.days_overdue, one.system, one.period))),
            tuple(_defaulted(session, directory, one) for one in reversed(defaults)),
        )


def fund(context: Context) -> Fund:
    """Return the guarantee fund, and for which periods contributions were and can be asked for."""
    with context.database.office() as session:
        hold_still(session)
        directory = context.directory.current(session)
        months = []
        for row in periods.newest(session, before=None, most=MONTHS):
            if row.state in periods.PUBLISHED:
                in_force = directory.rulebook_on(last_day(row.period))
                rate = in_force.rulebook.guarantee_fund_ppm if in_force else 0
                done = risk.has_contributed(session, row.period)
                months.append(FundMonth(row.period, rate, done))
        return Fund(
            exposure.balances(session, AccountKind.GUARANTEE_FUND).get(0, 0),
            exposure.balances(session, AccountKind.CLAIM).get(0, 0),
            {
                directory.systems[s].code: amount
                for s, amount in sorted(risk.contributed(session).items())
            },
            tuple(months),
        )


def _defaulted(session: Session, directory: Directory, row: DefaultRow) -> Defaulted:
    claims = risk.outstanding_claims(session, row.number)
    to_fund = claims.pop(FUND, 0)
    (debt,) = instructions.instructions(session, period=row.period, system=row.system)
    codes = directory.systems
    return Defaulted(
        codes[row.system].code,
        row.period,
        row.declared_at,
        row.unpaid_minor,
        row.collateral_minor,
        row.fund_minor,
        row.haircut_minor,
        row.borne_minor,
        {codes[system].code: amount for system, amount in sorted(claims.items())},
        to_fund,
        debt.outstanding_minor,
        paid_since(row, risk.recovered(session, row.number), debt),
    )
