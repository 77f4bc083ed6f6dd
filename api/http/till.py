"""Requests that move value: their idempotency key, their turn in a shared commit, and the answer that is kept."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any, TypeVar
from uuid import UUID

from flask import Response, g, request

from api.answers import authorization_document, encode, transaction_document
from api.http import metrics
from api.http.caller import caller, house, the_context
from api.http.catalogue import CATALOGUE
from api.http.problems import MEDIA_TYPE, ProblemError, language, problem_document
from clearinghouse.domain.errors import ClearinghouseError, NotFound, RefusalCode
from clearinghouse.domain.identifiers import id_in
from clearinghouse.domain.transactions import Line
from clearinghouse.operations.answering import HoldTold, Request, Result, Told
from clearinghouse.operations.transactions import Stated, card_named
from clearinghouse.store.idempotency import Answer, Key, key_of

_KEY_MAX = 255
Made = TypeVar("Made", bound=Line)

#: The header as OpenAPI tells of it.
IDEMPOTENCY_PARAMETER = {
    "in": "header",
    "name": "Idempotency-Key",
    "required": True,
    "description": "同一请求重试时用同一键;首次应答原样返回 The same key for every retry of a request;"
    " its first answer comes again, with `Idempotent-Replayed: true`",
    "schema": {"type": "string", "minLength": 1, "maxLength": _KEY_MAX, "pattern": "^[!-~]+$"},
}


def given_key() -> str:
    """Return the idempotency key of this request.

    Raises:
        ProblemError: there is none, or it is no such key.
    """
    given = request.headers.get("Idempotency-Key", "")
    if not given:
        raise ProblemError("idempotency_key_missing")
    if len(given) > _KEY_MAX or not all("!" <= char <= "~" for char in given):
        raise ProblemError("idempotency_key_invalid")
    return given


def the_key(body: Mapping[str, Any]) -> Key:
    """Return the idempotency key of this request, with the hash of what it asks for.

    Bodies are compared by their values, so white space and the order of members do not matter.

    Raises:
        ProblemError: there is none, or it is no such key.
    """
    given = given_key()
    asked = f"{request.method} {request.path}\n{_canonical(body)}"
    return key_of(caller().of_a_client(), given, asked.encode())


def card_of(body: Mapping[str, Any]) -> str:
    """Return what a line calls the card that a body names by number or id."""
    number = body["card_number"]
    return str(number) if number else card_named(the_context(), caller(), body["card_id"])


def line_of(made: type[Made], body: Mapping[str, Any], original: str | None = None) -> Made:
    """Return the line that a body states: a transaction's, or that of what is to be held."""
    amount = body["amount"]
    return made(
        0,
        body["host_hotel"],
        body["txn_ref"],
        original,
        body["kind"],
        card_of(body),
        body["business_date"],
        body["occurred_at"],
        None if amount is None else amount["amount_minor"],
        body["points"],
    )


def stated(body: Mapping[str, Any]) -> Stated:
    """Return what a body states anew of a refund or capture."""
    amount = body["amount"]
    return Stated(
        body["txn_ref"],
        body["business_date"],
        body["occurred_at"],
        None if amount is None else amount["amount_minor"],
        body["points"],
    )


def answer_line(key: Key, line: Line) -> Response:
    """Post a line in a shared commit, and answer with its transaction, its authorisation or its refusal."""
    render = Renderer(201)
    return respond(house().till.submit(Request(key, caller(), line, render)), render)


def respond(result: Result, rendered: Renderer) -> Response:
    """Make the response of an answer that is kept, and count it if it is a refusal that was given now.

    Raises:
        ClearinghouseError: there is none.
    """
    if isinstance(result, ClearinghouseError):
        raise result
    answer = result.answer
    kind = "application/json" if answer.status < 400 else MEDIA_TYPE
    response = Response(answer.body, answer.status, content_type=kind)
    if result.replayed:
        response.headers["Idempotent-Replayed"] = "true"
    elif rendered.refusal is not None:
        metrics.declined(rendered.refusal.value)
    return response


def told_as_json(document: object) -> Response:
    """Make the response of a document that is written as it is."""
    return Response(encode(document), content_type="application/json")


class Renderer:
    """Turns a decision on this request into the answer that is kept; it may run in another thread, and again.

    Attributes:
        refusal: Why the request was refused, when it was rendered last; ``None`` if it was not.
    """

    def __init__(self, status: int) -> None:
        self._status = status
        self._vault, self._system = the_context().vault, caller().system
        # Known to this request's own thread alone.
        self._reader, self._request_id = language(), str(g.request_id)
        self.refusal: RefusalCode | None = None

    def __call__(self, told: Told) -> Answer:
        """Return the answer that tells of a decision."""
        self.refusal = told if isinstance(told, RefusalCode) else None
        if isinstance(told, RefusalCode):
            kind = CATALOGUE[told.value]
            document = problem_document(told.value, kind, None, (), self._reader, self._request_id)
            return Answer(kind.status, encode(document))
        if isinstance(told, HoldTold):
            document = authorization_document(*told, self._vault, self._system)
        else:
            document = transaction_document(told, self._vault, self._system)
        return Answer(self._status, encode(document))


def id_of(text: str, prefix: str) -> UUID:
    """Return the id in a public one.

    Raises:
        NotFound: it is none.
    """
    found = id_in(text, prefix)
    if found is None:
        raise NotFound("there is nothing with this id")
    return found


def _canonical(value: Any) -> str:
    """Write a value so that equal ones are written alike."""
    if isinstance(value, Mapping):
        return "{" + ",".join(f"{name}={_canonical(value[name])}" for name in sorted(value)) + "}"
    if isinstance(value, datetime):
        return str(value.timestamp())
    if isinstance(value, date):
        return value.isoformat()
    return repr(value)
