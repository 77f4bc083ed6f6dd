"""An alliance is founded once, and each test that asks for ``founded`` gets a copy: importing takes longer than a test.

The database of such a test (``database_url``, ``context``) is a copy of one in which the alliance was founded with the
clock of a test, and the first :class:`MiniAlliance` on it takes it over as if it had founded it. It is that of
domain.md §6; where the tests of a module found another, or at another time, the module says so, and so does its call:

    founded = founding(rulebook={"hold_minutes": 60})
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import pytest

from clearinghouse.operations.context import Context
from clearinghouse.store.database import Database
from clearinghouse.store.vault import Vault
from tests.alliances import FOUNDED_AT, PACK, RULEBOOK, MiniAlliance

if TYPE_CHECKING:
    from tests.conftest import Server


class Founded(NamedTuple):
    """An alliance in a database that nobody is using.

    Attributes:
        database: The name of the database.
        given: What the alliance was founded with.
        now: What its clock was when it was left.
    """

    database: str
    given: object
    now: datetime


def left(alliance: MiniAlliance, database: str) -> Founded:
    """Leave an alliance as it is now, to be copied."""
    alliance.database.close()
    return Founded(database, alliance.given, alliance.clock.now)


def lived_in(url: str) -> None:
    """Let the next :class:`MiniAlliance` on a copied story take over its alliance, that of domain.md §6.

    Its clock stands where it began: let it pass to where the story ends.
    """
    MiniAlliance.copies[url] = (PACK, RULEBOOK, FOUNDED_AT), FOUNDED_AT


@contextmanager
def copied(server: Server, founded: Founded) -> Iterator[str]:
    """The URL of a copy, which the next :class:`MiniAlliance` on it takes over."""
    name = server.new_database(founded.database)
    url = server.url(name)
    MiniAlliance.copies[url] = founded.given, founded.now
    yield url
    MiniAlliance.copies.pop(url, None)
    with suppress(Exception):
        server.drop(name)


def founding(scope: Literal["module", "session"] = "module", **given: Any) -> Any:
    """A fixture to be called ``founded``: an alliance founded with what is given, as for :class:`MiniAlliance`."""

    @pytest.fixture(scope=scope)
    def founded(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Founded]:
        name = server.new_database()
        context = Context(Database(server.url(name)), Vault(bytes(32)))
        yield left(MiniAlliance(context, tmp_path_factory.mktemp("founded"), **given), name)
        server.drop(name)

    return founded
