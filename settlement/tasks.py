"""The run as Celery tasks: each finds out from the database what there is to do, does it, and says who comes next.

Nothing is lost with a message. ``look`` comes every few seconds and finds what is due by the calendar and what is
stranded: a run under way whose missing statements nobody makes and no message asks for. ``ahead`` does at night what a
run of a long month would have to do else.
"""

from __future__ import annotations

import os
import traceback
from collections.abc import Callable
from contextlib import ExitStack, suppress
from pathlib import Path

import structlog
from celery import Task, signals
from celery.schedules import crontab
from kombu.exceptions import OperationalError

from clearinghouse.config import BROKER_URL, Settings
from clearinghouse.domain.errors import ClearinghouseError, DatabaseUnavailable
from clearinghouse.operations.context import Context
from clearinghouse.operations.opening import opened
from clearinghouse.operations.signing_keys import signing_key
from settlement.celery_app import QUEUES, STATEMENTS, make_app
from settlement.frozen_run import FrozenRun, read_run
from settlement.run import go_on, nobodys, take_statement
from settlement.schedule import period_due
from settlement.stages import Whose
from settlement.staging import stage_ahead

LOOK_EVERY_SECONDS = 5.0
_RETRY_SECONDS = 1.0
#: How often a month may be staged ahead, where it is night; who comes later leaves it to the next time.
_AHEAD_MINUTES = 10
_AHEAD_EXPIRES = 60 * _AHEAD_MINUTES
#: The schedule never changes: no file to keep, and none to be corrupted.
_IN_MEMORY = "celery.beat:Scheduler"

app = make_app()
_log = structlog.get_logger()


class _Process:
    """What a worker process keeps: the books, opened at its first task, since no connection outlives a fork."""

    def __init__(self) -> None:
        self.settings: Settings | None = None
        self._books = ExitStack()
        self._context: Context | None = None
        self._run: FrozenRun | None = None

    def context(self) -> Context:
        if self._context is None:
            settings = self.settings or Settings.from_environment(os.environ)
            self._context = self._books.enter_context(opened(settings))
        return self._context

    def run_of(self, period: int) -> FrozenRun:
        """Return the frozen run, read once for all statements that this process makes of it.

        It is read again if its key was compromised meanwhile: statements name the key that signs them.
        """
        with self.context().database.office() as session:
            key = signing_key(session, period)
        if self._run is None or (self._run.period, self._run.key) != (period, key):
            self._run = read_run(self.context(), period)
        return self._run


_process = _Process()


def use(settings: Settings) -> None:
    """Let tasks go through the broker of these settings.

    Raises:
        ClearinghouseError: they name none.
    """
    if settings.broker_url is None:
        raise ClearinghouseError(f"there is no broker: set {BROKER_URL.name}")
    _process.settings = settings
    app.conf.update(broker_url=settings.broker_url, broker_read_url=settings.broker_url)


def ask(period: int) -> None:
    """Ask the workers to go on with a period; asking twice does no harm.

    Raises:
        ClearinghouseError: the broker can't be reached.
    """
    try:
        advance.apply_async((period,), expires=2 * LOOK_EVERY_SECONDS, retry=False)
    except OperationalError as error:
        raise ClearinghouseError(
            f"the broker can't be reached; is {BROKER_URL.name} right?"
        ) from error


def work(*, processes: int, look_every: float | None = None) -> int:
    """Work until a signal ends it, with a beat in the same place if ``look_every`` says so; return the exit code."""
    if look_every is not None:
        _schedule(look_every)
    worker = app.Worker(
        concurrency=processes,
        beat=look_every is not None,
        scheduler=_IN_MEMORY,
        queues=list(QUEUES),
        loglevel="WARNING",
        quiet=True,
        without_gossip=True,
        without_mingle=True,
        without_heartbeat=True,
    )
    worker.start()
    return int(worker.exitcode or 0)


