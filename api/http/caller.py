"""Who calls: every view says which scopes it needs, or that it is public.

    @blueprint.post("/lookup")
    @needs("cards:read")
    @blueprint.arguments(CardLookup)
    @blueprint.response(200, CardView)
    def look_up(body): return cards.look_up(the_context(), caller(), body["card_number"])

A view with neither is found by a test.
"""

from __future__ import annotations

from copy import deepcopy
from dataclasses import dataclass
from functools import wraps
from typing import Any, cast

from flask import current_app, g, request

from api.http.decorators import Decorator, View
from api.http.limiting import Limiter
from api.http.options import Options
from api.http.problems import ProblemError
from clearinghouse.domain.scopes import SCOPES
from clearinghouse.operations.answering import Request, Result
from clearinghouse.operations.context import Context
from clearinghouse.operations.grouping import Group
from clearinghouse.operations.party import Party
from clearinghouse.operations.tokens import TokenDesk

SECURITY_SCHEME = "oauth2"
_EXTENSION = "clearinghouse"


@dataclass(frozen=True, slots=True)
class House:
    """What the requests of one application share."""

    context: Context
    options: Options
    desk: TokenDesk
    limiter: Limiter
    till: Group[Request, Result]


def house() -> House:
    """Return what the requests of this application share."""
    return cast(House, current_app.extensions[_EXTENSION])


def settle_in(extensions: dict[str, Any], found: House) -> None:
    """Let an application's requests find what they share."""
    extensions[_EXTENSION] = found


def the_context() -> Context:
    """Return the context of operations."""
    return house().context


def caller() -> Party:
    """Return who calls. Only in a view that ``needs`` a scope."""
    return cast(Party, g.party)


def needs(*scopes: str) -> Decorator:
    """Let only callers with all these scopes in: 401 without a good token, 403 without the scopes."""
    if not scopes or not SCOPES.keys() >= set(scopes):
        raise ValueError(f"no such scopes: {scopes}")
    wanted = frozenset(scopes)

    def decorate(view: View) -> View:
        @wraps(view)
        def guarded(*args: Any, **values: Any) -> Any:
            _let_in(wanted)
            return view(*args, **values)

        guarded.needs = scopes  # type: ignore[attr-defined]  # a mark on a function, read by the meta-test
        return cast(View, _documented(guarded, [{SECURITY_SCHEME: list(scopes)}]))

    return decorate


def public(view: View) -> View:
    """Let everybody in."""

    @wraps(view)
    def open_to_all(*args: Any, **values: Any) -> Any:
        return view(*args, **values)

    open_to_all.public = True  # type: ignore[attr-defined]  # a mark on a function, read by the meta-test
    return cast(View, _documented(open_to_all, []))


def _let_in(wanted: frozenset[str]) -> None:
    shared = house()
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise ProblemError("token_missing")
    party = g.party = shared.desk.party(token.strip())
    shared.limiter.count_request(party.of_a_client())
    if not wanted <= party.scopes:
        missing = " ".join(sorted(wanted - party.scopes))
        challenge = f'Bearer realm="clearinghouse", error="insufficient_scope", scope="{missing}"'
        raise ProblemError(
            "insufficient_scope",
            f"this needs the scope {missing}",
            headers={"WWW-Authenticate": challenge},
        )


def _documented(view: Any, security: list[dict[str, list[str]]]) -> Any:
    """Write into a view's OpenAPI document what it needs."""
    document = view._apidoc = deepcopy(getattr(view, "_apidoc", {}))  # noqa: SLF001  flask-smorest's own
    document.setdefault("manual_doc", {})["security"] = security
    return view
