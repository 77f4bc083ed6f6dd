"""A connection that is lost: one sentence, whatever was asked for, and the next transaction has a new one."""

from contextlib import closing

import psycopg2
import pytest

from clearinghouse.domain.errors import DatabaseUnavailable
from clearinghouse.operations.context import Context
from clearinghouse.store.database import Session

LOST = "the connection to the database was lost; what was committed stays, run it again"


def backend(session: Session) -> int:
    """The server's process for the connection of a transaction."""
    return int(session.rows("SELECT pg_backend_pid()")[0][0])


def cut_off(pid: int, url: str) -> None:
    """Let the server end a connection."""
    with closing(psycopg2.connect(url.replace("+psycopg2", ""))) as other:
        other.autocommit = True
        with other.cursor() as cursor:
            # Waits until it is over.
            cursor.execute("SELECT pg_terminate_backend(%s, 30000)", [pid])
            assert cursor.fetchone() == (True,)


@pytest.mark.parametrize("way", ["posting", "office", "reading"])
@pytest.mark.parametrize("moment", ["in a query", "in a stream", "at the end"])
def test_a_lost_connection_is_one_sentence(
    context: Context, database_url: str, way: str, moment: str
) -> None:
    database = context.database
    begun = database.reading(None) if way == "reading" else getattr(database, way)()
    with pytest.raises(DatabaseUnavailable) as lost, begun as session:  # noqa: PT012  it is the end of the block that raises
        cut_off(backend(session), database_url)
        if moment == "in a query":
            session.rows("SELECT 1")
        elif moment == "in a stream":
            list(session.stream("SELECT 1"))
    assert lost.value.message == LOST
    with database.posting() as session, database.office() as other:
        assert session.rows("SELECT 1") == other.rows("SELECT 1") == [(1,)]


def test_a_connection_that_was_lost_while_nobody_used_it(
    context: Context, database_url: str
) -> None:
    with context.database.office() as session:
        pid = backend(session)
    cut_off(pid, database_url)
    with pytest.raises(DatabaseUnavailable, match="was lost"), context.database.office() as session:
        session.rows("SELECT 1")
    with context.database.office() as session:
        assert session.rows("SELECT 1") == [(1,)]


def test_an_error_of_the_database_that_is_no_loss_stays_what_it_is(context: Context) -> None:
    with pytest.raises(psycopg2.errors.DivisionByZero), context.database.office() as session:
        session.rows("SELECT 1 / 0")
    with context.database.office() as session:
        assert session.rows("SELECT 1") == [(1,)]
