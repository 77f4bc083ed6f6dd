"""What a default, a recovery or contributions would post as the books stand: judged alike before and in the deed.

A preview and the deed itself call the same functions, so what two people have looked at is what is posted, to the
fen, as long as nothing has moved in between (domain.md §4 "Risk", docs/decisions/0023).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple

from clearinghouse.domain.accounts import AccountKind
from clearinghouse.domain.business_day import business_day
from clearinghouse.domain.calendar import format_period
from clearinghouse.domain.directory import Directory
from clearinghouse.domain.errors import NotFound, OperatorRefused
from clearinghouse.domain.money import PPM, divide_half_up, yuan
from clearinghouse.domain.payments import Direction
from clearinghouse.domain.waterfall import Loss, Recovery, recovery, taken_back, waterfall
from clearinghouse.operations.changing import Change
from clearinghouse.operations.close import rulebook_of_period
from clearinghouse.operations.context import Context
from clearinghouse.operations.packs.showing import shown
from clearinghouse.store import exposure, periods, risk
from clearinghouse.store.database import Session
from clearinghouse.store.payments import instructions
from clearinghouse.store.payments.instructions import Instruction
from clearinghouse.store.periods import PUBLISHED
from clearinghouse.store.risk import FUND, DefaultRow
from clearinghouse.store.snapshot import hold_still

#: Over how many months the payables are averaged.
MONTHS = 12


class Ground(NamedTuple):
    """What is judged on: a transaction, the members as it sees them, and the business date."""

    session: Session
    directory: Directory
    today: date

    def by_code(self, amounts: Mapping[int, int]) -> dict[str, int]:
        """Return amounts by system number as amounts by code."""
        return {self.directory.systems[system].code: amount for system, amount in amounts.items()}


@dataclass(frozen=True, slots=True)
class Declared:
    """A default: what was unpaid and who bears it, in fen; ``haircuts`` by system code."""

    period: str
    system: str
    unpaid_minor: int
    loss: Loss
    haircuts: Mapping[str, int]

    @property
    def figures(self) -> dict[str, object]:
        """Return the amounts as the audit log and proposals keep them."""
        return {
            "unpaid_minor": self.unpaid_minor,
            "collateral_minor": self.loss.collateral_minor,
            "fund_minor": self.loss.fund_minor,
            "haircuts": dict(self.haircuts),
            "borne_minor": self.loss.borne_minor,
        }


@dataclass(frozen=True, slots=True)
class HandedOn:
    """What a defaulter has paid since and who got it, in fen; ``claims`` by system code. Below zero: taken back.

    ``left_minor`` of that period's net is still owed.
    """

    period: str
    system: str
    paid_minor: int
    share: Recovery
    claims: Mapping[str, int]
    left_minor: int

    @property
    def figures(self) -> dict[str, object]:
        """Return the amounts as the audit log and proposals keep them."""
        return {
            "paid_minor": self.paid_minor,
            "claims": dict(self.claims),
            "fund_minor": self.share.fund_minor,
            "kept_minor": self.share.kept_minor,
        }


@dataclass(frozen=True, slots=True)
class Contribution:
    """What a system contributes for a month, in fen, and what of: its average payables and what it had contributed."""

    system_code: str
    average_minor: int
    before_minor: int
    amount_minor: int


class DefaultForeseen(NamedTuple):
    """A default before it is posted, with the debt that it is about and the instructions of its run."""

    declared: Declared
    debt: Instruction
    owed: list[Instruction]


class RecoveryForeseen(NamedTuple):
    """What would be handed on before it is, and the default that it is of."""

    handed_on: HandedOn
    default: DefaultRow


class ContributionsForeseen(NamedTuple):
    """Contributions before they are posted, by code and by number, and the rulebook's rate in millionths."""

    contributions: list[Contribution]
    by_number: dict[int, Contribution]
    rate_ppm: int


