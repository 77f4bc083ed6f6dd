"""Clients that hold on to the service: half requests, answers that nobody takes, ends that nobody closes, bad chunks.

Whoever waits for them must be another thread's client no longer than a moment, whatever they send and however many.
"""

import resource
import socket
import struct
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import pytest

from tests.api.small_server import THREADS, Served, started

LIMIT_SECONDS = 60

#: The times that clients are given may be cut short, so that tests need not wait; all else is as it is served.
_ANSWER = """
import sys
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Request, Response
from api.http import worker

worker._HEAD_SECONDS = worker._BODY_SECONDS = worker._ANSWER_SECONDS = float(sys.argv[3])
worker._LEAST_BYTES_PER_SECOND = 10_000_000
# As the service's own requests, a body has an end.
Request.max_content_length = 1 << 20

@Request.application
def answer(request):
    if request.path == "/large":
        return Response(b"x" * 30_000_000)
    try:
        body = request.get_data()
    except HTTPException:
        raise
    except Exception:
        # Ours does the same with what nobody foresaw.
        return Response(status=500)
    return Response(request.path.encode() + b":" + body)
"""


class Watched(Served):
    """A server, asked by somebody new and watched from outside."""

    patience_seconds = LIMIT_SECONDS

    def is_served(self, path: str = "/here") -> bool:
        """Ask as somebody new."""
        with self.connect() as connection:
            connection.sendall(get(path))
            return hear(connection).endswith(f"{path}:".encode())

    def worker(self) -> str:
        """The process that answers; another one if it had to be replaced."""
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        return children.read_text(encoding="utf-8").strip()

    def takes_no_more(self) -> None:
        """Wait until the worker has taken as many connections as it wants."""
        before = -1
        until = time.monotonic() + LIMIT_SECONDS
        while time.monotonic() < until:
            with suppress(FileNotFoundError):
                now = len(list(Path(f"/proc/{self.worker()}/fd").iterdir()))
                if now == before:
                    return
                before = now
            time.sleep(0.3)


@contextmanager
def serving(seconds: float = 0.2, descriptors: int | None = None) -> Iterator[Watched]:
    answer = _ANSWER
    if descriptors is not None:
        answer = f"import resource\nresource.setrlimit(resource.RLIMIT_NOFILE, ({descriptors},) * 2)\n{answer}"
    with started(answer, str(seconds)) as found:
        yield Watched(*found)


@pytest.fixture(scope="module")
def served() -> Iterator[Watched]:
    with serving() as found:
        yield found


def get(path: str, version: str = "1.1") -> bytes:
    return f"GET {path} HTTP/{version}\r\nHost: localhost\r\n\r\n".encode()


def hear(connection: socket.socket) -> bytes:
    """Read one answer; empty if there is none."""
    with connection.makefile("rb") as stream:
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            line = stream.readline()
            if not line:
                return b""
            head += line
        length = head.lower().partition(b"content-length:")[2].partition(b"\r")[0]
        return head + stream.read(int(length))


def silent(_: socket.socket) -> None:
    """Says nothing at all."""


def half_a_head(connection: socket.socket) -> None:
    connection.sendall(b"GET /half HTTP/1.1\r\nHost:")


def half_a_body(connection: socket.socket) -> None:
    connection.sendall(b"POST /half HTTP/1.1\r\nHost: localhost\r\nContent-Length: 500\r\n\r\nhalf")


def half_a_chunk(connection: socket.socket) -> None:
    head = b"POST /half HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
    connection.sendall(head + b"ff\r\nhalf")


def takes_no_answer(connection: socket.socket) -> None:
    connection.sendall(get("/large"))


def never_closes(connection: socket.socket) -> None:
    connection.sendall(get("/last", "1.0"))


@pytest.mark.parametrize(
    "hold", [silent, half_a_head, half_a_body, half_a_chunk, takes_no_answer, never_closes]
)
def test_nobody_holds_the_service(served: Watched, hold: Callable[[socket.socket], None]) -> None:
    with ExitStack() as held:
        for _ in range(4 * THREADS):
            connection = held.enter_context(served.connect())
            hold(connection)
        assert served.is_served()
    assert served.is_served()


def test_half_a_request_ends_with_its_connection(served: Watched) -> None:
    for hold in (half_a_head, half_a_body, half_a_chunk):
        with served.connect() as connection:
            hold(connection)
            heard = b""
            while block := connection.recv(4096):
                heard += block
            # The rest of it would else be read as a request of its own.
            assert heard.count(b"HTTP/1.1 ") <= 1
            assert b" 200 " not in heard


def test_a_body_in_parts_that_come_in_time() -> None:
    with serving(seconds=LIMIT_SECONDS) as patient, patient.connect() as connection:
        for _ in range(2):
            connection.sendall(b"POST /parts HTTP/1.1\r\nHost: localhost\r\n")
            connection.sendall(b"Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n")
            time.sleep(0.05)
            connection.sendall(b"2\r\nde\r\n0\r\n\r\n")
            assert hear(connection).endswith(b"/parts:abcde")


@pytest.mark.parametrize("chunk", [b"zz\r\nabc\r\n", b"3\r\nabcdef\r\n", b"-1\r\nabc\r\n"])
def test_a_bad_chunk_is_the_clients_fault_and_ends_the_connection(
    served: Watched, chunk: bytes
) -> None:
    head = b"POST /chunks HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
    with served.connect() as connection:
        connection.sendall(head + chunk + b"0\r\n\r\n" + get("/smuggled"))
        heard = b""
        while block := connection.recv(4096):
            heard += block
    assert heard.startswith(b"HTTP/1.1 400 ")
    assert b"/smuggled" not in heard


def test_who_resets_the_connection_harms_nobody(served: Watched) -> None:
    assert served.is_served()
    worker = served.worker()
    for path in ("/here", "/large") * 4:
        connection = served.connect()
        connection.sendall(get(path) * 3)
        connection.recv(10)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        connection.close()
    assert served.is_served()
    assert served.worker() == worker


def test_more_connections_than_descriptors_do_not_end_the_worker() -> None:
    connections, descriptors = 200, 160
    if resource.getrlimit(resource.RLIMIT_NOFILE)[0] < connections + 200:
        pytest.skip("this process may not open as many itself")
    with serving(descriptors=descriptors) as served:
        # Only then it is certain that the worker is there.
        assert served.is_served()
        worker = served.worker()
        with ExitStack() as held:
            waiting = [held.enter_context(served.connect()) for _ in range(connections)]
            for connection in waiting:
                connection.sendall(get("/all"))
            served.takes_no_more()
            for connection in waiting:
                assert hear(connection).endswith(b"/all:")
                connection.close()
        assert served.worker() == worker
