"""Ending what is left of a member's points once its run-off is over: breakage, like any expiry (domain.md §2, §3)."""

from __future__ import annotations

from collections.abc import Iterable

from clearinghouse.domain.accounts import AccountKind, Asset, account
from clearinghouse.domain.books import Posting
from clearinghouse.domain.expiring import Entry
from clearinghouse.domain.pools import Lot


def end_lots(entry: Entry, lots: Iterable[Lot]) -> list[Lot]:
    """Post the end of what nobody holds of these lots of points; the issuer's liability ends."""
    ended = []
    for lot in lots:
        amount = lot.unheld
        if amount <= 0 or lot.asset is not Asset.POINT:
            continue
        lot.remaining -= amount
        lot.expired += amount
        holder = account(AccountKind.TRAVELLER_POINTS, lot.traveller)
        breakage = account(AccountKind.POINTS_EXPIRED, lot.issuer_hotel)
        entry.postings.append(Posting(holder, breakage, Asset.POINT, amount, lot.number))
        ended.append(lot)
    return ended
