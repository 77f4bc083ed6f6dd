"""Who the clearing house is: what its documents say of it, and the account that members pay to."""

from __future__ import annotations

import re
from dataclasses import dataclass, fields
from typing import Any

_LONGEST = {"name_zh": 140, "name_en": 140, "uscc": 35, "bank_account": 34, "bank_name": 140}
_BANK_CODE = re.compile(r"[0-9]{12}|[A-Z0-9]{4}[A-Z]{2}[A-Z0-9]{2}([A-Z0-9]{3})?")


@dataclass(frozen=True, slots=True)
class OperatorProfile:
    """The operator's legal names, its USCC and its bank account; what is not known is ``None``.

    ``bank_code`` is the bank's number in CNAPS (12 digits) or its BIC.
    """

    name_zh: str = "酒店联盟清算所"
    name_en: str = "Hotel Alliance Clearing House"
    uscc: str | None = None
    bank_account: str | None = None
    bank_name: str | None = None
    bank_code: str | None = None


def operator_profile(document: Any) -> OperatorProfile:
    """Return the profile that a document describes; a member that is left out takes its default.

    Raises:
        ValueError: the document can't be one; the end of a sentence says why ("has an unknown member …").
    """
    if not isinstance(document, dict):
        raise ValueError("is not a JSON object")
    known = {field.name for field in fields(OperatorProfile)}
    for name, value in document.items():
        if name not in known:
            raise ValueError(f"has an unknown member {name[:40]}")
        if not isinstance(value, str) or not value.strip() or not value.isprintable():
            raise ValueError(f"has no text as {name}")
        if len("".join(value.split()) if name == "bank_account" else value) > _LONGEST.get(
            name, 40
        ):
            raise ValueError(f"has a {name} of more than {_LONGEST.get(name, 40)} characters")
        if name == "bank_code" and _BANK_CODE.fullmatch(value) is None:
            raise ValueError("has a bank_code that is neither 12 digits of CNAPS nor a BIC")
    return OperatorProfile(**{name: value.strip() for name, value in document.items()})
