"""``clearinghouse worker`` and ``beat``: settlement shared out to processes through a broker."""

from __future__ import annotations

from pathlib import Path

import click

from api.cli.common import books, settings
from api.http.logs import configure_logs
from clearinghouse.config import Settings
from clearinghouse.operations.context import Context
from settlement.following import settle_elsewhere
from settlement.run import Watch

_LOOK_EVERY = click.option(
    "--look-every",
    type=click.FloatRange(0.1, 3600),
    default=5.0,
    show_default=True,
    metavar="SECONDS",
    help="How often to look for what is due or stranded.",
)
_ALIVE = click.option(
    "--alive",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Touch this file whenever a task comes through, for whoever watches the process.",
)


@click.command("worker")
@click.option("--processes", type=click.IntRange(1, 64), default=2, show_default=True)
@click.option("--beat", "with_beat", is_flag=True, help="Be the beat as well.")
@_LOOK_EVERY
@_ALIVE
def worker(processes: int, with_beat: bool, look_every: float, alive: Path | None) -> None:
    """Settle what is asked for, until interrupted: stages of a run and statements, some at a time.

    At night (from four to six in the alliance's time zone) it stages the legs of long open months ahead.

    It needs a broker (CLEARINGHOUSE_BROKER_URL). As many workers as you like may run, on as many machines; whatever
    one of them leaves behind when it dies is taken over by another.
    """
    # Late: only these two commands need Celery.
    from settlement import tasks

    tasks.use(settings())
    with books():
        pass  # Upgraded and checked once, by one process: what is wrong is told here.
    configure_logs()
    if alive is not None:
        tasks.show_life(alive)
    code = tasks.work(processes=processes, look_every=look_every if with_beat else None)
    raise click.exceptions.Exit(code)


@click.command("beat")
@_LOOK_EVERY
@_ALIVE
def beat(look_every: float, alive: Path | None) -> None:
    """Keep the calendar, until interrupted: months whose cut-off has passed, and runs that nobody works at.

    At night it also has long open months staged ahead. Workers do what it asks for. A second beat does no harm.
    """
    from settlement import tasks

    tasks.use(settings())
    configure_logs()
    if alive is not None:
        tasks.show_life(alive)
    tasks.beat(look_every)


def settle_by_workers(context: Context, configured: Settings, period: int, watch: Watch) -> None:
    """Have a period settled by the workers, and return when it is published."""
    from settlement import tasks

    tasks.use(configured)
    settle_elsewhere(context, period, tasks.ask, watch, _say_nobody_comes)


def _say_nobody_comes() -> None:
    click.echo("waiting: nobody works at it; is a clearinghouse worker running?", err=True)
