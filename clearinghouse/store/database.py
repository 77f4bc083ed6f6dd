"""Connections and database transactions; the one place that knows which role runs what.

The value path runs as the role ``clearinghouse_poster``: it may add to the books and not change them, and
its planner is told to look rows up by index, since a fresh table without statistics would be read whole.
What a system asks for is read as ``clearinghouse_reader``, to whom row-level security shows that system's rows.
Both are also who logs in, where their URLs are given: a statement that says ``RESET ROLE`` is then still nobody else.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any

import psycopg2
import psycopg2.extensions
import psycopg2.extras
from sqlalchemy import Engine, PoolProxiedConnection, create_engine, event, make_url, text
from sqlalchemy.exc import OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from clearinghouse.domain.errors import DatabaseUnavailable, DatabaseUnreachable

#: Asked of every connection that posts.
_POSTER_SETUP = (
    "SET ROLE clearinghouse_poster",
    "SET enable_seqscan = off",
    "SET enable_hashjoin = off",
    "SET enable_mergejoin = off",
    "SET plan_cache_mode = force_generic_plan",
    # Of a process whose machine is gone: its travellers' locks would hold up every till for hours.
    "SET idle_in_transaction_session_timeout = '60s'",
)
_OFFICE_SETUP = ("SET ROLE clearinghouse_poster", "SET work_mem = '64MB'")
_READER_SETUP = ("SET ROLE clearinghouse_reader",)
_COMMON_SETUP = ("SET TIME ZONE 'UTC'", "SET search_path = public", "SET jit = off")

#: What a connection has prepared is gone, or no longer fits a table that was changed since: a new one prepares anew.
_UNPREPARED = (psycopg2.errors.InvalidSqlStatementName, psycopg2.errors.FeatureNotSupported)

#: A server that is gone without a word is given up within a minute, not after the hours that the kernel waits.
_CONNECTING: dict[str, int] = {
    "connect_timeout": 10,
    "keepalives_idle": 30,
    "keepalives_interval": 10,
    "keepalives_count": 3,
    "tcp_user_timeout": 60_000,
}

Row = tuple[Any, ...]

_IDLE = psycopg2.extensions.TRANSACTION_STATUS_IDLE
_FAILED = psycopg2.extensions.TRANSACTION_STATUS_INERROR


class Session:
    """One database transaction, as the store's functions see it.

    Attributes:
        info: What is remembered of the connection from one transaction to the next; nobody else has it meanwhile.
    """

    __slots__ = ("_driver", "_opening", "info")

    def __init__(
        self, driver: psycopg2.extensions.connection, info: dict[Any, Any], opening: str = ""
    ) -> None:
        self._driver = driver
        self._opening = opening
        self.info = info

    def commit(self) -> None:
        """End the transaction, if anything was asked of the server, and keep what it did."""
        self._end("COMMIT", self._driver.commit)

    def rollback(self) -> None:
        """End the transaction and leave nothing of it."""
        self._end("ROLLBACK", self._driver.rollback)

    def wait_at_most(self, seconds: float) -> None:
        """Wait no longer than this for any lock; call it before the first statement, with which it is sent."""
        if self._opening:
            self._opening += f"; SET LOCAL lock_timeout = {round(seconds * 1000)}"

    def _end(self, how: str, by_driver: Callable[[], None]) -> None:
        if how == "COMMIT" and self._driver.info.transaction_status == _FAILED:
            # The server would answer it with ROLLBACK and no error, and we would tell of what is in no book.
            raise psycopg2.errors.InFailedSqlTransaction("a failed transaction can't be committed")
        if not self._driver.autocommit:
            by_driver()
        elif self._driver.info.transaction_status != _IDLE:
            with self._driver.cursor() as cursor:
                cursor.execute(how)

    def cursor(self) -> psycopg2.extensions.cursor:
        """Return a psycopg2 cursor of this transaction, for what the other methods can't do."""
        if self._opening:
            self.run("SELECT")
        return self._driver.cursor()

    def _execute(
        self, cursor: psycopg2.extensions.cursor, sql: str, parameters: Sequence[object]
    ) -> None:
        if self._opening:
            # With the first statement, since a round trip of its own takes as long as a small query.
            sql, self._opening = f"{self._opening}; {sql}", ""
        cursor.execute(sql, parameters or None)

    def rows(self, sql: str, parameters: Sequence[object] = ()) -> list[Row]:
        """Run a query with ``%s`` placeholders and return all its rows."""
        with self._driver.cursor() as cursor:
            self._execute(cursor, sql, parameters)
            return cursor.fetchall()

    def row(self, sql: str, parameters: Sequence[object] = ()) -> Row | None:
        """Run a query and return its first row, if there is one."""
        with self._driver.cursor() as cursor:
            self._execute(cursor, sql, parameters)
            return cursor.fetchone()

    def run(self, sql: str, parameters: Sequence[object] = ()) -> int:
        """Run a statement and return how many rows it touched."""
        with self._driver.cursor() as cursor:
            self._execute(cursor, sql, parameters)
            return cursor.rowcount

    def prepared(self, sql: str) -> str:
        """Return what runs a statement that this connection has prepared, and prepare it the first time.

        For what is asked again and again with other values: parsing and planning it took as long as doing it.
        The text must come from a few constants, since each stays prepared as long as the connection lives.
        """
        known: dict[str, str] = self.info.setdefault("prepared", {})
        call = known.get(sql)
        if call is None:
            parts = sql.split("%s")
            text = "".join(f"{part}${number}" for number, part in enumerate(parts[:-1], start=1))
            name = f"prepared_{len(known)}"
            # Not in the transaction: what is prepared outlives it.
            with self._driver.cursor() as cursor:
                cursor.execute(f"PREPARE {name} AS {text}{parts[-1]}")
            values = ", ".join(["%s"] * (len(parts) - 1))
            call = known[sql] = f"EXECUTE {name} ({values})" if values else f"EXECUTE {name}"
        return call

    def stream(
        self, sql: str, parameters: Sequence[object] = (), batch: int = 5000
    ) -> Iterator[Row]:
        """Run a query whose rows do not fit in memory and yield them through a server-side cursor."""
        cursor = self._driver.cursor(name="stream")
        try:
            cursor.itersize = batch
            cursor.execute(sql, parameters or None)
            for row in cursor:  # noqa: UP028 - it would close the cursor, too, and tell if that failed
                yield row
        finally:
            # Of one that is not read to its end the transaction may be over, and the cursor with it.
            with suppress(psycopg2.Error):
                cursor.close()


