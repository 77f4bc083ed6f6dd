"""Allocating money: parts of the bank's lines are posted to systems' accounts and met against their instructions."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime

from clearinghouse.domain.accounts import AccountKind, Asset, account
from clearinghouse.domain.books import Posting
from clearinghouse.domain.calendar import format_period, period_of
from clearinghouse.domain.directory import Directory
from clearinghouse.domain.entries import Entry
from clearinghouse.domain.matching import Part
from clearinghouse.domain.payments import Direction
from clearinghouse.operations.context import Context
from clearinghouse.operations.payments.settling import close_if_settled
from clearinghouse.store import outbox
from clearinghouse.store.database import Session
from clearinghouse.store.entries import write_entries
from clearinghouse.store.payments import allocations, instructions
from clearinghouse.store.payments.allocations import Allocation
from clearinghouse.store.payments.instructions import Instruction
from clearinghouse.store.payments.lines import BankLine
from clearinghouse.store.periods import hold_period

#: What systems hear of, by the kind of the entry.
_EVENTS = {
    "payment_in": "payment.received",
    "payment_out": "payment.made",
    "payment_returned": "payment.returned",
    "payment_corrected": "payment.corrected",
}


class Journal:
    """The periods that entries go to in one transaction: looked up once a month, made where they are not there."""

    def __init__(self, context: Context, session: Session) -> None:
        self._context = context
        self._session = session
        self._periods: dict[int, int] = {}

    def entry(self, kind: str, day: date, reference: str | None) -> Entry:
        """Begin an entry of a booking date."""
        month = period_of(day)
        if month not in self._periods:
            self._periods[month] = hold_period(self._session, month)
        period = self._periods[month]
        return Entry(self._context.new_id(period), period, kind, day, reference)


def open_periods(context: Context, days: Iterable[date]) -> None:
    """Make the periods that entries of these dates go to, each in a transaction of its own: nobody waits for them."""
    for month in sorted({period_of(day) for day in days}):
        with context.database.office() as session:
            hold_period(session, month)


class Allocating:
    """Allocations under way, in a transaction that holds the lock of payments; :meth:`write` ends it."""

    def __init__(self, context: Context, session: Session, at: datetime) -> None:
        self._session = session
        self._at = at
        self._journal = Journal(context, session)
        self._references = {
            (one.period, one.system): one.reference for one in instructions.instructions(session)
        }
        self._entries: list[Entry] = []
        self._allocations: list[Allocation] = []
        self._noted: list[Allocation] = []

    def allocate(
        self, line: BankLine, parts: Iterable[Part], *, match: int | None = None, undo: bool = False
    ) -> None:
        """Post parts of a line, each as an entry of its own; to undo them is to post them the other way."""
        unallocated = account(AccountKind.UNALLOCATED)
        for part in parts:
            if part.collateral:
                self._collateral(line, part, match, undo=undo)
                continue
            known = None if part.period is None else self._references[part.period, part.system]
            reference = known or line.end_to_end or line.entry_reference
            entry = self._journal.entry(_kind(line, undo), line.booked_on, reference)
            position = account(AccountKind.POSITION, part.system)
            credit = line.incoming != undo
            sides = (unallocated, position) if credit else (position, unallocated)
            entry.postings.append(Posting(*sides, Asset.CNY, part.amount_minor))
            self._entries.append(entry)
            self._allocations.append(
                Allocation(
                    "bank",
                    part.system,
                    part.period,
                    part.amount_minor if credit else -part.amount_minor,
                    entry.period,
                    entry.entry_id,
                    line.number,
                    match,
                )
            )

    def _collateral(self, line: BankLine, part: Part, match: int | None, *, undo: bool) -> None:
        """Note that a line brought, or took, the money of collateral; that is posted by itself."""
        signed = part.amount_minor if line.incoming != undo else -part.amount_minor
        month = period_of(line.booked_on)
        self._noted.append(
            Allocation(
                "collateral", part.system, None, signed, month, line=line.number, match=match
            )
        )

    def write(self) -> None:
        """Write everything, tell the systems, and settle the periods that wait for nothing more."""
        allocations.add(self._session, self._noted, self._at)
        if not self._allocations:
            return
        write_entries(self._session, self._entries, self._at)
        allocations.add(self._session, self._allocations, self._at)
        now = {(one.period, one.system): one for one in instructions.instructions(self._session)}
        for entry, part in zip(self._entries, self._allocations, strict=True):
            instruction = None if part.period is None else now[part.period, part.system]
            told = _told(entry, part, instruction)
            outbox.add(self._session, self._at, _EVENTS[entry.kind], told, part.system)
        for period in sorted({part.period for part in self._allocations if part.period}):
            close_if_settled(self._session, period, self._at)


def _kind(line: BankLine, undo: bool) -> str:
    if undo:
        return "payment_corrected"
    if line.reversal:
        return "payment_returned"
    return "payment_in" if line.incoming else "payment_out"


def _told(entry: Entry, part: Allocation, instruction: Instruction | None) -> dict[str, object]:
    """Say what a system hears of money: of which instruction, how much, and what is still open of it."""
    return {
        "period": None if instruction is None else format_period(instruction.period),
        "reference": entry.reference,
        "direction": (Direction.IN if part.amount_minor > 0 else Direction.OUT).value,
        "amount_minor": abs(part.amount_minor),
        "booked_on": entry.business_date.isoformat(),
        "outstanding_minor": None if instruction is None else instruction.outstanding_minor,
    }


def parts_told(directory: Directory, parts: Iterable[Part]) -> list[dict[str, object]]:
    """Say what the audit log is told of parts of a line."""
    return [
        {
            "system": directory.systems[part.system].code,
            "period": None if part.period is None else format_period(part.period),
            "amount_minor": part.amount_minor,
            **({"collateral": True} if part.collateral else {}),
        }
        for part in parts
    ]
