"""Tills come first: what a month end does beside them rests while anybody else writes (decision 0027)."""

from __future__ import annotations

import time
from threading import Lock

from clearinghouse.store.database import Session
from clearinghouse.store.health import writes_ended

#: Who has written within that time may be about to write more.
_AT_IT_SECONDS = 0.1
_LOOK_AGAIN_SECONDS = 0.02
#: How long a piece of work is rested from, in times of what it took: of one processor a seventh is used.
_TIMES = 6
#: Nobody is served by a longer rest: the piece did not work all that time, but waited.
_LONGEST_SECONDS = 0.2


class Others:
    """Who else writes to the server, as told by how many writing transactions beside ours have ended.

    Several threads may share it. Others count as writing until it has looked for a while, and again when it has not
    looked for a while.
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._ours = 0
        self._ended = 0
        self._most = self._looked_at = self._seen_at = float("-inf")

    def count_ours(self) -> None:
        """Count a writing transaction of ours, before it ends: what ends beside it is somebody else's."""
        with self._lock:
            self._ours += 1

    def look(self, session: Session) -> None:
        """Look who has written, unless that was done a moment ago."""
        with self._lock:
            now = time.monotonic()
            if now - self._looked_at < _LOOK_AGAIN_SECONDS:
                return
            self._looked_at = now
        ended = writes_ended(session)
        with self._lock:
            self._looked_at = time.monotonic()
            # Ours count before they end, so it is the most that tells; a server put in place of another begins anew.
            beside = ended - self._ours
            if beside > self._most or ended < self._ended:
                self._most, self._seen_at = beside, self._looked_at
            self._ended = ended

    @property
    def write(self) -> bool:
        """Whether somebody else has written a moment ago, or may have since we looked last."""
        with self._lock:
            now = time.monotonic()
            recently = now - _AT_IT_SECONDS
            return self._seen_at > recently or self._looked_at <= recently


class Pace:
    """The pace of one who works in pieces, each of some milliseconds, with rests in between where others write."""

    def __init__(self, others: Others) -> None:
        self._others = others
        self._began = time.monotonic()

    def rest(self, session: Session | None = None) -> None:
        """Rest from what was done since the last rest; with nobody else about, go on at once.

        Call it where no till waits for a lock of ours. A transaction that is open anyway may look who writes.
        """
        if session is not None:
            self._others.look(session)
        if self._others.write:
            worked = time.monotonic() - self._began
            time.sleep(min(worked * _TIMES, _LONGEST_SECONDS))
        self._began = time.monotonic()