def must_be_as_seen(figures: Mapping[str, object], seen: Mapping[str, object] | None) -> None:
    """Refuse to post other figures than those that people looked at, if they did.

    Raises:
        OperatorRefused: they have changed.
    """
    if seen is not None and dict(figures) != dict(seen):
        raise OperatorRefused(
            "the figures have changed since this was proposed; withdraw it and propose it anew"
        )


def amounts_of(contributions: Iterable[Contribution]) -> dict[str, object]:
    """Return what systems contribute as the audit log and proposals keep it."""
    return {one.system_code: one.amount_minor for one in contributions}


def ground_of(change: Change) -> Ground:
    """Return what is judged on inside a change that is under way."""
    return Ground(change.session, change.context.directory.current(change.session), change.today)


def foresee_default(context: Context, code: str, period: int) -> Declared:
    """Return what declaring a default would post now; nothing is.

    Raises:
        NotFound: there is no such system.
        OperatorRefused: it can't be declared in default for that period now.
    """
    with context.database.office() as session:
        return default_of(_ground(context, session), code, period).declared


def foresee_recovery(context: Context, code: str, period: int) -> HandedOn:
    """Return what a recovery would hand on now, or take back; nothing is.

    Raises:
        NotFound: there is no such system.
        OperatorRefused: there was no such default, or nothing is to be handed on.
    """
    with context.database.office() as session:
        return recovery_of(_ground(context, session), code, period).handed_on


def foresee_contributions(context: Context, period: int) -> list[Contribution]:
    """Return what systems would contribute for a published period now; nothing is posted.

    Raises:
        PeriodNotReady: no rulebook is in force at the end of the period.
        OperatorRefused: the period is not published, its contributions are posted, or the rulebook wants none.
    """
    with context.database.office() as session:
        return contributions_of(_ground(context, session), period).contributions


def default_of(ground: Ground, code: str, period: int) -> DefaultForeseen:
    """Judge a default; for the errors see :func:`foresee_default`. Whoever posts it holds the lock of payments."""
    name = format_period(period)
    system = _system(ground, code)
    owed = instructions.instructions(ground.session, period=period)
    debt = _overdue(ground, owed, system, code, name)
    unpaid = _unpaid(ground, debt, code)
    loss = waterfall(
        unpaid,
        _backed_collateral(ground, system),
        _fund(ground),
        _creditors(ground, owed, period),
    )
    declared = Declared(name, code, unpaid, loss, ground.by_code(loss.haircuts))
    return DefaultForeseen(declared, debt, owed)


def recovery_of(ground: Ground, code: str, period: int) -> RecoveryForeseen:
    """Judge a recovery; for the errors see :func:`foresee_recovery`. Whoever posts it holds the lock of payments."""
    name = format_period(period)
    system = _system(ground, code)
    default = risk.default_of(ground.session, period, system)
    if default is None:
        raise OperatorRefused(f"{code} was not in default on {name}")
    before = risk.recovered(ground.session, default.number)
    (debt,) = instructions.instructions(ground.session, period=period, system=system)
    paid = paid_since(default, before, debt)
    if paid == 0:
        raise OperatorRefused(f"{code} has paid nothing more for {name}")
    claims = risk.outstanding_claims(ground.session, default.number)
    to_fund = claims.pop(FUND, 0)
    if paid > 0:
        share = recovery(paid, claims, to_fund, default.borne_minor - before.kept_minor)
    else:
        share = taken_back(-paid, before, _fund(ground))
        if share.paid_minor == 0:
            raise OperatorRefused("the guarantee fund has nothing now of what it is to give back")
    handed_on = HandedOn(
        name, code, share.paid_minor, share, ground.by_code(share.claims), debt.outstanding_minor
    )
    return RecoveryForeseen(handed_on, default)


def paid_since(default: DefaultRow, before: Recovery, debt: Instruction) -> int:
    """Return what a defaulter has paid since and was not handed on, in fen; below zero: what was is gone again."""
    met_before = debt.amount_minor - default.unpaid_minor + default.collateral_minor
    return max(debt.confirmed_minor - met_before, 0) - before.paid_minor


