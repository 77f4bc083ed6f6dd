"""Requests and answers: a token for each request, and another attempt where that is safe.

What moves value has an idempotency key, so it may be sent again whatever became of the first time: with the same key
it is carried out once, and its first answer comes again.
"""

from __future__ import annotations

import json
import ssl
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from importlib.metadata import version
from typing import Any, BinaryIO, TypeVar
from urllib.parse import urlencode, urlsplit
from uuid import uuid4

import urllib3
from urllib3.exceptions import ConnectTimeoutError, HTTPError, SSLError

from clearinghouse.client.credentials import Credentials
from clearinghouse.client.problems import ClearinghouseProblem, NoAnswer, problem_in
from clearinghouse.client.reading import Unreadable, read
from clearinghouse.client.retrying import Patience, Retry, retry_after
from clearinghouse.client.tokens import Tokens

_AGENT = f"clearinghouse-client/1 urllib3/{version('urllib3')}"
_LOCAL = frozenset({"localhost", "127.0.0.1", "::1"})
_PAGE = 100
#: How long a large upload may wait for its answer, and be tried, in seconds.
_LONG_SECONDS = 900.0
_UNAVAILABLE = frozenset({502, 503, 504})
#: Problems that pass: the first attempt is still being answered, or an upload was cut short.
_PASSING = frozenset({"idempotency_key_in_flight", "batch_incomplete"})