class Database:
    """The database that the service runs on.

    Args:
        owner_url: SQLAlchemy URL of the owner of its tables; it takes the other roles where they have no URL.
        poster_url: The URL of ``clearinghouse_poster``.
        reader_url: The URL of ``clearinghouse_reader``.
        pool_size: Connections that are kept for posting, and for reading.
    """

    def __init__(
        self,
        owner_url: str,
        *,
        poster_url: str | None = None,
        reader_url: str | None = None,
        pool_size: int = 8,
    ) -> None:
        self.owner_url = owner_url
        self.poster_url = poster_url or owner_url
        self._value_path = self._engine(self.poster_url, _POSTER_SETUP, pool_size, autocommit=True)
        self._office = self._engine(self.poster_url, _OFFICE_SETUP, 2)
        self._reading = self._engine(reader_url or owner_url, _READER_SETUP, pool_size)

    def _engine(
        self, url: str, setup: tuple[str, ...], pool_size: int, *, autocommit: bool = False
    ) -> Engine:
        given = make_url(url).query
        engine = create_engine(
            url,
            pool_size=pool_size,
            max_overflow=4,
            pool_pre_ping=False,
            connect_args={name: value for name, value in _CONNECTING.items() if name not in given},
        )

        @event.listens_for(engine, "connect")
        def prepare(connection: psycopg2.extensions.connection, _record: object) -> None:
            psycopg2.extras.register_uuid(conn_or_curs=connection)  # type: ignore[no-untyped-call]  # untyped there
            with connection.cursor() as cursor:
                cursor.execute("; ".join((*_COMMON_SETUP, *setup)))
            connection.commit()
            # The driver would else send BEGIN by itself, in a round trip of its own.
            connection.autocommit = autocommit

        return engine

    @contextmanager
    def posting(self) -> Iterator[Session]:
        """Open a transaction of the value path; it commits at the end, or leaves nothing on any error."""
        with self._begin(self._value_path, "BEGIN") as session:
            yield session

    @contextmanager
    def office(self) -> Iterator[Session]:
        """Open a transaction for what reads or writes much: settlement, checks, governance."""
        with self._begin(self._office) as session:
            yield session

    @contextmanager
    def reading(self, system: int | None) -> Iterator[Session]:
        """Open a transaction that sees the rows of one system and no others, by row-level security.

        ``None`` sees what is every member's, and no system's own. What it opens with ends with it: the next
        transaction of the connection starts with no system.
        """
        with self._begin(self._reading) as session:
            session.row("SELECT set_config('clearinghouse.system', %s, true)", [str(system or "")])
            yield session

    @contextmanager
    def _begin(self, engine: Engine, opening: str = "") -> Iterator[Session]:
        with _told_plainly(engine) as (connection, driver):
            session = Session(driver, connection.info, opening)
            try:
                yield session
            except BaseException:
                if not driver.closed:
                    session.rollback()
                raise
            session.commit()

    def close(self) -> None:
        """Close all connections."""
        self._value_path.dispose()
        self._office.dispose()
        self._reading.dispose()


