"""What the staged legs are made into: expressions for a statement's line as columns, as CSV and as JSON."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from clearinghouse.store.staged_legs import ORDER


class Column(NamedTuple):
    """A column of a statement: its name, its type and the expression for it; ``None``: there is nothing in it.

    A ``plain`` text holds nothing that CSV or JSON escapes; a ``code`` is one that is there in every line. A ``text``
    may hold anything, and so may a ``field``, which is staged as a CSV has it, quoted where it must be.
    """

    name: str
    kind: str
    value: str | None


#: Columns that staged legs have together, ready for a CSV: by the first of them, the expression and how many there are.
_TOGETHER = {"txn_id": ("ids", 3), "business_date": ("facts", 10), "fee_rule": ("terms", 3)}
#: What lines are in order by is selected with them already.
_THERE = frozenset(ORDER.split(", "))
_NOTHING = {
    "number": "NULL::bigint",
    "plain": "NULL::text",
    "text": "NULL::text",
    "field": "NULL::text",
}
_TRUTH = "CASE WHEN {} THEN 'true' ELSE 'false' END"
#: A field of a CSV as the text that it stands for.
_PLAIN = """CASE WHEN left({0}, 1) = '"' THEN replace(substr({0}, 2, length({0}) - 2), '""', '"') ELSE {0} END"""
_CSV = {
    "plain": "coalesce({}, '')",
    "field": "coalesce({}, '')",
    "number": "coalesce(({})::text, '')",
    "boolean": _TRUTH,
}
_JSON = {
    "plain": "coalesce('\"' || ({}) || '\"', 'null')",
    "text": "coalesce(to_json({})::text, 'null')",
    "field": f"coalesce(to_json({_PLAIN})::text, 'null')",
    "number": "coalesce(({})::text, 'null')",
    "boolean": _TRUTH,
}


def as_columns(columns: Sequence[Column], truth: str = "{}") -> str:
    """Return the columns of a SELECT."""
    forms = {"boolean": truth, "field": _PLAIN}
    return ", ".join(
        f"{forms.get(kind, '{}').format(value or _NOTHING[kind])} AS {name}"
        for name, kind, value in columns
        if name not in _THERE
    )


def as_unquoted(columns: Sequence[Column]) -> str:
    """Return the columns of a SELECT, from which COPY makes a CSV and quotes what it must."""
    return as_columns(columns, _TRUTH)


def as_csv(columns: Sequence[Column]) -> str:
    """Return the expression for a line of a CSV from its third field on, the comma before it included."""
    made, together = _Text(), 0
    for name, kind, value in columns:
        if together > 1:
            together -= 1
            continue
        made.add_text(",")
        if value is None:
            continue
        expression, together = _TOGETHER.get(name, (_CSV.get(kind, "{}").format(value), 1))
        made.add(expression)
    return f"{made} AS line"


def as_json(columns: Sequence[Column]) -> str:
    """Return the expression for the members of a JSON object from the third on, the comma before it included."""
    made = _Text()
    for name, kind, value in columns:
        made.add_text(f', "{name}": ')
        if value is None:
            made.add_text("null")
        elif kind == "code":
            made.add_text('"')
            made.add(value)
            made.add_text('"')
        else:
            made.add(_JSON[kind].format(value))
    return f"{made} AS line"


class _Text:
    """An expression for a text, put together of texts as they are and of expressions for texts."""

    def __init__(self) -> None:
        self._parts: list[str] = []
        self._text = ""

    def add_text(self, text: str) -> None:
        self._text += text

    def add(self, expression: str) -> None:
        if self._text:
            self._parts.append(f"'{self._text}'")
        self._parts.append(f"({expression})")
        self._text = ""

    def __str__(self) -> str:
        return _joined([*self._parts, f"'{self._text}'"])


def _joined(parts: Sequence[str]) -> str:
    """Return the expression for texts one behind the other: by halves, else each copies all that is before it."""
    if len(parts) == 1:
        return parts[0]
    half = len(parts) // 2
    return f"({_joined(parts[:half])} || {_joined(parts[half:])})"
