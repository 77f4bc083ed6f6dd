"""One PostgreSQL for the whole run, and a fresh copy of the migrated books for every test that asks.

``CLEARINGHOUSE_DATABASE_URL`` runs the same tests on another server; its user must be allowed to create
databases and roles there.
"""

import os
from collections.abc import Iterator
from contextlib import suppress
from itertools import count
from pathlib import Path

import pytest
from sqlalchemy import make_url

from clearinghouse.config import Settings
from clearinghouse.operations.context import Context
from clearinghouse.store.database import Database
from clearinghouse.store.embedded import (
    MAINTENANCE_DATABASE,
    OWNER,
    SUPERUSER,
    ensure_running,
    stop,
)
from clearinghouse.store.migrate import migrate
from clearinghouse.store.vault import Vault
from tests.store.databases import create_database, drop_database

TEMPLATE = "clearinghouse_template"
_numbers = count(1)


class Server:
    """The server that the tests run on; makes databases by copying the migrated template."""

    def __init__(self, admin_dsn: str, url_of: str, owner: str | None) -> None:
        self.admin_dsn = admin_dsn
        self._url_of = url_of
        self._owner = owner
        self._mine = f"{TEMPLATE}_{os.getpid()}"
        create_database(admin_dsn, self._mine, owner=owner)
        migrate(self.url(self._mine))

    def url(self, database: str) -> str:
        """The SQLAlchemy URL of one of its databases, as the owner of the tables."""
        return make_url(self._url_of).set(database=database).render_as_string(hide_password=False)

    def new_database(self, template: str | None = None) -> str:
        """A new copy of the template, or of another database that nobody is using; its name."""
        name = f"clearinghouse_test_{os.getpid()}_{next(_numbers)}"
        create_database(self.admin_dsn, name, owner=self._owner, template=template or self._mine)
        return name

    def drop(self, name: str) -> None:
        drop_database(self.admin_dsn, name)

    def close(self) -> None:
        self.drop(self._mine)


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The configured server, else an embedded one that ends with the run."""
    external = Settings.from_environment(os.environ).database_url
    if external is not None:
        admin = external.replace("postgresql+psycopg2://", "postgresql://", 1)
        found = Server(admin, external, None)
        yield found
        found.close()
        return
    settings = Settings(data_dir=tmp_path_factory.mktemp("server"))
    # Tests kill processes, not machines: what is not flushed survives that, and it is quicker.
    endpoint = ensure_running(settings, {"fsync": "off", "max_connections": "200"})
    try:
        yield Server(endpoint.dsn(SUPERUSER, MAINTENANCE_DATABASE), endpoint.url(), OWNER)
    finally:
        stop(settings)


@pytest.fixture
def database_url(server: Server) -> Iterator[str]:
    """The URL of a fresh database with the newest schema and nothing in it."""
    name = server.new_database()
    yield server.url(name)
    with suppress(Exception):
        server.drop(name)


@pytest.fixture
def context(database_url: str) -> Iterator[Context]:
    """The surroundings of operations on a fresh database."""
    database = Database(database_url)
    yield Context(database, Vault(bytes(32)))
    database.close()


@pytest.fixture
def shared_folder() -> Path:
    """The contract's shared material beside the checkout; a clone without it skips what needs it."""
    folder = Path(__file__).resolve().parents[2] / "shared"
    if not folder.is_dir():
        pytest.skip("the contract's shared material does not lie beside this checkout")
    return folder