def beat(look_every: float) -> None:
    """Ask for a look every so many seconds, and now and then to stage ahead, until a signal ends it."""
    _schedule(look_every)
    app.Beat(scheduler=_IN_MEMORY, loglevel="WARNING", quiet=True).run()


def show_life(file: Path) -> None:
    """Touch a file whenever this worker has done a task, or this beat has asked for one.

    A watcher that finds it old knows that no work comes through, be it for the broker, the database, the beat or the
    process.
    """

    def live(**_: object) -> None:
        with suppress(OSError):  # A full disk is no reason to work no more.
            file.touch()

    for told in (signals.task_postrun, signals.after_task_publish):
        told.connect(live, weak=False)


def _schedule(look_every: float) -> None:
    # Nobody needs what was asked for while no worker was there.
    entry = {"task": look.name, "schedule": look_every, "options": {"expires": 2 * look_every}}
    at_times = {
        "task": ahead.name,
        "schedule": crontab(minute=f"*/{_AHEAD_MINUTES}"),
        "options": {"expires": _AHEAD_EXPIRES},
    }
    app.conf.update(beat_schedule={"look": entry, "ahead": at_times})


@app.task(name="settlement.look", bind=True)
def look(task: Task) -> None:
    """Take up what is due or stranded; comes every few seconds, from ``beat``."""
    _carefully(task, _look)


@app.task(name="settlement.advance", bind=True)
def advance(task: Task, period: int) -> None:
    """Take a run as far as it goes, and ask for the statements that are missing then."""
    _carefully(task, lambda: _advance(period))


@app.task(name="settlement.statement", bind=True)
def statement(task: Task, period: int, system: int | None) -> None:
    """Make one statement (``None``: the clearing house's); the last one lets the run go on."""
    _carefully(task, lambda: _state(period, system))


@app.task(name="settlement.ahead", bind=True)
def ahead(task: Task) -> None:
    """Stage a chunk of an open month if it is night, and ask for the next; its run finds it there."""
    _carefully(task, _ahead)


def _look() -> None:
    period = period_due(_process.context())
    if period is not None:
        _advance(period)


def _advance(period: int) -> None:
    context = _process.context()
    _ask_for(context, period, go_on(context, period, wait=False))


def _state(period: int, system: int | None) -> None:
    context = _process.context()
    missing = take_statement(context, _process.run_of(period), system)
    if missing:
        _ask_for(context, period, missing)
    else:
        advance.delay(period)


def _ahead() -> None:
    # A chunk a message, and none while a run is due: it does not wait for a month that is still open.
    context = _process.context()
    if period_due(context) is None and stage_ahead(context, at_night=True) is not None:
        ahead.apply_async(expires=_AHEAD_EXPIRES)


def _ask_for(context: Context, period: int, missing: list[Whose]) -> None:
    """Ask for statements that nobody makes, unless messages still wait: those are somebody's next."""
    if missing and not _waiting(STATEMENTS):
        for system in nobodys(context, period, missing):
            statement.delay(period, system)


def _waiting(queue: str) -> int:
    with app.connection_or_acquire() as connection, connection.channel() as channel:
        # Not passively: an empty queue does not exist for Redis, and asking for it is an error.
        return int(channel.queue_declare(queue, durable=True, auto_delete=False).message_count)


def _carefully(task: Task, work: Callable[[], None]) -> None:
    """Do the work of a task; what goes wrong is logged in a sentence and, by the run, remembered in the database.

    A database that is away comes back: until then the message is not done.
    """
    try:
        work()
    except DatabaseUnavailable as error:
        raise task.retry(exc=error, countdown=_RETRY_SECONDS, max_retries=None) from error
    except ClearinghouseError as stopped:
        _log.error(event="settlement_stopped", task=task.name, reason=stopped.message)
    except Exception as failure:  # noqa: BLE001 - its text may quote a row
        where = traceback.extract_tb(failure.__traceback__)[-1]
        _log.error(
            event="settlement_failed",
            task=task.name,
            error=type(failure).__qualname__,
            at=f"{Path(where.filename).name}:{where.lineno}",
        )
