"""Bringing a database to the newest schema; safe to call at every start, by several processes at once."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, NullPool, create_engine, text
from sqlalchemy.exc import OperationalError, ProgrammingError

from clearinghouse.domain.errors import DatabaseUnavailable

_MIGRATION_LOCK = 727006
_OLDEST_SERVER = 150000


def migrate(owner_url: str) -> None:
    """Run the migrations that the database lacks.

    Raises:
        DatabaseUnavailable: no database there, too old a server, or its user may not make what is needed.
    """
    config = Config()
    config.set_main_option("script_location", str(_folder()))
    engine = create_engine(owner_url, poolclass=NullPool)
    try:
        with engine.connect() as connection:
            version = int(connection.execute(text("SHOW server_version_num")).scalar_one())
            if version < _OLDEST_SERVER:
                raise DatabaseUnavailable(
                    f"PostgreSQL 15 or newer is needed, this is {version // 10000}"
                )
            newest = ScriptDirectory.from_config(config).get_current_head()
            connection.execute(text(f"SELECT pg_advisory_lock({_MIGRATION_LOCK})"))
            try:
                if _revision(connection) != newest:
                    connection.commit()
                    config.attributes["connection"] = connection
                    command.upgrade(config, "head")
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


def _folder() -> Path:
    """Return where the migrations lie, without importing what belongs to a layer above."""
    found = find_spec("migrations")
    if found is None or found.origin is None:
        raise DatabaseUnavailable("the migrations are not installed")
    return Path(found.origin).parent


def _revision(connection: Connection) -> str | None:
    if connection.execute(text("SELECT to_regclass('alembic_version')")).scalar_one() is None:
        return None
    found = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    return None if found is None else str(found)
