"""The court of the tests about disputes: October published once, and a copy of it for each test."""

from collections.abc import Iterator

import pytest

from tests.conftest import Server
from tests.operations.court import Court, published_october


@pytest.fixture(scope="session")
def october(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with published_october(server, tmp_path_factory.mktemp("packs")) as name:
        yield name


@pytest.fixture
def court(server: Server, october: str) -> Iterator[Court]:
    found = Court(server, october)
    yield found
    found.context.database.close()
    server.drop(found.name)
