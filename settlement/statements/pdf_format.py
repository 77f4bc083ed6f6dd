"""The summary and tables of a statement as a PDF to read, sign and keep; its dates are the statement's own."""

from __future__ import annotations

from typing import BinaryIO

from settlement.statements.pdf_data import template_data
from settlement.statements.statement import Statement
from settlement.statements.typesetting import typeset


def render(statement: Statement, out: BinaryIO) -> None:
    """Write the statement as PDF/A-2a, or as plain PDF for a name that our fonts can't write."""
    out.write(typeset("statement", template_data(statement), statement.generated_at))
