"""What the commands share: opening the books, parameters, tables, progress bars and writing files."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any

import click
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn
from rich.table import Table

from clearinghouse.config import Settings
from clearinghouse.domain.calendar import parse_day, parse_period
from clearinghouse.domain.errors import ClearinghouseError
from clearinghouse.domain.money import yuan
from clearinghouse.operations.context import Context
from clearinghouse.operations.opening import opened
from settlement.tables import csv_bytes

_WIDE = 120
#: Names of what the shell has opened for this process already.
_STREAMS = {"/dev/stdout": 1, "/dev/fd/1": 1, "/dev/stderr": 2, "/dev/fd/2": 2}


def settings() -> Settings:
    """Return the settings of this command; a caller inside the process may have put others in click's context."""
    found = click.get_current_context().find_object(Settings)
    return found if found is not None else Settings.from_environment(os.environ)


@contextmanager
def books() -> Iterator[Context]:
    """Open the books for the length of a command."""
    with opened(settings()) as context:
        yield context


class PeriodType(click.ParamType[int]):
    """A month written ``YYYY-MM``."""

    name = "period"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Return the period; anything else is wrong usage."""
        if isinstance(value, int):
            return value
        try:
            return parse_period(value)
        except ValueError as wrong:
            self.fail(str(wrong), param, ctx)


class DateType(click.ParamType[date]):
    """A date written ``YYYY-MM-DD``."""

    name = "date"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> date:
        """Return the date; anything else is wrong usage."""
        if isinstance(value, date):
            return value
        try:
            return parse_day(value)
        except ValueError as wrong:
            self.fail(str(wrong), param, ctx)


PERIOD = PeriodType()
DATE = DateType()


def console(stderr: bool = False) -> Console:
    """Return a console that is wide enough for tables where the output is no terminal."""
    stream = sys.stderr if stderr else sys.stdout
    return Console(stderr=stderr, width=None if stream.isatty() else _WIDE, highlight=False)


def money(amount_minor: int) -> str:
    """Show fen as yuan, negative in red; two decimals always."""
    text = yuan(amount_minor)
    return f"[red]{text}[/red]" if amount_minor < 0 else text


def show_table(
    title: str, columns: Sequence[str], rows: Iterable[Sequence[str]], left: int = 1
) -> None:
    """Print a table; the first ``left`` columns are text, the others are figures."""
    table = Table(title=title, title_justify="left", header_style="bold")
    for number, column in enumerate(columns):
        table.add_column(column, justify="left" if number < left else "right", no_wrap=number > 0)
    for row in rows:
        table.add_row(*row)
    console().print(table)


def print_rows(format_name: str, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    """Print rows for scripts, as ``csv`` or ``json``."""
    if format_name == "csv":
        click.echo(csv_bytes(columns, rows).decode(), nl=False)
    else:
        records = [dict(zip(columns, row, strict=True)) for row in rows]
        click.echo(json.dumps(records, ensure_ascii=False, indent=1))


@contextmanager
def progress_bar() -> Iterator[Callable[[str, float, float], None]]:
    """Show what is going on if the output is a terminal; yields a function for (what, done, of)."""
    if not sys.stderr.isatty():
        yield lambda *_: None
        return
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f}%"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=console(stderr=True), transient=True) as progress:
        tasks: dict[str, TaskID] = {}

        def show(what: str, done: float, of: float) -> None:
            task = tasks.get(what)
            if task is None:
                task = tasks[what] = progress.add_task(what, total=of)
            progress.update(task, completed=done, total=of)

        yield show


def print_bytes(content: Iterable[bytes]) -> None:
    """Write to standard output.

    Raises:
        ClearinghouseError: it takes no more, as on a full disk.
    """
    stream = sys.stdout.buffer
    try:
        for block in content:
            stream.write(block)
        stream.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        # What could not be written must not be tried again when Python ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
        raise ClearinghouseError(f"standard output can't be written: {error.strerror}") from error


def write_file(path: Path, content: Iterable[bytes]) -> None:
    """Write a file whole or not at all: beside its place first, then moved there.

    A device or a pipe is written into, and standard output goes on where it is, in whatever file that may be.

    Raises:
        ClearinghouseError: it can't be written there.
    """
    try:
        descriptor = _STREAMS.get(str(path))
        if is_stream(path):
            known = None if descriptor is None else os.fdopen(os.dup(descriptor), "wb")
            with known or path.open("wb") as stream:
                stream.writelines(content)
            return
        path = path.resolve()
        path.parent.mkdir(parents=True, exist_ok=True)
        # A name of its own: two commands may write the same file at once.
        with NamedTemporaryFile(dir=path.parent, prefix=f".{path.name}.", delete=False) as part:
            try:
                part.writelines(content)
                part.flush()
                Path(part.name).chmod(0o666 & ~_umask())
                Path(part.name).replace(path)
            except BaseException:
                Path(part.name).unlink(missing_ok=True)
                raise
    except OSError as error:
        raise ClearinghouseError(f"{path} can't be written: {error.strerror}") from error


def is_stream(path: Path) -> bool:
    """Tell whether a path is written into as it is: standard output, a device or a pipe."""
    return str(path) in _STREAMS or (path.exists() and not path.is_file())


def _umask() -> int:
    """Return what this process keeps from others in new files; temporary files ignore it."""
    mask = os.umask(0o077)
    os.umask(mask)
    return mask
