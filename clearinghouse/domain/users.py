"""People who sign in: their roles, and how their login names are written."""

from __future__ import annotations

import re
import unicodedata
from enum import StrEnum

#: The part of a login before the system's code; it need not be, and better is not, anybody's name.
_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{1,31}")


class Role(StrEnum):
    """What a user may do: look; act with money and disputes; and manage the users too."""

    VIEWER = "viewer"
    FINANCE = "finance"
    ADMIN = "admin"


def login_of(name: str, system_code: str | None) -> str:
    """Return the login of a user: ``finance1@AUR``, or the name alone for one of the operator's people.

    Raises:
        ValueError: the name has other characters than small letters, digits and ``._-``, or is too short or long.
    """
    if not _NAME.fullmatch(name):
        raise ValueError(
            "a login name has 2 to 32 small letters, digits, dots, dashes or underscores"
        )
    return name if system_code is None else f"{name}@{system_code}"


def login_key(login: str) -> str:
    """Return a login as it is looked up, however it was typed: wide or narrow, large or small, with blanks around."""
    return unicodedata.normalize("NFKC", login).strip().casefold()
