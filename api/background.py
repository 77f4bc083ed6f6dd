"""What nobody waits for: holds whose time is over, batches, events to deliver, reminders, old answers to forget.

Every process of the service does it; whatever two of them take up at once is done by one.
"""

from __future__ import annotations

import random
import threading
from collections.abc import Callable
from threading import Event

import structlog

from api.dispatching import Dispatcher
from api.http import metrics
from api.outgoing import HttpPoster
from clearinghouse.operations.authorizing import sweep
from clearinghouse.operations.batches import run_batches
from clearinghouse.operations.context import Context
from clearinghouse.operations.judging import sweep_overdue
from clearinghouse.operations.keeping import forget_old_answers, oldest_waiting_seconds
from clearinghouse.operations.payments.dunning import dun

_SWEEP_EVERY_SECONDS = 5.0
#: Old answers are looked for once in so many sweeps.
_FORGET_EVERY = 500
#: Deadlines of disputes and payments end with a day.
_REMIND_EVERY = 12

_log = structlog.get_logger()


class Background:
    """The threads of one process."""

    def __init__(self, context: Context, *, private_webhooks: bool = False) -> None:
        self._stop = Event()
        self._dispatcher = Dispatcher(context, HttpPoster(private=private_webhooks))
        self._threads = (
            threading.Thread(
                target=run_batches,
                args=(context, self._stop),
                kwargs={"counted": metrics.batch_lines},
                name="batches",
                daemon=True,
            ),
            threading.Thread(target=_keep, args=(context, self._stop), name="keeper", daemon=True),
        )

    def start(self) -> None:
        """Begin."""
        self._dispatcher.start()
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Take up nothing more, and wait for the messages that are on their way."""
        self._stop.set()
        self._dispatcher.stop()


def _keep(context: Context, stop: Event) -> None:
    rounds = 0
    # Not all processes at the same moment.
    while not stop.wait(_SWEEP_EVERY_SECONDS * random.uniform(0.8, 1.2)):  # noqa: S311  spreads load, guards nothing
        for every, step in _STEPS:
            if rounds % every == 0:
                _take(step, context)
        rounds += 1


def _take(step: Callable[[Context], object], context: Context) -> None:
    """Take a step by itself: what fails at one keeps none of the others from being taken."""
    try:
        step(context)
    except Exception as error:  # noqa: BLE001 - whatever it is, the next round may do; its text may quote a row
        name = getattr(step, "__name__", "")
        _log.warning(event="keeper_waits", step=name, error=type(error).__qualname__)


def _tell_outbox_age(context: Context) -> None:
    metrics.outbox_age(oldest_waiting_seconds(context))


#: What is done once in so many rounds.
_STEPS: tuple[tuple[int, Callable[[Context], object]], ...] = (
    (1, sweep),
    (1, _tell_outbox_age),
    (_REMIND_EVERY, sweep_overdue),
    (_REMIND_EVERY, dun),
    (_FORGET_EVERY, forget_old_answers),
)
