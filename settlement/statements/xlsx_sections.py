"""The sheets beside summary, counterparties and lines: what moved, what was adjusted, points and the control.

A sheet is there only where there is something to show; the sheets have a heading for people, one for programs, and
totals that follow the filter.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from xlsxwriter.utility import xl_range, xl_range_abs
from xlsxwriter.worksheet import Worksheet

from settlement.statements import labels
from settlement.statements.labels import Label
from settlement.statements.sections import Proof
from settlement.statements.statement import Statement
from settlement.statements.xlsx_cells import (
    Column,
    Styles,
    put_amount,
    put_heading,
    put_sum,
    put_text,
    put_whole,
)

_FIRST_ROW = 2
_TEXT, _WHOLE, _MONEY = range(3)


@dataclass(frozen=True, slots=True)
class Field:
    """A column of a sheet: its name, its words, how wide it is, and what it holds."""

    name: str
    label: Label
    width: int
    holds: int = _TEXT
    added: bool = False


_MOVEMENTS = (
    Field("system", labels.SYSTEM, 14),
    Field("date", labels.DATE, 14),
    Field("kind", labels.MOVEMENT, 34),
    Field("reference", labels.REFERENCE, 40),
    Field("amount", labels.AMOUNT, 20, _MONEY, added=True),
)
_ADJUSTMENTS = (
    Field("system", labels.SYSTEM, 14),
    Field("number", labels.NUMBER, 12, _WHOLE),
    Field("kind", labels.ITEM, 30),
    Field("counterparty", labels.COUNTERPARTY, 20),
    Field("reference", labels.REFERENCE, 34),
    Field("text", labels.EXPLANATION, 60),
    Field("adjustment", labels.ADJUSTMENTS, 20, _MONEY, added=True),
    Field("fee", labels.FEES, 20, _MONEY, added=True),
)
_ISSUED = (
    Field("issuer", labels.ISSUER, 24),
    *(
        Field(name, label, 16, _WHOLE, added=True)
        for name, label in (
            ("opening", labels.POINTS_OPENING),
            ("issued", labels.POINTS_ISSUED),
            ("redeemed_own", labels.REDEEMED_OWN),
            ("redeemed_cross", labels.REDEEMED_CROSS),
            ("expired", labels.POINTS_EXPIRED),
            ("reversed", labels.POINTS_REVERSED),
            ("closing", labels.POINTS_CLOSING),
            ("debts", labels.POINTS_DEBTS),
        )
    ),
    Field("fair_value", labels.FAIR_VALUE, 18, _MONEY, added=True),
)
_SECURITIES = (
    Field("kind", labels.ITEM, 40),
    Field("amount", labels.AMOUNT, 20, _MONEY, added=False),
)
_MEMBERS = (
    Field("code", labels.CODE, 14),
    Field("name_zh", labels.NAME_ZH, 40),
    Field("name_en", labels.NAME_EN, 44),
    *(
        Field(name, label, 18, _MONEY, added=True)
        for name, label in (
            ("opening", labels.OPENING_SHORT),
            ("receivable", labels.RECEIVABLE_SHORT),
            ("payable", labels.PAYABLE_SHORT),
            ("fees", labels.FEES_SHORT),
            ("vat", labels.VAT_SHORT),
            ("adjustments", labels.ADJUSTMENTS_SHORT),
            ("net", labels.NET_SHORT),
            ("payments", labels.PAYMENTS_SHORT),
            ("closing", labels.CLOSING_SHORT),
            ("transfer", labels.TO_TRANSFER),
        )
    ),
    Field("settled_by", labels.SETTLED_BY, 26),
)


def write_sections(
    add_sheet: Callable[[Label], Worksheet], styles: Styles, statement: Statement
) -> dict[str, Column]:
    """Add the sheets that have something to show; return the columns that the summary is checked against."""
    columns: dict[str, Column] = {}
    if statement.movements:
        sheet = _Sheet(add_sheet(labels.SHEET_MOVEMENTS), styles, labels.SHEET_MOVEMENTS)
        sheet.write(_MOVEMENTS, map(_movement, statement.movements))
        columns["payments"] = sheet.column(_MOVEMENTS, "amount")
    if statement.adjustments:
        sheet = _Sheet(add_sheet(labels.SHEET_ADJUSTMENTS), styles, labels.SHEET_ADJUSTMENTS)
        sheet.write(_ADJUSTMENTS, map(_adjustment, statement.adjustments))
        columns["adjustments"] = sheet.column(_ADJUSTMENTS, "adjustment")
    if statement.issued:
        sheet = _Sheet(add_sheet(labels.SHEET_POINTS), styles, labels.SHEET_POINTS)
        sheet.write(_ISSUED, map(_issued, statement.issued))
    if statement.securities:
        sheet = _Sheet(add_sheet(labels.SHEET_SECURITIES), styles, labels.SHEET_SECURITIES)
        rows = (
            (str(labels.SECURITY_KINDS.get(row.kind) or row.kind), row.amount_minor)
            for row in statement.securities
        )
        sheet.write(_SECURITIES, rows)
    if statement.control is not None:
        sheet = _Sheet(add_sheet(labels.SHEET_CONTROL), styles, labels.SHEET_CONTROL)
        sheet.write(_MEMBERS, map(_member, statement.control.members))
        sheet.proofs(statement.control.proofs)
    return columns


class _Sheet:
    """One sheet with one table, and where its columns stand."""

    def __init__(self, sheet: Worksheet, styles: Styles, name: Label) -> None:
        self._sheet = sheet
        self._styles = styles
        self._name = name
        self._last = _FIRST_ROW - 1
        self._totals: dict[str, int] = {}

    def write(self, fields: Sequence[Field], rows: Iterable[Sequence[Any]]) -> None:
        """Write the heading, the rows and the totals."""
        sheet, styles = self._sheet, self._styles
        for column, field in enumerate(fields):
            sheet.set_column(column, column, field.width)
            number = field.holds != _TEXT
            put_heading(sheet, styles, column, field.label, field.name, number=number)
        sheet.freeze_panes(_FIRST_ROW, 0)
        sheet.repeat_rows(0, _FIRST_ROW - 1)
        sheet.fit_to_pages(1, 0)
        for row, values in enumerate(rows, start=_FIRST_ROW):
            self._last = row
            for column, (field, value) in enumerate(zip(fields, values, strict=True)):
                self._put(row, column, field, value)
        sheet.autofilter(_FIRST_ROW - 1, 0, self._last, len(fields) - 1)
        self._write_totals(fields)

    def _put(self, row: int, column: int, field: Field, value: Any) -> None:
        if value is None:
            return
        if field.holds == _TEXT:
            put_text(self._sheet, row, column, value, self._styles.text)
            return
        put, style = (
            (put_amount, self._styles.amount)
            if field.holds == _MONEY
            else (put_whole, self._styles.whole)
        )
        put(self._sheet, row, column, value, style)
        if field.added:
            self._totals[field.name] = self._totals.get(field.name, 0) + value

    def _write_totals(self, fields: Sequence[Field]) -> None:
        if not any(field.added for field in fields):
            return
        row = self._last + 1
        put_text(self._sheet, row, 0, str(labels.TOTAL), self._styles.text_total)
        for column, field in enumerate(fields[1:], start=1):
            if not field.added:
                self._sheet.write_blank(row, column, None, self._styles.text_total)
                continue
            area = xl_range(_FIRST_ROW, column, self._last, column)
            formula, total = f"=SUBTOTAL(109,{area})", self._totals.get(field.name, 0)
            if field.holds == _MONEY:
                put_sum(self._sheet, row, column, formula, total, self._styles.amount_total)
            else:
                self._sheet.write_formula(row, column, formula, self._styles.whole_total, total)

    def column(self, fields: Sequence[Field], name: str) -> Column:
        """Return where a column of amounts stands and what it adds up to."""
        number = [field.name for field in fields].index(name)
        area = xl_range_abs(_FIRST_ROW, number, self._last, number)
        return Column(f"'{self._name}'!{area}", self._totals.get(name, 0))

    def proofs(self, proofs: Iterable[Proof]) -> None:
        """Write what must be nothing below the table, each as a sum that a spreadsheet works out anew."""
        row = self._last + 3
        put_text(self._sheet, row, 0, str(labels.PROOFS), self._styles.section)
        for proof in proofs:
            row += 2
            put_text(self._sheet, row, 0, str(labels.PROOF_NAMES[proof.name]), self._styles.text)
            money = proof.name != "points"
            put, style = (
                (put_amount, self._styles.amount) if money else (put_whole, self._styles.whole)
            )
            for column, (name, amount) in enumerate(proof.terms, start=3):
                label = self._styles.soft_right
                put_text(self._sheet, row - 1, column, str(labels.TERMS[name]), label)
                put(self._sheet, row, column, amount, style)
            terms = xl_range(row, 3, row, 2 + len(proof.terms))
            difference = proof.difference_minor / 100 if money else proof.difference_minor
            formula = f"=ROUND(SUM({terms}),2)"
            self._sheet.write_formula(row, 2, formula, self._styles.check, difference)


def _movement(row: Any) -> tuple[Any, ...]:
    return (
        row.system,
        row.date.isoformat(),
        str(labels.movement(row.kind)),
        row.reference,
        row.amount_minor,
    )


def _adjustment(row: Any) -> tuple[Any, ...]:
    is_fee = row.counts_as == "fee"
    return (
        row.system,
        row.number,
        str(labels.adjustment(row.kind)),
        row.counterparty or str(labels.CLEARING_HOUSE_SHORT),
        row.reference,
        row.text,
        None if is_fee else row.amount_minor,
        row.amount_minor if is_fee else None,
    )


def _issued(row: Any) -> tuple[Any, ...]:
    return tuple(
        getattr(row, field.name if field.holds != _MONEY else f"{field.name}_minor")
        for field in _ISSUED
    )


def _member(row: Any) -> tuple[Any, ...]:
    values = [
        getattr(row, field.name if field.holds != _MONEY else f"{field.name}_minor")
        for field in _MEMBERS[:-1]
    ]
    return (*values, str(labels.WAYS[row.settled_by]))
