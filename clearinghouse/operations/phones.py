"""Telephone numbers: one number has one spelling, so that it has one blind index however it was written."""

from __future__ import annotations

import re
import unicodedata

import phonenumbers

#: Mobile numbers of China as they are most often written already; no parser is needed for them.
_NORMAL = re.compile(r"\+861[3-9][0-9]{9}", re.ASCII)
_HOME_REGION = "CN"


def normal_phone(text: str) -> str | None:
    """Return a number as E.164, ``None`` if it is none that anybody could have.

    A number without a country code is one of China. Spaces, hyphens, brackets, ``00`` for ``+``, full-width digits
    and an extension make no difference.
    """
    text = unicodedata.normalize("NFKC", text).strip()
    if _NORMAL.fullmatch(text):
        return text
    try:
        number = phonenumbers.parse(text, _HOME_REGION)
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_valid_number(number):
        return None
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
