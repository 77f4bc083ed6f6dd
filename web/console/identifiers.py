"""Ids in addresses: what can't be one leads to the page of what is not there, as one of somebody else's does."""

from __future__ import annotations

from uuid import UUID

from clearinghouse.domain.errors import NotFound

_DIGITS = 32


def uuid_of(text: str, prefix: str) -> UUID:
    """Return the id that a public one is.

    Raises:
        NotFound: it is none.
    """
    digits = text.removeprefix(prefix)
    if not text.startswith(prefix) or len(digits) != _DIGITS or digits != digits.lower():
        raise NotFound("there is nothing of that id")
    try:
        return UUID(hex=digits)
    except ValueError:
        raise NotFound("there is nothing of that id") from None
