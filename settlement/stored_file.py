"""Finding lines in a published CSV without reading what lies before them (docs/decisions/0030).

The file is in order by line number and, adjustments apart, by business date, moment, hotel and reference. So any line
is found by halving: some reads of a few kilobytes, however long the file is.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import NamedTuple

from clearinghouse.store import file_parts
from clearinghouse.store.database import Session
from clearinghouse.store.frozen import CHUNK_BYTES, StoredFile
from settlement.adjustment_lines import KIND as ADJUSTMENT
from settlement.statements.statement import LINE_COLUMNS

LINE_NO = LINE_COLUMNS.index("line_no")
REFERENCE = LINE_COLUMNS.index("txn_ref")
BUSINESS_DATE = LINE_COLUMNS.index("business_date")
OCCURRED_AT = LINE_COLUMNS.index("occurred_at")
KIND = LINE_COLUMNS.index("kind")
HOST_HOTEL = LINE_COLUMNS.index("host_hotel")

_START = len(",".join(LINE_COLUMNS)) + 1
_PROBE_BYTES = 2 << 10
#: From here on it is quicker to read on than to look for a nearer place.
_NEAR_BYTES = 32 << 10
#: Guesses by the share of lines are nearly always right; lines of very unequal length are halved instead.
_GUESSES = 6

#: Tells whether a line stands at a wanted place or behind it.
Reached = Callable[[list[str]], bool]


class Raw(NamedTuple):
    """A line as it stands in the file, without its line break, and where it begins and the next one does."""

    offset: int
    text: bytes
    end: int

    @property
    def values(self) -> list[str]:
        """The texts of its columns."""
        text = self.text.decode()
        return next(csv.reader([text])) if '"' in text else text.split(",")


class LinesFile:
    """The CSV of a statement, read through one transaction; ``count`` is how many lines it has."""

    def __init__(self, session: Session, period: int, file: StoredFile) -> None:
        self._session, self._period, self._path = session, period, file.path
        self.size, self.count = file.size, file.rows or 0
        #: How many bytes were read: what bounds the work of a request.
        self.bytes_read = 0
        #: How many pieces the server has looked through.
        self.pieces_tested = 0

    def walk(self, offset: int, block_bytes: int, most_bytes: int = 0) -> Iterator[Raw]:
        """Yield the lines from one that begins at an offset on.

        So many bytes are read at a time, and twice as many each time up to ``most_bytes``.
        """
        rest = b""
        while offset + len(rest) < self.size:
            block = self._read(offset + len(rest), block_bytes)
            block_bytes = max(block_bytes, min(2 * block_bytes, most_bytes))
            if not block:
                return
            whole, found, tail = (rest + block).rpartition(b"\n")
            if not found:
                rest = tail
                continue
            pending = b""
            for piece in whole.split(b"\n"):
                text = pending + piece
                # Inside quotation marks a line break is none of the file's.
                if b'"' in text and text.count(b'"') % 2:
                    pending = text + b"\n"
                    continue
                pending = b""
                end = offset + len(text) + 1
                yield Raw(offset, text, end)
                offset = end
            rest = (pending + tail) if pending else tail

    def of_line(self, number: int) -> int:
        """Return where a line begins, by its number, from 1 to one behind the last."""
        low, line, high, beyond = _START, 1, self.size, self.count + 1
        for attempt in range(64):
            if line == number or high - low <= _NEAR_BYTES:
                break
            share = (number - line) / max(beyond - line, 1)
            guess = low + int((high - low) * share) - _PROBE_BYTES
            if attempt >= _GUESSES:
                guess = (low + high) // 2
            guess = min(max(guess, low + 1), high - 1)
            found = self._line_after(guess)
            if found is None:
                high, beyond = guess, self.count + 1
                continue
            known = int(found.values[LINE_NO])
            if known <= number:
                low, line = found.offset, known
            else:
                high, beyond = guess, known
        for raw in self.walk(low, _NEAR_BYTES):
            if line == number:
                return raw.offset
            line += 1
        return self.size

    def of_first(self, reached: Reached) -> int:
        """Return where the first line begins that has reached a place; all behind it have too."""
        low, high = _START, self.size
        while high - low > _NEAR_BYTES:
            middle = (low + high) // 2
            found = self._line_after(middle)
            if found is None or reached(found.values):
                high = middle
            else:
                low = found.end
        for raw in self.walk(low, _NEAR_BYTES):
            if reached(raw.values):
                return raw.offset
        return self.size

    def of_line_around(self, offset: int) -> int:
        """Return where the line begins that has the byte at an offset."""
        wanted = _PROBE_BYTES
        while offset - wanted > _START:
            found = self._read(offset - wanted, wanted).rfind(b"\n")
            if found >= 0:
                return offset - wanted + found + 1
            wanted *= 2
        return max(_START, _START + self._read(_START, offset - _START).rfind(b"\n") + 1)

    def number_at(self, offset: int) -> int:
        """Return the number of the line that begins at an offset; one more than there are at the end."""
        for raw in self.walk(offset, _PROBE_BYTES):
            return int(raw.values[LINE_NO])
        return self.count + 1

    def piece_with(self, needle: bytes, offset: int, end: int, most: int) -> tuple[int, bool]:
        """Return where to look for bytes from an offset on, before ``end``, and whether they are there at all.

        Up to ``most`` pieces are tested where they are stored; where none has them, it is behind those.
        """
        first = offset // CHUNK_BYTES
        pieces = range(first, min(first + most, (end - 1) // CHUNK_BYTES + 1))
        self.pieces_tested += len(pieces)
        found = file_parts.first_piece_with(self._session, self._period, self._path, needle, pieces)
        place = (pieces[-1] + 1 if found is None else found) * CHUNK_BYTES
        if place >= end:
            return end, False
        # The line that reaches into the piece may have them there.
        return max(offset, self.of_line_around(place)) if place > offset else offset, (
            found is not None
        )

    def _line_after(self, offset: int) -> Raw | None:
        """Return the first line that begins at an offset or behind it."""
        # A line that begins at the very offset is told by the line break before it.
        for raw in self._breaks(offset - 1):
            # Texts of adjustments may have line breaks; what stands behind one is no line.
            values = raw.values
            if len(values) == len(LINE_COLUMNS) and values[LINE_NO].isdecimal():
                return raw
        return None

    def _breaks(self, start: int) -> Iterator[Raw]:
        """Yield what stands behind each line break from a place on, up to the next one."""
        text, wanted, at = b"", _PROBE_BYTES, -1
        while True:
            end = -1 if at < 0 else text.find(b"\n", at)
            while end > 0 and text.count(b'"', at, end) % 2:
                end = text.find(b"\n", end + 1)
            if end >= 0:
                yield Raw(start + at, text[at:end], start + end + 1)
                at = end + 1
            elif start + len(text) >= self.size:
                return
            else:
                text += self._read(start + len(text), wanted)
                wanted *= 2
                if at < 0:
                    at = text.find(b"\n") + 1 or -1

    def _read(self, offset: int, length: int) -> bytes:
        found = file_parts.part(self._session, self._period, self._path, offset, length)
        self.bytes_read += len(found)
        return found


def is_adjustment(values: list[str]) -> bool:
    """Tell whether a line is one of the adjustments, which stand behind all legs."""
    return values[KIND] == ADJUSTMENT


def at_place(place: file_parts.Place) -> Reached:
    """Tell of lines whether they stand where a transaction's do, or behind."""
    wanted = (place.business_date.isoformat(), *place[1:])
    return lambda values: is_adjustment(values) or place_of(values) >= wanted


def place_of(values: list[str]) -> tuple[object, ...]:
    """Return what the legs' lines are in order by."""
    return (
        values[BUSINESS_DATE],
        datetime.fromisoformat(values[OCCURRED_AT]),
        values[HOST_HOTEL],
        values[REFERENCE],
    )
