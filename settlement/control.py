"""The operator's control: every member, how each settles, and proofs that nothing is left over (domain.md §5)."""

from __future__ import annotations

from collections.abc import Iterable

from clearinghouse.domain.movements import payments_minor
from settlement.frozen_run import FrozenRun
from settlement.statements.sections import Control, Member, Proof, Settling, summed
from settlement.transfers import DEBIT_NOTE, NO_ACCOUNT, NOTHING, SET_OFF, TRANSFER


def control(run: FrozenRun) -> Control:
    """Return the control of a netted period."""
    by_code = sorted(run.positions, key=lambda number: run.directory.systems[number].code)
    members = tuple(_member(run, number) for number in by_code)
    total = summed(Member("", "", "", 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, ""), members)
    return Control(
        members=members,
        total=total,
        settling=_settling(members),
        proofs=_proofs(run, total),
        figures=(
            ("systems", len(members)),
            ("legs", sum(row.legs for row in run.activity)),
            ("obligations", len(run.obligations)),
            ("adjustments", len(run.adjustments)),
            ("movements", sum(map(len, run.movements.values()))),
            ("hotels_with_points", len(run.liability)),
            ("points_outstanding", sum(row.closing for row in run.liability)),
        ),
    )


def _member(run: FrozenRun, number: int) -> Member:
    system, position = run.directory.systems[number], run.positions[number]
    opening = run.opening.get(number, 0)
    payments = payments_minor(run.movements.get(number, ()))
    settled = run.settled.get(number)
    return Member(
        code=system.code,
        name_zh=system.name_zh,
        name_en=system.name_en,
        opening_minor=opening,
        receivable_minor=position.receivable_minor,
        payable_minor=position.payable_minor,
        fees_minor=position.fees_minor,
        vat_minor=position.vat_minor,
        adjustments_minor=position.adjustments_minor,
        net_minor=position.net_minor,
        payments_minor=payments,
        closing_minor=opening + position.net_minor - payments,
        transfer_minor=settled.money_minor if settled else 0,
        settled_by=settled.way if settled else NOTHING,
    )


def _settling(members: Iterable[Member]) -> tuple[Settling, ...]:
    found = []
    for way in (TRANSFER, NO_ACCOUNT, DEBIT_NOTE, SET_OFF, NOTHING):
        amounts = [member.transfer_minor for member in members if member.settled_by == way]
        found.append(Settling(way, len(amounts), sum(amounts)))
    return tuple(found)


def _proofs(run: FrozenRun, total: Member) -> tuple[Proof, ...]:
    """Return what must be nothing: the sums of domain.md §5 no. 4 and 8, written so that a person can follow them."""
    vat = (("vat", total.vat_minor),) if run.vat_on_top else ()
    return (
        Proof("gross", (("receivable", total.receivable_minor), ("payable", -total.payable_minor))),
        Proof("adjusted", (("adjustments", total.adjustments_minor),)),
        Proof("nets", (("net", total.net_minor), ("fees", total.fees_minor), *vat)),
        Proof(
            "balances",
            (
                ("opening", total.opening_minor),
                ("net", total.net_minor),
                ("payments", -total.payments_minor),
                ("closing", -total.closing_minor),
            ),
        ),
        Proof(
            "points",
            (
                ("opening", sum(row.opening for row in run.liability)),
                ("issued", sum(row.issued for row in run.liability)),
                ("redeemed", -sum(row.redeemed for row in run.liability)),
                ("expired", -sum(row.expired for row in run.liability)),
                ("reversed", sum(row.reversed for row in run.liability)),
                ("closing", -sum(row.closing for row in run.liability)),
            ),
        ),
    )
