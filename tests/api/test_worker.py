"""The worker that stays with a connection: nobody waits behind it, nothing is lost between requests, and it ends."""

import signal
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import pytest

from tests.api.small_server import THREADS, Served, started

_ANSWER = """
def answer(environ, start):
    said = environ["PATH_INFO"].encode()
    start("200 OK", [("Content-Length", str(len(said)))])
    return [said]
"""


@pytest.fixture
def served() -> Iterator[Served]:
    with started(_ANSWER) as found:
        yield Served(*found)


def ask(*paths: str) -> bytes:
    return b"".join(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode() for path in paths)


def hear(connection: socket.socket, last: str) -> bytes:
    """Read until the answer that ends with ``last``."""
    heard = b""
    while not heard.endswith(last.encode()):
        block = connection.recv(4096)
        assert block, heard
        heard += block
    return heard


def test_more_connections_than_threads_are_all_answered(served: Served) -> None:
    def talk(number: int) -> int:
        with served.connect() as connection:
            for turn in range(30):
                connection.sendall(ask(f"/{number}-{turn}."))
                hear(connection, f"/{number}-{turn}.")
        return number

    with ThreadPoolExecutor(4 * THREADS) as pool:
        assert list(pool.map(talk, range(4 * THREADS))) == list(range(4 * THREADS))


def test_those_who_stay_silent_keep_no_thread(served: Served) -> None:
    with ExitStack() as silent:
        for number in range(4 * THREADS):
            connection = silent.enter_context(served.connect())
            connection.sendall(ask(f"/{number}"))
            hear(connection, f"/{number}")
        with served.connect() as other:
            other.sendall(ask("/other"))
            hear(other, "/other")


def test_requests_sent_at_once_are_answered_one_by_one(served: Served) -> None:
    with served.connect() as connection:
        connection.sendall(ask("/first", "/second", "/third"))
        heard = hear(connection, "/third")
        assert heard.index(b"/first") < heard.index(b"/second")
        connection.sendall(ask("/fourth"))
        hear(connection, "/fourth")


def test_it_ends_beside_an_open_connection(served: Served) -> None:
    with served.connect() as connection:
        connection.sendall(ask("/here"))
        hear(connection, "/here")
        served.process.send_signal(signal.SIGTERM)
        assert served.process.wait(15) == 0
