"""What keeps pages safe: who may open them, forms that only our pages can send, and what a browser may load.

Every view says who may open it, by one of the decorators of ``staff``, ``traveller`` or :func:`open_to_all`; a view
with none is found by a test.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, ParamSpec, TypeVar

from flask import Flask, Response, request
from flask_wtf.csrf import CSRFProtect

from clearinghouse.operations.context import Context

P = ParamSpec("P")
R = TypeVar("R")

#: Scripts, styles, pictures and forms are our own or nothing; no inline script or style at all.
_POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; connect-src 'self';"
    " font-src 'self'; manifest-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
_PERMISSIONS = "camera=(), geolocation=(), microphone=(), payment=(), usb=()"


def guard(app: Flask, context: Context, *, secure: bool) -> None:
    """Protect a site's forms and say what its pages may load."""
    app.config.update(
        # A view may give its answer a stricter one; the frame fills in what has none.
        CONTENT_SECURITY_POLICY=_POLICY,
        SECRET_KEY=context.vault.secret_for("web sessions"),
        SESSION_COOKIE_NAME="__Host-clearing" if secure else "clearing",
        SESSION_COOKIE_SECURE=secure,
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_PATH="/",
        WTF_CSRF_TIME_LIMIT=None,
        # It would want a referrer, which our pages do not send.
        WTF_CSRF_SSL_STRICT=False,
    )
    CSRFProtect(app)

    @app.after_request
    def restrict(response: Response) -> Response:
        """Say what pages may do; what is static may be kept, a page never."""
        response.headers["Permissions-Policy"] = _PERMISSIONS
        response.headers["Cross-Origin-Opener-Policy"] = "same-origin"
        if request.endpoint == "static" and "v" in request.args:
            response.headers["Cache-Control"] = "public, max-age=31536000, immutable"
        else:
            response.headers["Cache-Control"] = "no-store"
        return response


def open_to_all(view: Callable[P, R]) -> Callable[P, R]:
    """Let everybody open a page."""

    @wraps(view)
    def opened(*args: P.args, **values: P.kwargs) -> R:
        return view(*args, **values)

    marked: Any = opened
    marked.open_to = "all"
    return opened