T = TypeVar("T")
Query = Mapping[str, object]
#: Makes the body for one attempt, with its length; a stream is wound back for it.
Body = Callable[[], tuple[bytes | BinaryIO, int]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """A request. ``repeatable`` ones do the same when they are carried out twice; those with a ``key`` are, too.

    ``long`` ones have much to send and may wait for their answer.
    """

    method: str
    path: str
    query: Query = field(default_factory=dict)
    body: Body | None = None
    content_type: str = "application/json"
    accept: str = "application/json"
    key: str | None = None
    repeatable: bool = False
    with_token: bool = True
    long: bool = False

    @property
    def may_repeat(self) -> bool:
        """Tell whether it may be sent again although it may have been carried out."""
        return self.repeatable or self.key is not None or self.method in ("GET", "PATCH")


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer that is no problem."""

    headers: Mapping[str, str]
    body: bytes

    @property
    def replayed(self) -> bool:
        """Tell whether it is the first answer to its key once more."""
        return self.headers.get("Idempotent-Replayed") == "true"


class Transport:
    """Sends requests over connections that are kept; threads may share it."""

    def __init__(
        self,
        base_url: str,
        credentials: Credentials,
        *,
        scopes: tuple[str, ...],
        language: str,
        retry: Retry,
        timeout: urllib3.Timeout,
        pool: urllib3.PoolManager,
        allow_http: bool,
    ) -> None:
        parts = urlsplit(base_url)
        secure = parts.scheme == "https" or allow_http or parts.hostname in _LOCAL
        if parts.scheme not in ("http", "https") or not parts.hostname or not secure:
            raise ValueError("the address of the service begins with https://")
        self._base_url = base_url.rstrip("/")
        self._language = language
        self._retry = retry
        self._timeout = timeout
        self._pool = pool
        self._tokens = Tokens(lambda: self._fetch_token(credentials, scopes))

    def send(self, ask: Ask) -> Answer:
        """Send a request, again where that is safe, until it is answered.

        Raises:
            ClearinghouseProblem: the answer is an error, or (``NoAnswer``) none came.
        """
        retry = self._retry
        if ask.long:
            retry = replace(retry, seconds=max(retry.seconds, _LONG_SECONDS))
        patience, request_id, renewed = Patience(retry), uuid4().hex, False
        while True:
            token = self._token_for(ask)
            try:
                answer = self._once(ask, token, request_id)
            except HTTPError as error:
                if _hopeless(error, ask) or not patience.wait():
                    raise NoAnswer(_said(error), request_id, ask.key) from error
                continue
            if 200 <= answer.status < 300:
                return Answer(answer.headers, answer.data)
            problem = problem_in(
                answer.status, answer.data, answer.headers.get("X-Request-Id"), ask.key
            )
            if problem.code == "token_invalid" and token is not None and not renewed:
                # It was refused before anything was done, so it may be sent again whatever it is.
                renewed = True
                self._tokens.forget(token)
            elif not _passes(problem, ask) or not patience.wait(
                retry_after(answer.headers.get("Retry-After"))
            ):
                raise problem

    def get(self, kind: type[T], path: str, /, **query: object) -> T:
        """Return what an address tells."""
        return self.read(kind, Ask(method="GET", path=path, query=query))

    def pages(self, kind: type[T], path: str, /, **query: object) -> Iterator[T]:
        """Yield the rows of a list, which are asked for a page at a time."""
        cursor: object = None
        while True:
            asked = {"limit": _PAGE, **query, "cursor": cursor}
            document = self.document(Ask(method="GET", path=path, query=asked))
            rows = document.get("data")
            if not isinstance(rows, list):
                raise _unreadable("it is no page of a list", None, None)
            for row in rows:
                yield _readable(kind, row, None, None)
            cursor = document.get("next_cursor")
            if cursor is None:
                return

    def read(self, kind: type[T], ask: Ask) -> T:
        """Send a request and return its answer as a value; one of its members may be ``replayed``."""
        answer = self.send(ask)
        request_id = answer.headers.get("X-Request-Id")
        document = _json(answer, request_id, ask.key)
        if ask.key is not None:
            document["replayed"] = answer.replayed
        return _readable(kind, document, request_id, ask.key)

    def document(self, ask: Ask) -> dict[str, Any]:
        """Send a request and return its answer as it is written."""
        answer = self.send(ask)
        return _json(answer, answer.headers.get("X-Request-Id"), ask.key)

    def close(self) -> None:
        """Close the connections."""
        self._pool.clear()

    def _token_for(self, ask: Ask) -> str | None:
        try:
            return self._tokens.current() if ask.with_token else None
        except ClearinghouseProblem as problem:
            # Whoever repeats the request needs its key, whatever it failed of.
            problem.idempotency_key = ask.key
            raise

    def _once(self, ask: Ask, token: str | None, request_id: str) -> urllib3.BaseHTTPResponse:
        headers = {
            "Accept": f"{ask.accept}, application/problem+json;q=0.9",
            "Accept-Language": self._language,
            "User-Agent": _AGENT,
            "X-Request-Id": request_id,
        }
        if token is not None:
            headers["Authorization"] = f"Bearer {token}"
        if ask.key is not None:
            headers["Idempotency-Key"] = ask.key
        body = None
        if ask.body is not None:
            body, length = ask.body()
            headers |= {"Content-Type": ask.content_type, "Content-Length": str(length)}
        asked = urlencode({name: str(v) for name, v in ask.query.items() if v is not None})
        url = f"{self._base_url}{ask.path}" + (f"?{asked}" if asked else "")
        timeout = self._timeout
        if ask.long:
            timeout = urllib3.Timeout(connect=timeout.connect_timeout, read=_LONG_SECONDS)
        return self._pool.request(
            ask.method,
            url,
            body=body,
            headers=headers,
            timeout=timeout,
            retries=False,
            redirect=False,
        )

    def _fetch_token(self, credentials: Credentials, scopes: tuple[str, ...]) -> tuple[str, float]:
        def form() -> tuple[bytes, int]:
            # Made for each attempt: an assertion that was delivered is not taken again.
            said = {"grant_type": "client_credentials", **credentials.form(self._base_url)}
            if scopes:
                said["scope"] = " ".join(scopes)
            encoded = urlencode(said).encode()
            return encoded, len(encoded)

        found = self.read(
            _Token,
            Ask(
                method="POST",
                path="/oauth/token",
                body=form,
                content_type="application/x-www-form-urlencoded",
                repeatable=True,
                with_token=False,
            ),
        )
        return found.access_token, float(found.expires_in)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Token:
    access_token: str
    expires_in: int


def _hopeless(error: HTTPError, ask: Ask) -> bool:
    """Tell whether another attempt would be of no use, or might do the same twice."""
    if isinstance(error, SSLError) and isinstance(
        error.args[0] if error.args else None, ssl.SSLCertVerificationError
    ):
        return True
    # Without a connection nothing can have been done.
    return not (ask.may_repeat or isinstance(error, ConnectTimeoutError))


def _passes(problem: ClearinghouseProblem, ask: Ask) -> bool:
    """Tell whether a problem may be over after a while."""
    if problem.status == 429:
        return True
    return ask.may_repeat and (problem.status in _UNAVAILABLE or problem.code in _PASSING)


def _said(error: HTTPError) -> str:
    """Say what went wrong on the way; never what was sent."""
    kind = type(error).__name__
    return f"no answer came: {kind}"


def _json(answer: Answer, request_id: str | None, key: str | None) -> dict[str, Any]:
    try:
        found = json.loads(answer.body)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise _unreadable("it is no JSON object", request_id, key)
    return found


def _readable(kind: type[T], document: object, request_id: str | None, key: str | None) -> T:
    try:
        return read(kind, document)
    except Unreadable as reason:
        raise _unreadable(str(reason), request_id, key) from None


def _unreadable(why: str, request_id: str | None, key: str | None) -> ClearinghouseProblem:
    return ClearinghouseProblem(
        "answer_unreadable",
        f"the answer can't be read: {why}",
        status=200,
        request_id=request_id,
        idempotency_key=key,
    )


def in_json(document: Mapping[str, object]) -> Body:
    """Return a JSON body; members that are ``None`` are left out."""
    stated = {name: value for name, value in document.items() if value is not None}
    encoded = json.dumps(stated, ensure_ascii=False).encode()
    return lambda: (encoded, len(encoded))


def new_key() -> str:
    """Return an idempotency key that nobody has used."""
    return uuid4().hex
