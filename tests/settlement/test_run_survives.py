"""A run that is killed anywhere and started again ends with the same bytes and signatures (domain.md §4)."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from clearinghouse.domain.calendar import parse_period
from clearinghouse.operations.context import Context
from clearinghouse.operations.prove import prove
from clearinghouse.store.database import Database
from clearinghouse.store.vault import Vault
from settlement.run import settle
from tests.alliances import MiniAlliance, live_a_while
from tests.conftest import Server
from tests.settlement.lives import Published, books, lives_until_done, published

DECEMBER = parse_period("2026-12")
CUT_OFF = datetime(2027, 1, 21, tzinfo=UTC)


@pytest.fixture(scope="module")
def before(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A database with two published months and a third, in which everything happens that can, ready to be settled."""
    name = server.new_database()
    database = Database(server.url(name))
    terms = {"points_expiry_months": 1, "restore_grace_days": 5}
    folder = tmp_path_factory.mktemp("before")
    live_a_while(MiniAlliance(Context(database, Vault(bytes(32))), folder, rulebook=terms))
    database.close()
    yield name
    server.drop(name)


@pytest.fixture
def url(server: Server, before: str) -> Iterator[str]:
    """A copy of it."""
    name = server.new_database(template=before)
    yield server.url(name)
    server.drop(name)


@pytest.fixture(scope="module")
def uninterrupted(server: Server, before: str) -> dict[str, Published]:
    name = server.new_database(template=before)
    with books(server.url(name), CUT_OFF) as context:
        settle(context, DECEMBER)
    found = published(server.url(name), DECEMBER)
    server.drop(name)
    return found


@pytest.mark.parametrize("behind", [True, False], ids=["behind a commit", "before the next commit"])
def test_a_run_that_is_killed_at_every_commit_ends_with_the_same_bytes(
    url: str, uninterrupted: dict[str, Published], behind: bool
) -> None:
    """Each of its lives commits once, a stage or a file, and is killed; the next one finds another clock."""
    lives = lives_until_done(url, DECEMBER, CUT_OFF, behind=behind)
    # Closing, expiry, netting, four statements, the other files, publishing: none was skipped.
    assert lives > 8 + len([path for path in uninterrupted if "/" not in path]) - 2
    found = published(url, DECEMBER)
    assert found.keys() == uninterrupted.keys()
    assert [path for path in found if found[path] != uninterrupted[path]] == []
    with books(url, CUT_OFF) as context:
        assert [proof.name_en for proof in prove(context) if not proof.holds] == []
