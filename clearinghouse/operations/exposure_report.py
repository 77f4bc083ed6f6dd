"""How far every system has gone into debt, and how far it may go: what the operator watches (domain.md §4 "Risk")."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from clearinghouse.domain.accounts import AccountKind
from clearinghouse.domain.business_day import business_day
from clearinghouse.domain.money import points_value_minor
from clearinghouse.operations.context import Context
from clearinghouse.store import exposure, members, risk, run_off
from clearinghouse.store.snapshot import hold_still

#: What the operator should look at, in Chinese and English, by code.
WARNINGS: dict[str, tuple[str, str]] = {
    "no_cap": ("未设净欠上限", "no net debit cap is set"),
    "over_limit": ("已超过限额", "it is over its limit"),
    "collateral_short": ("保证金低于约定", "less collateral is posted than agreed"),
    "collateral_unbacked": ("保证金未到账", "collateral is posted whose money is not matched yet"),
    "overdue": ("有逾期未付款", "a payment is overdue"),
    "suspended": ("已暂停", "it is suspended"),
    "leaving": ("退出中", "it is leaving"),
}


@dataclass(frozen=True, slots=True)
class Exposure:
    """A system's running debit and its limit, in fen; ``None`` where there is no cap and so no limit.

    ``held_minor`` is about what may still come of authorisations that stand and are not stopped by a cap;
    ``overshoot_minor`` by how much the debit is above the limit. ``claims_minor`` is what others have advanced for it.
    """

    system_code: str
    debit_minor: int
    cap_minor: int | None
    collateral_minor: int
    agreed_collateral_minor: int
    limit_minor: int | None
    held_minor: int
    overshoot_minor: int
    overdue_minor: int
    claims_minor: int
    withdrawn_on: date | None
    run_off_until: date | None
    warnings: tuple[str, ...]

    @property
    def room_minor(self) -> int | None:
        """How much more it may owe before only its own hotels honour what it issued."""
        return None if self.limit_minor is None else max(self.limit_minor - self.debit_minor, 0)


@dataclass(frozen=True, slots=True)
class Exposures:
    """Every system's exposure, those nearest to their limits first, and what the guarantee fund holds, in fen."""

    systems: tuple[Exposure, ...]
    fund_minor: int
    fund_claims_minor: int


@dataclass(frozen=True, slots=True)
class OwnExposure:
    """How far one system has gone into debt and may go, in fen; no ``limit_minor`` where it has no cap."""

    debit_minor: int
    collateral_minor: int
    limit_minor: int | None
    overdue_minor: int
    suspended: bool
    withdrawn_on: date | None
    run_off_until: date | None

    @property
    def room_minor(self) -> int | None:
        """How much more it may owe; below 0: by how much it is over its limit."""
        return None if self.limit_minor is None else self.limit_minor - self.debit_minor


def own_exposure(context: Context, system: int) -> OwnExposure:
    """Return one system's exposure as it is now, as its own finance people watch it."""
    with context.database.office() as session:
        directory = context.directory.current(session)
        today = business_day(directory, context.clock())
        standing = directory.standing(system)
        return OwnExposure(
            max(exposure.debits(session).get(system, 0), 0),
            exposure.balances(session, AccountKind.COLLATERAL).get(system, 0),
            exposure.limits_of(session, directory, today).get(system),
            risk.overdue(session, today).get(system, 0),
            standing.suspended,
            standing.withdrawn_on,
            standing.run_off_until,
        )


def exposures(context: Context) -> Exposures:
    """Return every system's exposure as it is now."""
    with context.database.office() as session:
        hold_still(session)
        directory = context.directory.current(session)
        today = business_day(directory, context.clock())
        in_force = directory.rulebook_on(today)
        value = in_force.rulebook.point_value_minor_per_100 if in_force else 0
        debits = exposure.debits(session)
        limits = exposure.limits_of(session, directory, today)
        collateral = exposure.balances(session, AccountKind.COLLATERAL)
        backed = risk.backed_collateral(session)
        profiles = {code: profile for code, (profile, _) in members.systems(session).items()}
        overdue = risk.overdue(session, today)
        held = run_off.held_by_system(session, today)
        claims: dict[int, int] = {}
        for default in risk.defaults(session):
            open_claims = sum(risk.outstanding_claims(session, default.number).values())
            claims[default.system] = claims.get(default.system, 0) + open_claims
        fund = exposure.balances(session, AccountKind.GUARANTEE_FUND).get(0, 0)
        fund_claims = exposure.balances(session, AccountKind.CLAIM).get(0, 0)
    rows = []
    for system in directory.systems.values():
        number, profile = system.number, profiles[system.code]
        standing = directory.standing(number)
        debit, limit = max(debits.get(number, 0), 0), limits.get(number)
        points, minor = held.get(number, (0, 0))
        over = 0 if limit is None else max(debit - limit, 0)
        agreed, posted = profile.collateral_minor, collateral.get(number, 0)
        flags = {
            "no_cap": limit is None,
            "over_limit": over > 0,
            "collateral_short": posted < agreed,
            "collateral_unbacked": posted > backed.get(number, 0),
            "overdue": overdue.get(number, 0) > 0,
            "suspended": standing.suspended,
            "leaving": standing.withdrawn_on is not None,
        }
        rows.append(
            Exposure(
                system.code, debit, profile.net_debit_cap_minor, posted, agreed, limit,
                points_value_minor(points, value) + minor, over, overdue.get(number, 0),
                claims.get(number, 0), standing.withdrawn_on, standing.run_off_until,
                tuple(code for code, on in flags.items() if on),
            )
        )  # fmt: skip
    rows.sort(key=_nearness)
    return Exposures(tuple(rows), fund, fund_claims)


def _nearness(row: Exposure) -> tuple[bool, int, str]:
    """Put those with the least room first, those without a limit last."""
    return (row.room_minor is None, (row.room_minor or 0) - row.overshoot_minor, row.system_code)
