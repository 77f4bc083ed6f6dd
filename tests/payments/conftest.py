"""An alliance whose October is published, copied for each test: AUR pays 306.62, BAM gets 282.11 and CLD 13.60."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from clearinghouse.operations.context import Context
from clearinghouse.store.database import Database
from clearinghouse.store.directory import DirectoryCache
from clearinghouse.store.vault import Vault
from tests.alliances import MiniAlliance
from tests.conftest import Server
from tests.payments.desk import Desk


@pytest.fixture(scope="session")
def published(
    server: Server, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[str, MiniAlliance]]:
    """A database with the worked example of domain.md §6 in October, which is published."""
    name = server.new_database()
    database = Database(server.url(name))
    alliance = MiniAlliance(
        Context(database, Vault(bytes(32))), tmp_path_factory.mktemp("published")
    )
    do = alliance.accept
    do("spend", "AUR-SH", "1", "T1", "2026-10-02", amount=120_000)
    do("spend", "BAM-HZ", "2", "T1", "2026-10-03", amount=88_888)
    do("redeem", "CLD-GZ", "3", "T1", "2026-10-04", points=2_000)
    do("load", "AUR-BJ", "5", "T1", "2026-10-06", amount=100_000)
    do("stored_value_spend", "BAM-HZ", "6", "T1", "2026-10-07", amount=30_050)
    alliance.settle("2026-10")
    database.close()
    yield name, alliance
    server.drop(name)


@pytest.fixture
def desk(server: Server, published: tuple[str, MiniAlliance], tmp_path: Path) -> Iterator[Desk]:
    """The payments desk of a copy of that alliance."""
    template, alliance = published
    name = server.new_database(template)
    database = Database(server.url(name))
    context = replace(
        alliance.context, database=database, directory=DirectoryCache(), open_periods=set()
    )
    yield Desk(alliance, context, tmp_path)
    database.close()
    server.drop(name)
