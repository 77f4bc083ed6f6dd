"""Fixtures that several files of settlement share."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from clearinghouse.operations.context import Context
from clearinghouse.store.database import Database
from clearinghouse.store.vault import Vault
from tests.alliances import MiniAlliance, TestClock
from tests.api.office import Office
from tests.conftest import Server
from tests.settlement.signed_books import NOW, Books


@pytest.fixture(scope="module")
def signed_template(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """September is published; October has legs and may be closed."""
    name = server.new_database()
    database = Database(server.url(name))
    alliance = MiniAlliance(
        Context(database, Vault(bytes(32))), tmp_path_factory.mktemp("alliance")
    )
    alliance.accept("spend", "BAM-HZ", "1", "T1", "2026-09-03", amount=88_888)
    alliance.settle("2026-09")
    alliance.accept("redeem", "CLD-GZ", "2", "T1", "2026-10-04", points=500)
    alliance.accept("spend", "AUR-SH", "3", "T2", "2026-10-05", amount=45_600)
    database.close()
    yield name
    server.drop(name)


@pytest.fixture
def books(server: Server, signed_template: str, tmp_path: Path) -> Iterator[Books]:
    name = server.new_database(template=signed_template)
    url = server.url(name)
    database = Database(url)
    context = Context(database, Vault(bytes(32)), TestClock(NOW))
    yield Books(context, Office(url, tmp_path), tmp_path / "out")
    database.close()
    server.drop(name)
