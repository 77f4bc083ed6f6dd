"""gunicorn's threaded worker: its threads stay a moment with whom they have just answered, and wait for nobody long.

A thread that reads from a client, or writes to one, can do nothing else meanwhile; a few dozen clients that send half
a request, or never read an answer, would else keep the service from everybody for as long as they like.
"""

from __future__ import annotations

import errno
import resource
import select
import socket
import struct
import time
from typing import Any

from gunicorn import util
from gunicorn.http.body import Body
from gunicorn.http.errors import NoMoreData, ParseException
from gunicorn.http.unreader import SocketUnreader
from gunicorn.workers import gthread

#: How long a thread waits for the next request. Tills and night audits send one after another; handing each
#: connection back to the poller and taking it again cost a fifth of a request.
_STAY_MS = 10
#: How long a client may keep a thread waiting for the head of a request, and for its body, in seconds ...
_HEAD_SECONDS = 5.0
_BODY_SECONDS = 20.0
#: ... and so much longer the more it sends: a batch of 200 MB comes over any line that is quicker than this.
_LEAST_BYTES_PER_SECOND = 1000
#: How long a client may take nothing of its answer, in seconds.
_ANSWER_SECONDS = 20.0
#: How long a connection stays half open at its end, in seconds, so that who still sends hears the answer to that.
_PARTING_SECONDS = 0.5
#: Descriptors that are left for the database, webhooks and files when a worker takes all connections that it may.
_OTHER_DESCRIPTORS = 128


class _Unreader(SocketUnreader):  # type: ignore[misc]  # gunicorn has no types
    """What a client sends, as long as it keeps up; one that does not counts as gone."""

    def __init__(self, sock: socket.socket) -> None:
        super().__init__(sock)
        self._left = 0.0

    def expect(self, seconds: float) -> None:
        """Wait for what follows no longer than this in all, but for what its size adds."""
        self._left = seconds

    def chunk(self, size_hint: int | None = None) -> bytes:
        """Return what comes next.

        Raises:
            NoMoreData: it took too long.
        """
        while self._left >= 0:
            began = time.monotonic()
            try:
                data: bytes = super().chunk(size_hint)
            except BlockingIOError:
                # The socket's own time is over, which is that for a head.
                self._left -= time.monotonic() - began
                continue
            self._left -= time.monotonic() - began - len(data) / _LEAST_BYTES_PER_SECOND
            return data
        raise NoMoreData


class StayingWorker(gthread.ThreadWorker):  # type: ignore[misc]  # gunicorn has no types
    """A threaded worker that goes on with a connection at once while no other one waits for a thread."""

    def init_process(self) -> None:
        """Begin, and take no more connections than there are descriptors for: one too many would end the worker."""
        most = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
        if most != resource.RLIM_INFINITY:
            room = max(most - _OTHER_DESCRIPTORS, 2 * self.cfg.threads)
            self.worker_connections: int = min(self.cfg.worker_connections, room)
        super().init_process()

    def handle(self, conn: Any) -> Any:
        """Answer the requests of a connection until it pauses; return what gunicorn does with it then."""
        if not conn.initialized:
            wait_ms = 0 if self._is_crowded() else _STAY_MS
            # gunicorn would wait with this thread for seconds, for somebody who only connects.
            if not conn.data_ready and not conn.wait_for_data(wait_ms / 1000):
                return gthread._DEFER  # noqa: SLF001  it has no other name
            _limit_waits(conn.sock)
            conn.init()
            conn.parser.unreader = _Unreader(conn.sock)
        while True:
            conn.parser.unreader.expect(_HEAD_SECONDS)
            kept = super().handle(conn)
            if kept is not True:
                return self._part(conn)
            if not self._may_stay(conn):
                return True

    def handle_request(self, req: Any, conn: Any) -> Any:
        """Answer a request whose head was read."""
        conn.parser.unreader.expect(_BODY_SECONDS)
        req.body = _Readable(req.body.reader)
        try:
            return super().handle_request(req, conn)
        except BlockingIOError as stuck:
            raise ConnectionResetError(errno.ECONNRESET, "the answer is not taken") from stuck

    def _part(self, conn: Any) -> bool:
        """End a connection in this thread: gunicorn's own would wait seconds for the client, and all others with it."""
        seconds = _STAY_MS / 1000 if self._is_crowded() else _PARTING_SECONDS
        util.close_graceful(conn.sock, timeout=seconds)
        conn.close = _is_closed
        return False

    def _is_crowded(self) -> bool:
        return bool(self.nr_conns > self.cfg.threads)

    def _may_stay(self, conn: Any) -> bool:
        if not self.alive or self._is_crowded():
            return False
        if conn.parser.unreader.buf.getvalue():
            return True
        poll = select.poll()
        poll.register(conn.sock, select.POLLIN)
        return bool(poll.poll(_STAY_MS))


class _Readable(Body):  # type: ignore[misc]  # gunicorn has no types
    """A body whose faults are the client's: applications know that a stream may break, not how chunks are written."""

    def _read_reader(self, size: int) -> Any:
        try:
            return super()._read_reader(size)
        except ParseException as fault:
            raise NoMoreData from fault


def _limit_waits(sock: socket.socket) -> None:
    """Let the kernel end a blocked read or write after a while; it costs a request nothing."""
    for way, seconds in (
        (socket.SO_RCVTIMEO, _HEAD_SECONDS),
        (socket.SO_SNDTIMEO, _ANSWER_SECONDS),
    ):
        sock.setsockopt(
            socket.SOL_SOCKET, way, struct.pack("ll", int(seconds), int(seconds % 1 * 1e6))
        )


def _is_closed(*, graceful: bool = False) -> None:
    """Close a connection that is closed."""
