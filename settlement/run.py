"""The monthly run: stages committed one by one, each safe to run again (domain.md §4).

Whatever has been committed is never made anew, so a run that is killed anywhere and started again ends with
the same bytes. The truth about where it stands is the period's state in the database.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from io import BytesIO
from tempfile import SpooledTemporaryFile
from typing import BinaryIO, cast

from clearinghouse.domain.accounts import AccountKind, Asset, account
from clearinghouse.domain.books import Posting
from clearinghouse.domain.calendar import format_period, last_day
from clearinghouse.domain.errors import PeriodNotReady
from clearinghouse.domain.expiring import Entry
from clearinghouse.operations.close import close
from clearinghouse.operations.context import Context
from clearinghouse.store import closing, frozen, outbox, periods
from settlement.building import operator_statement, system_statement
from settlement.frozen_run import FrozenRun, read_run
from settlement.netting import net_period
from settlement.statements.formats import FORMATS
from settlement.statements.statement import OPERATOR
from settlement.tables import manifest, tables

#: Told which stage has begun, how much of it is done, and of how much.
Watch = Callable[[str, int, int], None]

MANIFEST = "manifest.json"
PUBLISHED = ("published", "settled")
#: Formats whose rows are the statement's lines.
_WITH_LINES = ("csv", "json")
_RENDERERS = 2
_IN_MEMORY_BYTES = 8 << 20


def settle(context: Context, period: int, watch: Watch | None = None) -> None:
    """Run, or resume, the settlement of a period up to ``published``; nothing happens to a published one.

    Raises:
        PeriodNotReady: the period can't be closed yet.
        BooksDoNotBalance: something does not sum; the run stops before anything is published.
    """
    tell = watch or (lambda *_: None)
    with _one_at_a_time(context):
        if _state(context, period) in PUBLISHED:
            return
        tell("closing", 0, 1)
        close(context, period)
        tell("netted", 0, 1)
        net_period(context, period)
        run = read_run(context, period)
        _make_statements(context, run, tell)
        tell("published", 0, 1)
        _publish(context, run)
        tell("published", 1, 1)


def files_of(context: Context, period: int) -> list[frozen.StoredFile]:
    """Return the published files of a period.

    Raises:
        PeriodNotReady: it is not published.
    """
    if _state(context, period) not in PUBLISHED:
        raise PeriodNotReady(f"{format_period(period)} is not settled yet")
    with context.database.office() as session:
        return frozen.stored_files(session, period)


def read_file(context: Context, period: int, path: str) -> Iterator[bytes]:
    """Yield the bytes of a published file, as they were published."""
    with context.database.office() as session:
        yield from frozen.file_chunks(session, period, path)


def statement_path(code: str, suffix: str) -> str:
    """Return where a party's statement lies under the period's folder."""
    return f"statements/{code}.{suffix}"


@contextmanager
def _one_at_a_time(context: Context) -> Iterator[None]:
    with context.database.office() as session:
        periods.hold_run_lock(session)
        yield


def _state(context: Context, period: int) -> str | None:
    with context.database.office() as session:
        return periods.state_of(session, period)


def _make_statements(context: Context, run: FrozenRun, tell: Watch) -> None:
    """Stage ``stated``: one transaction a statement, so that a resumed run makes only what is missing."""
    if _state(context, run.period) != "netted":
        return
    with context.database.office() as session:
        made = {file.path for file in frozen.stored_files(session, run.period)}
    missing = [
        number
        for number in (*run.positions, None)
        if statement_path(_code(run, number), "csv") not in made
    ]
    of = len(run.positions) + 1
    with ThreadPoolExecutor(_RENDERERS) as pool:
        done = of - len(missing)
        for _ in pool.map(lambda number: _make_statement(context, run, number), missing):
            done += 1
            tell("stated", done, of)
    with context.database.office() as session:
        for path, (content, rows) in tables(run).items():
            frozen.store_file(session, run.period, path, content, rows=rows)
        periods.advance(session, run.period, "stated")


def _code(run: FrozenRun, system: int | None) -> str:
    return OPERATOR if system is None else run.directory.systems[system].code


def _make_statement(context: Context, run: FrozenRun, system: int | None) -> None:
    """Render one party's statement in every format and store all of them together."""
    statement = (
        operator_statement(context, run)
        if system is None
        else system_statement(context, run, system)
    )
    with ExitStack() as files:
        rendered: dict[str, BinaryIO] = {}
        for suffix, render in FORMATS.items():
            file = files.enter_context(SpooledTemporaryFile(max_size=_IN_MEMORY_BYTES))
            rendered[suffix] = cast(BinaryIO, file)
            render(statement, rendered[suffix])
        with context.database.office() as session:
            for suffix, content in rendered.items():
                rows = statement.line_count if suffix in _WITH_LINES else None
                path = statement_path(statement.party.code, suffix)
                frozen.store_file(session, run.period, path, content, system=system, rows=rows)


def _publish(context: Context, run: FrozenRun) -> None:
    """Stage ``published``: the VAT posted, the manifest stored, events recorded; immutable from here on."""
    at = context.clock()
    with context.database.office() as session:
        if periods.state_of(session, run.period) != "stated":
            return
        entry = Entry(context.new_id(run.period), run.period, "vat", last_day(run.period))
        entry.postings.extend(_vat_postings(run))
        closing.write_entry(session, entry, at)
        files = frozen.stored_files(session, run.period)
        document = manifest(run, files)
        frozen.store_file(session, run.period, MANIFEST, BytesIO(document), rows=len(files))
        name = format_period(run.period)
        for system in run.positions:
            outbox.add(session, at, "statement.published", {"period": name}, system)
        outbox.add(session, at, "period.published", {"period": name})
        periods.publish(session, run.period, at)


def _vat_postings(run: FrozenRun) -> Iterator[Posting]:
    """Post each system's VAT: out of the fees that contain it, or from the system where it is on top."""
    vat_account, fees = account(AccountKind.VAT), account(AccountKind.FEES)
    for position in run.positions.values():
        payer = account(AccountKind.POSITION, position.system) if run.vat_on_top else fees
        if position.vat_minor > 0:
            yield Posting(payer, vat_account, Asset.CNY, position.vat_minor)
        elif position.vat_minor < 0:
            yield Posting(vat_account, payer, Asset.CNY, -position.vat_minor)
