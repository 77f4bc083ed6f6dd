"""What every benchmark stands on: a server as the product sets it up, fresh books, and packs to import."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import psycopg2

from clearinghouse.config import Settings
from clearinghouse.operations.context import Context
from clearinghouse.operations.importing import import_pack
from clearinghouse.store.database import Database
from clearinghouse.store.embedded import (
    MAINTENANCE_DATABASE,
    OWNER,
    SUPERUSER,
    Endpoint,
    ensure_running,
    stop,
)
from clearinghouse.store.migrate import migrate
from clearinghouse.store.vault import Vault
from tests.benchmarks.activity import write_opening
from tests.benchmarks.machine import Taken, watched
from tests.benchmarks.members import Alliance, make_alliance, write_members

#: Told what is being done now.
Tell = Callable[[str], None]

_LARGE_BYTES = 64 << 20


@dataclass(frozen=True, slots=True)
class Sizes:
    """How much is measured, and how often.

    Attributes:
        rounds: How often each figure is measured; the median counts.
        imported: Lines of the import benchmark.
        books: How many lines the books hold already, from few to many.
        probe: Lines whose cost is measured on such books.
        at_one_hotel: Lines of the one-hotel benchmark.
        unfolded: Lines posted last whose increments the netting finds unfolded.
        travellers: Who makes the lines of most benchmarks.
        crowd: Who makes the long month; so many that no traveller has an absurd number of lots.
        months: Transactions of the months that are made by SQL and settled.
        calls: Requests over HTTP in one measurement of the till.
        yardstick_seconds: How long pgbench runs beside it.
    """

    rounds: int = 5
    imported: int = 200_000
    books: tuple[int, ...] = (10_000, 100_000, 1_000_000)
    probe: int = 20_000
    at_one_hotel: int = 50_000
    unfolded: int = 10_000
    systems: int = 60
    hotels: int = 500
    travellers: int = 20_000
    crowd: int = 100_000
    months: tuple[int, ...] = (1_000_000, 10_000_000)
    calls: int = 4_000
    yardstick_seconds: int = 6


FULL = Sizes()
QUICK = Sizes(
    rounds=3,
    imported=20_000,
    books=(10_000, 100_000),
    probe=8_000,
    at_one_hotel=10_000,
    unfolded=2_000,
    crowd=20_000,
    months=(100_000, 500_000),
)


class Bench:
    """A server of its own under ``folder``, durable as the product's, and templates of books on it."""

    def __init__(self, folder: Path, sizes: Sizes, tell: Tell) -> None:
        self.folder = folder
        self.sizes = sizes
        self.tell = tell
        self.alliance = self._alliance(sizes.travellers)
        self.crowd = self._alliance(sizes.crowd)
        self._settings = Settings(data_dir=folder / "data")
        self.endpoint: Endpoint = ensure_running(self._settings)
        self._vault = Vault.open(self._settings)
        self._numbers = count(1)

    def close(self) -> None:
        """Stop the server."""
        stop(self._settings)

    @contextmanager
    def books(self, template: str | None = None, *, keep: str | None = None) -> Iterator[Context]:
        """Open books of their own: a copy of ``template``, else empty with the newest schema.

        They are gone at the end, or kept as a template named ``keep``.
        """
        name = keep or f"books_{next(self._numbers)}"
        self._create(name, template)
        if template is None:
            migrate(self.endpoint.url(database=name))
        try:
            with self.opened(name) as context:
                yield context
        finally:
            # Dropping waits for a checkpoint; what is small may stay till the end.
            if keep is None and self._is_large(name):
                self.run(f"DROP DATABASE {name} WITH (FORCE)")

    @contextmanager
    def opened(self, name: str) -> Iterator[Context]:
        """Open books that are kept."""
        database = Database(self.endpoint.url(database=name))
        try:
            yield Context(database, self._vault)
        finally:
            database.close()

    def members(self, alliance: Alliance) -> str:
        """Return the template of books that know an alliance's members and hold no lines."""
        name = f"members_{alliance.travellers}"
        if not self.exists(name):
            self.tell(f"members and {alliance.travellers:,} travellers")
            pack = write_members(alliance, self.folder / name)
            with self.books(keep=name) as context:
                import_pack(context, pack)
        return name

    def opening(self, alliance: Alliance) -> str:
        """Return the template of books in which every traveller has points of the month before."""
        name = f"opening_{alliance.travellers}"
        if not self.exists(name):
            self.tell(f"opening points of {alliance.travellers:,} travellers")
            with self.books(self.members(alliance), keep=name) as context:
                imported(context, write_opening(alliance, self.folder / name))
        return name

    def settle_disk(self) -> None:
        """Write all that is waiting, so that what is measured next does not pay for what came before."""
        self.run("CHECKPOINT")

    @contextmanager
    def watched(self) -> Iterator[Taken]:
        """Measure a ``with`` block."""
        with watched(self.endpoint) as taken:
            yield taken

    @property
    def data_dir(self) -> Path:
        """The data folder of the server, with the key of the vault."""
        return self._settings.data_dir

    def dsn(self, context: Context) -> str:
        """Where a context's books are, for a program of PostgreSQL, as the owner of the tables."""
        name = context.database.owner_url.partition("?")[0].rpartition("/")[2]
        return self.endpoint.dsn(OWNER, name)

    def connect(self, context: Context) -> closing[psycopg2.extensions.connection]:
        """Connect to a context's books beside it, as the owner of the tables."""
        return closing(psycopg2.connect(self.dsn(context)))

    def run(self, statement: str) -> None:
        """Run a statement of the server's administrator."""
        with closing(psycopg2.connect(self._admin)) as connection:
            connection.autocommit = True
            with connection.cursor() as cursor:
                cursor.execute(statement)

    def _alliance(self, travellers: int) -> Alliance:
        sizes = self.sizes
        return make_alliance(systems=sizes.systems, hotels=sizes.hotels, travellers=travellers)

    @property
    def _admin(self) -> str:
        return self.endpoint.dsn(SUPERUSER, MAINTENANCE_DATABASE)

    def exists(self, name: str) -> bool:
        """Tell whether there are books of a name."""
        with closing(psycopg2.connect(self._admin)) as connection, connection.cursor() as cursor:
            cursor.execute("SELECT FROM pg_database WHERE datname = %s", [name])
            return cursor.fetchone() is not None

    def _is_large(self, name: str) -> bool:
        with closing(psycopg2.connect(self._admin)) as connection, connection.cursor() as cursor:
            cursor.execute("SELECT pg_database_size(%s) > %s", [name, _LARGE_BYTES])
            row = cursor.fetchone()
            return bool(row and row[0])

    def _create(self, name: str, template: str | None) -> None:
        options = f"OWNER {OWNER}"
        if template is not None:
            # Through the journal, as is usual, a large copy would leave gigabytes of it to write.
            strategy = "FILE_COPY" if self._is_large(template) else "WAL_LOG"
            options += f" TEMPLATE {template} STRATEGY {strategy}"
        self.run(f"CREATE DATABASE {name} {options}")


def imported(context: Context, pack: Path) -> int:
    """Import a pack of which nearly every line must be accepted; return how many lines it has.

    Raises:
        RuntimeError: more than one line in a hundred was refused, so the figures would mean little.
    """
    result = import_pack(context, pack)
    if result.rejected * 100 > result.lines:
        raise RuntimeError(f"{result.rejected} of {result.lines} lines were refused")
    return result.lines
