"""What systems are told of their standing and of their claims: events, written with what they tell of."""

from __future__ import annotations

from collections.abc import Mapping

from clearinghouse.domain.calendar import format_period
from clearinghouse.domain.standing import Step
from clearinghouse.operations.changing import Change
from clearinghouse.store import outbox, standings
from clearinghouse.store.standings import RecordedStep

_STEPS: Mapping[Step, str] = {
    Step.SUSPENDED: "system.suspended",
    Step.REINSTATED: "system.reinstated",
    Step.WITHDRAWN: "system.withdrawn",
}


def record_standing(change: Change, system: int, code: str, step: RecordedStep) -> None:
    """Record a step of a system's standing, and tell the system and the operator."""
    standings.record(change.session, system, step)
    dates = {"withdrawn_on": step.withdrawn_on, "run_off_until": step.run_off_until}
    told = {"system": code, **{name: day.isoformat() for name, day in dates.items() if day}}
    for one in (system, None):
        outbox.add(change.session, change.now, _STEPS[step.step], told, one)


def tell_of_claims(
    change: Change, defaulter: str, period: int, amounts: Mapping[int, int], *, paid: bool
) -> None:
    """Tell creditors what of a default they bear, or what they got back, in fen by system number."""
    kind = "claim.paid" if paid else "claim.recorded"
    for claimant, amount in amounts.items():
        told = {
            "period": format_period(period),
            "defaulter": defaulter,
            "amount_minor": amount,
        }
        outbox.add(change.session, change.now, kind, told, claimant)
