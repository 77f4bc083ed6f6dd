"""Entries of the journal that are no transactions of a hotel: expiry, VAT, money, corrections (domain.md §4)."""

from __future__ import annotations

from datetime import date
from uuid import UUID

from clearinghouse.domain.books import Posting


class Entry:
    """A journal entry that is no transaction of a hotel; ``reference`` is that of a payment or decision, if any."""

    __slots__ = ("business_date", "entry_id", "kind", "period", "postings", "reference")

    def __init__(
        self,
        entry_id: UUID,
        period: int,
        kind: str,
        business_date: date,
        reference: str | None = None,
    ) -> None:
        self.entry_id = entry_id
        self.period = period
        self.kind = kind
        self.business_date = business_date
        self.reference = reference
        self.postings: list[Posting] = []
