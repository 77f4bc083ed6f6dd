"""Comparing what two PDF or XLSX files say, where other versions of a library have put them together."""

from __future__ import annotations

import importlib
import re
from typing import Any, BinaryIO
from xml.etree import ElementTree as Xml
from zipfile import BadZipFile, ZipFile

_SHEET = re.compile(r"xl/worksheets/sheet[0-9]+\.xml")
_NAME = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"


def same_content(path: str, one: BinaryIO, other: BinaryIO) -> str | None:
    """Return in what two files of one kind differ, or ``None`` if they say the same.

    The text of a PDF is read with pypdf, which belongs to the tools of an auditor and not to the service.
    """
    one.seek(0)
    other.seek(0)
    if path.endswith(".xlsx"):
        return _cells_differ(one, other)
    try:
        reader: Any = importlib.import_module("pypdf")
    except ImportError:
        return "it was made by other versions of the libraries; install those, or pypdf to compare the text"
    texts = [
        [page.extract_text() for page in reader.PdfReader(file).pages] for file in (one, other)
    ]
    return None if texts[0] == texts[1] else "its text differs"


def _cells_differ(one: BinaryIO, other: BinaryIO) -> str | None:
    try:
        with ZipFile(one) as first, ZipFile(other) as second:
            names = [
                [name for name in book.namelist() if _SHEET.fullmatch(name)]
                for book in (first, second)
            ]
            if sorted(names[0]) != sorted(names[1]):
                return "it has other sheets"
            for name in names[0]:
                cells = [_cells(book, name) for book in (first, second)]
                if cells[0] != cells[1]:
                    return f"the cells of {name} differ"
    except (BadZipFile, Xml.ParseError):
        return "it can't be read"
    return None


def _cells(book: ZipFile, name: str) -> dict[str, str]:
    """Return the formula and the value of every cell of a sheet, by its place."""
    shared = []
    if "xl/sharedStrings.xml" in book.namelist():
        root = Xml.fromstring(book.read("xl/sharedStrings.xml"))  # noqa: S314 - a file that we made or published
        shared = ["".join(item.itertext()) for item in root]
    found = {}
    with book.open(name) as sheet:
        for _, cell in Xml.iterparse(sheet):  # noqa: S314  as above
            if cell.tag != f"{_NAME}c":
                continue
            text = "\x1f".join("".join(part.itertext()) for part in cell)
            if cell.get("t") == "s":
                text = shared[int(text)]
            if text:
                found[cell.get("r", "")] = text
            cell.clear()
    return found
