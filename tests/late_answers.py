"""Books whose answer is long on its way: what is read from them is old when it comes."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from clearinghouse.store.database import Database, Session


class AnswersLate:
    """Reads at once; the reading does not end before :attr:`arrived` is set. It is :attr:`read` before."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.read, self.arrived = threading.Event(), threading.Event()

    @contextmanager
    def posting(self) -> Iterator[Session]:
        """Lend a session as the database does, and end it late."""
        with self._database.posting() as session:
            yield session
            self.read.set()
            assert self.arrived.wait(60)
