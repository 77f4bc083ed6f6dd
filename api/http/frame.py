"""What happens around every request: its id, its size, its headers, its line in the log and its metric."""

from __future__ import annotations

import random
import re
import time
from typing import Any

from flask import Flask, Response, g, request

from api.http import metrics
from api.http.bodies import MAX_BODY_BYTES
from api.http.limiting import write_limits
from api.http.logs import log_request
from api.http.options import Options

_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
#: W3C Trace Context, version 00: trace id, parent id, flags.
_TRACEPARENT = re.compile(r"00-([0-9a-f]{32})-([0-9a-f]{16})-[0-9a-f]{2}")
_HEADERS = (
    ("X-Content-Type-Options", "nosniff"),
    ("X-Frame-Options", "DENY"),
    ("Referrer-Policy", "no-referrer"),
    ("Cross-Origin-Resource-Policy", "same-origin"),
)
_POLICY = "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
#: What is asked every few seconds by machines would drown the rest.
_QUIET = frozenset({"/livez", "/readyz", "/metrics"})
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


def frame(app: Flask, options: Options) -> None:
    """Put the frame around an application's requests."""
    app.config["MAX_CONTENT_LENGTH"] = MAX_BODY_BYTES
    app.config["MAX_FORM_MEMORY_SIZE"] = 64 << 10
    always = [*_HEADERS]
    policy = app.config.get("CONTENT_SECURITY_POLICY", _POLICY)
    if options.public_url.startswith("https://"):
        always.append(("Strict-Transport-Security", "max-age=31536000; includeSubDomains"))
    # Before what was there already: a form without its token is refused there, and its answer needs an id too.
    app.before_request_funcs.setdefault(None, []).insert(0, _begin)

    @app.after_request
    def end(response: Response) -> Response:
        """Write the headers that every answer has, and record it."""
        headers = response.headers
        headers.extend(always)
        headers.setdefault("Content-Security-Policy", policy)
        headers.setdefault("Cache-Control", "no-store")
        headers.add("X-Request-Id", g.request_id)
        write_limits(headers)
        _record(response.status_code, told=options.access_log)
        return response


def accept_bodies_up_to(most_bytes: int) -> None:
    """Let this request's body be larger than a JSON body may be; for views that stream what they read."""
    request.max_content_length = most_bytes


def _begin() -> None:
    g.began = time.perf_counter()
    headers = request.headers
    trace = _TRACEPARENT.fullmatch(headers.get("traceparent", ""))
    if trace is not None and int(trace[1], 16) and int(trace[2], 16):
        g.trace_id = trace[1]
    given = headers.get("X-Request-Id", "")
    g.request_id = given if _REQUEST_ID.fullmatch(given) else g.get("trace_id") or _new_id()


def _new_id() -> str:
    # It has to be another one each time, not a secret; a forked worker draws other numbers than its parent.
    return f"{random.getrandbits(128):032x}"


def _record(status: int, *, told: bool) -> None:
    route: Any = request.url_rule.rule if request.url_rule is not None else "unmatched"
    seconds = time.perf_counter() - g.began
    # Anybody can send any word for a method, and a label of a metric stays for ever.
    method = request.method if request.method in _METHODS else "other"
    metrics.answered(route, method, status, seconds)
    if told and route not in _QUIET:
        log_request(route, method, status, seconds * 1000)
