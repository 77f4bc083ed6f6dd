"""Letters that are sent behind the answer, so that no answer takes longer because something is sent."""

from __future__ import annotations

from collections.abc import Callable
from queue import Full, Queue
from threading import Lock, Thread
from typing import cast

from flask import Flask, current_app

_EXTENSION = "pool_postbox"
_MOST = 1000
_THREADS = 3

Work = Callable[[], None]
LogFailure = Callable[[BaseException], None]


class Postbox:
    """Does work one after the other on a few threads of its own, which begin with the first.

    What waits when the process ends is not done: a code that did not come is asked for again.

    Attributes:
        waiting: What is still to be done.
    """

    def __init__(self) -> None:
        self.waiting: Queue[tuple[Work, LogFailure]] = Queue(_MOST)
        self._begun = False
        self._lock = Lock()

    def drop(self, work: Work, log_failure: LogFailure) -> None:
        """Have something done soon; if too much waits already, or it fails, that is recorded."""
        try:
            self.waiting.put_nowait((work, log_failure))
        except Full as error:
            log_failure(error)
        with self._lock:
            if not self._begun:
                self._begun = True
                for number in range(_THREADS):
                    Thread(target=self._work, name=f"postbox-{number}", daemon=True).start()

    def _work(self) -> None:
        while True:
            work, log_failure = self.waiting.get()
            try:
                work()
            except Exception as error:  # noqa: BLE001  one letter that can't be sent keeps none of the others
                log_failure(error)
            finally:
                self.waiting.task_done()


def give_postbox(app: Flask) -> None:
    """Give a site its postbox."""
    app.extensions[_EXTENSION] = Postbox()


def the_postbox() -> Postbox:
    """Return the postbox of this site."""
    return cast(Postbox, current_app.extensions[_EXTENSION])
