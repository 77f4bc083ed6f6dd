"""Databases for tests, on any PostgreSQL: made from a template in a moment, dropped afterwards."""

from collections.abc import Iterator
from contextlib import closing, contextmanager

import psycopg2
from psycopg2 import sql


def create_database(
    superuser_dsn: str, name: str, *, owner: str | None = None, template: str | None = None
) -> None:
    """Creates a database, as a copy of ``template`` if given (which nobody may be using then)."""
    statement = sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name))
    if owner is not None:
        statement += sql.SQL(" OWNER {}").format(sql.Identifier(owner))
    if template is not None:
        # Copying the files is quicker than logging every page where nothing is flushed, as on the tests' server.
        statement += sql.SQL(" TEMPLATE {} STRATEGY file_copy").format(sql.Identifier(template))
    _run(superuser_dsn, statement)


def drop_database(superuser_dsn: str, name: str) -> None:
    """Drops a database if it is there, cutting off its connections."""
    _run(
        superuser_dsn,
        sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)),
    )


@contextmanager
def temporary_database(
    superuser_dsn: str, name: str, *, owner: str | None = None, template: str | None = None
) -> Iterator[str]:
    """A database for the length of a ``with`` block; yields its name."""
    drop_database(superuser_dsn, name)
    create_database(superuser_dsn, name, owner=owner, template=template)
    try:
        yield name
    finally:
        drop_database(superuser_dsn, name)


def _run(dsn: str, statement: sql.Composable) -> None:
    with closing(psycopg2.connect(dsn)) as connection:
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute(statement)
