"""The legs of a month as another rulebook would price them: alike ones together (``domain.impact``)."""

from __future__ import annotations

from collections.abc import Iterator

from clearinghouse.domain.impact import AlikeLegs
from clearinghouse.store.database import Session


def alike_legs(session: Session, period: int) -> Iterator[AlikeLegs]:
    """Yield the cross-system legs of a period, each as the refunds of that period have left it.

    It reads all legs of the month: for a small one, or for a command that may take its time.
    """
    for row in session.stream(
        "SELECT host, issuer, fee_kind, points, base, fee, obligation, begun, count(*) FROM ("
        " SELECT host_system AS host, issuer_system AS issuer, fee_kind, sum(points)::bigint AS points,"
        "  sum(base_minor)::bigint AS base, sum(fee_minor)::bigint AS fee,"
        "  sum(obligation_minor)::bigint AS obligation, bool_or(reverses_txn IS NULL) AS begun"
        "  FROM legs WHERE period = %s AND host_system <> issuer_system"
        "  GROUP BY host_system, issuer_system, fee_kind, coalesce(reverses_txn, txn_id),"
        "  coalesce(reverses_leg, leg_no)) AS families"
        " GROUP BY host, issuer, fee_kind, points, base, fee, obligation, begun",
        [period],
    ):
        yield AlikeLegs(*row)
