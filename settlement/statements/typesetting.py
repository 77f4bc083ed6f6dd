"""Documents to read, sign and keep, laid out as PDF.

Typst lays a template out, offline, with fonts from a package and none of the machine's. The data goes in as data and
is never read as markup, whatever a name says. The document's dates are those it is given, so the bytes depend on
data, template and the versions of Typst and of the fonts, and on nothing else.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from functools import cache
from importlib.resources import files
from typing import Any

import pylopdf_fonts_zh_cn
import typst

#: For archives: fonts embedded, tagged for screen readers, every character readable as text.
_ARCHIVAL: list[typst.PDFStandard] = ["a-2a"]


def typeset(template: str, data: Mapping[str, Any], created: datetime) -> bytes:
    """Return the PDF/A-2a of a template, or plain PDF for a text that our fonts can't write."""
    document = json.dumps({**data, "created": list(created.utctimetuple()[:6])}, ensure_ascii=False)
    try:
        return _compile(template, document, created, _ARCHIVAL)
    except typst.TypstError:
        # PDF/A forbids the empty box that stands for such a character. A name must not stop a settlement.
        return _compile(template, document, created, [])


def _compile(
    template: str, document: str, created: datetime, standards: list[typst.PDFStandard]
) -> bytes:
    return typst.compile(
        _template(template),
        font_paths=_fonts(),
        ignore_system_fonts=True,
        sys_inputs={"document": document},
        timestamp=int(created.timestamp()),
        pdf_standards=standards,
    )


@cache
def _template(name: str) -> bytes:
    folder = files("settlement.statements").joinpath("templates")
    return b"".join(folder.joinpath(f"{part}.typ").read_bytes() for part in ("common", name))


@cache
def _fonts() -> typst.Fonts:
    folder = pylopdf_fonts_zh_cn.sans_path().parent
    return typst.Fonts(
        include_system_fonts=False, include_embedded_fonts=False, font_paths=[folder]
    )
