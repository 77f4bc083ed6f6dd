"""The API on a fresh alliance for every test that asks."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from clearinghouse.client import Client
from clearinghouse.operations.context import Context
from clearinghouse.store.database import Database
from clearinghouse.store.vault import Vault
from tests.api.calling import NOW, client_of
from tests.api.lived import Lived
from tests.api.service import Service
from tests.api.wire import Line, line_to, served
from tests.conftest import Server


@pytest.fixture
def service(founded: object, context: Context, tmp_path: Path) -> Service:
    return Service(context, tmp_path / "service")


@pytest.fixture(scope="module")
def lived(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lived]:
    """One alliance that was lived in for all tests of a file; what one does the next one meets."""
    name = server.new_database()
    database = Database(server.url(name))
    yield Lived(Context(database, Vault(bytes(32))), tmp_path_factory.mktemp("lived"))
    database.close()
    server.drop(name)


@pytest.fixture
def wire(service: Service) -> Iterator[Line]:
    """The tenth of November 2026, T1 has 1,200 points of AUR-SH and 1,333 of BAM-HZ; a line to the service."""
    service.alliance.accept("spend", "AUR-SH", "1", "T1", "2026-11-02", amount=120_000)
    service.alliance.accept("spend", "BAM-HZ", "2", "T1", "2026-11-03", amount=88_888)
    service.alliance.clock.pass_to(NOW)
    with served(lambda _: service.app) as target, line_to(target) as line:
        yield line


@pytest.fixture
def cld(service: Service, wire: Line) -> Iterator[Client]:
    with client_of(service, wire) as client:
        yield client
