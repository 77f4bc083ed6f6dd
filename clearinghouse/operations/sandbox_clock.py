"""A clock that can be put forward, for sandboxes: all operations of all their processes see it (docs/sandbox.md)."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from threading import Lock

from clearinghouse.config import Settings
from clearinghouse.domain.errors import SandboxClockRefused
from clearinghouse.operations.context import Context, utc_now
from clearinghouse.operations.opening import opened
from clearinghouse.store import sandbox
from clearinghouse.store.database import Database

#: How far ahead it can be put: no further than the sample's rulebook and licence reach.
MOST_AHEAD = timedelta(days=3 * 365)
#: For so long a process goes by what it has read; whoever moves the clock waits until all have read anew.
_READ_EVERY_SECONDS = 0.2
_MICROSECOND = timedelta(microseconds=1)


class SandboxClock:
    """The world's time and how far it was put ahead.

    Its ``database`` is one of its own: it is read in the middle of other transactions, which hold all connections
    of theirs while they wait.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._reading = Lock()
        self._ahead = timedelta()
        self._read_at = float("-inf")

    def __call__(self) -> datetime:
        """Return the present moment of the sandbox, in UTC."""
        return utc_now() + self.ahead()

    def ahead(self) -> timedelta:
        """Return how far it is ahead of the world's clock."""
        with self._reading:
            now = time.monotonic()
            if now - self._read_at > _READ_EVERY_SECONDS:
                with self._database.posting() as session:
                    self._ahead = sandbox.ahead(session) * _MICROSECOND
                # How long the answer took on its way is part of its age.
                self._read_at = now
            return self._ahead

    def move_to(self, moment: datetime) -> None:
        """Put the clock forward to a moment, from which it goes on; every process goes by it once this returns.

        Raises:
            SandboxClockRefused: the moment is over, or too far off.
        """
        ahead = moment - utc_now()
        if ahead > MOST_AHEAD:
            raise SandboxClockRefused(
                f"the clock can't be more than {MOST_AHEAD.days} days ahead of the world's"
            )
        with self._database.posting() as session:
            if ahead < timedelta() or not sandbox.set_ahead(session, ahead // _MICROSECOND):
                raise SandboxClockRefused("the clock only goes forward, and this moment is over")
        time.sleep(_READ_EVERY_SECONDS * 1.5)


@contextmanager
def opened_sandbox(settings: Settings) -> Iterator[Context]:
    """Open a sandbox's books, with its clock."""
    with opened(settings) as context, sandbox_clock(context) as clock:
        yield replace(context, clock=clock)


@contextmanager
def sandbox_clock(context: Context) -> Iterator[SandboxClock]:
    """Open the clock of a sandbox's books, made if it is not there."""
    sandbox.make_clock(context.database.owner_url)
    database = Database(context.database.owner_url, pool_size=1)
    try:
        yield SandboxClock(database)
    finally:
        database.close()
