"""Cutting an upload into parts of whole lines as it comes: whatever its size, it takes a part of memory.

Nothing is parsed here but the header, so that receiving a million lines costs the process that answers
tills next to nothing. A line is what ends with a line feed: a missing quotation mark can't swallow the rest.
"""

from __future__ import annotations

import codecs
import csv
from collections.abc import Iterator
from enum import StrEnum
from hashlib import sha256
from typing import NamedTuple

from clearinghouse.domain.errors import BatchTooLarge, BatchUnreadable, PackFault
from clearinghouse.operations.packs.reading import BLOCK, Readable, arrangement, well_quoted
from clearinghouse.operations.packs.transactions import COLUMNS

LINES_MAX = 1_000_000
BYTES_MAX = 512 << 20
#: Longer than any line that says something, in bytes; what comes beyond it is not kept.
LINE_MAX = 8_192
#: A part is a sequence of the value path; a part of long lines ends sooner, so that it stays small.
LINES_EACH = 2_000
BYTES_EACH = 1 << 20

COLUMN_NAMES = tuple(column.name for column in COLUMNS)
_WIDE_BOMS = (b"\xff\xfe", b"\xfe\xff")


class Format(StrEnum):
    """How an upload writes its lines."""

    CSV = "csv"
    NDJSON = "ndjson"


class Limits(NamedTuple):
    """How large an upload may be; its lines count without the header, blank ones too."""

    lines: int = LINES_MAX
    size: int = BYTES_MAX


class Part(NamedTuple):
    """Some lines of an upload, by their numbers in it; ``content`` is their bytes without the last line feed."""

    first_line: int
    last_line: int
    content: bytes


class Cutter:
    """Cuts one upload; once its parts are through, the fields say what came.

    ``layout`` has the columns in the order of a CSV header, ``lines`` counts the lines that are not blank,
    ``size`` and ``digest`` (SHA-256) are of all bytes.
    """

    def __init__(self, kind: Format, limits: Limits) -> None:
        self.layout: tuple[str, ...] = ()
        self.lines = 0
        self.size = 0
        self._hash = sha256(kind.encode() + b"\n")
        self._limits = limits
        self._next_line = 1
        self._headed = kind is Format.CSV
        self._decoder = codecs.getincrementaldecoder("utf-8")()
        self._pending: list[bytes] = []

    @property
    def digest(self) -> bytes:
        """The hash of the format and of what has come by now."""
        return self._hash.digest()

    def parts(self, body: Readable) -> Iterator[Part]:
        """Yield the parts of an upload as it comes.

        Raises:
            BatchTooLarge: it has more bytes or lines than the limits allow.
            BatchUnreadable: it is empty, not UTF-8, or its CSV header is not the one of a batch.
        """
        carry = b""
        while block := body.read(BLOCK):
            self._take_in(block)
            lines = (carry + block).split(b"\n")
            carry = _shortened(lines.pop())
            if self._headed and len(carry) > LINE_MAX and self._next_line == 1 and not lines:
                raise BatchUnreadable(f"the header is longer than {LINE_MAX:,} bytes", 1)
            yield from self._cut(lines)
        if self.size == 0:
            raise BatchUnreadable("the batch is empty")
        self._decode(b"", final=True)
        yield from self._cut([carry] if carry else [])
        if self._headed and self._next_line == 1:
            raise BatchUnreadable("the header row is missing", 1)
        if self._pending:
            yield self._part(len(self._pending))

    def _take_in(self, block: bytes) -> None:
        self.size += len(block)
        if self.size > self._limits.size:
            raise BatchTooLarge(
                f"a batch may have {self._limits.size:,} bytes; send the rest as another one"
            )
        self._hash.update(block)
        self._decode(block, final=False)

    def _decode(self, block: bytes, *, final: bool) -> None:
        try:
            self._decoder.decode(block, final)
        except UnicodeDecodeError as error:
            wide = self.size == len(block) and block.startswith(_WIDE_BOMS)
            what = "UTF-16 text" if wide else "not UTF-8 text"
            line = self._next_line + len(self._pending) + error.object.count(b"\n", 0, error.start)
            raise BatchUnreadable(f"the batch is {what}; send it as UTF-8", line) from None

    def _cut(self, lines: list[bytes]) -> Iterator[Part]:
        if lines and self._next_line == 1 and not self._pending:
            lines[0] = lines[0].removeprefix(codecs.BOM_UTF8)
            if self._headed:
                self.layout = _layout(lines.pop(0))
                self._next_line = 2
        if not lines:
            return
        if max(map(len, lines)) > LINE_MAX:
            lines = [_shortened(line) for line in lines]
        self._pending += lines
        first = 2 if self._headed else 1
        if self._next_line - first + len(self._pending) > self._limits.lines:
            raise BatchTooLarge(
                f"a batch may have {self._limits.lines:,} lines; send the rest as another one"
            )
        while len(self._pending) >= LINES_EACH:
            yield self._part(LINES_EACH)
        if sum(map(len, self._pending)) >= BYTES_EACH:
            yield self._part(len(self._pending))

    def _part(self, count: int) -> Part:
        lines = self._pending[:count]
        del self._pending[:count]
        first = self._next_line
        self._next_line += count
        self.lines += sum(1 for line in lines if not is_blank(line))
        return Part(first, self._next_line - 1, b"\n".join(lines))


def is_blank(line: bytes) -> bool:
    """Tell whether a line says nothing and so gets no result."""
    return not line or line.isspace()


def _shortened(line: bytes) -> bytes:
    """Keep so much of an overlong line that it is still known for one."""
    return line if len(line) <= LINE_MAX else line[: LINE_MAX + 1]


def _layout(header: bytes) -> tuple[str, ...]:
    """Return the columns of a CSV header.

    Raises:
        BatchUnreadable: it is not the header of a batch.
    """
    if len(header) > LINE_MAX:
        raise BatchUnreadable(f"the header is longer than {LINE_MAX:,} bytes", 1)
    if is_blank(header):
        raise BatchUnreadable("the header row is missing", 1)
    text = header.decode().removesuffix("\r")
    try:
        if not well_quoted(text):
            raise BatchUnreadable("the quotation marks of the header do not match", 1)
        names = next(csv.reader([text], strict=True), [])
        arrangement(names, "header", COLUMN_NAMES)
    except csv.Error:
        raise BatchUnreadable("the header has a carriage return inside", 1) from None
    except PackFault as fault:
        raise BatchUnreadable(fault.message.removeprefix("header line 1: "), 1) from None
    return tuple(name.strip() for name in names)
