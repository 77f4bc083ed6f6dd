"""Tables of names and figures, and records for scripts, for commands that show what is on record."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Sequence
from typing import Any

import click
from rich.console import Console
from rich.markup import escape
from rich.table import Table

#: Where the output is no terminal nothing is cut: a table takes what it needs.
_NO_LIMIT = 10_000

FORMAT = click.option(
    "--format",
    "format_name",
    type=click.Choice(["table", "json"]),
    default="table",
    show_default=True,
)


def print_table(
    title: str, columns: Sequence[str], rows: Iterable[Sequence[object]], figures: int = 0
) -> None:
    """Print a table whose last ``figures`` columns are figures; names may hold any characters.

    A column without any value is left out.
    """
    cells = [["" if cell is None else str(cell) for cell in row] for row in rows]
    used = [n for n in range(len(columns)) if any(row[n] for row in cells)]
    table = Table(title=title, title_justify="left", title_style="bold", header_style="bold")
    for number in used:
        right = number >= len(columns) - figures
        table.add_column(columns[number], justify="right" if right else "left", no_wrap=right)
    for row in cells:
        table.add_row(*(escape(row[number]) for number in used))
    width = None if sys.stdout.isatty() else _NO_LIMIT
    Console(width=width, highlight=False).print(table if cells else f"{title}: 无 none")


def print_json(document: Any) -> None:
    """Print a document for scripts; dates become text."""
    click.echo(json.dumps(document, ensure_ascii=False, indent=1, default=str))


def both(name_zh: str, name_en: str) -> str:
    """Show a name in both languages."""
    return name_zh if name_zh == name_en else f"{name_zh} {name_en}".strip()
