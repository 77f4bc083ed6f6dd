"""Collateral: posted and given back by the operator, two people at a time (domain.md §4 "Risk").

The ledger is the truth: what a system has posted is the balance of its ``COLLATERAL`` account. What its profile names
is the amount that was agreed on; ``risk exposure`` warns where less is posted.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from clearinghouse.domain.accounts import AccountKind, account
from clearinghouse.domain.business_day import business_day
from clearinghouse.domain.directory import Directory
from clearinghouse.domain.errors import NotFound, OperatorRefused
from clearinghouse.domain.money import yuan
from clearinghouse.operations.booking import book, must_be_two, system_number
from clearinghouse.operations.changing import Authority, Change, changing, fit
from clearinghouse.operations.context import Context
from clearinghouse.operations.packs import fields
from clearinghouse.operations.packs.showing import shown
from clearinghouse.store import entries, exposure, members, risk, run_off
from clearinghouse.store.database import Session
from clearinghouse.store.snapshot import hold_still

#: The money comes and goes by lines of the bank, which are matched to it (docs/decisions/0022).
_MONEY = account(AccountKind.UNALLOCATED)
#: The kinds of its journal entries.
_POSTED, _RELEASED = "collateral_posted", "collateral_released"


def post_collateral(
    context: Context, code: str, amount_minor: int, reference: str, authority: Authority
) -> int:
    """Record collateral that has come in; return what the system has posted now, in fen.

    Raises:
        NotFound: there is no such system.
        OperatorRefused: it is no amount or reference, that reference is posted already, or only one person says so.
    """
    reference = fit("reference", fields.reference, reference)
    with changing(context, authority) as change:
        system = _begin(change, code, amount_minor)
        _must_be_new(change.session, _POSTED, code, system, reference)
        balance = _posted(change, system) + amount_minor
        entry = [(_MONEY, account(AccountKind.COLLATERAL, system), amount_minor)]
        book(change, _POSTED, reference, entry)
        _record(change, "collateral.post", code, amount_minor, balance, reference)
    return balance


def release_collateral(
    context: Context, code: str, amount_minor: int, reference: str, authority: Authority
) -> int:
    """Record collateral that is given back; return what is left, in fen.

    Raises:
        NotFound: there is no such system.
        OperatorRefused: it is no amount or reference, it is more than what is posted and not needed, that reference is
            given back already, or only one person says so.
    """
    reference = fit("reference", fields.reference, reference)
    with changing(context, authority) as change:
        system = _begin(change, code, amount_minor)
        _must_be_new(change.session, _RELEASED, code, system, reference)
        posted = _posted(change, system)
        free = max(posted - needed_minor(change, system), 0)
        if amount_minor > free:
            raise OperatorRefused(
                f"{code} has posted {yuan(posted)} yuan, of which {yuan(free)} can be given back now"
            )
        entry = [(account(AccountKind.COLLATERAL, system), _MONEY, amount_minor)]
        book(change, _RELEASED, reference, entry)
        _record(change, "collateral.release", code, amount_minor, posted - amount_minor, reference)
    return posted - amount_minor


@dataclass(frozen=True, slots=True)
class Pledged:
    """A system's collateral in fen: posted, needed to cover something now, agreed on, and with its money there."""

    system: str
    posted_minor: int
    needed_minor: int
    agreed_minor: int
    backed_minor: int

    @property
    def free_minor(self) -> int:
        """What can be given back now."""
        return max(self.posted_minor - self.needed_minor, 0)


def pledged(context: Context, code: str) -> Pledged:
    """Return how a system's collateral stands.

    Raises:
        NotFound: there is no such system.
    """
    with context.database.office() as session:
        hold_still(session)
        directory = context.directory.current(session)
        system = directory.system_by_code.get(code)
        if system is None:
            raise NotFound(f"there is no system {shown(code)}")
        today = business_day(directory, context.clock())
        return Pledged(
            code,
            exposure.balances(session, AccountKind.COLLATERAL).get(system.number, 0),
            needed_in(session, directory, today, system.number),
            members.systems(session)[code][0].collateral_minor,
            risk.backed_collateral(session).get(system.number, 0),
        )


def must_be_new(context: Context, code: str, reference: str, *, back: bool) -> None:
    """Refuse a reference under which a system's collateral has come in, or was given ``back``, already.

    Raises:
        NotFound: there is no such system.
        OperatorRefused: it is used.
    """
    with context.database.office() as session:
        system = context.directory.current(session).system_by_code.get(code)
        if system is None:
            raise NotFound(f"there is no system {shown(code)}")
        _must_be_new(session, _RELEASED if back else _POSTED, code, system.number, reference)


def needed_minor(change: Change, system: int) -> int:
    """Return how much collateral covers something now, in fen.

    That is the running debit beyond the cap; all of it where there is no cap, or where the system is suspended or has
    left, and then also what is outstanding of what it issued.
    """
    directory = change.context.directory.current(change.session)
    return needed_in(change.session, directory, change.today, system)


def needed_in(session: Session, directory: Directory, today: date, system: int) -> int:
    """Return how much collateral covers something on a business date; see :func:`needed_minor`."""
    debit = max(exposure.debits(session).get(system, 0), 0)
    standing = directory.standing(system)
    if standing.is_plain:
        return max(debit - directory.caps.get(system, 0), 0)
    if standing.withdrawn_on is None:
        return debit
    in_force = directory.rulebook_on(today)
    value = in_force.rulebook.point_value_minor_per_100 if in_force else 0
    return debit + run_off.outstanding(session, system, today).worth_minor(value)


def _begin(change: Change, code: str, amount_minor: int) -> int:
    must_be_two(change)
    if not 0 < amount_minor <= fields.AMOUNT_MAX:
        raise OperatorRefused(f"an amount of collateral is of 1 to {fields.AMOUNT_MAX:,} fen")
    return system_number(change, code)


def _must_be_new(session: Session, kind: str, code: str, system: int, reference: str) -> None:
    """A letter or a line of the bank is carried out once: the same again is a slip or a second tab."""
    if entries.is_used(session, kind, reference, account(AccountKind.COLLATERAL, system)):
        done = "posted" if kind == _POSTED else "given back"
        raise OperatorRefused(
            f"collateral of {code} is {done} under the reference {shown(reference)} already;"
            " if this is another, give it a reference of its own"
        )


def _posted(change: Change, system: int) -> int:
    return exposure.balances(change.session, AccountKind.COLLATERAL).get(system, 0)


def _record(
    change: Change, action: str, code: str, amount: int, balance: int, reference: str
) -> None:
    told = {"amount_minor": amount, "balance_minor": balance, "reference": reference}
    change.record(action, f"system {code}", told)
