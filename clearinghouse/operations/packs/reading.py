"""Reading CSV files as a stream: whatever its size, a file takes a few blocks of memory.

A record is one line (a quoted value may hold commas and doubled quotes, not a line break), so its number
is that of its line, and a missing quote can't swallow the file.
"""

from __future__ import annotations

import csv
import io
import os
import re
import stat
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager
from operator import itemgetter
from pathlib import Path
from typing import Protocol

from clearinghouse.domain.errors import PackFault
from clearinghouse.operations.packs.showing import shown

BLOCK = 1 << 18
LINE_MAX = 1 << 20

_BOM = b"\xef\xbb\xbf"
_WIDE_BOMS = (b"\xff\xfe", b"\xfe\xff")
_FIELD = r'(?:"[^"]*+(?:""[^"]*+)*+"|[^",]*+)'
_WELL_QUOTED = re.compile(rf"{_FIELD}(?:,{_FIELD})*+")

#: Size, time of the last change and inode: whether a file on disk is still the same, short of reading it.
Fingerprint = tuple[int, int, int]


class Readable(Protocol):
    """Where blocks of bytes come from."""

    def read(self, size: int, /) -> bytes:
        """Return the next bytes, none at the end."""


def fingerprint(handle: io.FileIO) -> Fingerprint:
    """Return the fingerprint of an open file."""
    status = os.fstat(handle.fileno())
    return status.st_size, status.st_mtime_ns, status.st_ino


def _opened(path: str, flags: int) -> int:
    # A pipe without a writer would block for ever, and a link may appear after we have looked.
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOFOLLOW", 0))


@contextmanager
def open_regular(path: Path) -> Generator[io.FileIO]:
    """Open a regular file for reading; operating system errors on the way become faults.

    Raises:
        PackFault: missing, unreadable, or a folder, link, pipe or device.
    """
    file = path.name
    try:
        if path.is_symlink():
            raise PackFault("is a symbolic link, not a file", file)
        with open(path, "rb", buffering=0, opener=_opened) as handle:
            if not stat.S_ISREG(os.fstat(handle.fileno()).st_mode):
                raise PackFault("is a pipe or a device, not a file", file)
            yield handle
    except IsADirectoryError:
        raise PackFault("is a folder, not a file", file) from None
    except OSError as error:
        raise PackFault(f"can't be read: {error.strerror or error}", file) from None


def records(
    handle: Readable, file: str, columns: Sequence[str]
) -> Generator[tuple[int, Sequence[str]]]:
    """Yield every record after the header: line, values in the order of ``columns``. Blank lines are skipped.

    Raises:
        PackFault: not UTF-8, a NUL byte, an overlong line, broken quoting, a wrong header, a value missing.
    """
    width = len(columns)
    arrange: Callable[[list[str]], Sequence[str]] | None = None
    started = False
    for first, text in _chunks(handle, file):
        for line, row in _rows(text, first, file):
            if len(row) == width and started:
                yield line, row if arrange is None else arrange(row)
            elif not started:
                if line != 1:
                    raise PackFault("the header row is missing", file, 1)
                arrange = arrangement(row, file, columns)
                started = True
            elif len(row) == 1 and not row[0].strip():
                continue
            else:
                raise PackFault(f"has {len(row)} values where the header has {width}", file, line)
    if not started:
        raise PackFault("is empty: the header row is missing", file, 1)


def arrangement(
    header: Sequence[str], file: str, columns: Sequence[str]
) -> Callable[[list[str]], Sequence[str]] | None:
    """Check the header; return what puts a row into the order of ``columns``, ``None`` if it is in it.

    Raises:
        PackFault: a column without a name, an unknown or missing one, or one that is there twice.
    """
    names = [name.strip() for name in header]
    for position, name in enumerate(names):
        if not name:
            raise PackFault(f"column {position + 1} of the header has no name", file, 1)
        if name not in columns:
            raise PackFault(f"there is no such column as {shown(name)}", file, 1)
        if name in names[:position]:
            raise PackFault(f"the column {name} is there twice", file, 1)
    missing = [name for name in columns if name not in names]
    if missing:
        raise PackFault(f"the column {missing[0]} is missing", file, 1)
    if names == list(columns):
        return None
    return itemgetter(*(names.index(name) for name in columns))


def well_quoted(raw: str) -> bool:
    """Tell whether the quotation marks of a line, given without its end, are those of whole values."""
    return '"' not in raw or _WELL_QUOTED.fullmatch(raw) is not None


def _misquoted(raw: str) -> str:
    """Say what is wrong with the quotation marks of a line."""
    if well_quoted(f'{raw}"'):
        return "a quotation mark is open at the end of the line; line breaks in a value are not allowed"
    return "the quotation marks do not match"


def _rows(text: str, first: int, file: str) -> Iterator[tuple[int, list[str]]]:
    """Yield (line, values) of the whole lines in ``text``, which begins at line ``first``."""
    if '"' in text:
        # The csv module takes a stray quotation mark as part of the value and lets a quoted one span lines.
        for line, raw in enumerate(text.split("\n"), first):
            whole = raw.removesuffix("\r")
            if not well_quoted(whole):
                raise PackFault(_misquoted(whole), file, line)
    line = first - 1
    try:
        # newline="\n": only line feeds end a line, which is what the numbering counts.
        for row in csv.reader(io.StringIO(text, newline="\n"), strict=True):
            line += 1
            if row:
                yield line, row
    except csv.Error as error:
        what = "a carriage return inside a line" if "new-line" in str(error) else "a value too long"
        raise PackFault(f"has {what}", file, line + 1) from None


def _chunks(handle: Readable, file: str) -> Iterator[tuple[int, str]]:
    """Yield (first line, text) in pieces of whole lines; the last one may lack its end."""
    carry = b""
    line = 1
    start = True
    while block := handle.read(BLOCK):
        if start:
            start = False
            if block.startswith(_WIDE_BOMS):
                raise PackFault("is UTF-16 text; save it as UTF-8", file, 1)
            block = block.removeprefix(_BOM)
        nul = block.find(b"\0")
        if nul >= 0:
            raise PackFault("has a NUL byte", file, line + block.count(b"\n", 0, nul))
        data = carry + block
        cut = data.rfind(b"\n") + 1
        carry = data[cut:]
        if cut:
            whole = data[:cut]
            yield line, _decoded(whole, file, line)
            line += whole.count(b"\n")
        if len(carry) > LINE_MAX:
            raise PackFault(f"is longer than {LINE_MAX:,} bytes", file, line)
    if carry:
        yield line, _decoded(carry, file, line)


def _decoded(data: bytes, file: str, line: int) -> str:
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        line += data.count(b"\n", 0, error.start)
        raise PackFault("is not UTF-8 text; save the file as UTF-8", file, line) from None
