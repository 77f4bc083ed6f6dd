"""Payments as people page through them at the desk: what is overdue first, what the bank told, what waits."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import NamedTuple

from clearinghouse.domain.business_day import business_day
from clearinghouse.domain.directory import Directory
from clearinghouse.domain.errors import NotFound
from clearinghouse.domain.matching import Finding
from clearinghouse.domain.payments import Direction
from clearinghouse.operations.context import Context
from clearinghouse.operations.payments.listing import (
    InstructionSeen,
    LineSeen,
    codes_of,
    instructions_seen,
    lines_seen,
)
from clearinghouse.store.database import Session
from clearinghouse.store.payments import desk as store
from clearinghouse.store.payments import instructions
from clearinghouse.store.payments.desk import BankFileRow, Met, Stage, Sums
from clearinghouse.store.payments.lines import BankLine
from clearinghouse.store.snapshot import hold_still

__all__ = ["BankFileRow", "Met", "Stage", "Sums"]

#: How many lines are looked through for those of one finding, in how large steps.
_LOOKED_THROUGH, _STEP = 2000, 200
_CANDIDATES = 12
_PERIODS = 60

Place = tuple[bool, int, int, str]


@dataclass(frozen=True, slots=True)
class Overview:
    """What there is to do with payments: sums and systems' credits (by code) in fen, and how many lines wait.

    ``periods`` are the newest that have instructions.
    """

    as_of: date
    sums: Sums
    waiting: int
    proposed: int
    credits: dict[str, int]
    periods: tuple[int, ...]


class Candidate(NamedTuple):
    """An open instruction that a line may be for."""

    system: str
    period: int
    reference: str
    due_on: date
    outstanding_minor: int


@dataclass(frozen=True, slots=True)
class LinePage:
    """Some lines of the bank and the codes of systems by number; ``after`` is the last line that was looked at."""

    lines: tuple[LineSeen, ...]
    codes: dict[int, str]
    after: int | None


@dataclass(frozen=True, slots=True)
class FilePage:
    """A file of the bank and some of the new lines that it brought."""

    file: BankFileRow
    page: LinePage


def overview(context: Context) -> Overview:
    """Return what there is to do with payments."""
    with context.database.office() as session:
        hold_still(session)
        directory = context.directory.current(session)
        day, codes = business_day(directory, context.clock()), codes_of(directory)
        counts = store.stage_counts(session)
        return Overview(
            day,
            store.sums(session, day),
            counts[Stage.WAITING],
            counts[Stage.PROPOSED],
            {codes[system]: amount for system, amount in instructions.credits_of(session).items()},
            tuple(store.instructed_periods(session, _PERIODS)),
        )


def instruction_page(
    context: Context,
    met: Met,
    *,
    period: int | None,
    direction: Direction | None,
    after: Place | None,
    limit: int,
) -> list[tuple[InstructionSeen, Place]]:
    """Return instructions with their places in the list: those to be paid by due date, then those met."""
    with context.database.office() as session:
        directory = context.directory.current(session)
        day = business_day(directory, context.clock())
        found = store.ranked(
            session, met, day, period=period, direction=direction, after=after, limit=limit
        )
        seen = instructions_seen(
            session, codes_of(directory), [one.instruction for one in found], day
        )
        return [(one, ranked.place) for one, ranked in zip(seen, found, strict=True)]


def line_page(
    context: Context, stage: Stage, finding: Finding | None, after: int | None, size: int
) -> LinePage:
    """Return lines of the bank in a stage, and of one finding if it is asked for.

    What a line seems to be for is no column: with a finding a page looks through so many lines and may be short.
    """
    with context.database.office() as session:
        directory = context.directory.current(session)
        if finding is None:
            found = store.stage_lines(session, stage, after, size + 1)
            return _page(session, directory, found, size)
        shown: list[LineSeen] = []
        place, looked = after, 0
        while looked < _LOOKED_THROUGH:
            some = store.stage_lines(session, stage, place, _STEP)
            looked += len(some)
            for one in lines_seen(session, directory, some):
                if one.suggestion is not None and one.suggestion.finding is finding:
                    shown.append(one)
                    if len(shown) == size:
                        return LinePage(tuple(shown), codes_of(directory), one.line.number)
            if len(some) < _STEP:
                return LinePage(tuple(shown), codes_of(directory), None)
            place = some[-1].number
        return LinePage(tuple(shown), codes_of(directory), place)


def file_page(context: Context, number: int, after: int | None, size: int) -> FilePage:
    """Return an imported file and some of its lines.

    Raises:
        NotFound: there is none.
    """
    with context.database.office() as session:
        found = store.file(session, number)
        if found is None:
            raise NotFound(f"there is no bank file {number}")
        directory = context.directory.current(session)
        lines = store.file_lines(session, number, after, size + 1)
        return FilePage(found, _page(session, directory, lines, size))


def files(context: Context, before: int | None, limit: int) -> list[BankFileRow]:
    """Return imported files, the newest first, before one of them."""
    with context.database.office() as session:
        return store.files(session, before, limit)


def file_of_hash(context: Context, sha256: str) -> int | None:
    """Return the number of the file that had these bytes."""
    with context.database.office() as session:
        return store.file_of_hash(session, sha256)


def candidates(context: Context, seen: LineSeen) -> list[Candidate]:
    """Return open instructions that what is left of a line may be for, the nearest amounts first.

    Of a return there are none: it takes back what was paid, and names that or is matched to its system.
    """
    line = seen.line
    if line.reversal or not line.rest_minor:
        return []
    way = Direction.IN if line.incoming else Direction.OUT
    with context.database.office() as session:
        codes = codes_of(context.directory.current(session))
        return [
            Candidate(
                codes[one.system], one.period, one.reference, one.due_on, one.outstanding_minor
            )
            for one in store.candidates(session, way, line.rest_minor, _CANDIDATES)
        ]


def _page(session: Session, directory: Directory, found: list[BankLine], size: int) -> LinePage:
    shown = found[:size]
    after = shown[-1].number if len(found) > size else None
    return LinePage(lines_seen(session, directory, shown), codes_of(directory), after)