@contextmanager
def _told_plainly(
    engine: Engine,
) -> Iterator[tuple[PoolProxiedConnection, psycopg2.extensions.connection]]:
    """Lend a connection of the pool, and tell in a sentence of ours that there is none or that it was lost."""
    try:
        connection = engine.raw_connection()
    except (OperationalError, psycopg2.OperationalError) as error:
        raise DatabaseUnreachable(f"the database can't be reached: {_first_line(error)}") from error
    except PoolTimeout as error:
        raise DatabaseUnavailable("the database is busy: no connection became free") from error
    driver: Any = connection.dbapi_connection
    try:
        yield connection, driver
    except psycopg2.Error as error:
        if driver.closed:
            # The others of the pool are as old and as dead; whoever comes next gets new ones.
            engine.dispose()
            raise DatabaseUnavailable(
                "the connection to the database was lost; what was committed stays, run it again"
            ) from error
        if isinstance(error, psycopg2.errors.LockNotAvailable):
            raise DatabaseUnavailable(
                "another transaction kept what this one needs for too long; run it again"
            ) from error
        if isinstance(error, _UNPREPARED):
            driver.close()
        raise
    finally:
        if driver.closed or driver.info.transaction_status != _IDLE:
            # It is lost, or whoever were lent it next would write into a transaction that is not theirs.
            connection.invalidate()
        connection.close()


def is_conflict(error: Exception) -> bool:
    """Tell whether a transaction failed only because another came first, so that it may be tried again."""
    return isinstance(
        error,
        psycopg2.errors.UniqueViolation
        | psycopg2.errors.DeadlockDetected
        | psycopg2.errors.SerializationFailure,
    )


def server_version(url: str) -> int:
    """Return the server's version number, as in ``150018`` for 15.18.

    Raises:
        DatabaseUnavailable: nothing answers at that address.
    """
    engine = create_engine(url)
    try:
        with engine.connect() as connection:
            return int(connection.execute(text("SHOW server_version_num")).scalar_one())
    except OperationalError as error:
        raise DatabaseUnavailable(f"the database can't be reached: {_first_line(error)}") from error
    finally:
        engine.dispose()


def _first_line(error: Exception) -> str:
    """Return what the driver said, without statements or parameters."""
    original = getattr(error, "orig", None) or error
    return str(original).strip().splitlines()[0] if str(original).strip() else "no answer"
