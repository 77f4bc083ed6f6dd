"""The real service for the length of a demo: on a free port of this machine, by a clock that is told the time."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import urllib3

from clearinghouse.domain.errors import ClearinghouseError
from clearinghouse.operations.clients import Issued
from clearinghouse.operations.context import Context

_HOST = "127.0.0.1"
_SECONDS = 30.0


class ToldClock:
    """Stands still until it is told another time."""

    def __init__(self, now: datetime) -> None:
        self.now = now

    def __call__(self) -> datetime:
        """Return the time, in UTC."""
        return self.now.astimezone(UTC)


@dataclass(frozen=True, slots=True)
class Answer:
    """What the service answered; ``replayed`` tells that it is the first answer to the same key again."""

    status: int
    document: dict[str, Any]
    replayed: bool


class Client:
    """A hotel system's software: it gets tokens by its secret and calls the API over HTTP."""

    def __init__(self, http: urllib3.PoolManager, url: str, issued: Issued) -> None:
        self._http = http
        self._url = url
        self._issued = issued
        self._token = ""

    def call(
        self,
        method: str,
        path: str,
        body: Mapping[str, Any] | None = None,
        key: str | None = None,
    ) -> Answer:
        """Send a request, with another token where the one at hand is over."""
        answer = self._send(method, path, body, key)
        if answer.status == 401:
            self._token = self._new_token()
            answer = self._send(method, path, body, key)
        return answer

    def _send(
        self, method: str, path: str, body: Mapping[str, Any] | None, key: str | None
    ) -> Answer:
        headers = {"Authorization": f"Bearer {self._token}"}
        if key is not None:
            headers["Idempotency-Key"] = key
        answer = self._http.request(
            method, f"{self._url}{path}", json=body, headers=headers, timeout=_SECONDS
        )
        replayed = answer.headers.get("Idempotent-Replayed") == "true"
        return Answer(answer.status, answer.json(), replayed)

    def _new_token(self) -> str:
        answer = self._http.request(
            "POST",
            f"{self._url}/oauth/token",
            fields={
                "grant_type": "client_credentials",
                "client_id": self._issued.client_id,
                "client_secret": self._issued.secret or "",
            },
            encode_multipart=False,
            timeout=_SECONDS,
        )
        if answer.status != 200:
            raise ClearinghouseError(f"the service gives no token: {json.dumps(answer.json())}")
        return str(answer.json()["access_token"])


@contextmanager
def served(context: Context) -> Iterator[str]:
    """Serve these books over HTTP for the length of the block; yields the service's address."""
    # Late: `serve` must say where its processes share their metrics before anything of the application is loaded.
    # Late: other commands do not pay for loading the service.
    from werkzeug.serving import WSGIRequestHandler, make_server  # noqa: PLC0415  as said above

    from api.app import create_app  # noqa: PLC0415  as said above
    from api.http.options import Options  # noqa: PLC0415  as said above

    class Silent(WSGIRequestHandler):
        """Writes no line a request: the demo tells what happens."""

        def log(self, type: str, message: str, *args: Any) -> None:  # noqa: A002  Werkzeug's own name
            """Keep silent."""

    with socket.socket() as listening:
        listening.bind((_HOST, 0))
        listening.listen()
        port = listening.getsockname()[1]
        url = f"http://{_HOST}:{port}"
        app = create_app(context, Options(public_url=url, access_log=False))
        server = make_server(
            _HOST, port, app, threaded=True, request_handler=Silent, fd=listening.fileno()
        )
        thread = threading.Thread(target=server.serve_forever, args=(0.05,), name="live day")
        thread.start()
        try:
            yield url
        finally:
            server.shutdown()
            thread.join()
            server.server_close()
