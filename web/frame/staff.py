"""Who of a member's finance people or of the operator looks at a page, and what their role lets them do.

    @blueprint.post("/<period:number>/disputes")
    @console_page(Role.FINANCE, Role.ADMIN)
    def dispute(number): ... the_staff().system ... party() ...

Without roles a page is for all of them. Whoever is not signed in is sent to the area's sign-in and comes back.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any, ParamSpec, TypeVar, cast

from flask import g, redirect, request, session, url_for
from werkzeug.exceptions import Forbidden
from werkzeug.wrappers import Response

from clearinghouse.domain.scopes import scopes_for
from clearinghouse.domain.users import Role
from clearinghouse.operations.changing import Authority
from clearinghouse.operations.party import Party
from clearinghouse.operations.trail import note as note_in_trail
from clearinghouse.operations.user_sessions import Level, UserSession, find_session
from web.frame.shared import the_context

__all__ = [
    "CONSOLE",
    "DESK",
    "Role",
    "Staff",
    "authority",
    "console_page",
    "desk_page",
    "note",
    "party",
    "staff_page",
    "the_staff",
]

P = ParamSpec("P")
R = TypeVar("R")

#: The two areas of staff; a browser may be signed in to both, each under its name in the cookie.
CONSOLE, DESK = "console", "desk"
#: What a viewer may not do; what concerns cards and tills is not for people at a console.
_NOT_OF_VIEWERS = frozenset({"disputes:write", "events:write"})
_NOT_OF_PEOPLE = frozenset({"cards:write", "transactions:write", "batches:write"})


@dataclass(frozen=True, slots=True)
class Staff:
    """A user who is signed in; ``system`` is ``None`` for the operator's people."""

    user: int
    login: str
    system: int | None
    role: Role

    @property
    def acts(self) -> bool:
        """Tell whether the role may do more than look."""
        return self.role in (Role.FINANCE, Role.ADMIN)

    @property
    def manages(self) -> bool:
        """Tell whether the role may manage users."""
        return self.role is Role.ADMIN


def console_page(*roles: Role) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Let only people of a member system open a page, of these roles or of all."""
    return staff_page(CONSOLE, *roles)


def desk_page(*roles: Role) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Let only the operator's people open a page, of these roles or of all."""
    return staff_page(DESK, *roles)


def the_staff() -> Staff:
    """Return who is signed in. Only in a console or desk page."""
    return cast(Staff, g.staff)


def party() -> Party:
    """Return a console user as operations know those who ask."""
    staff = the_staff()
    scopes = scopes_for(staff.system is None) - _NOT_OF_PEOPLE
    if not staff.acts:
        scopes -= _NOT_OF_VIEWERS
    return Party(None, staff.system, None, scopes, staff.user)


def authority(reason: str, approved_by: str | None = None) -> Authority:
    """Return what the audit log is told of who does something, and why."""
    return Authority(the_staff().login, reason, approved_by)


def note(action: str, subject: str, **details: object) -> None:
    """Write into the audit trail what somebody did that changes nothing: a download, a look at a person's data."""
    staff = the_staff()
    note_in_trail(the_context(), staff.login, staff.system, action, subject, details)


def session_in(area: str) -> UserSession | None:
    """Return the session of this browser in an area, of whatever level."""
    token = session.get(area)
    if not isinstance(token, str):
        return None
    found = find_session(the_context(), token)
    # A member's people have no desk, and the operator's no console.
    return found if found is not None and (found.system is None) == (area == DESK) else None


def safe_next(area: str, wanted: str | None) -> str:
    """Return the address to go on to after signing in: one of the area's own, else its first page."""
    home = f"/{area}/"
    if (
        wanted is None
        or len(wanted) > 1000
        or not wanted.startswith((home, f"/{area}?"))
        or "\\" in wanted
        or not wanted.isprintable()
    ):
        return home
    return wanted


def staff_page(area: str, *roles: Role) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Let only the people of an area open a page, of these roles or of all."""

    def decorate(view: Callable[P, R]) -> Callable[P, R]:
        @wraps(view)
        def guarded(*args: P.args, **values: P.kwargs) -> R:
            found = session_in(area)
            if found is None or found.level is not Level.FULL:
                return cast(R, _to_sign_in(area, found))
            g.staff = Staff(found.user, found.login, found.system, found.role)
            if roles and found.role not in roles:
                raise Forbidden
            return view(*args, **values)

        marked: Any = guarded
        marked.open_to = area
        marked.roles = roles
        return guarded

    return decorate


def _to_sign_in(area: str, found: UserSession | None) -> Response:
    """Send to the step that is owed; what was asked for comes after it, where it was only looked at."""
    step = {None: "sign_in", Level.SECOND: "second", Level.SETUP: "set_up"}
    name = step[found.level if found is not None else None]
    wanted = request.full_path.rstrip("?") if request.method == "GET" else None
    return redirect(url_for(f"{area}_sign_in.{name}", next=wanted))
