"""How a workbook's cells look and what goes into them; fen become yuan here and nowhere else."""

from __future__ import annotations

from dataclasses import dataclass

from xlsxwriter.format import Format
from xlsxwriter.workbook import Workbook
from xlsxwriter.worksheet import Worksheet

from settlement.statements.amounts import WORKBOOK_LIMIT_MINOR, shown
from settlement.statements.labels import Label

_FONT = {"font_name": "Microsoft YaHei", "font_size": 10, "valign": "vcenter"}
_INK, _SOFT, _TINT, _RULE = "#1C2B3A", "#5C6B7A", "#E8EDF1", "#C9D1D9"
_YUAN = "#,##0.00;[Red]-#,##0.00"
_TEXT_LIMIT = 32_767
_CUT = "… (CSV)"


@dataclass(frozen=True, slots=True)
class Styles:
    """The formats of one workbook, made once: every new one makes the file bigger."""

    text: Format
    soft: Format
    beside: Format
    title: Format
    section: Format
    heading: Format
    heading_right: Format
    column: Format
    column_right: Format
    amount: Format
    amount_memo: Format
    amount_total: Format
    text_total: Format
    whole: Format
    whole_total: Format
    soft_right: Format
    day: Format
    moment: Format
    check: Format
    wrong: Format


@dataclass(frozen=True, slots=True)
class Column:
    """A column of amounts for the summary to be checked against: where it stands, what it adds up to."""

    reference: str
    total_minor: int


def styles(workbook: Workbook) -> Styles:
    """Add the formats to a workbook."""

    def style(**more: object) -> Format:
        return workbook.add_format(_FONT | {"font_color": _INK} | more)

    column = {"font_size": 8, "bottom": 1, "bottom_color": _RULE}
    heading = {"bg_color": _TINT, "bottom": 1, "bottom_color": _INK, "text_wrap": True}
    total = {"bold": True, "top": 1, "bottom": 6}
    return Styles(
        text=style(align="left"),
        soft=style(font_color=_SOFT, align="left"),
        beside=style(font_color=_SOFT, align="left", indent=1),
        title=style(bold=True, font_size=16),
        section=style(bold=True, font_size=12),
        heading=style(**heading, bold=True),
        heading_right=style(**heading, bold=True, align="right"),
        column=style(**column),
        column_right=style(**column, align="right"),
        amount=style(num_format=_YUAN),
        amount_memo=style(num_format="(#,##0.00);(-#,##0.00)", font_color=_SOFT),
        amount_total=style(**total, num_format=_YUAN),
        text_total=style(**total),
        whole=style(num_format="#,##0"),
        whole_total=style(**total, num_format="#,##0"),
        soft_right=style(font_color=_SOFT, align="right"),
        day=style(num_format="yyyy-mm-dd", align="left"),
        moment=style(num_format="yyyy-mm-dd hh:mm:ss", align="left"),
        check=style(num_format="0.00", font_color="#0F6B5C"),
        wrong=workbook.add_format({"font_color": "#FFFFFF", "bg_color": "#A2382C", "bold": True}),
    )


def fitting(text: str) -> str:
    """Return a text cut to what a cell can hold; where something is cut, it says that the CSV has all."""
    if len(text) <= _TEXT_LIMIT // 2 or len(text.encode("utf-16-le")) // 2 <= _TEXT_LIMIT:
        return text
    return text[: _TEXT_LIMIT // 2 - len(_CUT)] + _CUT


def put_text(sheet: Worksheet, row: int, column: int, text: str, style: Format) -> None:
    """Write a text as text, whatever it looks like: never a formula, a link, a number or markup."""
    text = fitting(text)
    if text.startswith("<r>") and text.endswith("</r>"):
        # The library copies a string of this shape into the file as XML. In two runs it is escaped.
        sheet.write_rich_string(row, column, text[:1], style, text[1:], style)
    else:
        sheet.write_string(row, column, text, style)


def put_heading(
    sheet: Worksheet, styles: Styles, column: int, label: Label, name: str, *, number: bool
) -> None:
    """Head a column: words for people in the first row, the exact column name in the second."""
    sheet.set_row(0, 32)
    put_text(sheet, 0, column, "\n".join(label), styles.heading_right if number else styles.heading)
    put_text(sheet, 1, column, name, styles.column_right if number else styles.column)


def put_amount(sheet: Worksheet, row: int, column: int, amount_minor: int, style: Format) -> None:
    """Write fen as a number in yuan; what a spreadsheet can't hold to the fen is written as text."""
    if abs(amount_minor) < WORKBOOK_LIMIT_MINOR:
        sheet.write_number(row, column, amount_minor / 100, style)
    else:
        sheet.write_string(row, column, shown(amount_minor), style)


def put_whole(sheet: Worksheet, row: int, column: int, number: int, style: Format) -> None:
    """Write a whole number; one that a spreadsheet would round is written as text."""
    if abs(number) < WORKBOOK_LIMIT_MINOR:
        sheet.write_number(row, column, number, style)
    else:
        sheet.write_string(row, column, str(number), style)


def put_sum(
    sheet: Worksheet, row: int, column: int, formula: str, amount_minor: int, style: Format
) -> None:
    """Write a formula in yuan together with its result, for readers that don't calculate."""
    sheet.write_formula(row, column, formula, style, amount_minor / 100)
