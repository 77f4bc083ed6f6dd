"""Legs: what one transaction means between two systems, and what it costs (domain.md §2, §3).

The price rule has its one home here: no exchange, no fee (非交换不收费).
"""

from __future__ import annotations

from typing import NamedTuple
from uuid import UUID

from clearinghouse.domain.money import points_value_minor
from clearinghouse.domain.rulebook import Rulebook

OWN_SYSTEM = "own_system"
CROSS_SYSTEM = "cross_system"


class Leg(NamedTuple):
    """One cleared part of a transaction: the host against one issuer.

    ``fee_kind`` is ``spend``, ``redeem`` or ``stored_value``. ``base_minor`` is the value that the fee is
    calculated on; inside one system it is only a memo. ``obligation_minor`` is what the issuer's system owes
    the host's, signed: a reversing leg carries the differences. ``reverses`` names the leg that it reverses.
    """

    leg_no: int
    fee_kind: str
    issuer_hotel: int
    issuer_system: int
    host_system: int
    rulebook: int
    points: int | None
    base_minor: int
    obligation_minor: int
    fee_minor: int
    reverses: tuple[UUID, int] | None = None

    @property
    def is_cross_system(self) -> bool:
        """Tell whether host and issuer belonged to different systems, the test for every fee."""
        return self.issuer_system != self.host_system

    @property
    def reason(self) -> str:
        """Why there is or is not a fee."""
        return CROSS_SYSTEM if self.is_cross_system else OWN_SYSTEM


def leg_of(
    rulebook: Rulebook,
    rulebook_number: int,
    *,
    leg_no: int,
    fee_kind: str,
    issuer_hotel: int,
    issuer_system: int,
    host_system: int,
    points: int | None = None,
    amount_minor: int | None = None,
) -> Leg:
    """Clear one leg: points at the rulebook's value or an amount in fen; a fee only across systems (§2)."""
    base = (
        points_value_minor(points, rulebook.point_value_minor_per_100)
        if points is not None
        else amount_minor or 0
    )
    cross = issuer_system != host_system
    return Leg(
        leg_no=leg_no,
        fee_kind=fee_kind,
        issuer_hotel=issuer_hotel,
        issuer_system=issuer_system,
        host_system=host_system,
        rulebook=rulebook_number,
        points=points,
        base_minor=base,
        obligation_minor=base if cross and fee_kind != "spend" else 0,
        fee_minor=rulebook.fee_rule(fee_kind).fee_minor(base) if cross else 0,
    )


def reversing_leg(
    rulebook: Rulebook, standing: Leg, txn_id: UUID, leg_no: int, reduction: int
) -> Leg:
    """Reverse part of a leg: compute it anew on what remains and post the difference (§3 "Refunds").

    ``standing`` is the original leg of transaction ``txn_id`` as all refunds so far have left it;
    ``reduction`` is in points where the leg counts points, else in fen. So many small refunds never leak a fen.
    """
    in_points = standing.points is not None
    rest = leg_of(
        rulebook,
        standing.rulebook,
        leg_no=leg_no,
        fee_kind=standing.fee_kind,
        issuer_hotel=standing.issuer_hotel,
        issuer_system=standing.issuer_system,
        host_system=standing.host_system,
        points=standing.points - reduction if standing.points is not None else None,
        amount_minor=None if in_points else standing.base_minor - reduction,
    )
    return rest._replace(
        points=-reduction if in_points else None,
        base_minor=rest.base_minor - standing.base_minor,
        obligation_minor=rest.obligation_minor - standing.obligation_minor,
        fee_minor=rest.fee_minor - standing.fee_minor,
        reverses=(txn_id, standing.leg_no),
    )


def after_reversal(standing: Leg, reversal: Leg) -> Leg:
    """Return what stands of a leg once a reversing leg is posted."""
    return standing._replace(
        points=None if standing.points is None else standing.points + (reversal.points or 0),
        base_minor=standing.base_minor + reversal.base_minor,
        obligation_minor=standing.obligation_minor + reversal.obligation_minor,
        fee_minor=standing.fee_minor + reversal.fee_minor,
    )
