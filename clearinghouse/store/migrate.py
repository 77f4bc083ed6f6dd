"""Bringing a database to the newest schema; safe to call at every start, by several processes at once."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

from sqlalchemy import Connection, NullPool, create_engine, text
from sqlalchemy.exc import OperationalError, ProgrammingError

from clearinghouse.domain.errors import DatabaseUnavailable

_MIGRATION_LOCK = 727006
_OLDEST_SERVER = 150000


def migrate(owner_url: str) -> None:
    """Run the migrations that the database lacks.

    Raises:
        DatabaseUnavailable: no database there, too old a server, a newer schema than this version knows, or a
            user who may not make what is needed.
    """
    known = _revisions()
    engine = create_engine(owner_url, poolclass=NullPool)
    try:
        with engine.connect() as connection:
            version = int(connection.execute(text("SHOW server_version_num")).scalar_one())
            if version < _OLDEST_SERVER:
                raise DatabaseUnavailable(
                    f"PostgreSQL 15 or newer is needed, this is {version // 10000}"
                )
            connection.execute(text(f"SELECT pg_advisory_lock({_MIGRATION_LOCK})"))
            try:
                found = _revision(connection)
                if found != known[0]:
                    _must_be_ours(connection, found, known)
                    connection.commit()
                    _upgrade(connection)
                    connection.commit()
            finally:
                connection.rollback()
                connection.execute(text(f"SELECT pg_advisory_unlock({_MIGRATION_LOCK})"))
                connection.commit()
    except (OperationalError, ProgrammingError) as error:
        reason = str(error.orig).strip().splitlines()[0] if error.orig else "no answer"
        raise DatabaseUnavailable(f"the database can't be used: {reason}") from error
    finally:
        engine.dispose()


def _must_be_ours(connection: Connection, found: str | None, known: list[str]) -> None:
    """Refuse to migrate what a newer version made, or what another role owns. ``known`` begins with the newest."""
    if found is None:
        return
    if found not in known:
        raise DatabaseUnavailable(
            f"the database has schema {found}, which is newer than this version ({known[0]}):"
            " install the version that made it"
        )
    owned = "SELECT pg_has_role(relowner, 'USAGE') FROM pg_class WHERE oid = 'alembic_version'::regclass"
    if not connection.execute(text(owned)).scalar_one():
        raise DatabaseUnavailable(
            f"the database has schema {found} and this version needs {known[0]}:"
            " run 'clearinghouse db migrate' as the owner of its tables"
        )


def _folder() -> Path:
    """Return where the migrations lie, without importing what belongs to a layer above."""
    found = find_spec("migrations")
    if found is None or found.origin is None:
        raise DatabaseUnavailable("the migrations are not installed")
    return Path(found.origin).parent


def _revisions() -> list[str]:
    """Return the revisions that there are, the newest first: migrations are numbered by their files' names."""
    return sorted((path.name[:4] for path in _folder().glob("versions/[0-9]*.py")), reverse=True)


def _upgrade(connection: Connection) -> None:
    # Late: every command looks whether there is something to do, and hardly one finds it; loading it takes a while.
    from alembic import command  # noqa: PLC0415 - see above
    from alembic.config import Config  # noqa: PLC0415 - see above

    config = Config()
    config.set_main_option("script_location", str(_folder()))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


def _revision(connection: Connection) -> str | None:
    if connection.execute(text("SELECT to_regclass('alembic_version')")).scalar_one() is None:
        return None
    found = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    return None if found is None else str(found)
