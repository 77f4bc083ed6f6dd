"""Where the points of hotels were used, for the accounts of those who issued them."""

from __future__ import annotations

from clearinghouse.store.database import Session


def redeemed_across(session: Session, period: int) -> dict[int, int]:
    """Return the points redeemed at other systems than the issuer's, by issuing hotel; refunds are not taken off.

    They are a part of the hotel's redeemed points: what was refunded stands among its reversed ones.
    """
    rows = session.rows(
        "SELECT issuer_hotel, sum(points)::bigint FROM legs WHERE period = %s AND fee_kind = 'redeem'"
        " AND host_system <> issuer_system AND reverses_txn IS NULL GROUP BY 1",
        [period],
    )
    return dict(rows)