def contributions_of(ground: Ground, period: int) -> ContributionsForeseen:
    """Judge contributions; for the errors see :func:`foresee_contributions`."""
    name = format_period(period)
    if periods.state_of(ground.session, period) not in PUBLISHED:
        raise OperatorRefused(f"{name} is not published yet")
    if risk.has_contributed(ground.session, period):
        raise OperatorRefused(f"the contributions of {name} are posted already")
    rate = rulebook_of_period(ground.directory, period).rulebook.guarantee_fund_ppm
    if rate == 0:
        raise OperatorRefused(f"the rulebook of {name} wants no contributions")
    before = risk.contributed(ground.session)
    due = {}
    for average in risk.average_payables(ground.session, period, MONTHS):
        had = before.get(average.system, 0)
        amount = divide_half_up(average.payable_minor * rate, PPM) - had
        if amount > 0 and ground.directory.standing(average.system).may_issue(ground.today):
            code = ground.directory.systems[average.system].code
            due[average.system] = Contribution(code, average.payable_minor, had, amount)
    return ContributionsForeseen(sorted(due.values(), key=lambda row: row.system_code), due, rate)


def _ground(context: Context, session: Session) -> Ground:
    hold_still(session)
    directory = context.directory.current(session)
    return Ground(session, directory, business_day(directory, context.clock()))


def _system(ground: Ground, code: str) -> int:
    found = ground.directory.system_by_code.get(code)
    if found is None:
        raise NotFound(f"there is no system {shown(code)}")
    return found.number


def _overdue(
    ground: Ground, owed: list[Instruction], system: int, code: str, name: str
) -> Instruction:
    """Return what a system was to pay for a period and has not, once it is overdue."""
    found = next((one for one in owed if one.system == system), None)
    if found is None or found.direction is not Direction.IN or found.outstanding_minor <= 0:
        raise OperatorRefused(f"{code} owes nothing for {name}")
    if found.due_on >= ground.today:
        raise OperatorRefused(
            f"what {code} owes for {name} is due on {found.due_on}: not yet overdue"
        )
    if risk.default_of(ground.session, found.period, system) is not None:
        raise OperatorRefused(f"{code} is in default on {name} already")
    return found


def _unpaid(ground: Ground, debt: Instruction, code: str) -> int:
    """Return what of an overdue debt can be in default: no more than the system owes in all that is overdue.

    What is its own counts first: credit that stands on its account, what it is still to be paid. What others have
    advanced for it already is in default.
    """
    owed = risk.overdue(ground.session, ground.today).get(debt.system, 0)
    own = instructions.credits_of(ground.session).get(debt.system, 0) + sum(
        one.outstanding_minor
        for one in instructions.instructions(ground.session, system=debt.system, unpaid=True)
        if one.direction is Direction.OUT
    )
    unpaid = min(owed - own - risk.advanced(ground.session, debt.system), debt.outstanding_minor)
    if unpaid <= 0:
        raise OperatorRefused(
            f"{code} owes nothing in all: {yuan(owed)} yuan are overdue, and {yuan(own)} yuan are its own,"
            " as credit on its account or still to be paid to it"
        )
    return unpaid


def _backed_collateral(ground: Ground, system: int) -> int:
    """Return the collateral of a system whose money is there, by lines of the bank that are tied to it."""
    posted = exposure.balances(ground.session, AccountKind.COLLATERAL).get(system, 0)
    return min(posted, risk.backed_collateral(ground.session).get(system, 0))


def _fund(ground: Ground) -> int:
    return exposure.balances(ground.session, AccountKind.GUARANTEE_FUND).get(0, 0)


def _creditors(ground: Ground, owed: list[Instruction], period: int) -> dict[int, int]:
    """Return what the creditors of a run were to be paid for it, less what they bear of its defaults already."""
    borne = risk.borne_for(ground.session, period)
    found = {
        one.system: min(one.net_minor, one.amount_minor) - borne.get(one.system, 0)
        for one in owed
        if one.direction is Direction.OUT
    }
    return {system: amount for system, amount in found.items() if amount > 0}
