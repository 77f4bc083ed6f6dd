"""The dispatcher: a thread of the service that keeps webhooks told, with a small crew that does the sending.

Any number of processes may run one: what is due goes to whoever takes it first.
"""

from __future__ import annotations

import threading
from concurrent.futures import Future, ThreadPoolExecutor
from typing import NamedTuple
from uuid import UUID

import structlog

from clearinghouse.domain.errors import ClearinghouseError
from clearinghouse.operations.context import Context
from clearinghouse.operations.delivering import (
    Poster,
    Run,
    deliver,
    forget_old,
    queue_events,
    take_runs,
)

_log = structlog.get_logger()
#: Webhooks that are sent to at the same time; each slow one keeps one sender busy, and only one.
SENDERS = 32
#: How often the dispatcher looks for events when there were none, and after it could not look, in seconds.
_IDLE = 0.5
_TROUBLED = 5.0
#: Rounds between two clearings of old deliveries.
_CLEARING = 2000


class Round(NamedTuple):
    """Events that a round queued, and the webhooks that are being sent to at its end."""

    queued: int
    busy: int


class Dispatcher:
    """Queues events and sends them, until it is stopped."""

    def __init__(self, context: Context, poster: Poster, *, senders: int = SENDERS) -> None:
        self._context = context
        self._poster = poster
        self._senders = senders
        self._crew = ThreadPoolExecutor(senders, thread_name_prefix="webhooks")
        self._busy: dict[UUID, Future[int]] = {}
        self._changed = threading.Event()
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name="webhooks", daemon=True)

    def start(self) -> None:
        """Begin, in a thread of its own."""
        self._thread.start()

    def stop(self) -> None:
        """Take nothing more and wait for the messages that are under way; what else was taken is handed back."""
        self._stopping = True
        self._changed.set()
        if self._thread.is_alive():
            self._thread.join()
        self._crew.shutdown(wait=True)

    def round(self) -> Round:
        """Queue what happened and hand out what is due; a webhook that is still being sent to waits."""
        queued = queue_events(self._context)
        self._busy = {number: done for number, done in self._busy.items() if not done.done()}
        free = self._senders - len(self._busy)
        runs = take_runs(self._context, list(self._busy), free) if free else []
        for run in runs:
            self._busy[run.target.webhook_id] = self._crew.submit(self._deliver, run)
        return Round(queued, len(self._busy))

    def _run(self) -> None:
        rounds = 0
        while not self._stopping:
            try:
                if rounds % _CLEARING == 0:
                    forget_old(self._context)
                rounds += 1
                wait = 0.0 if self.round().queued else _IDLE
            except ClearinghouseError as error:
                # The database is away; what was taken is taken again later.
                _log.warning(event="webhooks_wait", error=type(error).__qualname__)
                wait = _TROUBLED
            except Exception as error:  # noqa: BLE001  whatever it is, the next round may do
                _failed(error)
                wait = _TROUBLED
            self._changed.wait(wait)
            if not self._stopping:
                self._changed.clear()

    def _deliver(self, run: Run) -> int:
        """Deliver in a thread of the crew; what fails here is taken again when it counts as lost."""
        try:
            return deliver(self._context, self._poster, run, lambda: self._stopping)
        except Exception as error:  # noqa: BLE001  nobody else would hear of it
            _failed(error)
            return 0
        finally:
            self._changed.set()


def _failed(error: Exception) -> None:
    """Record an error by its class: its text may quote an event."""
    _log.error(event="webhooks_failed", error=type(error).__qualname__)
