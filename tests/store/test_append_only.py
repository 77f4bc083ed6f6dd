"""The database itself refuses to change the books: to the service, to its owner, on tables and on their parts."""

from contextlib import closing

import psycopg2
import psycopg2.errors
import pytest

from clearinghouse.store.database import Database

PARTED = ("transactions", "legs", "postings", "entries")
TABLES = (
    *PARTED, *(f"{table}_{month}" for table in PARTED for month in (202610, 202612)),
    "transaction_refs", "transaction_refs_0", "transaction_refs_7", "audit_log", "outbox",
)  # fmt: skip
COLUMN = {"transactions": "points", "legs": "fee_minor", "postings": "amount", "entries": "kind"}
_PUBLISHED = "(SELECT min(period) FROM periods WHERE state = 'published')"
#: Rows that would be new in a published period.
FROZEN = {
    "positions": "INSERT INTO systems (code, name_zh, name_en, profile_on) VALUES ('NEW', '新', 'New', now());"
    f" INSERT INTO positions SELECT {_PUBLISHED}, max(number), 0, 0, 0, 0, true, 0, 0 FROM systems",
    "obligations": f"INSERT INTO obligations SELECT {_PUBLISHED}, min(number), max(number), 'more', 1, 1 FROM systems",
    "points_liability": "INSERT INTO hotels (code) VALUES ('NEW');"
    f" INSERT INTO points_liability SELECT {_PUBLISHED}, max(number), 0, 0, 0, 0, 0, 0, 0 FROM hotels",
    "period_files": f"INSERT INTO period_files VALUES ({_PUBLISHED}, 'more.csv', NULL, '', 0, 0)",
    "period_file_chunks": f"INSERT INTO period_file_chunks VALUES ({_PUBLISHED}, 'positions.csv', 9, '')",
}
DEEDS = ("UPDATE {table} SET {column} = {column}", "DELETE FROM {table}", "TRUNCATE {table}")


@pytest.fixture
def url(lived: Database) -> str:
    """The address of books in which every table has rows, as the owner of the tables."""
    return lived.owner_url.replace("+psycopg2", "", 1)


def attempt(url: str, statement: str, role: str | None = None) -> None:
    """Run a statement as the owner of the tables, or as a role of the service."""
    with closing(psycopg2.connect(url)) as connection:
        with connection.cursor() as cursor:
            if role:
                cursor.execute(f"SET ROLE {role}")
            cursor.execute(statement)
        connection.rollback()


def deed(statement: str, table: str) -> str:
    whole = table.rsplit("_2026", 1)[0]
    column = COLUMN.get(whole, "txn_ref" if table.startswith("transaction_refs") else "at")
    return statement.format(table=table, column=column)


@pytest.mark.parametrize("statement", DEEDS)
@pytest.mark.parametrize("table", TABLES)
def test_nobody_changes_what_is_written(url: str, table: str, statement: str) -> None:
    for role in ("clearinghouse_poster", "clearinghouse_reader"):
        with pytest.raises(psycopg2.errors.InsufficientPrivilege):
            attempt(url, deed(statement, table), role)
    if statement.startswith("TRUNCATE") or not is_empty(url, table):
        with pytest.raises(
            psycopg2.errors.RestrictViolation, match="append-only: correct by adding"
        ):
            attempt(url, deed(statement, table))


def is_empty(url: str, table: str) -> bool:
    with closing(psycopg2.connect(url)) as connection, connection.cursor() as cursor:
        cursor.execute(f"SELECT count(*) FROM {table}")
        return cursor.fetchone() == (0,)


def test_only_december_has_no_entries(url: str) -> None:
    """So the test above is of rows that are there."""
    empty = [table for table in TABLES if is_empty(url, table)]
    assert set(empty) <= {"entries_202612", "transaction_refs_0", "transaction_refs_7"}


@pytest.mark.parametrize("table", FROZEN)
def test_a_published_period_never_changes(url: str, table: str) -> None:
    for statement in (
        f"UPDATE {table} SET period = period",
        f"DELETE FROM {table}",
        f"TRUNCATE {table} CASCADE",
    ):
        with pytest.raises(psycopg2.errors.InsufficientPrivilege):
            attempt(url, statement, "clearinghouse_poster")
        with pytest.raises(psycopg2.errors.RestrictViolation):
            attempt(url, statement)
    for role in (None, "clearinghouse_poster"):
        with pytest.raises(
            psycopg2.errors.RestrictViolation, match="a published period never changes"
        ):
            attempt(url, FROZEN[table], role)


@pytest.mark.parametrize("role", [None, "clearinghouse_poster"])
def test_a_period_only_goes_forward(url: str, role: str | None) -> None:
    with pytest.raises(psycopg2.errors.RestrictViolation, match="only goes forward"):
        attempt(url, "UPDATE periods SET state = 'open' WHERE state = 'published'", role)
    with pytest.raises((psycopg2.errors.RestrictViolation, psycopg2.errors.InsufficientPrivilege)):
        attempt(url, "DELETE FROM periods WHERE state = 'open'", role)


def test_a_new_period_is_protected_from_its_first_row_on(url: str) -> None:
    later = 2027 * 12 + 5
    for table in PARTED:
        with pytest.raises(psycopg2.errors.RestrictViolation):
            attempt(url, f"SELECT open_period({later}); TRUNCATE {table}_202706")
