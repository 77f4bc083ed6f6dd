"""The site on a fresh alliance for every test that asks."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from clearinghouse.operations.context import Context
from clearinghouse.store.database import Database
from clearinghouse.store.vault import Vault
from tests.conftest import Server
from tests.web import money_story
from tests.web.settled import site_on, tell
from tests.web.site import Site


@pytest.fixture
def site(founded: object, context: Context, tmp_path: Path) -> Iterator[Site]:
    made = Site(context, tmp_path / "site")
    yield made
    assert made.failures == []


@pytest.fixture(scope="session")
def settled_months(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A database in which two months are settled, to copy."""
    name = tell(server, tmp_path_factory.mktemp("settled"))
    yield name
    server.drop(name)


@pytest.fixture
def settled(server: Server, settled_months: str, tmp_path: Path) -> Iterator[Site]:
    """The site on books in which two months are settled (``tests/web/settled.py``)."""
    name = server.new_database(settled_months)
    database = Database(server.url(name))
    made = site_on(Context(database, Vault(bytes(32))), tmp_path / "site")
    yield made
    database.close()
    server.drop(name)
    assert made.failures == []


@pytest.fixture(scope="module")
def october(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A month with money owed; the name of its database, to be copied."""
    name = money_story.tell(server, tmp_path_factory.mktemp("october"))
    yield name
    server.drop(name)


@pytest.fixture
def story(server: Server, october: str, tmp_path: Path) -> Iterator[money_story.Story]:
    """A copy of that month for one test."""
    with money_story.told_again(server, october, tmp_path, money_story.Story) as made:
        yield made
