"""Opening the books: from settings to a context on a database that runs and has the newest schema."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from clearinghouse.config import Settings
from clearinghouse.domain.errors import ConfigError
from clearinghouse.operations.context import Clock, Context, utc_now
from clearinghouse.store.database import Database
from clearinghouse.store.embedded import POSTER, READER, ensure_running
from clearinghouse.store.migrate import migrate
from clearinghouse.store.travellers import foreign_key_id
from clearinghouse.store.vault import Vault


@contextmanager
def opened(settings: Settings, clock: Clock = utc_now) -> Iterator[Context]:
    """Open the configured database, starting the embedded one where none is configured.

    Raises:
        DatabaseUnavailable: it can't be started, reached or used.
        ConfigError: the master key can't be used.
    """
    owner, poster, reader = _urls(settings)
    migrate(owner)
    vault = Vault.open(settings)
    database = Database(
        owner,
        poster_url=poster,
        reader_url=reader,
        pool_size=max(8, settings.import_workers + 2),
    )
    try:
        _key_must_fit(database, vault)
        yield Context(database, vault, clock, operator=settings.operator)
    finally:
        database.close()


def _urls(settings: Settings) -> tuple[str, str | None, str | None]:
    """Return the URLs of the owner or whoever logs in instead, of the poster and of the reader."""
    if settings.database_url is not None:
        return settings.database_url, None, settings.reader_url
    endpoint = ensure_running(settings)
    return endpoint.url(), endpoint.url(POSTER), endpoint.url(READER)


def upgrade(settings: Settings) -> None:
    """Bring the configured database, or the embedded one, to the newest schema.

    Raises:
        DatabaseUnavailable: it can't be reached, or its user does not own the tables.
    """
    migrate(_urls(settings)[0])


def _key_must_fit(database: Database, vault: Vault) -> None:
    """Refuse to go on with another key: every card would be unknown, and every line refused for good."""
    with database.office() as session:
        others = foreign_key_id(session, vault)
    if others is not None:
        raise ConfigError(
            "the master key is not the one that protects the travellers in these books;"
            " set CLEARINGHOUSE_MASTER_KEY or restore master.key, and run it again"
        )


def is_ready(context: Context) -> None:
    """Ask the database a question.

    Raises:
        DatabaseUnavailable: it does not answer.
    """
    with context.database.office() as session:
        context.directory.current(session)
