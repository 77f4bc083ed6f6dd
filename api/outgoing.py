"""HTTP to addresses that members chose: only to the public Internet, briefly, and to whom was checked.

A name is resolved here, every address it has is checked, and the connection goes to one of those very
addresses: what the name resolves to a moment later (DNS rebinding) makes no difference. The certificate is
still checked against the name. Redirects are not followed and what is answered is not read, but for a little.
A connection is used for what follows within seconds; then the name is resolved and checked anew.
"""

from __future__ import annotations

import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from http.client import HTTPException
from typing import NamedTuple

from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import (
    ConnectTimeoutError,
    HTTPError,
    NewConnectionError,
    ReadTimeoutError,
)

from clearinghouse.domain.destinations import Destination, is_public, parse_destination
from clearinghouse.domain.errors import WebhookUrlRefused
from clearinghouse.operations.delivering import Answer

#: Of an answer no more is read than this.
_READ_AT_MOST = 8 * 1024
#: Addresses of one name that are tried.
_TRY_AT_MOST = 3
#: How long after it was made a connection is used, in seconds.
_USE_FOR = 5.0
_AGENT = "HotelClearinghouse-Webhooks/1"

Resolve = Callable[[str, int], list[str]]


def resolve(host: str, port: int) -> list[str]:
    """Return the addresses of a host, IPv4 and IPv6.

    Raises:
        OSError: it has none.
        UnicodeError: it is no name of a host.
    """
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    # A zone (fe80::1%eth0) says which network card; where one is needed the address is not public.
    return list(dict.fromkeys(str(address[0]).partition("%")[0] for *_, address in found))


class _Kept(NamedTuple):
    """A connection that may be used again, where it leads, and when it was made."""

    place: tuple[str, str, int]
    connection: HTTPConnection
    since: float


class HttpPoster:
    """Posts messages; to be shared by threads, each of which has its own connection.

    ``private`` lets them go to private addresses and over plain http, for tests.
    ``connect_seconds`` and ``seconds`` bound the connecting, and a whole attempt at one address.
    """

    def __init__(
        self,
        *,
        private: bool = False,
        connect_seconds: float = 5,
        seconds: float = 15,
        trust: ssl.SSLContext | None = None,
        resolver: Resolve = resolve,
    ) -> None:
        self._private = private
        self._connect_seconds = connect_seconds
        self._seconds = seconds
        self._trust = trust
        self._resolve = resolver
        self._mine = threading.local()

    def check(self, url: str) -> None:
        """Pass an address that may be sent to.

        Raises:
            WebhookUrlRefused: it is no address, its host is not known, or not of the public Internet.
        """
        self._addresses(parse_destination(url, allow_http=self._private))

    def post(self, url: str, headers: Mapping[str, str], body: bytes) -> Answer:
        """Send a message and return the status, or in a word why there is none."""
        try:
            destination = parse_destination(url, allow_http=self._private)
            kept = self._take_kept(destination)
            if kept is not None:
                answer = self._send(kept.connection, kept.since, destination, headers, body)
                # The other side may have closed it in between, which is no failure.
                if answer.failure != "connection_failed":
                    return answer
            addresses = self._addresses(destination)
        except WebhookUrlRefused:
            return Answer(None, "address_refused")
        answer = Answer(None, "connection_failed")
        for address in addresses[:_TRY_AT_MOST]:
            connection = self._connection(destination, address)
            try:
                connection.connect()
            except ssl.SSLError:
                answer = Answer(None, "tls_failed")
            except (OSError, HTTPError, ValueError) as error:
                answer = Answer(None, _why(error))
            else:
                return self._send(connection, time.monotonic(), destination, headers, body)
            connection.close()
        return answer

    def _take_kept(self, destination: Destination) -> _Kept | None:
        """Return this thread's connection if it leads there and is fresh; close it otherwise."""
        kept: _Kept | None = getattr(self._mine, "kept", None)
        self._mine.kept = None
        if kept is None:
            return None
        if kept.place == destination[:3] and time.monotonic() - kept.since < _USE_FOR:
            return kept
        kept.connection.close()
        return None

    def _addresses(self, destination: Destination) -> list[str]:
        """Return the addresses of the host, all of which may be connected to."""
        try:
            found = self._resolve(destination.host, destination.port)
        except (OSError, UnicodeError):
            found = []
        if not found or not (self._private or all(map(is_public, found))):
            # One sentence for both: which names and addresses there are inside is for nobody to find out.
            raise WebhookUrlRefused("the host is not known, or not on the public Internet")
        return found

    def _connection(self, destination: Destination, address: str) -> HTTPConnection:
        if destination.scheme == "http":
            return HTTPConnection(address, destination.port, timeout=self._connect_seconds)
        if self._trust is None:
            self._trust = ssl.create_default_context()
        return HTTPSConnection(
            address,
            destination.port,
            timeout=self._connect_seconds,
            server_hostname=destination.host,
            ssl_context=self._trust,
        )

    def _send(
        self,
        connection: HTTPConnection,
        since: float,
        destination: Destination,
        headers: Mapping[str, str],
        body: bytes,
    ) -> Answer:
        """Send a message over a connection, and keep that if the answer came to its end."""
        connection.timeout = self._seconds
        usable = False
        fields = {
            "Host": destination.authority,
            "Content-Type": "application/json",
            "User-Agent": _AGENT,
            **headers,
        }
        with _deadline(connection, self._seconds) as passed:
            try:
                connection.request("POST", destination.target, body, fields, preload_content=False)
                response = connection.getresponse()
                with suppress(OSError, HTTPError, HTTPException, ValueError):
                    response.read(_READ_AT_MOST, decode_content=False)
                    usable = not response.read(1, decode_content=False) and not connection.is_closed
                answer = Answer(response.status)
            except (OSError, HTTPError, HTTPException, ValueError) as error:
                answer = Answer(None, "timeout" if passed.is_set() else _why(error))
        if usable and not passed.is_set():
            self._mine.kept = _Kept(destination[:3], connection, since)
        else:
            connection.close()
        return answer


def _why(error: Exception) -> str:
    """Say in a word what went wrong between us and an address."""
    if isinstance(error, NewConnectionError):  # which urllib3 makes a kind of timeout
        return "connection_failed"
    late = isinstance(error, TimeoutError | ConnectTimeoutError | ReadTimeoutError)
    return "timeout" if late else "connection_failed"


@contextmanager
def _deadline(connection: HTTPConnection, seconds: float) -> Iterator[threading.Event]:
    """Cut a connection when a time has passed: a timeout alone starts anew with every byte that trickles in."""
    passed = threading.Event()
    sock = connection.sock

    def cut() -> None:
        passed.set()
        if sock is not None:
            with suppress(OSError):
                # The plain socket's: that of TLS would want to say goodbye first.
                socket.socket.shutdown(sock, socket.SHUT_RDWR)

    timer = threading.Timer(seconds, cut)
    timer.daemon = True
    timer.start()
    try:
        yield passed
    finally:
        timer.cancel()
