"""Errors as RFC 9457 problems, in Chinese or English by ``Accept-Language`` (interfaces.md "HTTP").

``ProblemError("cursor_invalid")`` is a problem that the API finds, by a code of the catalogue. Any error of the core is
one by its own code: ``NotFound('there is no hotel "X"')``. A transaction that the rules refuse is answered by
``refusal(RefusalCode.INSUFFICIENT_POINTS)``.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from flask import Flask, Response, g, request
from werkzeug.exceptions import HTTPException

from api.http import metrics
from api.http.catalogue import CATALOGUE, ProblemKind
from api.http.logs import log_failure
from clearinghouse.domain.errors import TILL_SENTENCES, ClearinghouseError, NotFound, RefusalCode

MEDIA_TYPE = "application/problem+json"
#: Codes that RFC 6749 §5.2 names: their problems also say so in its words.
_OAUTH_CODES = frozenset(
    {"invalid_request", "invalid_client", "invalid_scope", "unsupported_grant_type"}
)
_BY_STATUS = {
    400: "request_malformed",
    401: "token_missing",
    403: "insufficient_scope",
    404: "not_found",
    405: "method_not_allowed",
    406: "not_acceptable",
    409: "conflict",
    413: "body_too_large",
    414: "address_too_long",
    415: "content_type_unsupported",
    422: "request_invalid",
    429: "rate_limited",
}
_MAX_ERRORS = 50


class ProblemError(Exception):
    """A problem that the API itself finds; ``code`` is one of the catalogue.

    ``errors`` are (JSON pointer, what is wrong there).
    """

    def __init__(
        self,
        code: str,
        detail: str | None = None,
        errors: Iterable[tuple[str, str]] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(code)
        self.code = code
        self.detail = detail
        self.errors = tuple(errors)
        self.headers = headers or {}


def problem(
    code: str,
    detail: str | None = None,
    *,
    errors: Sequence[tuple[str, str]] = (),
    headers: Mapping[str, str] | None = None,
    status: int | None = None,
) -> Response:
    """Make the answer that tells of a problem; ``detail`` is English, so a Chinese reader gets the title first.

    The status is the catalogue's, unless what was asked for is not there at all (404).
    """
    kind = CATALOGUE[code]
    if status is not None:
        kind = replace(kind, status=status)
    document = problem_document(
        code, kind, detail, errors, language(), str(g.get("request_id", ""))
    )
    response = Response(
        json.dumps(document, ensure_ascii=False, separators=(",", ":")),
        kind.status,
        content_type=MEDIA_TYPE,
    )
    response.headers["Content-Language"] = language()
    response.vary.add("Accept-Language")
    if kind.status == 401:
        response.headers["WWW-Authenticate"] = _challenge(code)
    response.headers.update(headers or {})
    return response


def problem_document(
    code: str,
    kind: ProblemKind,
    detail: str | None,
    errors: Sequence[tuple[str, str]],
    reader: str,
    request_id: str,
) -> dict[str, Any]:
    """Return the members of a problem, in their order; ``reader`` is the language of its title."""
    title = kind.en if reader == "en" else kind.zh
    # What went wrong inside is nobody's business outside.
    told = None if kind.status >= 500 else detail
    document: dict[str, Any] = {
        "type": f"/docs/problems#{code}",
        "title": title,
        "status": kind.status,
        "detail": told or title,
        "code": code,
        "errors": [
            {"pointer": pointer, "detail": wrong} for pointer, wrong in errors[:_MAX_ERRORS]
        ],
        "request_id": request_id,
    }
    if kind.refusal:
        zh, en = TILL_SENTENCES[RefusalCode(code)]
        document["till"] = {"zh": zh, "en": en}
    if code in _OAUTH_CODES:
        document["error"] = code
        document["error_description"] = told or kind.en
    return document


def refusal(code: RefusalCode, detail: str | None = None) -> Response:
    """Make the answer to a transaction that is refused by the rules."""
    metrics.declined(code.value)
    return problem(code.value, detail)


def language() -> str:
    """Return what the caller reads best: ``zh`` unless English is preferred."""
    found = g.get("language")
    if found is None:
        # The best first; a script or region does not matter ("zh-Hans-CN" is Chinese).
        wanted = (tag.partition("-")[0].lower() for tag in request.accept_languages.values())
        found = g.language = next((tag for tag in wanted if tag in ("zh", "en")), "zh")
    return str(found)


def handle_problems(app: Flask) -> None:
    """Let the application answer every error with a problem."""
    app.register_error_handler(ProblemError, _of_ours)
    app.register_error_handler(ClearinghouseError, _of_the_core)
    app.register_error_handler(HTTPException, _of_werkzeug)
    app.register_error_handler(Exception, _unexpected)


def _of_ours(error: ProblemError) -> Response:
    return problem(error.code, error.detail, errors=error.errors, headers=error.headers)


def _of_the_core(error: ClearinghouseError) -> Response:
    code = error.code if error.code in CATALOGUE else "failed"
    if CATALOGUE[code].status >= 500:
        log_failure(error)
    return problem(code, error.message, status=404 if isinstance(error, NotFound) else None)


def _of_werkzeug(error: HTTPException) -> Response:
    if error.response is not None or error.code is None or error.code < 400:
        return error.get_response()  # type: ignore[return-value]  # Werkzeug's base of Flask's Response
    code = _BY_STATUS.get(error.code, "failed" if error.code >= 500 else "request_malformed")
    headers = {
        name: value for name, value in error.get_headers() if name in ("Allow", "Retry-After")
    }
    return problem(code, headers=headers)


def _unexpected(error: Exception) -> Response:
    log_failure(error)
    return problem("failed")


def _challenge(code: str) -> str:
    """Say how to authenticate (RFC 6750 §3; RFC 6749 §5.2 at the token endpoint)."""
    if code == "invalid_client":
        return 'Basic realm="clearinghouse"'
    error = ', error="invalid_token"' if code == "token_invalid" else ""
    return f'Bearer realm="clearinghouse"{error}'
