"""One PostgreSQL for the whole run, and a fresh copy of the migrated books for every test that asks.

``CLEARINGHOUSE_DATABASE_URL`` runs the same tests on another server; its user must be allowed to create
databases and roles there.
"""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from itertools import count
from pathlib import Path

import pytest
from sqlalchemy import make_url

from clearinghouse.config import Settings
from clearinghouse.operations import giving_way
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
from tests.founding import copied, founding
from tests.made_once import make_once
from tests.store.databases import create_database, drop_database

TEMPLATE = "clearinghouse_template"
#: Files that take longest, mostly because they start and kill processes: begun first, so that none is begun last.
LONGEST = (
    "test_crews.py",
    "test_schemathesis.py",
    "test_run_survives.py",
    "test_import_survives.py",
    "test_batches_survive.py",
    "test_journeys.py",
    "test_breakage.py",
    "test_workers.py",
    "test_smoke.py",
    "test_mean_clients.py",
    "test_embedded_crashes.py",
    "test_real_months.py",
    "test_service_survives.py",
    "test_sandbox.py",
    "test_backup.py",
    "test_holds.py",
    "test_post_properties.py",
    "test_embedded.py",
    "test_demo_day.py",
    "test_statement_formats.py",
    "test_journal.py",
    "test_cli.py",
)
#: Tests kill processes, not machines: what is not flushed survives that, and it is quicker. No database lives long
#: enough to be vacuumed. What is about durability has a server of its own, set up like anybody's.
_QUICK = {
    "fsync": "off",
    "full_page_writes": "off",
    "autovacuum": "off",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "min_wal_size": "64MB",
    "max_wal_size": "512MB",
    "max_connections": "200",
}
_MEMORY = Path("/dev/shm")  # noqa: S108 - the folder of a run has a name of its own and is closed to others
_MINE = "clearinghouse-tests-"
_PLENTY = 8 << 30
_numbers = count(1)


def pytest_configure() -> None:
    make_once()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the files that take longest first; within a file the order stays."""
    order = {name: number for number, name in enumerate(LONGEST)}
    items.sort(key=lambda item: order.get(item.path.name, len(order)))


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


@pytest.fixture(scope="session", autouse=True)
def no_rests() -> Iterator[None]:
    """Tests write beside each other: no closing rests for that."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(giving_way, "_TIMES", 0)
        yield


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
    with _quick_folder(tmp_path_factory) as folder:
        settings = Settings(data_dir=folder)
        endpoint = ensure_running(settings, _QUICK)
        try:
            yield Server(endpoint.dsn(SUPERUSER, MAINTENANCE_DATABASE), endpoint.url(), OWNER)
        finally:
            stop(settings)


@contextmanager
def _quick_folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder in memory, where there is plenty: making 800 databases of 400 files each is what tests wait for most."""
    if not _MEMORY.is_dir() or shutil.disk_usage(_MEMORY).free < _PLENTY:
        yield tmp_path_factory.mktemp("server")
        return
    for old in _MEMORY.glob(f"{_MINE}*"):
        # Of a run that was killed: its server ends by itself once the folder is gone.
        if not Path("/proc", old.name.split("-")[-2]).exists():
            shutil.rmtree(old, ignore_errors=True)
    folder = Path(tempfile.mkdtemp(dir=_MEMORY, prefix=f"{_MINE}{os.getpid()}-"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


#: The alliance of domain.md §6: who asks for it has it in the database already.
founded = founding(scope="session")


@pytest.fixture
def database_url(server: Server, request: pytest.FixtureRequest) -> Iterator[str]:
    """The URL of a fresh database with the newest schema: nothing is in it, or ``founded`` if that is asked for too."""
    found = request.getfixturevalue("founded") if "founded" in request.fixturenames else None
    if found:
        with copied(server, found) as url:
            yield url
        return
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
