"""Amounts that people type."""

from __future__ import annotations

import re
import unicodedata

#: A comma that parts no thousands may stand for a decimal point: 12,50 is not 1250.
_AMOUNT = re.compile(r"([0-9]{1,3}(?:,[0-9]{3}){1,3}|[0-9]{1,12})(?:\.([0-9]{1,2}))?")


def fen_of(text: str) -> int | None:
    """Return the fen that a text in yuan says, with or without thousands separators; ``None``: it is no amount."""
    plain = unicodedata.normalize("NFKC", text).strip().removeprefix("¥").strip()
    found = _AMOUNT.fullmatch(plain)
    if found is None:
        return None
    return int(found[1].replace(",", "")) * 100 + int((found[2] or "").ljust(2, "0"))
