"""The API as a hotel's system meets it: an alliance in the books, the application on it, and clients with tokens."""

from collections.abc import Collection, Mapping
from copy import copy
from pathlib import Path
from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from api.app import create_app
from api.http.options import Options
from clearinghouse.domain.scopes import scopes_for
from clearinghouse.operations.changing import Authority
from clearinghouse.operations.clients import Issued, create_client
from clearinghouse.operations.context import Context
from tests.alliances import MiniAlliance

AUTHORITY = Authority("tests", "a test's client")
URL = "http://clearing.test"


class Caller:
    """A client with an access token, or without one. Its methods return the answer as it is."""

    def __init__(self, http: FlaskClient, token: str | None, issued: Issued | None = None) -> None:
        self._http = http
        self.token = token
        self.issued = issued

    def send(
        self,
        method: str,
        path: str,
        *,
        key: str | None = None,
        headers: Mapping[str, str] | None = None,
        **body: Any,
    ) -> TestResponse:
        """Send a request; ``key`` is its idempotency key, ``body`` as for Werkzeug (``json``, ``data``, ...)."""
        sent = dict(headers or {})
        if self.token is not None:
            sent.setdefault("Authorization", f"Bearer {self.token}")
        if key is not None:
            sent["Idempotency-Key"] = key
        return self._http.open(path, method=method, headers=sent, **body)

    def get(self, path: str, **sent: Any) -> TestResponse:
        return self.send("GET", path, **sent)

    def post(self, path: str, **sent: Any) -> TestResponse:
        return self.send("POST", path, **sent)

    def patch(self, path: str, **sent: Any) -> TestResponse:
        return self.send("PATCH", path, **sent)

    def delete(self, path: str, **sent: Any) -> TestResponse:
        return self.send("DELETE", path, **sent)


class Service:
    """The application on the books of a :class:`MiniAlliance`, which is ``alliance`` and has the clock."""

    def __init__(self, context: Context, folder: Path, options: Options | None = None) -> None:
        self.alliance = MiniAlliance(context, folder)
        self.context = self.alliance.context
        self.options = options or Options(public_url=URL)
        self.app: Flask = create_app(self.context, self.options)
        self.http = self.app.test_client()

    def beside(self) -> "Service":
        """Another process of the service on the same books."""
        other = copy(self)
        other.app = create_app(self.context, self.options)
        other.http = other.app.test_client()
        return other

    def anyone(self) -> Caller:
        """Somebody without a token."""
        return Caller(self.http, None)

    def issue(
        self,
        system: str | None,
        *,
        hotels: Collection[str] | None = None,
        scopes: Collection[str] | None = None,
    ) -> Issued:
        """A client in the books, of a system or (``None``) of the operator, with all scopes that it can have."""
        held = scopes_for(system is None) if scopes is None else scopes
        return create_client(self.context, system, "test", AUTHORITY, scopes=held, hotels=hotels)

    def token_request(self, issued: Issued, **form: str) -> TestResponse:
        """Ask for a token with a client's secret."""
        data = {"grant_type": "client_credentials", "client_id": issued.client_id, **form}
        return self.http.post("/oauth/token", data={"client_secret": issued.secret, **data})

    def client(
        self,
        system: str | None,
        *,
        hotels: Collection[str] | None = None,
        scopes: Collection[str] | None = None,
    ) -> Caller:
        """A client in the books that has fetched its token through ``/oauth/token``."""
        issued = self.issue(system, hotels=hotels, scopes=scopes)
        answer = self.token_request(issued)
        assert answer.status_code == 200, answer.text
        assert answer.json
        return Caller(self.http, answer.json["access_token"], issued)

    def operator(self, *, scopes: Collection[str] | None = None) -> Caller:
        """A client of the operator."""
        return self.client(None, scopes=scopes)
