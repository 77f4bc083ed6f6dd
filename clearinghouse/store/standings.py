"""How members stand: suspensions and withdrawals as they were recorded, one after the other (domain.md §4 "Risk")."""

from __future__ import annotations

from datetime import date, datetime
from typing import NamedTuple

from clearinghouse.domain.standing import Standing, Step, standing_after
from clearinghouse.store.database import Session


class RecordedStep(NamedTuple):
    """A step of a system's standing and when and why it was recorded; dates are a withdrawal's."""

    step: Step
    withdrawn_on: date | None
    run_off_until: date | None
    recorded_at: datetime
    reason: str


def standings(session: Session) -> dict[int, Standing]:
    """Return how every system stands that is not a plain member, by its number."""
    steps: dict[int, list[tuple[Step, date | None, date | None]]] = {}
    for system, step, withdrawn_on, run_off_until in session.rows(
        "SELECT system, step, withdrawn_on, run_off_until FROM standings ORDER BY number"
    ):
        steps.setdefault(system, []).append((Step(step), withdrawn_on, run_off_until))
    found = {system: standing_after(recorded) for system, recorded in steps.items()}
    return {system: standing for system, standing in found.items() if not standing.is_plain}


def record(session: Session, system: int, step: RecordedStep) -> None:
    """Record a step; the caller lets all processes read the directory again."""
    session.run(
        "INSERT INTO standings (system, step, withdrawn_on, run_off_until, recorded_at, reason)"
        " VALUES (%s, %s, %s, %s, %s, %s)",
        [system, *step],
    )
