"""What can be seen of the books, in plain values that compare: of the model, and of loaded pools and legs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from clearinghouse.domain.accounts import Asset
from clearinghouse.domain.pools import Pool
from tests.histories.world import TRAVELLERS
from tests.model import Model
from tests.model.rules import last_day, later_month, month_of

#: Days on which available points are compared.
DAYS = (date(2017, 1, 31), date(2017, 2, 28), date(2017, 4, 15))
PERIODS = tuple(later_month("2016-12", months) for months in range(18))


@dataclass
class Seen:
    """The books by the codes that people use; every member is a plain value.

    ``legs`` are, by (host, reference) of the original, its legs, each with what it was and all that reverses it.
    ``points`` of a period and hotel: opening, issued, redeemed, expired, reversed, closing; ``gone`` the
    points of a hotel that came back to a restored lot after its end; ``owed`` debts, of closed periods only.
    """

    lots: dict[str, list[Any]] = field(default_factory=dict)
    stored_value: dict[str, list[Any]] = field(default_factory=dict)
    debts: dict[str, list[Any]] = field(default_factory=dict)
    available: dict[tuple[str, date], int] = field(default_factory=dict)
    legs: dict[tuple[str, str], list[Any]] = field(default_factory=dict)
    periods: dict[tuple[str, str], tuple[str, bool]] = field(default_factory=dict)
    obligations: dict[str, dict[Any, Any]] = field(default_factory=dict)
    positions: dict[str, dict[str, Any]] = field(default_factory=dict)
    points: dict[str, dict[str, Any]] = field(default_factory=dict)
    gone: dict[str, int] = field(default_factory=dict)
    owed: dict[str, dict[str, int]] = field(default_factory=dict)


def seen_of_model(model: Model) -> Seen:
    """See the model's books."""
    seen = Seen()
    for traveller in TRAVELLERS:
        wallet = model._wallet(traveller)
        seen.lots[traveller] = [
            (lot.issuer, lot.remaining, lot.usable_from, lot.expires_on)
            for lot in wallet.lots
            if lot.remaining
        ]
        seen.stored_value[traveller] = [
            (lot.issuer, lot.remaining) for lot in wallet.loads if lot.remaining
        ]
        seen.debts[traveller] = [
            (debt.hotel, debt.outstanding, debt.ends_on)
            for debt in wallet.debts
            if debt.outstanding
        ]
        for day in DAYS:
            seen.available[traveller, day] = model.available_points(traveller, day)
    for key, txn in model.transactions.items():
        seen.periods[key] = (txn.period, txn.late)
        if txn.legs:
            seen.legs[key] = [
                (
                    leg.kind,
                    leg.host_system,
                    leg.other_hotel,
                    leg.other_system,
                    in_order([(entry.period, entry.value, entry.fee) for entry in leg.entries]),
                )
                for leg in txn.legs
            ]
    _see_periods(seen, model)
    return seen


def in_order(entries: Sequence[tuple[str, int, int]]) -> list[tuple[str, int, int]]:
    """Sort what reverses a leg: within a millisecond the ids of several periods do not tell the order."""
    return [entries[0], *sorted(entries[1:])]


def _see_periods(seen: Seen, model: Model) -> None:
    for period in PERIODS:
        seen.obligations[period] = {
            key: (row.count, row.amount) for key, row in model.obligations(period).items()
        }
        if model.rulebook_on(last_day(period)) is not None:
            seen.positions[period] = {
                system: (row.receivable, row.payable, row.fees, row.vat, row.net)
                for system, row in model.positions(period).items()
            }
        rows = model.points_liability(period)
        seen.points[period] = points_rows(
            {
                hotel: (
                    row.opening,
                    row.issued,
                    row.redeemed,
                    row.expired,
                    row.reversed,
                    row.closing,
                )
                for hotel, row in rows.items()
            }
        )
        if period <= model.closed_through:
            seen.owed[period] = _owed(model, period)


def _owed(model: Model, period: str) -> dict[str, int]:
    """Sum the debts by hotel as the ledger has them at the end of a closed period.

    A debt leaves the ledger with the period of its last day, or the one it is booked in if that is later.
    A line of an open earlier month may repay it before its own booking: then that month shows less than 0.
    """
    owed: dict[str, int] = {}
    for wallet in model.wallets.values():
        for debt in wallet.debts:
            booked = debt.changes[0][0]
            if max(booked, month_of(debt.ends_on)) > period:
                points = sum(change for when, change in debt.changes if when <= period)
                owed[debt.hotel] = owed.get(debt.hotel, 0) + points
    return {hotel: points for hotel, points in owed.items() if points}


def see_pool(seen: Seen, traveller: str, pool: Pool, hotels: dict[int, str], closed: int) -> None:
    """See one traveller's pool."""
    lots = [pool.lots[key] for key in sorted(pool.lots) if pool.lots[key].remaining]
    seen.lots[traveller] = [
        (hotels[lot.issuer_hotel], lot.remaining, lot.usable_from, lot.expires_on)
        for lot in lots
        if lot.asset is Asset.POINT
    ]
    seen.stored_value[traveller] = [
        (hotels[lot.issuer_hotel], lot.remaining) for lot in lots if lot.asset is Asset.CNY
    ]
    seen.debts[traveller] = [
        (hotels[debt.issuer_hotel], debt.remaining, debt.ends_on)
        for debt in pool.debts
        if debt.remaining
    ]
    for lot in pool.lots.values():
        if lot.gone:
            hotel = hotels[lot.issuer_hotel]
            seen.gone[hotel] = seen.gone.get(hotel, 0) + lot.gone
    for day in DAYS:
        usable = pool.usable(Asset.POINT, day, closed)
        seen.available[traveller, day] = sum(lot.unheld for lot in usable) - pool.owed_on(day)


def points_rows(rows: Mapping[str, tuple[int, ...]]) -> dict[str, tuple[int, ...]]:
    """Leave out rows of nothing but zeros."""
    return {hotel: row for hotel, row in rows.items() if any(row)}


def _allow_for_gone(expected: Seen, found: Seen) -> None:
    """Add what is gone to the expected rows: returned and lost at once, where the model moves nothing.

    domain.md leaves open whether "gone" is shown. It may raise ``reversed`` and ``expired`` alike, by as much
    in all as the lots say.
    """
    for period, rows in found.points.items():
        for hotel, row in rows.items():
            wanted = expected.points[period].get(hotel, (0,) * 6)
            gone = row[3] - wanted[3]
            if gone > 0:
                more = (*wanted[:3], wanted[3] + gone, wanted[4] + gone, wanted[5])
                expected.points[period][hotel] = more
                expected.gone[hotel] = expected.gone.get(hotel, 0) + gone


def differences(expected: Seen, found: Seen) -> list[str]:
    """Tell every difference in a line that a person can follow."""
    _allow_for_gone(expected, found)
    told = []
    for name in Seen.__dataclass_fields__:
        ours, theirs = getattr(expected, name), getattr(found, name)
        told += [
            f"{name} {key}: expected {ours.get(key)}, found {theirs.get(key)}"
            for key in sorted({*ours, *theirs}, key=str)
            if ours.get(key) != theirs.get(key)
        ]
    return told
