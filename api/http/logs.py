"""The access log: one JSON line a request, with the route's template and never what was in it.

No body, query, card number, name or token is logged; of an unexpected error only its class and where it arose,
since its text may quote a row.
"""

from __future__ import annotations

import sys
import traceback
from typing import Any

import structlog
from flask import g

_log = structlog.get_logger()


class _Lines:
    """Writes each line to standard error as it is at that moment, whole."""

    def info(self, line: str) -> None:
        sys.stderr.write(f"{line}\n")

    error = warning = info


def configure_logs() -> None:
    """Write log lines as JSON to standard error."""
    structlog.configure(
        processors=[
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.JSONRenderer(ensure_ascii=False),
        ],
        logger_factory=_Lines,
        cache_logger_on_first_use=True,
    )


def log_request(route: str, method: str, status: int, milliseconds: float) -> None:
    """Record a request that was answered."""
    told: dict[str, Any] = {
        "event": "request",
        "request_id": g.request_id,
        "method": method,
        "route": route,
        "status": status,
        "ms": round(milliseconds, 1),
    }
    if "party" in g:
        told["client"] = g.party.client
    if "trace_id" in g:
        told["trace_id"] = g.trace_id
    _log.info(**told)


def log_failure(error: BaseException) -> None:
    """Record an error that nobody expected: its class and the lines it passed through."""
    frames = traceback.extract_tb(error.__traceback__)[-12:]
    cause = error.__cause__ or error.__context__
    _log.error(
        event="failure",
        request_id=g.get("request_id"),
        error=type(error).__qualname__,
        cause=None if cause is None else type(cause).__qualname__,
        sqlstate=getattr(getattr(error, "orig", error), "pgcode", None),
        at=[f"{frame.filename.rpartition('/')[2]}:{frame.lineno} {frame.name}" for frame in frames],
    )
