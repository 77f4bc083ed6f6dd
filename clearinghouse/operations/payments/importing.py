"""Importing what the bank says: every booked movement is posted once, and matched where there is no doubt.

A file is one transaction: a structural fault, or a kill, leaves nothing of it. A file that was imported is known by
its bytes, an entry by the bank's reference, so importing again, or files that overlap, change nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from uuid import UUID

from clearinghouse.domain.accounts import AccountKind, Asset, account
from clearinghouse.domain.books import Posting
from clearinghouse.domain.business_day import business_day
from clearinghouse.domain.errors import BankFileFault
from clearinghouse.domain.matching import Finding, Items
from clearinghouse.operations.changing import Authority, fit_authority, log
from clearinghouse.operations.context import Context
from clearinghouse.operations.packs.showing import shown
from clearinghouse.operations.payments.allocating import (
    Allocating,
    Journal,
    open_periods,
    parts_told,
)
from clearinghouse.operations.payments.bank_file import FileLine
from clearinghouse.operations.payments.reading import BankFile, bank_file_of, read_bank_file
from clearinghouse.operations.payments.recognising import new_lines
from clearinghouse.store import audit
from clearinghouse.store.database import Session
from clearinghouse.store.entries import write_entries
from clearinghouse.store.payments import hold_payments, instructions, lines
from clearinghouse.store.payments.lines import BankLine, NewFile, NewLine

#: The journal entry of a line as it comes; what it is for is posted by another one.
ARRIVAL = "bank_line"
_DEFAULT_CURRENCY = "CNY"
_OLDEST_DAYS = 366
#: Who does in the audit log what no person did.
_NOBODY = "matching"


@dataclass(frozen=True, slots=True)
class Arrived:
    """A line as matching found it; ``matched`` where that was beyond doubt and is posted."""

    line: BankLine
    finding: Finding
    matched: bool


@dataclass(frozen=True, slots=True)
class Imported:
    """What came of a file.

    ``repeated``: the very file was imported before. ``known`` of its lines were, in another file; ``not_booked`` the
    bank only announces. ``gap_minor`` is what the opening balance differs by from the last closing one.
    """

    name: str
    repeated: bool
    lines: int = 0
    known: int = 0
    not_booked: int = 0
    gap_minor: int = 0
    arrived: tuple[Arrived, ...] = ()


def import_bank_file(
    context: Context, path: Path, authority: Authority, *, new_account: bool = False
) -> Imported:
    """Import a file of the bank, camt.053 or CSV, and match what is waiting.

    ``new_account`` allows that it tells of another account than the files before.

    Raises:
        BankFileFault: the file can't be read, does not hold together, contradicts what was imported before, or is of
            another account; nothing of it is written.
    """
    return _import(
        context, lambda currency: read_bank_file(path, currency), authority, new_account=new_account
    )


def import_bank_bytes(
    context: Context, name: str, data: bytes, authority: Authority, *, new_account: bool = False
) -> Imported:
    """Import what a file of that name holds, as :func:`import_bank_file` does.

    Raises:
        BankFileFault: as there.
    """
    return _import(
        context,
        lambda currency: bank_file_of(name, shown(name), data, currency),
        authority,
        new_account=new_account,
    )


def _import(
    context: Context, read: Callable[[str], BankFile], authority: Authority, *, new_account: bool
) -> Imported:
    authority = fit_authority(authority)
    now = context.clock()
    with context.database.office() as session:
        directory = context.directory.current(session)
        today = business_day(directory, now)
        in_force = directory.rulebook_on(today)
    file = read(in_force.rulebook.currency if in_force else _DEFAULT_CURRENCY)
    _must_be_of_these_days(file, today)
    open_periods(context, [line.booked_on for line in file.content.lines])
    with context.database.office() as session:
        hold_payments(session)
        if lines.file_known(session, file.sha256):
            return Imported(file.name, True)
        _account_must_be_ours(session, file, new_account=new_account)
        new = new_lines(session, file)
        gap = _gap(session, file)
        first = _write(context, session, file, new, authority.actor)
        arrived = match_waiting(context, session)
        told = {
            "file": file.name,
            "sha256": file.sha256,
            "lines": len(new),
            "matched": sum(one.matched for one in arrived),
        }
        log(session, now, authority, "payment.import", f"bank file {file.sha256[:16]}", told)
        return Imported(
            file.name,
            False,
            len(file.content.lines),
            len(file.content.lines) - len(new),
            file.content.not_booked,
            gap,
            tuple(one for one in arrived if one.matched or one.line.file == first),
        )


def match_waiting(context: Context, session: Session) -> list[Arrived]:
    """Match every line that waits and that no person is at; post what is beyond doubt.

    The transaction must hold the lock of payments.
    """
    waiting = lines.lines_waiting(session, untouched=True)
    if not waiting:
        return []
    directory = context.directory.current(session)
    found = Items(
        instructions.items(session),
        [(system.number, system.bank_account) for system in directory.systems.values()],
    )
    at = context.clock()
    work = Allocating(context, session, at)
    arrived = []
    for line in waiting:
        match = found.match(line.money)
        if match.automatic:
            found.take(line.money, match.parts)
            work.allocate(line, match.parts)
            told = {"finding": match.finding.value, "parts": parts_told(directory, match.parts)}
            audit.record(
                session, at, _NOBODY, "payment.match_automatic", f"bank line {line.number}", told
            )
        arrived.append(Arrived(line, match.finding, match.automatic))
    work.write()
    return arrived


def _account_must_be_ours(session: Session, file: BankFile, *, new_account: bool) -> None:
    known = lines.accounts(session)
    if known and file.content.account not in known and not new_account:
        raise BankFileFault(
            f"the file is of another account ({_end(file.content.account)}) than those imported before"
            f" ({', '.join(map(_end, known))}); if it is ours too, say --new-account",
            shown(file.name),
        )


def _end(account_number: str) -> str:
    return f"…{account_number[-4:]}"


def _must_be_of_these_days(file: BankFile, today: date) -> None:
    for line in file.content.lines:
        place = f"{shown(file.name)}: {line.place}"
        if line.booked_on < today - timedelta(days=_OLDEST_DAYS):
            raise BankFileFault(f"it is booked on {line.booked_on}, more than a year ago", place)
        # The bank's day may be ahead of ours by hours, not by more.
        if line.booked_on > today + timedelta(days=1):
            raise BankFileFault(f"it is booked on {line.booked_on}, which is still to come", place)


def _gap(session: Session, file: BankFile) -> int:
    before = lines.last_closing(session, file.content.account)
    opening = file.content.opening_minor
    return 0 if before is None or opening is None else opening - before


def _write(
    context: Context, session: Session, file: BankFile, new: Sequence[FileLine], actor: str
) -> int:
    """Write the file and its new lines, each posted between the bank and what nobody has claimed."""
    at = context.clock()
    content = file.content
    number = lines.add_file(
        session,
        NewFile(
            file.sha256,
            file.name[-200:],
            content.format,
            content.account,
            content.opening_minor,
            content.closing_minor,
            len(content.lines),
        ),
        at,
        actor,
    )
    bank, unallocated = account(AccountKind.BANK), account(AccountKind.UNALLOCATED)
    journal = Journal(context, session)
    entries, rows = [], []
    for line_no, line in enumerate(new, start=1):
        entry = journal.entry(ARRIVAL, line.booked_on, line.entry_reference)
        sides = (bank, unallocated) if line.incoming else (unallocated, bank)
        entry.postings.append(Posting(*sides, Asset.CNY, line.amount_minor))
        entries.append(entry)
        rows.append(_row(number, line_no, content.account, line, entry.entry_id, entry.period))
    write_entries(session, entries, at)
    lines.add_lines(session, rows)
    return number


def _row(
    file: int, line_no: int, own: str, line: FileLine, entry_id: UUID, in_period: int
) -> NewLine:
    return NewLine(
        file,
        line_no,
        own,
        line.entry_reference,
        line.batch_reference,
        line.booked_on,
        line.incoming,
        line.reversal,
        line.amount_minor,
        line.end_to_end,
        line.remittance,
        line.counterparty_account,
        line.counterparty_name,
        line.content,
        entry_id,
        in_period,
    )
