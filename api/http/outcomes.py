"""Which problems an operation can answer, written into its OpenAPI document with their codes.

Most follow from what an operation takes: a body can be unreadable, an id unknown, a key reused. A view names the rest:

    @blueprint.patch("/<card_id>")
    @needs("cards:write")
    @problems("card_state_conflict", "tier_unknown")
    @problems("card_unknown", status=404)
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from copy import deepcopy
from typing import Any

from api.http.catalogue import CATALOGUE
from api.http.decorators import Decorator, View
from api.http.problems import MEDIA_TYPE
from clearinghouse.domain.errors import RefusalCode

_NAMED = "problems"
_OF_HOLDS = (
    RefusalCode.AUTHORIZATION_UNKNOWN,
    RefusalCode.HOLD_EXPIRED,
    RefusalCode.HOLD_ALREADY_CAPTURED,
    RefusalCode.HOLD_ALREADY_VOIDED,
    RefusalCode.EXCEEDS_HOLD,
)
#: Why a line is refused; a capture can be refused for all reasons.
REFUSALS = tuple(code.value for code in RefusalCode if code not in _OF_HOLDS)
CAPTURE_REFUSALS = tuple(code.value for code in RefusalCode)
VOID_REFUSALS = ("hold_expired", "hold_already_captured")


def problems(*codes: str, status: int | None = None) -> Decorator:
    """Name problems that a view can answer, by the catalogue's status or by another one."""

    def decorate(view: View) -> View:
        told = deepcopy(getattr(view, "_apidoc", {}))
        told.setdefault(_NAMED, []).extend(
            (code, status or CATALOGUE[code].status) for code in codes
        )
        view._apidoc = told  # type: ignore[attr-defined]  # noqa: SLF001  flask-smorest's own
        return view

    return decorate


def with_problems(operation: dict[str, Any], stated: Mapping[str, Any]) -> dict[str, Any]:
    """Write into an operation's document what it can answer; ``stated`` is what its decorators said."""
    manual = stated.get("manual_doc", {})
    found: dict[int, list[str]] = {}
    usual = ((code, CATALOGUE[code].status) for code in _usual(operation, manual))
    for code, status in (*usual, *stated.get(_NAMED, ())):
        if code not in found.setdefault(status, []):
            found[status].append(code)
    answers = operation.setdefault("responses", {})
    for status in sorted(found):
        answers[str(status)] = _answer(found[status])
        # flask-smorest documents by numbers, and a document has one entry a status.
        answers.pop(status, None)
    return operation


def _usual(operation: Mapping[str, Any], manual: Mapping[str, Any]) -> Iterator[str]:
    """Yield what any operation can answer that takes what this one takes."""
    parameters = [*operation.get("parameters", ()), *manual.get("parameters", ())]
    places = {parameter["in"] for parameter in parameters}
    content = operation.get("requestBody", {}).get("content", {})
    if manual.get("security"):
        yield from ("token_missing", "token_invalid", "insufficient_scope", "rate_limited")
    if "application/json" in content:
        yield from ("json_invalid", "request_invalid", "content_type_unsupported")
    if content:
        yield from ("request_invalid", "body_too_large")
    if "query" in places:
        yield "request_invalid"
    # What a query takes is still one schema here.
    schemas = (parameter.get("schema") for parameter in parameters if "name" not in parameter)
    if any(getattr(schema, "fields", {}).keys() & {"cursor", "after"} for schema in schemas):
        yield "cursor_invalid"
    if "header" in places:
        yield from ("idempotency_key_missing", "idempotency_key_invalid")
        yield from ("idempotency_key_in_flight", "idempotency_key_reused")


def _answer(codes: Sequence[str]) -> dict[str, Any]:
    meanings = [f"- `{code}`: {CATALOGUE[code].zh} · {CATALOGUE[code].en}" for code in codes]
    only = {"properties": {"code": {"enum": list(codes)}}}
    schema = {"allOf": [{"$ref": "#/components/schemas/Problem"}, only]}
    return {"description": "\n".join(meanings), "content": {MEDIA_TYPE: {"schema": schema}}}
