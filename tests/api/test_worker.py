"""The worker that stays with a connection: nobody waits behind it, nothing is lost between requests, and it ends."""

import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import pytest

_ROOT = Path(__file__).resolve().parents[2]
_THREADS = 2
_SERVED = """
import sys
from gunicorn.app.base import BaseApplication
from api.http.worker import StayingWorker

def answer(environ, start):
    said = environ["PATH_INFO"].encode()
    start("200 OK", [("Content-Length", str(len(said)))])
    return [said]

class App(BaseApplication):
    def load_config(self):
        for name, value in {"bind": sys.argv[1], "threads": int(sys.argv[2]), "worker_class": StayingWorker,
                            "keepalive": 60, "graceful_timeout": 10, "control_socket_disable": True}.items():
            self.cfg.set(name, value)
    def load(self):
        return answer

App().run()
"""


class Served:
    """A server of two threads, and connections to it."""

    def __init__(self, port: int, process: subprocess.Popen[bytes]) -> None:
        self.port = port
        self.process = process

    def connect(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), 10)


@pytest.fixture
def served() -> Iterator[Served]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    command = [sys.executable, "-c", _SERVED, f"127.0.0.1:{port}", str(_THREADS)]
    process = subprocess.Popen(command, cwd=_ROOT, stderr=subprocess.DEVNULL)
    until = time.monotonic() + 20
    while time.monotonic() < until:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            break
        except OSError:
            time.sleep(0.05)
    yield Served(port, process)
    process.kill()
    process.wait(10)


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

    with ThreadPoolExecutor(4 * _THREADS) as pool:
        assert list(pool.map(talk, range(4 * _THREADS))) == list(range(4 * _THREADS))


def test_those_who_stay_silent_keep_no_thread(served: Served) -> None:
    with ExitStack() as silent:
        for number in range(4 * _THREADS):
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
