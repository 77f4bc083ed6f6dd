"""The journal of a period as a plain-text ledger for hledger (interfaces.md "Commands", ``export-journal``).

It opens with the balances that all earlier periods left, then has every entry of the period, and closes by
asserting the balance of every account that moved, so that ``hledger check`` itself proves that the entries
lead from the one to the other, and ``hledger balance`` gives the balances of our ledger at the period's end.
A debit is positive, a credit negative.

The text is plain ASCII, since hledger refuses anything else where no UTF-8 locale is set, as in many
containers; what is not is written as the percent-encoded bytes of UTF-8. So is what hledger would read as
syntax in a hotel's reference. There are no personal data and no card numbers in it: travellers are numbers.
"""

from __future__ import annotations

import string
from collections.abc import Callable, Iterable, Iterator
from urllib.parse import quote

from clearinghouse.domain.accounts import AccountKind, Asset, kind_of, owner_of
from clearinghouse.domain.calendar import first_day, format_period, last_day
from clearinghouse.domain.directory import Directory
from clearinghouse.domain.errors import NotFound
from clearinghouse.operations.context import Context
from clearinghouse.store import journal as store
from clearinghouse.store import periods
from clearinghouse.store.database import Session
from clearinghouse.store.journal import Balance, JournalLine
from clearinghouse.store.snapshot import hold_still

_BLOCK_CHARACTERS = 1 << 16
_US = "clearing-house"
#: In a description ``;`` begins a comment and ``|`` ends the payee; ``%`` is what we escape with.
_PLAIN = "".join(c for c in string.printable if c not in ";|%" and (c == " " or not c.isspace()))

#: The last parts of an account's name; the first are whose it is.
_NAMES = {
    AccountKind.TRAVELLER_POINTS: "points",
    AccountKind.TRAVELLER_STORED_VALUE: "stored-value",
    AccountKind.TRAVELLER_DEBT: "debt",
    AccountKind.POINTS_ISSUED: "points:issued",
    AccountKind.POINTS_REDEEMED: "points:redeemed",
    AccountKind.POINTS_EXPIRED: "points:expired",
    AccountKind.POINTS_REVERSED: "points:reversed",
    AccountKind.POINTS_DEBTS: "points:debts",
    AccountKind.STORED_VALUE_ISSUED: "stored-value:issued",
    AccountKind.STORED_VALUE_USED: "stored-value:used",
    AccountKind.POSITION: "position",
    AccountKind.COLLATERAL: "collateral",
    AccountKind.CLAIM: "claim",
    AccountKind.FEES: "fees",
    AccountKind.VAT: "vat",
    AccountKind.BANK: "bank",
    AccountKind.UNALLOCATED: "unallocated",
    AccountKind.GUARANTEE_FUND: "guarantee-fund",
}

_HEADER = """\
; Hotel Alliance Clearing House: the journal of {month}.
;
; First the balances that all earlier months left, then every entry of the month, last the balances at its
; end, asserted: "hledger check" proves that they follow. A debit is positive, a credit negative.
;
; clearing-house:fees, :vat     what the clearing house has earned; a credit
; clearing-house:bank           our money; :unallocated what came in and nobody has claimed yet
; clearing-house:guarantee-fund what members have contributed; :claim what the fund has advanced for a defaulter
; system:CODE:position          a member's account with the clearing house; a credit is what it receives
; system:CODE:collateral        what a member has pledged; :claim what it has borne for a defaulter
; hotel:CODE:points:...         the other side of the points of this hotel: issued, redeemed, expired, reversed
; hotel:CODE:points:debts       points that travellers owe this hotel since a refund; traveller:N:debt mirrors it
; hotel:CODE:stored-value:...   the other side of stored value that this hotel issued
; traveller:N:points            the points of traveller number N; a credit is what the traveller holds
; traveller:N:stored-value      stored value of traveller number N
;
; An entry has its id as code, the host as payee, and kind and reference as note. Its date is the business
; date; a late line has the first day of the month, the business date as secondary date (--date2) and the
; tag "late". The tag "lot" tells the lot of points or stored value. %xx is a character that is not plain.
"""

_DIRECTIVES = """
decimal-mark .
commodity 1000.00 CNY
commodity 1000. POINT
payee clearing-house
"""


def export_journal(context: Context, period: int) -> Iterator[bytes]:
    """Yield the journal of a period, a few blocks of it in memory at a time.

    It shows one moment of the books, whatever is posted meanwhile. A published period gives the same bytes
    for ever. Transactions that moved nothing (cash inside one system that earned no points) have no entry.

    Raises:
        NotFound: nothing is posted in the period; told at once, before anything is yielded.
    """
    with context.database.office() as session:
        if periods.state_of(session, period) is None:
            raise NotFound(f"nothing is posted in {format_period(period)}")
    return _blocks(_text(context, period))


def _blocks(pieces: Iterable[str]) -> Iterator[bytes]:
    kept: list[str] = []
    size = 0
    for piece in pieces:
        kept.append(piece)
        size += len(piece)
        if size >= _BLOCK_CHARACTERS:
            yield "".join(kept).encode("ascii")
            kept, size = [], 0
    yield "".join(kept).encode("ascii")


