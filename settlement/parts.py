"""The sections of a statement beside its totals and lines, each from the frozen run (domain.md §4)."""

from __future__ import annotations

from clearinghouse.domain.accounts import AccountKind
from clearinghouse.domain.money import points_value_minor
from clearinghouse.store.frozen import Liability
from settlement.frozen_run import FrozenRun
from settlement.statements.sections import (
    PAYABLE,
    RECEIVABLE,
    Adjustment,
    Exchange,
    Issued,
    Movement,
    OlderDebt,
    Payment,
    Security,
    SigningKey,
    summed,
)
from settlement.statements.statement import OPERATOR, Party


def party(run: FrozenRun, system: int | None) -> Party:
    """Return who a statement is for; its bank account only so far that its owner knows it again."""
    if system is None:
        operator = run.operator
        account = operator.bank_account
        return Party(OPERATOR, operator.name_zh, operator.name_en, operator.uscc, _masked(account))
    member = run.directory.systems[system]
    return Party(
        member.code, member.name_zh, member.name_en, member.uscc, _masked(member.bank_account)
    )


def exchanges(run: FrozenRun, system: int | None) -> tuple[Exchange, ...]:
    """Return what was exchanged, by counterparty, kind and direction.

    For the clearing house every system is a counterparty: receivable is what the system pays in as an issuer.
    """
    sums: dict[tuple[str, str, str], list[int]] = {}

    def add(number: int, kind: str, direction: str, count: int, amount_minor: int) -> None:
        key = (run.directory.systems[number].code, kind, direction)
        found = sums.setdefault(key, [0, 0])
        found[0] += count
        found[1] += amount_minor

    for pair in run.obligations:
        if system in (None, pair.creditor):
            add(pair.debtor, pair.kind, RECEIVABLE, pair.count, pair.amount_minor)
        if system in (None, pair.debtor):
            add(pair.creditor, pair.kind, PAYABLE, pair.count, pair.amount_minor)
    order = {RECEIVABLE: 0, PAYABLE: 1}
    return tuple(
        Exchange(code, kind, direction, *sums[code, kind, direction])
        for code, kind, direction in sorted(sums, key=lambda key: (key[0], order[key[2]], key[1]))
    )


def adjustments(run: FrozenRun, system: int | None) -> tuple[Adjustment, ...]:
    """Return the adjustments of a system; for the clearing house those of all, each as it is to the clearing house."""
    systems = run.directory.systems
    sign = -1 if system is None else 1
    return tuple(
        Adjustment(
            number=row.number,
            kind=row.kind,
            counterparty=None if row.counterparty is None else systems[row.counterparty].code,
            amount_minor=sign * row.amount_minor,
            counts_as="fee" if row.is_fee else "adjustment",
            reference=row.reference,
            text=row.text,
            system=systems[row.system].code if system is None else None,
        )
        for row in run.adjustments
        if system in (None, row.system)
    )


def movements(run: FrozenRun, system: int | None) -> tuple[Movement, ...]:
    """Return the movements on a system's account; for the clearing house those of all systems, by code."""
    systems = run.directory.systems
    if system is not None:
        return tuple(
            Movement(row.kind, row.day, row.amount_minor, row.reference or "")
            for row in run.movements.get(system, ())
        )
    return tuple(
        Movement(row.kind, row.day, -row.amount_minor, row.reference or "", systems[number].code)
        for number in sorted(run.movements, key=lambda number: systems[number].code)
        for row in run.movements[number]
    )


def issued(run: FrozenRun, system: int | None) -> tuple[Issued, ...]:
    """Return the points liability of the hotels that are the system's on the period's last day.

    For the clearing house it is that of every system; the hotels are in ``points_liability.csv``.
    """
    if system is not None:
        return tuple(
            _issued(run, row) for row in run.liability if run.hotel_systems.get(row.hotel) == system
        )
    of_systems: dict[str, list[Issued]] = {}
    for row in run.liability:
        code = run.directory.systems[run.hotel_systems[row.hotel]].code
        of_systems.setdefault(code, []).append(_issued(run, row))
    return tuple(
        summed(Issued(code, 0, 0, 0, 0, 0, 0, 0, 0, 0), of_systems[code])
        for code in sorted(of_systems)
    )


def _issued(run: FrozenRun, row: Liability) -> Issued:
    across = run.redeemed_across.get(row.hotel, 0)
    return Issued(
        issuer=run.directory.hotels[row.hotel].code,
        opening=row.opening,
        issued=row.issued,
        redeemed_own=row.redeemed - across,
        redeemed_cross=across,
        expired=row.expired,
        reversed=row.reversed,
        closing=row.closing,
        debts=row.debts,
        fair_value_minor=points_value_minor(row.closing, run.rulebook.point_value_minor_per_100),
    )


def securities(run: FrozenRun, system: int | None) -> tuple[Security, ...]:
    """Return a system's collateral and its claims on who did not pay; for the clearing house all, and the fund."""
    sums: dict[AccountKind, int] = {}
    for (kind, owner), amount_minor in run.securities.items():
        if system in (None, owner):
            sums[kind] = sums.get(kind, 0) + amount_minor
    return tuple(Security(kind.name.lower(), sums[kind]) for kind in sorted(sums) if sums[kind])


def payment(run: FrozenRun, system: int | None) -> Payment | None:
    """Return how a system's net is settled; ``None`` for the clearing house, and where there is nothing to settle.

    Older debts are set off the oldest first, as they stood at the period's end (docs/decisions/0022).
    """
    settled = None if system is None else run.settled.get(system)
    if settled is None:
        return None
    transfer = settled.transfer
    rest = transfer.set_off_minor
    debts = []
    for debt in run.debts.get(transfer.system, ()):
        taken = min(rest, debt.unpaid_minor)
        rest -= taken
        debts.append(OlderDebt(debt.reference, debt.unpaid_minor, taken, debt.unpaid_minor - taken))
    return Payment(
        way=settled.way,
        reference=settled.reference,
        net_minor=transfer.net_minor,
        carried_minor=transfer.carried_minor,
        set_off_minor=transfer.set_off_minor,
        amount_minor=settled.money_minor,
        older_debts=tuple(debts),
    )


def signing_key(run: FrozenRun) -> SigningKey | None:
    """Return the key that signs the files of the period, as documents name it."""
    return None if run.key is None else SigningKey(*run.key)


def _masked(account: str | None) -> str | None:
    if not account:
        return None
    return f"{account[:4]} **** {account[-4:]}" if len(account) > 12 else f"**** {account[-4:]}"
