"""Reading a file of the bank: which format it is, and that it is one account's, whole and not too large."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

from clearinghouse.domain.errors import BankFileFault
from clearinghouse.operations.packs.folder import shown_path
from clearinghouse.operations.payments.bank_csv import read_csv
from clearinghouse.operations.payments.bank_file import FileContent
from clearinghouse.operations.payments.camt import read_camt

BYTES_MAX = 16 << 20
_MARKS = b"\xef\xbb\xbf \t\r\n"


class BankFile(NamedTuple):
    """A file of the bank: its name, the SHA-256 of its bytes, and what it says."""

    name: str
    sha256: str
    content: FileContent


def read_bank_file(path: Path, currency: str) -> BankFile:
    """Read a file of the bank.

    Raises:
        BankFileFault: it can't be read, is too large, or does not hold together.
    """
    try:
        with path.open("rb") as file:
            data = file.read(BYTES_MAX + 1)
    except OSError as error:
        raise BankFileFault(f"{shown_path(path)} can't be read: {error.strerror}") from None
    return bank_file_of(path.name, shown_path(path), data, currency)


def bank_file_of(name: str, shown_as: str, data: bytes, currency: str) -> BankFile:
    """Read the bytes of a file, whose first character tells whether it is XML or CSV.

    Raises:
        BankFileFault: it is too large, or does not hold together.
    """
    if len(data) > BYTES_MAX:
        raise BankFileFault(f"{shown_as} is larger than {BYTES_MAX >> 20} MB")
    read = read_camt if data.lstrip(_MARKS)[:1] in (b"<", b"\xff", b"\xfe") else read_csv
    try:
        content = read(data, currency)
        _twice(content)
    except BankFileFault as fault:
        raise BankFileFault(fault.message, shown_as) from None
    return BankFile(name, sha256(data).hexdigest(), content)


def _twice(content: FileContent) -> None:
    """Refuse two entries of one reference and direction: the second could not be told from a repeat.

    Nor could it be where the references differ in capitals only and nothing else does.
    """
    seen: dict[tuple[str, object], str] = {}
    for line in content.lines:
        for key in (
            (line.own_reference, line.incoming),
            (line.entry_reference, line.incoming),
            (line.entry_reference.upper(), line.content),
        ):
            first = seen.setdefault(key, line.place)
            if first != line.place:
                raise BankFileFault(f"it has the bank's reference of {first}", line.place)