def _text(context: Context, period: int) -> Iterator[str]:
    with context.database.office() as session:
        hold_still(session)
        names = _Names(context.directory.current(session))
        yield _HEADER.format(month=format_period(period))
        yield from _remarks(context, session, period)
        yield _DIRECTIVES
        for host in sorted(names.hotel(number) for number in store.hosts(session, period)):
            yield f"payee {host}\n"
        for number in _named_first(store.accounts(session, period), names.account):
            yield f"account {names.account(number)}\n"
        yield from _balances(
            f"\n{first_day(period)} (opening) {_US} | balances of earlier months\n",
            store.opening_balances(session, period),
            lambda row: f"    {names.account(row.account)}  {_amount(row.asset, row.amount)}\n",
        )
        yield from _entries(store.journal_lines(session, period), names)
        yield from _balances(
            f"\n{last_day(period)} (closing) {_US} | balances at the end of the month\n",
            store.closing_balances(session, period),
            lambda row: (
                f"    {names.account(row.account)}  {_amount(row.asset, 0)}"
                f" = {_amount(row.asset, row.amount)}\n"
            ),
        )


def _remarks(context: Context, session: Session, period: int) -> Iterator[str]:
    """Say so where the month, or one before it, can still change."""
    unfinished = [
        row
        for row in periods.periods(session)
        if row.period <= period and row.state not in ("published", "settled")
    ]
    if not unfinished:
        return
    yield f";\n; Not final, as of {context.clock():%Y-%m-%dT%H:%M:%SZ}:\n"
    for row in unfinished:
        still = "is still open" if row.state == "open" else f"is being settled ({row.state})"
        yield f"; {format_period(row.period)} {still}; entries may follow.\n"


def _balances(
    heading: str, rows: Iterable[Balance], posting: Callable[[Balance], str]
) -> Iterator[str]:
    """Yield one entry of balances; nothing if there are none."""
    for row in rows:
        yield heading
        heading = ""
        yield posting(row)


def _entries(lines: Iterable[JournalLine], names: _Names) -> Iterator[str]:
    entry = None
    for line in lines:
        if line.entry_id != entry:
            entry = line.entry_id
            yield _heading(line, names)
        yield _posting(line, names)


def _heading(line: JournalLine, names: _Names) -> str:
    """Write the first line of an entry: its dates, id, host, kind and reference."""
    late = line.day != line.business_date
    dates = f"{line.day}={line.business_date}" if late else f"{line.day}"
    remark = "  ; late:" if late else ""
    reference = "" if line.txn_ref is None else f" {_plain(line.txn_ref)}"
    if line.host_hotel is None:
        return f"\n{dates} (entry_{line.entry_id.hex}) {_US} | {line.kind}{reference}{remark}\n"
    of = f" of {_plain(line.original_ref)}" if line.original_ref else ""
    what = f"{names.hotel(line.host_hotel)} | {line.kind}{reference}{of}"
    return f"\n{dates} (txn_{line.entry_id.hex}) {what}{remark}\n"


def _posting(line: JournalLine, names: _Names) -> str:
    lot = "" if line.lot is None else f"  ; lot:{line.lot}"
    return (
        f"    {names.account(line.debit)}  {_amount(line.asset, line.amount)}{lot}\n"
        f"    {names.account(line.credit)}  {_amount(line.asset, -line.amount)}{lot}\n"
    )


def _amount(asset: int, amount: int) -> str:
    """Write points as whole numbers and fen as yuan with two decimals."""
    if asset == Asset.POINT:
        return f"{amount} POINT"
    whole, rest = divmod(abs(amount), 100)
    return f"{'-' if amount < 0 else ''}{whole}.{rest:02d} CNY"


def _plain(text: str) -> str:
    """Write a reference or code in ASCII without hledger's syntax; no two of them are written alike."""
    return quote(text, safe=_PLAIN)


class _Names:
    """Names of accounts and hotels; those of hotels, systems and ourselves are kept, travellers' are made."""

    def __init__(self, directory: Directory) -> None:
        self._directory = directory
        self._kept: dict[int, str] = {}
        self._hotels: dict[int, str] = {}

    def hotel(self, number: int) -> str:
        """Return the code of a hotel in plain ASCII."""
        if number not in self._hotels:
            self._hotels[number] = _plain(self._directory.hotels[number].code)
        return self._hotels[number]

    def account(self, number: int) -> str:
        """Return the name of an account."""
        name = self._kept.get(number)
        if name is not None:
            return name
        kind, owner = kind_of(number), owner_of(number)
        if kind < AccountKind.POINTS_ISSUED:
            return f"traveller:{owner}:{_NAMES[kind]}"
        if kind < AccountKind.POSITION:
            whose = f"hotel:{self.hotel(owner)}"
        elif owner and kind < AccountKind.FEES:
            whose = f"system:{_plain(self._directory.systems[owner].code)}"
        else:
            whose = _US
        self._kept[number] = name = f"{whose}:{_NAMES[kind]}"
        return name


def _named_first(numbers: Iterable[int], name_of: Callable[[int], str]) -> Iterator[int]:
    """Sort by name the accounts of ourselves, systems and hotels, which come first and are few."""
    few: list[int] = []
    rest = iter(numbers)
    for number in rest:
        if kind_of(number) < AccountKind.POINTS_ISSUED:
            yield from sorted(few, key=name_of)
            yield number
            break
        few.append(number)
    else:
        yield from sorted(few, key=name_of)
    yield from rest
