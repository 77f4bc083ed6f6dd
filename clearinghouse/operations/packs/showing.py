"""How a value from a file is shown in an error: short, on one line, never a card or phone number in full."""

from __future__ import annotations

import re

_SHOWN_MAX = 40
_LOOKED_AT_MAX = 4096
#: Eleven digits are a mobile number, sixteen a card: columns get swapped, so no column is trusted.
_LONG_NUMBER = re.compile(r"[0-9](?:[ -]?[0-9]){10,}")


def shown(value: str) -> str:
    """Quote a value: control characters escaped, long numbers cut to four digits, e-mails hidden."""
    if "@" in value:
        return '"…"'
    value = _LONG_NUMBER.sub(lambda found: "…" + found[0][-4:], value[:_LOOKED_AT_MAX])
    if len(value) > _SHOWN_MAX:
        value = value[:_SHOWN_MAX] + "…"
    return f'"{escaped(value)}"'


def escaped(text: str) -> str:
    """Return text on one line, control and invisible characters written as escapes."""
    return "".join(
        c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text
    )
