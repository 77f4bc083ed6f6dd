"""Where the files of a period lie under its folder (interfaces.md "Files of a settled period")."""

from __future__ import annotations

MANIFEST = "manifest.json"
PAYMENTS = "payments.pain001.xml"
#: Formats whose files end otherwise than the format is called.
_ENDINGS = {"camt053": "camt053.xml"}


def statement_path(code: str, format_name: str) -> str:
    """Return where a party's statement in a format lies under the period's folder."""
    return f"statements/{code}.{_ENDINGS.get(format_name, format_name)}"


def debit_note_path(code: str) -> str:
    """Return where the debit note of a system that has to pay lies under the period's folder."""
    return f"debit_notes/{code}.pdf"


#: What the path of a party's statement is like that tells that its files are stored: they come together.
ANY_STATEMENT = statement_path("%", "csv")
