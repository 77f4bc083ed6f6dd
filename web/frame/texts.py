"""The text of a page in its language, with its type told: flask_babel ships none."""

from __future__ import annotations

from flask_babel import gettext as _untyped


def gettext(text: str, **values: object) -> str:
    """Return a text in the page's language, with ``%(name)s`` replaced by the value of that name."""
    return str(_untyped(text, **values))
