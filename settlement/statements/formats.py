"""Which formats a statement is published in, and what renders each."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import BinaryIO

from settlement.statements import camt053, csv_format, json_format, pdf_format, xlsx_format
from settlement.statements.statement import Statement

#: Writes a statement to a seekable binary file that stands at its start; same value, same bytes.
Renderer = Callable[[Statement, BinaryIO], None]

FORMATS: Mapping[str, Renderer] = MappingProxyType(
    {
        "pdf": pdf_format.render,
        "xlsx": xlsx_format.render,
        "csv": csv_format.render,
        "json": json_format.render,
        "camt053": camt053.render,
    }
)
