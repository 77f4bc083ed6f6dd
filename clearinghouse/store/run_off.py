"""What a leaving member has issued and is still outstanding, and ending what is left of it after its run-off."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import NamedTuple

from clearinghouse.domain.accounts import Asset
from clearinghouse.domain.money import points_value_minor
from clearinghouse.store.breakage import Ending, parts
from clearinghouse.store.database import Session

#: Hotels that belong to a system on a date.
_HOTELS = (
    "(SELECT hotel FROM (SELECT DISTINCT ON (hotel) hotel, system FROM memberships"
    " WHERE effective_from <= %s ORDER BY hotel, effective_from DESC) AS m WHERE m.system = %s)"
)
_POINT, _CNY = Asset.POINT.value, Asset.CNY.value


class Outstanding(NamedTuple):
    """What travellers still have of a system's hotels: points, stored value in fen, and how much of both is held."""

    points: int
    stored_value_minor: int
    held_points: int
    held_minor: int

    def worth_minor(self, point_value_minor_per_100: int) -> int:
        """Return what it may cost the system yet, in fen."""
        return points_value_minor(self.points, point_value_minor_per_100) + self.stored_value_minor


def outstanding(session: Session, system: int, day: date) -> Outstanding:
    """Return what is outstanding of what the hotels of a system on a date have issued."""
    row = session.row(
        f"SELECT coalesce(sum(remaining) FILTER (WHERE asset = {_POINT}), 0)::bigint,"
        f" coalesce(sum(remaining) FILTER (WHERE asset = {_CNY}), 0)::bigint,"
        f" coalesce(sum(held) FILTER (WHERE asset = {_POINT}), 0)::bigint,"
        f" coalesce(sum(held) FILTER (WHERE asset = {_CNY}), 0)::bigint"
        f" FROM lots WHERE remaining > 0 AND issuer_hotel IN {_HOTELS}",
        [day, system],
    )
    return Outstanding(*(row or (0, 0, 0, 0)))


def held_by_system(session: Session, day: date) -> dict[int, tuple[int, int]]:
    """Return what is held of lots by the system of their issuers on a date: points, and stored value in fen."""
    rows = session.rows(
        f"SELECT m.system, coalesce(sum(l.held) FILTER (WHERE l.asset = {_POINT}), 0)::bigint,"
        f" coalesce(sum(l.held) FILTER (WHERE l.asset = {_CNY}), 0)::bigint FROM lots l"
        " JOIN (SELECT DISTINCT ON (hotel) hotel, system FROM memberships WHERE effective_from <= %s"
        "  ORDER BY hotel, effective_from DESC) AS m ON m.hotel = l.issuer_hotel"
        " WHERE l.number IN (SELECT unnest(lots) FROM authorizations WHERE state = 'held')"
        " GROUP BY 1",
        [day],
    )
    return {system: (points, minor) for system, points, minor in rows}


def points_to_end(session: Session, system: int, day: date) -> Iterator[Ending]:
    """Yield the points of a system's hotels that nobody holds, in parts by traveller: what ends with its run-off."""
    return parts(
        session,
        f"SELECT traveller, number, NULL::bigint FROM lots WHERE remaining > held AND asset = {_POINT}"
        f" AND issuer_hotel IN {_HOTELS}",
        [day, system],
    )
