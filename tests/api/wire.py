"""The application behind a real socket, and a line to it on which things go wrong as a test decides."""

import json
import socket
import struct
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from flask import Flask
from werkzeug.serving import WSGIRequestHandler, make_server


class _Quiet(WSGIRequestHandler):
    def log_request(self, *_: object, **__: object) -> None:
        """The application keeps its own log."""


@contextmanager
def served(make: Callable[[str], Flask]) -> Iterator[str]:
    """Serve an application, which is made once its address is known, and tell that address."""
    server = make_server("127.0.0.1", 0, Flask("nobody"), threaded=True, request_handler=_Quiet)
    url = f"http://127.0.0.1:{server.server_port}"
    server.app = make(url)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield url
    finally:
        server.shutdown()
        server.server_close()


class Request(NamedTuple):
    """A request as it came by."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes


class Reply(NamedTuple):
    """An answer as it came by, or as somebody on the way makes it up."""

    status: int
    headers: dict[str, str]
    body: bytes


def problem(status: int, code: str, **headers: str) -> Reply:
    """Make up an answer that tells of a problem."""
    document = {"code": code, "title": code, "detail": "made up on the way", "status": status}
    kind = {"Content-Type": "application/problem+json"}
    return Reply(status, {**kind, **headers}, json.dumps(document).encode())


#: What may happen to a request: it gets what would deliver it, and returns what the client hears (nothing: hung up).
Fault = Callable[[Callable[[], Reply]], Reply | None]


def lost_before(_: Callable[[], Reply]) -> None:
    """The line breaks before the request arrives."""


def lost_after(deliver: Callable[[], Reply]) -> None:
    """The request is carried out, and then the line breaks."""
    deliver()


def cut_short(deliver: Callable[[], Reply]) -> Reply:
    """The line breaks in the middle of the answer."""
    told = deliver()
    return Reply(
        told.status, {**told.headers, "Content-Length": str(len(told.body))}, told.body[:-9]
    )


def slow(seconds: float) -> Fault:
    """The request is carried out and the answer takes its time."""

    def fault(deliver: Callable[[], Reply]) -> Reply:
        told = deliver()
        time.sleep(seconds)
        return told

    return fault


def instead(reply: Reply) -> Fault:
    """Somebody on the way answers, and the request never arrives."""
    return lambda _: reply


class Line:
    """A line to a server. What ``faults`` has happens to the requests in turn; those for a token are spared."""

    def __init__(self, target: str) -> None:
        self._target = urlsplit(target)
        self.url = ""
        self.faults: deque[Fault] = deque()
        self.token_faults: deque[Fault] = deque()
        self.requests: list[Request] = []

    def keys(self) -> list[str | None]:
        """The idempotency keys of all requests but those for a token, in order."""
        return [
            request.headers.get("idempotency-key")
            for request in self.requests
            if request.path != "/oauth/token"
        ]

    def tokens(self) -> int:
        """How often a token was asked for."""
        return sum(request.path == "/oauth/token" for request in self.requests)

    def handle(self, request: Request) -> Reply | None:
        self.requests.append(request)
        faults = self.token_faults if request.path == "/oauth/token" else self.faults
        fault = faults.popleft() if faults else None
        return self._deliver(request) if fault is None else fault(lambda: self._deliver(request))

    def _deliver(self, request: Request) -> Reply:
        assert self._target.hostname
        connection = HTTPConnection(self._target.hostname, self._target.port, timeout=60)
        try:
            passed = {n: v for n, v in request.headers.items() if n not in ("host", "connection")}
            connection.request(request.method, request.path, request.body or None, passed)
            answer = connection.getresponse()
            return Reply(answer.status, dict(answer.getheaders()), answer.read())
        finally:
            connection.close()


@contextmanager
def line_to(target: str) -> Iterator[Line]:
    """Run a line to a server; its address is its ``url``."""
    line = Line(target)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def pass_on(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            headers = {name.lower(): value for name, value in self.headers.items()}
            reply = line.handle(Request(self.command, self.path, headers, body))
            if reply is None:
                # Without a word: not even an orderly end.
                self.connection.setsockopt(
                    socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0)
                )
                self.close_connection = True
                return
            self.send_response(reply.status)
            told = {"Content-Length": str(len(reply.body)), **reply.headers}
            for name, value in told.items():
                if name.lower() not in ("connection", "server", "date", "transfer-encoding"):
                    self.send_header(name, value)
            self.end_headers()
            self.wfile.write(reply.body)
            if int(told["Content-Length"]) != len(reply.body):
                self.close_connection = True

        do_GET = do_POST = do_PATCH = do_DELETE = pass_on  # noqa: N815  the library's names

        def log_message(self, *_: Any) -> None:
            """Nobody reads it."""

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, *_: Any) -> None:
            """A client that hangs up is part of the test."""

    server = Server(("127.0.0.1", 0), Handler)
    line.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield line
    finally:
        with suppress(OSError):
            server.shutdown()
        server.server_close()
