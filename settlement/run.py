"""The monthly run: which stage comes next, and who may take it (domain.md §4).

The truth about where a run stands is in the database: the period's state and the statements that are stored.
Whoever comes, from whatever process, goes on from there, and what is committed is never made anew; so a run that
is killed anywhere and started again ends with the same bytes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress

from clearinghouse.domain.calendar import format_period
from clearinghouse.domain.errors import ClearinghouseError, DatabaseUnavailable, PeriodNotReady
from clearinghouse.operations.close import close
from clearinghouse.operations.context import Context
from clearinghouse.store import frozen, periods, runs, signatures, staging
from clearinghouse.store.periods import PUBLISHED
from clearinghouse.store.runs import Failure, Standing
from settlement.frozen_run import FrozenRun, read_run
from settlement.netting import net_period
from settlement.paths import ANY_STATEMENT
from settlement.publishing import publish
from settlement.schedule import must_be_next
from settlement.self_check import must_be_sound
from settlement.stages import Whose, make_period_files, make_statement, missing_statements
from settlement.whole import gone, must_be_all, whole

#: Told which stage has begun, how much of it is done, and of how much.
Watch = Callable[[str, int, int], None]


def settle(context: Context, period: int, watch: Watch | None = None) -> None:
    """Run, or resume, the settlement of a period up to ``published``; nothing happens to a published one.

    Raises:
        PeriodNotReady: the period can't be closed yet, or an earlier one has to be settled first.
        BooksDoNotBalance: something does not sum; the run stops before anything is published.
    """
    tell = watch or (lambda *_: None)
    missing = go_on(context, period, tell, wait=True)
    if missing:
        with _remembered(context, period):
            _make_statements(context, read_run(context, period), missing, tell)
        go_on(context, period, tell, wait=True)


def go_on(context: Context, period: int, watch: Watch | None = None, *, wait: bool) -> list[Whose]:
    """Take every stage that can be taken now, and return whose statements have to be made before the next.

    One at a time: with ``wait`` after whoever is at it, without it only if nobody is; then there is nothing to do
    here (an empty list), since whoever is at it sees to the rest.

    Raises:
        PeriodNotReady: the period can't be closed yet, or an earlier one has to be settled first.
        BooksDoNotBalance: something does not sum; the run stops before anything is published.
    """
    tell = watch or (lambda *_: None)
    with _remembered(context, period), _alone(context, wait=wait) as alone:
        if not alone or _state(context, period) in PUBLISHED:
            return []
        must_be_next(context, period)
        with context.database.office() as session:
            must_be_sound(session)
        tell("closing", 0, 1)
        close(context, period)
        tell("netted", 0, 1)
        net_period(context, period)
        missing = missing_statements(context, period)
        if missing:
            return missing
        run = read_run(context, period)
        make_period_files(context, run)
        tell("published", 0, 1)
        publish(context, run)
        tell("published", 1, 1)
        return []


def take_statement(context: Context, run: FrozenRun, whose: Whose) -> list[Whose]:
    """Make one party's statement unless somebody does or has done it; return whose are missing still.

    Raises:
        BooksDoNotBalance: its lines do not sum to its totals.
    """
    with _remembered(context, run.period):
        make_statement(context, run, whose, wait=False)
        return missing_statements(context, run.period)


def nobodys(context: Context, period: int, missing: Sequence[Whose]) -> list[Whose]:
    """Return those of the missing statements that nobody is making now, in any process."""
    with context.database.office() as session:
        held = runs.statements_held(session, period)
    return [whose for whose in missing if (whose or 0) not in held]


def standing(context: Context, period: int) -> tuple[Standing, Failure | None]:
    """Return how far the run of a period is, and why it stopped last if it ever did."""
    with context.database.office() as session:
        return runs.standing(session, period, ANY_STATEMENT), runs.failure_of(session, period)


def files_of(context: Context, period: int) -> list[frozen.StoredFile]:
    """Return the published files of a period.

    Raises:
        PeriodNotReady: it is not published.
        BooksDoNotBalance: they are not those that its manifest lists.
    """
    if _state(context, period) not in PUBLISHED:
        raise PeriodNotReady(f"{format_period(period)} is not settled yet")
    with context.database.office() as session:
        files = frozen.stored_files(session, period)
        must_be_all(session, period, files)
        return files


def signatures_of(context: Context, period: int) -> dict[str, bytes]:
    """Return the signature of every published file of a period, by the path of the file."""
    with context.database.office() as session:
        return signatures.signatures_of(session, period)


def signature_of(context: Context, period: int, path: str) -> bytes:
    """Return the signature of a published file.

    Raises:
        BooksDoNotBalance: it is not there.
    """
    with context.database.office() as session:
        found = signatures.signature_of(session, period, path)
    if found is None:
        raise gone(period, f"the signature of {path}")
    return found


def read_file(context: Context, period: int, path: str) -> Iterator[bytes]:
    """Yield the bytes of a published file, as they were published.

    Raises:
        BooksDoNotBalance: they are not what was published; the last of them are not yielded then.
    """
    with context.database.office() as session:
        files = frozen.files_at(session, [period], [path]).get(period)
        if not files:
            raise gone(period, path)
        yield from whole(period, files[0], frozen.file_chunks(session, period, path))


@contextmanager
def _alone(context: Context, *, wait: bool) -> Iterator[bool]:
    with context.database.office() as session:
        yield runs.hold_run(session, wait=wait)


def _state(context: Context, period: int) -> str | None:
    with context.database.office() as session:
        return periods.state_of(session, period)


@contextmanager
def _remembered(context: Context, period: int) -> Iterator[None]:
    """Remember in the database why a run stops, for those who follow it from elsewhere."""
    try:
        yield
    except (PeriodNotReady, DatabaseUnavailable):
        # A question asked too early, and what nothing could be written to.
        raise
    except Exception as error:
        sentence = (
            error.message
            if isinstance(error, ClearinghouseError)
            else f"something went wrong that should not ({type(error).__name__})"
        )
        with suppress(Exception), context.database.office() as session:
            runs.record_failure(session, period, context.clock(), sentence)
        raise


def _make_statements(
    context: Context, run: FrozenRun, missing: Sequence[Whose], tell: Watch
) -> None:
    """Make the statements that are missing, some at a time, after whoever else may be making one of them."""
    of = len(run.positions) + 1
    done = of - len(missing)
    with ThreadPoolExecutor(staging.PROCESSES) as pool:
        for _ in pool.map(lambda whose: make_statement(context, run, whose, wait=True), missing):
            done += 1
            tell("stated", done, of)
