"""Settling a period and reading the books: ``settle positions statement balance check``."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import click

from api.cli.common import (
    PERIOD,
    books,
    console,
    is_stream,
    money,
    print_bytes,
    print_rows,
    progress_bar,
    settings,
    show_table,
    write_file,
)
from api.cli.keys import jwks
from api.cli.verify import KEYS_BESIDE
from api.cli.worker import settle_by_workers
from clearinghouse.config import OPERATOR
from clearinghouse.domain.calendar import format_period
from clearinghouse.domain.errors import NotFound
from clearinghouse.domain.signing import SUFFIX
from clearinghouse.operations.context import Context
from clearinghouse.store import frozen, periods
from settlement.netting import figures
from settlement.paths import MANIFEST, statement_path
from settlement.run import Watch, files_of, read_file, settle, signature_of
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
    were published. With a broker (CLEARINGHOUSE_BROKER_URL) the workers do it, and this command waits for them.
    """
    with books() as context:
        _warn_without_account(context, period)
        if settings().broker_url is None:
            run_settlement(context, period)
        else:
            with progress_bar() as show:
                settle_by_workers(context, settings(), period, _watching(show))
        folder = write_period(context, period, out)
        show_positions(context, period)
    click.echo(f"{format_period(period)} is published; its files are in {folder}")


def _warn_without_account(context: Context, period: int) -> None:
    """Warn that members would not be told where to pay, as long as that can be changed for the period."""
    if context.operator.bank_account is not None:
        return
    with context.database.office() as session:
        state = periods.state_of(session, period)
    if state in (None, "open", "closing"):
        click.echo(
            f"警告：{OPERATOR.name} 未设置收款账号 (bank_account)：付款通知书将不写收款账号，付款文件的付款账号为"
            " NOTPROVIDED，轧差后不可更改。\n"
            f"warning: {OPERATOR.name} has no bank_account: debit notes will not say where to pay, and the payment file"
            " will have NOTPROVIDED as the account to pay from; once the month is netted that stays so.",
            err=True,
        )


def run_settlement(context: Context, period: int) -> None:
    """Settle in this process, with a progress bar."""
    with progress_bar() as show:
        settle(context, period, _watching(show))


def _watching(show: Callable[[str, float, float], None]) -> Watch:
    return lambda stage, done, of: show(_STAGES[stage], done, of)


def write_period(context: Context, period: int, out: Path) -> Path:
    """Write the files of a settled period under ``out``; return their folder."""
    folder = out / format_period(period)
    # The manifest comes last: where it is, everything is.
    for file in sorted(files_of(context, period), key=lambda file: file.path == MANIFEST):
        write_file(folder / (file.path + SUFFIX), [signature_of(context, period, file.path)])
        write_file(folder / file.path, read_file(context, period, file.path))
    # Beside the months, since new keys come and all of them stay.
    write_file(out / KEYS_BESIDE, [jwks(context)])
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
    """Write the published statement of SYSTEM for the month PERIOD (YYYY-MM), and its signature beside it.

    Without --out it is written to SYSTEM-PERIOD.FORMAT in this folder; "--out -" prints it. OPERATOR is the
    clearing house itself. The signature is that file's name with .sig behind it; see "verify".
    """
    name = format_period(period)
    with books() as context:
        path = statement_path(system, format_name)
        if path not in {file.path for file in files_of(context, period)}:
            raise NotFound(f"there is no statement of {system[:64]} for {name}")
        content = read_file(context, period, path)
        if out == Path("-"):
            print_bytes(content)
            return
        target = out or Path(f"{system}-{name}{path.removeprefix(f'statements/{system}')}")
        if not is_stream(target):
            signature = signature_of(context, period, path)
            write_file(target.with_name(target.name + SUFFIX), [signature])
        write_file(target, content)
    click.echo(target)
