"""Which traveller looks at a page: ``traveller_page`` lets nobody else in, ``the_traveller`` says who it is.

A browser keeps a secret token in a cookie of its own, for as long as it is used within thirty days; what the token
stands for is kept by the service, so signing out ends it for good.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, ParamSpec, TypeVar, cast
from urllib.parse import urlsplit

from flask import g, redirect, request, session, url_for
from werkzeug.wrappers import Response

from clearinghouse.operations.traveller_access import Visitor, visitor_with
from web.frame.shared import the_context, the_site

P = ParamSpec("P")
R = TypeVar("R")

#: Browsers keep a cookie for 400 days at most; when a session ends is for the service to say.
_COOKIE_SECONDS = 400 * 86_400
_LONGEST_TOKEN = 200
_KEPT_AT_SIGN_IN = ("language",)


def traveller_page(view: Callable[P, R]) -> Callable[P, R | Response]:
    """Let only a traveller who is signed in open a page; others are sent to the sign-in and come back."""

    @wraps(view)
    def opened(*args: P.args, **values: P.kwargs) -> R | Response:
        if visitor() is None:
            back = request.full_path.rstrip("?") if request.method == "GET" else None
            return redirect(url_for("pool_sign_in.ask", next=back))
        return view(*args, **values)

    marked: Any = opened
    marked.open_to = "traveller"
    return opened


def the_traveller() -> Visitor:
    """Return the traveller who looks. Only in a view that is a ``traveller_page``."""
    return cast(Visitor, g.visitor)


def visitor() -> Visitor | None:
    """Return the traveller who looks, if one is signed in."""
    if "visitor" not in g:
        token = request.cookies.get(_cookie_name(), "")
        known = 0 < len(token) <= _LONGEST_TOKEN
        g.visitor = visitor_with(the_context(), token) if known else None
    return cast("Visitor | None", g.visitor)


def let_in(response: Response, token: str) -> Response:
    """Give the browser its token; whatever it had kept of a stranger is thrown away."""
    kept = {name: session[name] for name in _KEPT_AT_SIGN_IN if name in session}
    session.clear()
    session.update(kept)
    response.set_cookie(
        _cookie_name(),
        token,
        max_age=_COOKIE_SECONDS,
        secure=the_site().secure,
        httponly=True,
        samesite="Lax",
        path="/",
    )
    return response


def let_out(response: Response) -> Response:
    """Take the browser's token away, and everything else that it kept but the language."""
    kept = {name: session[name] for name in _KEPT_AT_SIGN_IN if name in session}
    session.clear()
    session.update(kept)
    response.delete_cookie(
        _cookie_name(), secure=the_site().secure, httponly=True, samesite="Lax", path="/"
    )
    return response


def own_address(text: str | None) -> str | None:
    """Return an address to go back to, if it is one of the traveller's pages."""
    if not text or len(text) > 500 or "\\" in text or not text.isprintable():
        return None
    try:
        parts = urlsplit(text)
    except ValueError:
        return None
    ours = parts.path == "/pool" or parts.path.startswith("/pool/")
    ours = ours and ".." not in parts.path
    return text if ours and not parts.scheme and not parts.netloc else None


def _cookie_name() -> str:
    return "__Host-pool" if the_site().secure else "pool"
