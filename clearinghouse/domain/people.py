"""Four eyes: whether two names are of one person. The database has the same in ``plain_name`` (migration 0011)."""

from __future__ import annotations

import unicodedata


def same_person(one: str, other: str) -> bool:
    """Tell whether two names are of one person, however they are written: wide or narrow, large or small, spaced.

    Characters that nobody sees (Unicode category Cf: joiners, marks of direction) are not part of a name.
    """
    return _plain(one) == _plain(other)


def _plain(name: str) -> str:
    seen = "".join(c for c in name if unicodedata.category(c) != "Cf")
    return " ".join(unicodedata.normalize("NFKC", seen).casefold().split())
