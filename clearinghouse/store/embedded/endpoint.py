"""How to reach a running embedded server."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from urllib.parse import quote

import psycopg2

from clearinghouse.store.embedded.layout import PORT

SUPERUSER = "postgres"
MAINTENANCE_DATABASE = "postgres"
OWNER = "clearinghouse_owner"
POSTER = "clearinghouse_poster"
READER = "clearinghouse_reader"
DATABASE = "clearinghouse"
_CONNECT_SECONDS = 10
#: What the server answers for a moment while it starts, recovers or stops (SQLSTATE 57P03).
_BUSY = (
    "the database system is starting up",
    "the database system is not yet accepting connections",
    "the database system is in recovery mode",
    "the database system is shutting down",
)


class Answer(Enum):
    """What a server says to a new connection."""

    READY = "ready"
    BUSY = "busy"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A running server: the folder of its socket and the id of its process."""

    socket_folder: Path
    pid: int

    def url(self, role: str = OWNER, database: str = DATABASE) -> str:
        """The SQLAlchemy URL for a role and a database. No password: the socket is private."""
        return f"postgresql+psycopg2://{self._rest(role, database)}"

    def dsn(self, role: str = OWNER, database: str = DATABASE) -> str:
        """The same for ``psycopg2.connect``, psql and pg_dump."""
        return f"postgresql://{self._rest(role, database)}"

    def _rest(self, role: str, database: str) -> str:
        place = f"host={quote(str(self.socket_folder))}&port={PORT}"
        # Said here, because PGCLIENTENCODING in the environment would garble what COPY sends.
        return f"{quote(role)}@/{quote(database)}?{place}&client_encoding=utf8"

    def ask(self) -> Answer:
        """Tries a connection. A server that is full or has lost a database is still ready."""
        try:
            with closing(self._connect()):
                return Answer.READY
        except psycopg2.OperationalError as error:
            text = str(error)
            if any(words in text for words in _BUSY):
                return Answer.BUSY
            return Answer.READY if "FATAL:" in text else Answer.NONE

    def server_version(self) -> str | None:
        """The running server's version, such as "18.6"; None if it does not answer."""
        try:
            with closing(self._connect()) as connection:
                version = connection.server_version
        except psycopg2.OperationalError:
            return None
        return f"{version // 10000}.{version % 10000}"

    def _connect(self) -> psycopg2.extensions.connection:
        return psycopg2.connect(
            self.dsn(SUPERUSER, MAINTENANCE_DATABASE), connect_timeout=_CONNECT_SECONDS
        )
