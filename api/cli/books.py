"""Settling a period and reading the books: ``settle positions statement balance check``."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from api.cli.common import (
    PERIOD,
    books,
    console,
    money,
    print_rows,
    progress_bar,
    show_table,
    write_file,
)
from clearinghouse.domain.calendar import format_period
from clearinghouse.domain.errors import NotFound
from clearinghouse.operations.context import Context
from clearinghouse.store import frozen, periods
from settlement.netting import figures
from settlement.run import MANIFEST, files_of, read_file, settle, statement_path
from settlement.statements.formats import FORMATS
from settlement.tables import POSITION_COLUMNS, PositionRow, position_row

_STAGES = {
    "closing": "关账 closing",
    "netted": "轧差 netting",
    "stated": "账单 statements",
    "published": "发布 publishing",
}
_TITLES = (
    "系统 System",
    "应收 Receivable",
    "应付 Payable",
    "费用 Fees",
    "含税 VAT",
    "调整 Adjustments",
    "净额 Net",
)


@click.command("settle")
@click.argument("period", type=PERIOD)
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("settlements"),
    show_default=True,
    help="Folder for the files; they lie in a folder of the period.",
)
def settle_period(period: int, out: Path) -> None:
    """Settle the month PERIOD (YYYY-MM) and write its files.

    A run that was stopped is resumed. A settled month is not made anew: its files are written again as they
    were published.
    """
    with books() as context:
        run_settlement(context, period)
        folder = write_period(context, period, out)
        show_positions(context, period)
    click.echo(f"{format_period(period)} is published; its files are in {folder}")


def run_settlement(context: Context, period: int) -> None:
    """Settle with a progress bar."""
    with progress_bar() as show:
        settle(context, period, lambda stage, done, of: show(_STAGES[stage], done, of))


def write_period(context: Context, period: int, out: Path) -> Path:
    """Write the files of a settled period under ``out``; return their folder."""
    folder = out / format_period(period)
    # The manifest comes last: where it is, everything is.
    for file in sorted(files_of(context, period), key=lambda file: file.path == MANIFEST):
        write_file(folder / file.path, read_file(context, period, file.path))
    return folder


@click.command("positions")
@click.argument("period", type=PERIOD)
@click.option(
    "--format", "format_name", type=click.Choice(["table", "csv", "json"]), default="table",
    show_default=True,
)  # fmt: skip
def positions(period: int, format_name: str) -> None:
    """Show the net positions of the month PERIOD (YYYY-MM).

    Before the month is netted they are as the books stand now, and the table says so.
    """
    with books() as context:
        if format_name == "table":
            show_positions(context, period)
        else:
            print_rows(format_name, POSITION_COLUMNS, _position_rows(context, period)[0])


def show_positions(context: Context, period: int) -> None:
    """Print the net positions of a period as a table with its totals; systems at zero are counted, not listed."""
    rows, final = _position_rows(context, period)
    busy = [row for row in rows if any(row[1:])]
    shown = [(code, *map(money, figures_of)) for code, *figures_of in busy]
    totals = [sum(column) for column in zip(*(row[1:] for row in rows), strict=True)]
    title = f"净额 Net positions {format_period(period)}, 元 CNY" + (
        "" if final else " (账期未关 the month is still open)"
    )
    show_table(title, _TITLES, [*shown, ("合计 Total", *map(money, totals))])
    if len(busy) < len(rows):
        console().print(
            f"{len(rows) - len(busy)} 个系统本期无跨系统往来 systems exchanged nothing and pay nothing"
        )


def _position_rows(context: Context, period: int) -> tuple[list[PositionRow], bool]:
    with context.database.office() as session:
        state = periods.state_of(session, period)
        if state is None:
            raise NotFound(f"nothing is posted in {format_period(period)}")
        directory = context.directory.current(session)
        final = state not in ("open", "closing")
        found = frozen.positions(session, period) if final else figures(context, session, period)[1]
        return [position_row(directory.systems[p.system].code, p) for p in found], final


@click.command("statement")
@click.argument("period", type=PERIOD)
@click.argument("system")
@click.option(
    "--format", "format_name", type=click.Choice(sorted(FORMATS)), default="pdf", show_default=True
)
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), help="File to write.")
def statement(period: int, system: str, format_name: str, out: Path | None) -> None:
    """Write the published statement of SYSTEM for the month PERIOD (YYYY-MM).

    Without --out it is written to SYSTEM-PERIOD.FORMAT in this folder; "--out -" prints it. OPERATOR is the
    clearing house itself.
    """
    name = format_period(period)
    with books() as context:
        path = statement_path(system, format_name)
        if path not in {file.path for file in files_of(context, period)}:
            raise NotFound(f"there is no statement of {system[:64]} for {name}")
        content = read_file(context, period, path)
        if out == Path("-"):
            for block in content:
                sys.stdout.buffer.write(block)
            return
        target = out or Path(f"{system}-{name}.{format_name}")
        write_file(target, content)
    click.echo(target)
