"""Dunning: reminding systems of what they have not paid, each stage once (docs/decisions/0022)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from clearinghouse.domain.business_day import business_day
from clearinghouse.domain.calendar import format_period
from clearinghouse.domain.dunning import reached
from clearinghouse.domain.errors import OperatorRefused
from clearinghouse.domain.payments import Direction
from clearinghouse.operations.context import Context
from clearinghouse.operations.payments.importing import match_waiting
from clearinghouse.store import audit, outbox
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


def dun(context: Context, as_of: date | None = None) -> list[Reminded]:
    """Send every reminder that a day has reached and that was not sent; safe to call again at any time.

    First what waits is matched: nobody is reminded of money that has come. ``as_of`` is a business date, today
    where none is given.

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
        sent = {(one.period, one.system, one.stage) for one in matches.reminders(session)}
        made = []
        for one in instructions.instructions(session, unpaid=True):
            if one.direction is not Direction.IN:
                continue
            code = directory.systems[one.system].code
            for stage in reached(one.due_on, day):
                if (one.period, one.system, stage.name) in sent:
                    continue
                matches.add_reminder(
                    session,
                    Reminder(one.period, one.system, stage.name, day, one.outstanding_minor),
                    now,
                )
                told = {
                    "period": format_period(one.period),
                    "reference": one.reference,
                    "stage": stage.name,
                    "due_on": one.due_on.isoformat(),
                    "outstanding_minor": one.outstanding_minor,
                }
                outbox.add(session, now, "payment.overdue", told, one.system)
                outbox.add(session, now, "payment.overdue", {"system": code, **told})
                audit.record(session, now, _ACTOR, f"payment.{stage.name}", f"system {code}", told)
                made.append(Reminded(code, one, stage.name))
        return made
