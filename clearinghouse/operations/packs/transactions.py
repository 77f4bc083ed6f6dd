"""The transactions of a pack: read once to check every line, and once more to apply them, by one grammar."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from hashlib import sha256
from io import FileIO
from pathlib import Path
from typing import Generic, TypeVar

from clearinghouse.domain.errors import PackFault
from clearinghouse.domain.transactions import Line
from clearinghouse.operations.packs import fields
from clearinghouse.operations.packs.reading import Fingerprint, fingerprint, open_regular, records
from clearinghouse.operations.packs.tables import Column, unfit

PREFIX = "transactions"
_NAME = re.compile(r"transactions-([0-9]{4}-[0-9]{2})\.csv")

_business_date = fields.day(fields.FIRST_BUSINESS_DATE)

COLUMNS = (
    Column("host_hotel", fields.reference),
    Column("txn_ref", fields.reference),
    Column("original_txn_ref", fields.optional(fields.reference)),
    Column("kind", fields.reference),
    Column("card_number", fields.reference, secret=True),
    Column("business_date", _business_date),
    Column("occurred_at", fields.moment),
    Column("amount_minor", fields.amount),
    Column("points", fields.amount),
)

T = TypeVar("T")
#: Told how many more bytes have been read.
Progress = Callable[[int], None]


@dataclass(frozen=True, slots=True)
class TransactionsFile:
    """A checked file: ``lines`` transactions; ``sha256`` (hex) of its bytes; ``size`` in bytes."""

    name: str
    path: Path
    lines: int
    sha256: str
    size: int
    seen: Fingerprint


def month_of(name: str) -> date | None:
    """Return the first day of the month a transactions file is named after; ``None`` for other names."""
    found = _NAME.fullmatch(name)
    try:
        return None if found is None else _business_date(f"{found[1]}-01")
    except fields.Unfit:
        return None


def examine(path: Path, progress: Progress | None = None) -> TransactionsFile:
    """Check every line of a transactions file without keeping any.

    Raises:
        PackFault: a structural fault (file, line).
    """
    with open_regular(path) as handle:
        tap = _Tap(handle, path.name, fingerprint(handle), progress)
        # A deque of one keeps the last line only; enumerate counts without a loop in Python.
        last = deque(enumerate(_lines(tap, path.name), 1), maxlen=1)
        tap.finish()
    count = last[0][0] if last else 0
    return TransactionsFile(path.name, path, count, tap.digest(), tap.seen[0], tap.seen)


def read_lines(
    file: TransactionsFile, after: int = 0, progress: Progress | None = None
) -> Iterator[Line]:
    """Yield the lines of a checked file that come after file line ``after``, in file order.

    Raises:
        PackFault: the file is not the one that was checked. Lines may have been yielded by then.
    """
    with open_regular(file.path) as handle:
        tap = _Tap(handle, file.name, file.seen, progress)
        yield from _lines(tap, file.name, after)
        tap.finish()
        if tap.digest() != file.sha256:
            raise tap.changed()


class _Memo(dict[str, T], Generic[T]):
    """Parses each spelling once; emptied when a file has too many different ones."""

    __slots__ = ("_parse",)
    _MOST = 50_000

    def __init__(self, parse: Callable[[str], T]) -> None:
        self._parse = parse

    def __missing__(self, text: str) -> T:
        value = self._parse(text)
        if len(self) >= self._MOST:
            self.clear()
        self[text] = value
        return value


def line_parser() -> Callable[[int, Sequence[str]], Line]:
    """Make a parser of records in the order of ``COLUMNS``, given with their line; it raises ``fields.Unfit``.

    What repeats from line to line is looked up, what doesn't is parsed at once.
    """
    hosts, kinds, cards = _Memo(fields.reference), _Memo(fields.reference), _Memo(fields.reference)
    days = _Memo(_business_date)
    reference, moment, amount = fields.reference, fields.moment, fields.amount
    original_reference = fields.optional(fields.reference)

    def parse(number: int, values: Sequence[str]) -> Line:
        host, ref, original, kind, card, day, occurred, money, points = values
        return Line(
            number,
            hosts[host],
            reference(ref),
            original_reference(original) if original else None,
            kinds[kind],
            cards[card],
            days[day],
            moment(occurred),
            amount(money),
            amount(points),
        )

    return parse


def _lines(tap: _Tap, file: str, after: int = 0) -> Iterator[Line]:
    parse = line_parser()
    values: Sequence[str]
    for number, values in records(tap, file, [column.name for column in COLUMNS]):
        if number <= after:
            continue
        try:
            line = parse(number, values)
        except fields.Unfit:
            raise unfit(COLUMNS, values, file, number) from None
        yield line


class _Tap:
    """Passes a file's blocks on, hashes them, and notices when the file changes underneath."""

    def __init__(
        self, handle: FileIO, file: str, seen: Fingerprint, progress: Progress | None
    ) -> None:
        self.seen = seen
        self._handle = handle
        self._file = file
        self._hash = sha256()
        self._progress = progress

    def read(self, size: int, /) -> bytes:
        """Return the next block.

        Raises:
            PackFault: the file's size or time is another than at first.
        """
        if fingerprint(self._handle) != self.seen:
            raise self.changed()
        block = self._handle.read(size)
        self._hash.update(block)
        if self._progress is not None:
            self._progress(len(block))
        return block

    def finish(self) -> None:
        """Make sure, at the end, that nothing has changed meanwhile.

        Raises:
            PackFault: it has.
        """
        if fingerprint(self._handle) != self.seen:
            raise self.changed()

    def digest(self) -> str:
        """Return the SHA-256 of what has passed, in hex."""
        return self._hash.hexdigest()

    def changed(self) -> PackFault:
        """Return the fault of a file that someone else is writing."""
        return PackFault("was changed while it was being read; import the pack again", self._file)
