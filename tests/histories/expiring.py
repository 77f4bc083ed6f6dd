"""The model of what closing a period posts of points: breakage of lots, and the end of debts (domain.md §3 "Expiry").

The books do it by set (decision 0027); this says the same of values in memory.
"""

from collections.abc import Iterable
from datetime import date

from clearinghouse.domain.accounts import AccountKind, Asset, account
from clearinghouse.domain.books import Posting
from clearinghouse.domain.entries import Entry
from clearinghouse.domain.pools import Debt, Lot


def expire(entry: Entry, lots: Iterable[Lot]) -> None:
    """Post the expiry of what nobody holds of those lots whose day has come with this period."""
    for lot in lots:
        amount = lot.unheld
        if amount <= 0 or not lot.expiry_posted(entry.period):
            continue
        lot.remaining -= amount
        lot.expired += amount
        holder = account(AccountKind.TRAVELLER_POINTS, lot.traveller)
        breakage = account(AccountKind.POINTS_EXPIRED, lot.issuer_hotel)
        entry.postings.append(Posting(holder, breakage, Asset.POINT, amount, lot.number))


def end_debts(entry: Entry, debts: Iterable[Debt], last_day: date) -> None:
    """Write off debts that end with this period; what they took from the traveller before stays taken."""
    for debt in debts:
        if debt.posted <= 0 or debt.ends_on > last_day or debt.period > entry.period:
            continue
        owed_to = account(AccountKind.POINTS_DEBTS, debt.issuer_hotel)
        debtor = account(AccountKind.TRAVELLER_DEBT, debt.traveller)
        entry.postings.append(Posting(owed_to, debtor, Asset.POINT, debt.posted))
        debt.posted = 0
