"""Dunning: reminding systems of what they have not paid, each stage once (docs/decisions/0022)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from clearinghouse.domain.business_day import business_day
from clearinghouse.domain.calendar import format_period
from clearinghouse.domain.directory import Directory
from clearinghouse.domain.dunning import reached
from clearinghouse.domain.errors import OperatorRefused
from clearinghouse.domain.payments import Direction
from clearinghouse.operations.changing import Authority, fit_authority, log
from clearinghouse.operations.context import Context
from clearinghouse.operations.payments.importing import match_waiting
from clearinghouse.store import audit, outbox
from clearinghouse.store.database import Session
from clearinghouse.store.payments import hold_payments, instructions, matches
from clearinghouse.store.payments.instructions import Instruction
from clearinghouse.store.payments.matches import Reminder

_ACTOR = "dunning"


@dataclass(frozen=True, slots=True)
class Reminded:
    """A reminder that was sent now: of which instruction, and which stage."""

    system: str
    instruction: Instruction
    stage: str


def due_reminders(context: Context) -> list[Reminded]:
    """Return the reminders that :func:`dun` would send today if no money waited that it can match; none is sent."""
    with context.database.office() as session:
        directory = context.directory.current(session)
        return _due(session, directory, business_day(directory, context.clock()))


def dun(
    context: Context, as_of: date | None = None, authority: Authority | None = None
) -> list[Reminded]:
    """Send every reminder that a day has reached and that was not sent; safe to call again at any time.

    First what waits is matched: nobody is reminded of money that has come. ``as_of`` is a business date, today
    where none is given. ``authority`` is who asked for it, if it was a person.

    Raises:
        OperatorRefused: the day is still to come.
    """
    now = context.clock()
    with context.database.office() as session:
        hold_payments(session)
        directory = context.directory.current(session)
        today = business_day(directory, now)
        day = as_of or today
        if day > today:
            raise OperatorRefused(f"nobody is reminded on {today} of what is overdue on {day}")
        match_waiting(context, session)
        made = _due(session, directory, day)
        for one in made:
            _remind(session, one, day, now)
        if authority is not None:
            told = {"as_of": day, "sent": len(made)}
            log(session, now, fit_authority(authority), "payment.dunning", "payments", told)
        return made


def _due(session: Session, directory: Directory, day: date) -> list[Reminded]:
    sent = {(one.period, one.system, one.stage) for one in matches.reminders(session)}
    return [
        Reminded(directory.systems[one.system].code, one, stage.name)
        for one in instructions.instructions(session, unpaid=True)
        if one.direction is Direction.IN
        for stage in reached(one.due_on, day)
        if (one.period, one.system, stage.name) not in sent
    ]


def _remind(session: Session, made: Reminded, day: date, now: datetime) -> None:
    one = made.instruction
    reminder = Reminder(one.period, one.system, made.stage, day, one.outstanding_minor)
    matches.add_reminder(session, reminder, now)
    told = {
        "period": format_period(one.period),
        "reference": one.reference,
        "stage": made.stage,
        "due_on": one.due_on.isoformat(),
        "outstanding_minor": one.outstanding_minor,
    }
    outbox.add(session, now, "payment.overdue", told, one.system)
    outbox.add(session, now, "payment.overdue", {"system": made.system, **told})
    audit.record(session, now, _ACTOR, f"payment.{made.stage}", f"system {made.system}", told)
