"""What is to be paid, what the bank has told, and what waits for somebody: for people and scripts."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from clearinghouse.domain.business_day import business_day
from clearinghouse.domain.directory import Directory
from clearinghouse.domain.errors import NotFound
from clearinghouse.domain.matching import Items, Match, Part
from clearinghouse.operations.context import Context
from clearinghouse.operations.packs.showing import shown
from clearinghouse.store import periods
from clearinghouse.store.database import Session
from clearinghouse.store.payments import allocations, instructions, lines, matches
from clearinghouse.store.payments.instructions import Instruction
from clearinghouse.store.payments.lines import BankLine
from clearinghouse.store.payments.matches import ProposedMatch

_LINES_SHOWN = 50


@dataclass(frozen=True, slots=True)
class InstructionSeen:
    """An instruction; ``days_overdue`` is 0 where it is met or not yet overdue, ``reminder`` the last stage sent."""

    system: str
    instruction: Instruction
    period_state: str
    days_overdue: int
    reminder: str | None


@dataclass(frozen=True, slots=True)
class LineSeen:
    """A line of the bank, what it is allocated to, and what suggests itself or is proposed for the rest of it."""

    line: BankLine
    parts: tuple[Part, ...]
    suggestion: Match | None
    proposal: ProposedMatch | None


@dataclass(frozen=True, slots=True)
class Payments:
    """Instructions, lines that wait for somebody, and credits by system code, in fen; codes by system number."""

    as_of: date
    instructions: tuple[InstructionSeen, ...]
    waiting: tuple[LineSeen, ...]
    credits: dict[str, int]
    codes: dict[int, str]


@dataclass(frozen=True, slots=True)
class Account:
    """One system's payments: its instructions, the bank's lines that met them, and its credit in fen."""

    system: str
    instructions: tuple[InstructionSeen, ...]
    lines: tuple[LineSeen, ...]
    credit_minor: int
    codes: dict[int, str]


def payments(
    context: Context,
    *,
    period: int | None = None,
    everything: bool = False,
    as_of: date | None = None,
) -> Payments:
    """Return what is still to be paid, of a period or of all, or ``everything``, and what waits for somebody."""
    with context.database.office() as session:
        directory = context.directory.current(session)
        day = as_of or business_day(directory, context.clock())
        codes = codes_of(directory)
        found = instructions.instructions(
            session, period=period, unpaid=not everything and period is None
        )
        return Payments(
            day,
            instructions_seen(session, codes, found, day),
            lines_seen(session, directory, lines.lines_waiting(session)),
            {codes[system]: amount for system, amount in instructions.credits_of(session).items()},
            codes,
        )


def account(context: Context, code: str, *, as_of: date | None = None) -> Account:
    """Return all payments of a system.

    Raises:
        NotFound: there is no such system.
    """
    with context.database.office() as session:
        directory = context.directory.current(session)
        system = directory.system_by_code.get(code)
        if system is None:
            raise NotFound(f"there is no system {shown(code)}")
        day = as_of or business_day(directory, context.clock())
        codes = codes_of(directory)
        found = instructions.instructions(session, system=system.number)
        met = lines.lines_of(session, system.number, most=_LINES_SHOWN)
        return Account(
            code,
            instructions_seen(session, codes, found, day),
            lines_seen(session, directory, met),
            instructions.credits_of(session).get(system.number, 0),
            codes,
        )


def own_instructions(
    context: Context, system: int, period: int | None = None
) -> tuple[InstructionSeen, ...]:
    """Return a system's instructions, of a period or of all, read as that system sees them; the oldest first."""
    today = business_day(context.current_directory(), context.clock())
    with context.database.reading(system) as session:
        found = instructions.instructions(session, period=period, system=system)
        codes = dict.fromkeys([one.system for one in found], "")
        return instructions_seen(session, codes, found, today)


def line(context: Context, number: int) -> tuple[LineSeen, dict[int, str]]:
    """Return one line of the bank, and the codes of systems by number.

    Raises:
        NotFound: there is none.
    """
    with context.database.office() as session:
        found = lines.line(session, number)
        if found is None:
            raise NotFound(f"there is no bank line {number}")
        directory = context.directory.current(session)
        return lines_seen(session, directory, [found])[0], codes_of(directory)


def codes_of(directory: Directory) -> dict[int, str]:
    """Return the codes of systems by number."""
    return {system.number: system.code for system in directory.systems.values()}


def instructions_seen(
    session: Session, codes: dict[int, str], found: list[Instruction], day: date
) -> tuple[InstructionSeen, ...]:
    """Return instructions with how long they are overdue on a day and what was sent of it."""
    states = {row.period: row.state for row in periods.periods(session)}
    stages = {(one.period, one.system): one.stage for one in matches.reminders(session)}
    return tuple(
        InstructionSeen(
            codes[one.system],
            one,
            states[one.period],
            max((day - one.due_on).days, 0) if one.outstanding_minor else 0,
            stages.get((one.period, one.system)),
        )
        for one in found
    )


def lines_seen(
    session: Session, directory: Directory, found: list[BankLine]
) -> tuple[LineSeen, ...]:
    """Return lines with what they are allocated to, and what suggests itself for the rest."""
    parts: dict[int, list[Part]] = {}
    for allocated in allocations.parts_of_lines(session, [one.number for one in found]):
        parts.setdefault(allocated.line, []).append(allocated.part)
    proposals = {one.line: one for one in matches.waiting(session)}
    known = Items(
        instructions.items(session),
        [(system.number, system.bank_account) for system in directory.systems.values()],
    )
    return tuple(
        LineSeen(
            one,
            tuple(parts.get(one.number, ())),
            known.match(one.money) if one.rest_minor else None,
            proposals.get(one.number),
        )
        for one in found
    )
