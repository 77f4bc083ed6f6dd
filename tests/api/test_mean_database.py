"""The till beside a database that fails it: locked, cut off, gone. Nobody pays for another, nothing is lost."""

import socket
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager, suppress
from typing import Any

import psycopg2
import psycopg2.extensions
import pytest
from sqlalchemy import make_url
from werkzeug.test import TestResponse

from clearinghouse.domain.errors import DatabaseUnavailable
from clearinghouse.operations import answering
from clearinghouse.operations.context import Context
from clearinghouse.operations.prove import prove
from clearinghouse.store import database as connecting
from clearinghouse.store.database import Database
from tests.alliances import CARDS
from tests.api.calling import AT, DAY, NOW
from tests.api.service import Caller, Service

_LIMIT_SECONDS = 60
_WAITING = "FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"


@contextmanager
def beside(url: str) -> Iterator[psycopg2.extensions.cursor]:
    """Somebody else in a transaction on the same database."""
    with closing(psycopg2.connect(url.replace("+psycopg2", ""))) as other, other.cursor() as cursor:
        yield cursor


@pytest.fixture
def till(service: Service) -> Caller:
    service.alliance.clock.pass_to(NOW)
    return service.client("CLD")


def stated(count: int) -> list[dict[str, Any]]:
    """Purchases of two travellers in turn, each under a reference of its own."""
    return [
        {
            "kind": "spend",
            "host_hotel": "CLD-GZ",
            "txn_ref": f"L{number}",
            "card_number": CARDS["T2" if number % 2 else "T1"],
            "business_date": DAY.isoformat(),
            "occurred_at": AT.isoformat(),
            "amount": {"amount_minor": 500},
        }
        for number in range(count)
    ]


def at_once(
    service: Service,
    till: Caller,
    bodies: list[dict[str, Any]],
    meanwhile: Callable[[], None] = lambda: None,
) -> dict[str, TestResponse]:
    """Send bodies at the same moment, each with its reference as key; return the answers by reference."""
    ready = threading.Barrier(len(bodies))

    def send(body: dict[str, Any]) -> tuple[str, TestResponse]:
        caller = Caller(service.app.test_client(), till.token)
        ready.wait(_LIMIT_SECONDS)
        return body["txn_ref"], caller.post("/v1/transactions", json=body, key=body["txn_ref"])

    with ThreadPoolExecutor(len(bodies)) as pool:
        answers = [pool.submit(send, body) for body in bodies]
        meanwhile()
        return dict(answer.result(_LIMIT_SECONDS) for answer in answers)


def lock_traveller(cursor: psycopg2.extensions.cursor, ref: str) -> None:
    cursor.execute("SELECT FROM travellers WHERE ref = %s FOR UPDATE", [ref])
    assert cursor.rowcount == 1


def are_right(service: Service, bodies: list[dict[str, Any]]) -> None:
    """All of them are in the books, each once, and the books are sound."""
    posted = Counter(row[0] for row in service.alliance.rows("SELECT txn_ref FROM transactions"))
    assert posted == Counter(body["txn_ref"] for body in bodies)
    assert [proof.name_en for proof in prove(service.context) if not proof.holds] == []


def test_who_waits_too_long_for_a_lock_is_told_and_keeps_nobody_else(
    service: Service, till: Caller, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(answering, "_LOCK_SECONDS", 0.2)
    bodies = stated(8)
    with beside(database_url) as other:
        lock_traveller(other, "T1")
        first = at_once(service, till, bodies)
    stuck = {body["txn_ref"] for body in bodies if body["card_number"] == CARDS["T1"]}
    assert {ref for ref, answer in first.items() if answer.status_code == 503} == stuck
    assert all(first[ref].json["code"] == "database_unavailable" for ref in stuck)
    again = at_once(service, till, bodies)
    assert {answer.status_code for answer in again.values()} == {201}
    replayed = {ref for ref, answer in again.items() if "Idempotent-Replayed" in answer.headers}
    assert replayed == again.keys() - stuck
    assert all(again[ref].data == first[ref].data for ref in replayed)
    are_right(service, bodies)


def test_a_group_whose_connection_is_cut_off_between_two_statements(
    service: Service, till: Caller, database_url: str
) -> None:
    bodies = stated(8)

    def cut_off() -> None:
        """End whoever waits for the lock, and then let go of it."""
        until = time.monotonic() + _LIMIT_SECONDS
        while time.monotonic() < until:
            with beside(database_url) as watcher:
                watcher.execute(f"SELECT pg_terminate_backend(pid, 30000) {_WAITING}")
                if watcher.fetchall():
                    break
            time.sleep(0.01)
        holder.connection.rollback()

    with beside(database_url) as holder:
        lock_traveller(holder, "T1")
        first = at_once(service, till, bodies, cut_off)
    # A request that was alone in its group is not tried again by itself.
    assert {answer.status_code for answer in first.values()} <= {201, 503}
    again = at_once(service, till, bodies)
    assert {answer.status_code for answer in again.values()} == {201}
    for ref, answer in first.items():
        assert answer.status_code == 503 or answer.data == again[ref].data
    are_right(service, bodies)


@pytest.mark.parametrize("way", ["posting", "office"])
def test_a_failed_transaction_is_never_told_as_committed(context: Context, way: str) -> None:
    with (
        pytest.raises(psycopg2.errors.InFailedSqlTransaction),
        getattr(context.database, way)() as session,
        suppress(psycopg2.errors.DivisionByZero),
    ):
        session.rows("SELECT 1 / 0")
    with getattr(context.database, way)() as session:
        assert session.rows("SELECT 1") == [(1,)]


def test_what_was_prepared_is_prepared_again_if_it_is_gone(context: Context) -> None:
    def ask() -> Any:
        with context.database.posting() as session:
            return session.rows(session.prepared("SELECT 1 + %s"), [1])

    assert ask() == [(2,)]
    with context.database.posting() as session:
        session.run("DEALLOCATE ALL")
    with pytest.raises(psycopg2.errors.InvalidSqlStatementName):
        ask()
    assert ask() == [(2,)]


def test_a_statement_that_no_longer_fits_its_table_is_prepared_again(
    context: Context, database_url: str
) -> None:
    def ask() -> Any:
        with context.database.posting() as session:
            return session.rows(session.prepared("SELECT * FROM shifting"))

    def change(statement: str) -> None:
        with beside(database_url) as owner:
            owner.execute(statement)
            owner.connection.commit()

    change("CREATE TABLE shifting (one int); GRANT SELECT ON shifting TO clearinghouse_poster")
    assert ask() == []
    change("ALTER TABLE shifting ALTER one TYPE text")
    with pytest.raises(psycopg2.errors.FeatureNotSupported):
        ask()
    assert ask() == []


def test_the_lock_of_a_process_that_is_gone_does_not_last(context: Context) -> None:
    with context.database.posting() as session:
        assert session.row("SHOW idle_in_transaction_session_timeout") == ("1min",)


def test_a_server_that_takes_connections_and_says_nothing(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The least that the driver knows.
    monkeypatch.setitem(connecting._CONNECTING, "connect_timeout", 2)
    with socket.create_server(("127.0.0.1", 0)) as dumb:
        url = make_url(database_url).set(host="127.0.0.1", port=dumb.getsockname()[1], query={})
        database = Database(url.render_as_string(hide_password=False))
        with pytest.raises(DatabaseUnavailable, match="can't be reached"), database.posting():
            pass
        database.close()
