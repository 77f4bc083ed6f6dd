"""The summary and tables of a statement as a PDF to read, sign and keep.

Typst lays out one template, offline, with fonts from a package and none of the machine's. The
statement goes in as data and is never read as markup, whatever a name says. The document's dates
are the statement's own ``generated_at``, so the bytes depend on the statement and on the versions
of Typst and of the fonts, and on nothing else.
"""

from __future__ import annotations

import json
from functools import cache
from importlib.resources import files
from typing import BinaryIO

import pylopdf_fonts_zh_cn
import typst

from settlement.statements.pdf_data import template_data
from settlement.statements.statement import Statement

#: For archives: fonts embedded, tagged for screen readers, every character readable as text.
_ARCHIVAL: list[typst.PDFStandard] = ["a-2a"]


def render(statement: Statement, out: BinaryIO) -> None:
    """Write the statement as PDF/A-2a, or as plain PDF for a name that our fonts can't write."""
    data = json.dumps(template_data(statement), ensure_ascii=False)
    created = int(statement.generated_at.timestamp())
    try:
        out.write(_compile(data, created, _ARCHIVAL))
    except typst.TypstError:
        # PDF/A forbids the empty box that stands for such a character. A name must not stop a settlement.
        out.write(_compile(data, created, []))


def _compile(data: str, created: int, standards: list[typst.PDFStandard]) -> bytes:
    return typst.compile(
        _template(),
        font_paths=_fonts(),
        ignore_system_fonts=True,
        sys_inputs={"statement": data},
        timestamp=created,
        pdf_standards=standards,
    )


@cache
def _template() -> bytes:
    return files("settlement.statements").joinpath("templates", "statement.typ").read_bytes()


@cache
def _fonts() -> typst.Fonts:
    folder = pylopdf_fonts_zh_cn.sans_path().parent
    return typst.Fonts(
        include_system_fonts=False, include_embedded_fonts=False, font_paths=[folder]
    )
