"""gunicorn's threaded worker, whose threads stay for a moment with the connection that they have just answered."""

from __future__ import annotations

import select
from typing import Any

from gunicorn.workers.gthread import ThreadWorker

#: How long a thread waits for the next request. Tills and night audits send one after another; handing each
#: connection back to the poller and taking it again cost a fifth of a request.
_STAY_MS = 10


class StayingWorker(ThreadWorker):  # type: ignore[misc]  # gunicorn has no types
    """A threaded worker that goes on with a connection at once while no other one waits for a thread."""

    def handle(self, conn: Any) -> Any:
        """Answer the requests of a connection until it pauses; return what gunicorn does with it then."""
        while True:
            kept = super().handle(conn)
            # Anything else than True ends the connection or waits for its first bytes.
            if kept is not True or not self._may_stay(conn):
                return kept

    def _may_stay(self, conn: Any) -> bool:
        if not self.alive or self.nr_conns > self.cfg.threads:
            return False
        if conn.parser.unreader.buf.getvalue():
            return True
        poll = select.poll()
        poll.register(conn.sock, select.POLLIN)
        return bool(poll.poll(_STAY_MS))
