"""One row of transactions-YYYY-MM.csv as values (interfaces.md, "Alliance pack")."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime

from .rules import PackError

KINDS = ("spend", "award", "redeem", "load", "stored_value_spend", "refund")
IN_POINTS = ("award", "redeem")


@dataclass(frozen=True)
class Request:
    """A transaction as it was asked for. Equal content is an equal Request.

    `occurred_at` is in UTC and numbers are integers, so "same content" compares values and not
    their spelling (domain.md §3). An empty column is None, which is not 0.
    """

    host: str
    txn_ref: str
    original_txn_ref: str | None
    kind: str
    card_number: str
    business_date: date
    occurred_at: datetime
    amount_minor: int | None
    points: int | None

    @classmethod
    def read(cls, row: Mapping[str, str | int | None]) -> "Request":
        """Parse one row. Raises PackError on what is not of the column's type."""
        text = {name: "" if row.get(name) is None else str(row[name]).strip() for name in row}
        try:
            occurred = datetime.fromisoformat(text["occurred_at"])
            if occurred.tzinfo is None:
                raise PackError("occurred_at without an offset")
            return cls(
                host=text["host_hotel"],
                txn_ref=text["txn_ref"],
                original_txn_ref=text.get("original_txn_ref") or None,
                kind=text["kind"],
                card_number=text["card_number"],
                business_date=date.fromisoformat(text["business_date"]),
                occurred_at=occurred.astimezone(UTC),
                amount_minor=_integer(text.get("amount_minor", "")),
                points=_integer(text.get("points", "")),
            )
        except (KeyError, ValueError) as fault:
            raise PackError(f"transaction row: {fault}") from fault

    def size(self, kind: str) -> int:
        """The amount that counts for a kind (a refund: of its original's): points or fen."""
        return (self.points if kind in IN_POINTS else self.amount_minor) or 0


def _integer(text: str) -> int | None:
    if text and not re.fullmatch(r"[+-]?[0-9]+", text):
        raise PackError(f"not an integer: {text}")
    return int(text) if text else None
