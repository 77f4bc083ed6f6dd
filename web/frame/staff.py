"""Who of a member's finance people or of the operator looks at a page, and what their role lets them do."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")


class Role(StrEnum):
    """What a user may do: look; act with money and disputes; and manage the users too."""

    VIEWER = "viewer"
    FINANCE = "finance"
    ADMIN = "admin"


@dataclass(frozen=True, slots=True)
class Staff:
    """A user who is signed in; ``system`` is ``None`` for the operator's people."""

    user: int
    login: str
    system: int | None
    role: Role
