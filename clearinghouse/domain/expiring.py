"""What closing a period posts of points: breakage of lots, and the end of debts (domain.md §3 "Expiry")."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import date
from uuid import UUID

from clearinghouse.domain.accounts import AccountKind, Asset, account
from clearinghouse.domain.books import Posting
from clearinghouse.domain.pools import Debt, Lot


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


def expire(entry: Entry, lots: Iterable[Lot]) -> list[Lot]:
    """Post the expiry of those lots whose day has come with this period; the issuer's liability ends."""
    return _break(entry, lots, lambda lot: lot.expiry_posted(entry.period))


def end_lots(entry: Entry, lots: Iterable[Lot]) -> list[Lot]:
    """Post the end of lots of points once their issuer's run-off is over: breakage, like any expiry (domain.md §2)."""
    return _break(entry, lots, lambda lot: lot.asset is Asset.POINT)


def _break(entry: Entry, lots: Iterable[Lot], is_over: Callable[[Lot], bool]) -> list[Lot]:
    """Post as expired what nobody holds of those lots that are over, and return them."""
    ended = []
    for lot in lots:
        amount = lot.unheld
        if amount <= 0 or not is_over(lot):
            continue
        lot.remaining -= amount
        lot.expired += amount
        holder = account(AccountKind.TRAVELLER_POINTS, lot.traveller)
        breakage = account(AccountKind.POINTS_EXPIRED, lot.issuer_hotel)
        entry.postings.append(Posting(holder, breakage, Asset.POINT, amount, lot.number))
        ended.append(lot)
    return ended


def end_debts(entry: Entry, debts: Iterable[Debt], last_day: date) -> list[Debt]:
    """Write off debts that end with this period; what they took from the traveller before stays taken."""
    ended = []
    for debt in debts:
        if debt.posted <= 0 or debt.ends_on > last_day or debt.period > entry.period:
            continue
        owed_to = account(AccountKind.POINTS_DEBTS, debt.issuer_hotel)
        debtor = account(AccountKind.TRAVELLER_DEBT, debt.traveller)
        entry.postings.append(Posting(owed_to, debtor, Asset.POINT, debt.posted))
        debt.posted = 0
        ended.append(debt)
    return ended
