"""Who logs in: as poster and reader, nobody is the owner of the tables, whatever a statement says."""

from collections.abc import Iterator
from contextlib import closing

import psycopg2
import pytest
from sqlalchemy import make_url

from clearinghouse.config import Settings
from clearinghouse.domain.errors import ConfigError, DatabaseUnavailable
from clearinghouse.operations.opening import opened, upgrade
from clearinghouse.store.database import Database, Session
from clearinghouse.store.embedded import OWNER, POSTER, READER
from clearinghouse.store.migrate import migrate


def url_as(database_url: str, role: str) -> str:
    return make_url(database_url).set(username=role).render_as_string(hide_password=False)


@pytest.fixture
def apart(database_url: str) -> Iterator[Database]:
    """A database that poster and reader enter by themselves, as the embedded one is opened."""
    if make_url(database_url).password is not None:
        pytest.skip("this server asks for passwords, and the roles of tests have none")
    database = Database(
        database_url,
        poster_url=url_as(database_url, POSTER),
        reader_url=url_as(database_url, READER),
    )
    yield database
    database.close()


def refused(session: Session, statement: str) -> bool:
    session.run("SAVEPOINT before")
    try:
        session.run(statement)
    except psycopg2.errors.InsufficientPrivilege:
        session.run("ROLLBACK TO before")
        return True
    return False


OWNERS_DEEDS = (
    "SET ROLE clearinghouse_owner",
    "SET SESSION AUTHORIZATION clearinghouse_owner",
    "ALTER TABLE postings DISABLE TRIGGER ALL",
    "DROP TABLE postings",
    "UPDATE postings SET amount = 0",
    "DELETE FROM postings",
    "CREATE TABLE mine (n int)",
    "ALTER ROLE clearinghouse_poster SUPERUSER",
)


def test_a_poster_stays_one_after_reset_role(apart: Database) -> None:
    for transaction in (apart.posting, apart.office):
        with transaction() as session:
            session.run("RESET ROLE")
            assert session.row("SELECT current_user, session_user") == (POSTER, POSTER)
            assert [deed for deed in OWNERS_DEEDS if not refused(session, deed)] == []


def test_a_reader_does_not_become_a_poster(apart: Database) -> None:
    with apart.reading(1) as session:
        session.run("RESET ROLE")
        assert session.row("SELECT current_user, session_user") == (READER, READER)
        deeds = (
            *OWNERS_DEEDS,
            "SET ROLE clearinghouse_poster",
            "INSERT INTO outbox DEFAULT VALUES",
        )
        assert [deed for deed in deeds if not refused(session, deed)] == []


def test_without_urls_of_their_own_the_owner_takes_the_roles(database_url: str) -> None:
    database = Database(database_url)
    owner = make_url(database_url).username
    with database.posting() as session:
        assert session.row("SELECT current_user, session_user") == (POSTER, owner)
    with database.reading(None) as session:
        assert session.row("SELECT current_user, session_user") == (READER, owner)
    database.close()


def test_whoever_logs_in_as_poster_finds_the_schema_or_is_told_what_to_do(
    apart: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    migrate(apart.poster_url)
    newest = _put_revision(apart.owner_url, "0009")
    with pytest.raises(DatabaseUnavailable, match=f"schema 0009 .* needs {newest}: .*db migrate"):
        migrate(apart.poster_url)
    _put_revision(apart.owner_url, "9999")
    for url in (apart.poster_url, apart.owner_url):
        with pytest.raises(DatabaseUnavailable, match="schema 9999, which is newer"):
            migrate(url)


def test_the_settings_name_the_two_logins(apart: Database, tmp_path: object) -> None:
    env = {
        "HOME": str(tmp_path),
        "CLEARINGHOUSE_DATABASE_URL": apart.poster_url,
        "CLEARINGHOUSE_READER_URL": url_as(apart.owner_url, READER),
    }
    settings = Settings.from_environment(env)
    upgrade(settings)
    with opened(settings) as context:
        with context.database.posting() as session:
            assert session.row("SELECT session_user") == (POSTER,)
        with context.database.reading(None) as session:
            assert session.row("SELECT session_user") == (READER,)
    del env["CLEARINGHOUSE_DATABASE_URL"]
    with pytest.raises(ConfigError, match="READER_URL needs CLEARINGHOUSE_DATABASE_URL"):
        Settings.from_environment(env)


def _put_revision(owner_url: str, revision: str) -> str:
    """Say that the database has another schema; what it said before."""
    dsn = owner_url.replace("+psycopg2", "", 1)
    with closing(psycopg2.connect(dsn)) as connection, connection, connection.cursor() as cursor:
        cursor.execute("SELECT version_num FROM alembic_version")
        row = cursor.fetchone()
        cursor.execute("UPDATE alembic_version SET version_num = %s", [revision])
        assert row is not None
        return str(row[0])


def test_the_embedded_server_lets_the_two_in(apart: Database) -> None:
    assert (make_url(apart.poster_url).username, make_url(apart.owner_url).username) == (
        POSTER,
        OWNER,
    )
