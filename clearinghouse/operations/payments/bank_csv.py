"""Reading what was booked on our account from CSV, for banks that give no camt.053 (docs/payments.md)."""

from __future__ import annotations

import csv
import io

from clearinghouse.domain.errors import BankFileFault
from clearinghouse.domain.matching import plain_account
from clearinghouse.operations.packs.showing import shown
from clearinghouse.operations.payments.bank_file import (
    LINES_MAX,
    FileContent,
    FileLine,
    day,
    fen,
    must_be_currency,
    one_line,
    reference,
)

#: Needed columns, then those that may be left out; in any order.
NEEDED = ("account", "entry_reference", "booked_on", "direction", "amount", "currency")
OPTIONAL = (
    "reversal", "end_to_end_id", "remittance", "counterparty_account", "counterparty_name",
)  # fmt: skip


def read_csv(content: bytes, currency: str) -> FileContent:
    """Read the lines of a file: UTF-8, a header, commas; amounts in yuan with a decimal point.

    Raises:
        BankFileFault: it is no such file, or a value does not fit its column.
    """
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise BankFileFault("it is not UTF-8; save it as CSV UTF-8") from None
    rows = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        header = [name.strip().lower() for name in next(rows, [])]
        _check_header(header)
        lines: list[FileLine] = []
        accounts: set[str] = set()
        for row in rows:
            if not any(cell.strip() for cell in row):
                continue
            place = f"line {rows.line_num}"
            if len(row) != len(header):
                raise BankFileFault(f"it has {len(row)} columns, the header {len(header)}", place)
            cells = dict(zip(header, row, strict=True))
            accounts.add(_account(cells, place))
            lines.append(_line(cells, place, currency))
            if len(lines) > LINES_MAX:
                raise BankFileFault(f"there are more than {LINES_MAX:,} lines in the file")
    except csv.Error as error:
        raise BankFileFault(f"{error}", f"line {rows.line_num}") from None
    if not accounts:
        raise BankFileFault("there is no line in the file")
    if len(accounts) > 1:
        raise BankFileFault("the file tells of several accounts; import a file for each")
    return FileContent("csv", accounts.pop(), None, None, tuple(lines), 0)


def _check_header(header: list[str]) -> None:
    missing = [name for name in NEEDED if name not in header]
    if missing:
        raise BankFileFault(
            f"the column {missing[0]} is missing; a bank's CSV has {','.join(NEEDED)}, and may have"
            f" {','.join(OPTIONAL)}",
            "line 1",
        )
    strange = [name for name in header if name not in (*NEEDED, *OPTIONAL)]
    if strange or len(set(header)) < len(header):
        twice = next((name for name in header if header.count(name) > 1), "")
        raise BankFileFault(
            f"there is no column {shown(strange[0])}" if strange else f"{twice} stands there twice",
            "line 1",
        )


def _account(cells: dict[str, str], place: str) -> str:
    account = plain_account(cells["account"])
    if account is None:
        raise BankFileFault("it does not say on which account it is booked", place)
    return account


def _line(cells: dict[str, str], place: str, currency: str) -> FileLine:
    must_be_currency(cells["currency"].strip(), currency, place)
    amount = fen(cells["amount"], place)
    if amount == 0:
        raise BankFileFault("the amount is zero", place)
    return FileLine(
        place,
        reference(cells["entry_reference"], place),
        day(cells["booked_on"], place),
        _choice(cells["direction"], "direction", {"in": True, "out": False}, place),
        _choice(
            cells.get("reversal", ""), "reversal", {"": False, "no": False, "yes": True}, place
        ),
        amount,
        one_line(cells.get("end_to_end_id")) or None,
        one_line(cells.get("remittance")),
        plain_account(cells.get("counterparty_account")),
        one_line(cells.get("counterparty_name")) or None,
    )


def _choice(text: str, column: str, choices: dict[str, bool], place: str) -> bool:
    said = text.strip().lower()
    if said not in choices:
        words = " or ".join(name for name in choices if name)
        raise BankFileFault(f"the {column} {shown(text)} is not {words}", place)
    return choices[said]
