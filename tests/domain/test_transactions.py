"""What makes two statements of a transaction the same: values, not spelling (domain.md §3)."""

from datetime import date, datetime
from typing import Any

import pytest

from clearinghouse.domain.transactions import Line, content_hash

STATED: dict[str, Any] = {
    "line_no": 2,
    "host_hotel": "AUR-BJ",
    "txn_ref": "R1",
    "original_txn_ref": None,
    "kind": "spend",
    "card_number": "6277810000000013",
    "business_date": date(2026, 11, 1),
    "occurred_at": datetime.fromisoformat("2026-11-01T10:00:00+08:00"),
    "amount_minor": 100,
    "points": None,
}


def content(index: bytes = b"card", **changes: Any) -> bytes:
    """The content of the line above, with changes."""
    return content_hash(Line(**{**STATED, **changes}), index)


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"line_no": 99},
        {"amount_minor": int("0100")},
        {"occurred_at": datetime.fromisoformat("2026-11-01T02:00:00Z")},
        {"occurred_at": datetime.fromisoformat("2026-10-31T21:00:00-05:00")},
        {"occurred_at": datetime.fromisoformat("2026-11-01T10:00:00.000000+08:00")},
        # Host and reference are the key under which the content is kept.
        {"host_hotel": "BAM-HZ"},
        {"txn_ref": "R2"},
    ],
)
def test_the_same_content_in_another_spelling(changes: dict[str, Any]) -> None:
    assert content(**changes) == content()


@pytest.mark.parametrize(
    "changes",
    [
        {"kind": "award"},
        {"business_date": date(2026, 10, 31)},
        {"occurred_at": datetime.fromisoformat("2026-11-01T10:00:00+09:00")},
        {"occurred_at": datetime.fromisoformat("2026-11-01T10:00:00.000001+08:00")},
        {"amount_minor": 101},
        {"amount_minor": -100},
        {"amount_minor": None},
        {"points": 0},
        {"points": 100, "amount_minor": None},
        {"original_txn_ref": "R0"},
        {"index": b"other"},
        {"kind": "spend\x1f"},
    ],
)
def test_other_content(changes: dict[str, Any]) -> None:
    assert content(**changes) != content()


def test_values_do_not_run_into_each_other() -> None:
    assert content(amount_minor=1, points=23) != content(amount_minor=12, points=3)
    assert content(amount_minor=None, points=None) != content(amount_minor=None, points=0)


def test_a_missing_original_is_not_one_called_none() -> None:
    assert content(original_txn_ref=None) != content(original_txn_ref="None")
