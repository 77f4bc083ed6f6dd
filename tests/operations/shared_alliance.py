"""A tiny alliance that several tests share, where each would only look or be refused."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from clearinghouse.operations.context import Context
from clearinghouse.store.database import Database
from clearinghouse.store.vault import Vault
from tests.alliances import MiniAlliance
from tests.conftest import Server


@contextmanager
def shared_alliance(server: Server, folder: Path, **given: Any) -> Iterator[MiniAlliance]:
    """Found an alliance in a database of its own, for a fixture of module scope."""
    name = server.new_database()
    database = Database(server.url(name))
    try:
        yield MiniAlliance(Context(database, Vault(bytes(32))), folder, **given)
    finally:
        database.close()
        server.drop(name)
