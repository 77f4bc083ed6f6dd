"""What a card can spend at one host today, and why not more (domain.md §1 principle 3, §2, §3).

The host is told the total and its own system's part of it. By which issuers the rest is, is the traveller's
business and never in the answer; ``operations.enquire`` has that split, for the operator's eyes.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import NamedTuple

from clearinghouse.domain.directory import RulebookInForce
from clearinghouse.domain.errors import TILL_SENTENCES, RefusalCode
from clearinghouse.domain.holdings import (
    NOTHING,
    Holdings,
    Usable,
    holdings,
    unheld,
)
from clearinghouse.domain.money import points_value_minor
from clearinghouse.domain.pools import Lot
from clearinghouse.domain.reaching import Reach
from clearinghouse.domain.treatment import Card, CardState
from clearinghouse.operations.cards import Desk
from clearinghouse.operations.context import Context
from clearinghouse.operations.party import Party
from clearinghouse.store import enquiry
from clearinghouse.store.periods import closed_through
from clearinghouse.store.snapshot import hold_still

_SENTENCES: Mapping[str, tuple[str, str]] = {
    "points_pending": ("部分积分尚未生效", "Some points are not usable yet"),
    "points_held": ("部分积分已被预授权冻结", "Some points are held by an authorisation"),
    "points_owed": ("退款后欠下的积分须先抵扣", "Points owed since a refund are deducted first"),
    "stored_value_held": (
        "部分储值已被预授权冻结",
        "Some stored value is held by an authorisation",
    ),
}


class WhyNot(NamedTuple):
    """Why so many points, or so much stored value in fen, of what there is can't be used here now.

    ``asset`` is ``points`` or ``stored_value``; ``code`` is that of the refusal, where using it would be refused.
    """

    asset: str
    code: str
    amount: int
    zh: str
    en: str


class DatedPoints(NamedTuple):
    """So many points that expire at the end of a day, or become usable on it."""

    day: date
    points: int


@dataclass(frozen=True, slots=True)
class HostBalance:
    """A pool as one host may see it; ``worth_minor`` is what the usable points are worth, ``None`` without a rulebook.

    Points that are held are neither usable nor pending; ``expiring`` counts the rest of what is there.
    """

    card_id: str
    card_masked: str
    status: CardState
    hotel_code: str
    business_date: date
    rulebook_version: str | None
    usable_points: int
    own_system_points: int
    worth_minor: int | None
    pending_points: int
    held_points: int
    owed_points: int
    pending: tuple[DatedPoints, ...]
    expiring: tuple[DatedPoints, ...]
    usable_minor: int
    own_system_minor: int
    held_minor: int
    why_not: tuple[WhyNot, ...]


@dataclass(frozen=True, slots=True)
class _Here:
    """What decides how much of a pool a host can use."""

    active: bool
    in_force: RulebookInForce | None
    refused: RefusalCode | None
    licensed: bool

    @property
    def may_cross(self) -> bool:
        """Whether what other systems issued can be used here at all."""
        return self.refused is None

    @property
    def why_not_others(self) -> RefusalCode:
        """Why what other systems issued can't be used here: the host may not, or their issuers have to pay first."""
        return self.refused or RefusalCode.NET_DEBIT_CAP_EXCEEDED


def balance_for(context: Context, party: Party, card_id: str, hotel_code: str) -> HostBalance:
    """Return what a card can spend at one of the party's hotels now.

    Raises:
        CardUnknown: the party was told no such id.
        HotelUnknown: there is no such hotel.
        HotelNotYours: the party may not speak for it.
    """
    with context.database.posting() as session:
        hold_still(session)
        desk = Desk.open(context, party, session)
        _, host_system = desk.host(hotel_code)
        found = desk.find(session, card_id)
        pool = enquiry.pool_now(session, found.card.traveller, desk.now)
        held = holdings(pool, desk.today, closed_through(session))
    here = _here(desk, found.card, host_system)

    points = stored_value = NOTHING
    rulebook = here.in_force.rulebook if here.in_force else None
    if here.active and rulebook is not None:
        context.exposures.keep_fresh(context.database, desk.directory, desk.now)
        limits = context.exposures.limits(desk.directory)
        reach = Reach(desk.directory, rulebook, limits, host_system, desk.today, in_points=True)
        points = reach.most(held.usable, held.owed, may_cross=here.may_cross)
        if here.licensed:
            reach = replace(reach, in_points=False)
            stored_value = reach.most(held.stored_value, 0, may_cross=here.may_cross)
    return HostBalance(
        card_id=card_id,
        card_masked=found.masked,
        status=found.card.state_at(desk.now),
        hotel_code=hotel_code,
        business_date=desk.today,
        rulebook_version=rulebook.version if rulebook else None,
        usable_points=points.total,
        own_system_points=points.own_system,
        worth_minor=points_value_minor(points.total, rulebook.point_value_minor_per_100)
        if rulebook
        else None,
        pending_points=unheld(held.pending),
        held_points=held.held_points,
        owed_points=held.owed,
        pending=_by_day((lot.usable_from, lot) for lot in held.pending),
        expiring=_by_day((lot.expires_on, lot) for lot in held.points if lot.expires_on),
        usable_minor=stored_value.total,
        own_system_minor=stored_value.own_system,
        held_minor=held.held_minor,
        why_not=(*_why_not_points(held, here, points), *_why_not_value(held, here, stored_value)),
    )


def _here(desk: Desk, card: Card, host_system: int) -> _Here:
    in_force = desk.directory.rulebook_on(desk.today)
    refused = None
    if in_force is None or host_system not in in_force.accepted_by:
        refused = RefusalCode.RULEBOOK_NOT_ACCEPTED
    elif not desk.directory.standing(host_system).may_cross(desk.today):
        refused = RefusalCode.HOTEL_NOT_ACTIVE
    return _Here(
        active=card.active_at(desk.now) and card.tier_on(desk.today) is not None,
        in_force=in_force,
        refused=refused,
        licensed=in_force is not None and in_force.rulebook.licensed_on(desk.today),
    )


def _by_day(lots: Iterable[tuple[date, Lot]]) -> tuple[DatedPoints, ...]:
    """Add up by day what is not held of lots, whoever issued them; the earliest day first."""
    sums: dict[date, int] = {}
    for day, lot in lots:
        sums[day] = sums.get(day, 0) + lot.unheld
    return tuple(DatedPoints(day, points) for day, points in sorted(sums.items()) if points)


def _why_not_points(found: Holdings, here: _Here, usable: Usable) -> list[WhyNot]:
    reasons = []
    spendable = found.spendable
    if not here.active:
        reasons.append(_refusal("points", RefusalCode.CARD_NOT_ACTIVE, spendable))
    elif usable.total < spendable:
        missing = spendable - usable.total
        reasons.append(_refusal("points", here.why_not_others, missing))
    amounts = {
        "points_pending": unheld(found.pending),
        "points_held": found.held_points,
        "points_owed": found.owed,
    }
    return reasons + [
        WhyNot("points", code, amount, *_SENTENCES[code])
        for code, amount in amounts.items()
        if amount
    ]


def _why_not_value(found: Holdings, here: _Here, usable: Usable) -> list[WhyNot]:
    reasons = []
    missing = unheld(found.stored_value) - usable.total
    if not here.active:
        reasons.append(_refusal("stored_value", RefusalCode.CARD_NOT_ACTIVE, missing))
    elif not here.licensed:
        reasons.append(_refusal("stored_value", RefusalCode.STORED_VALUE_NOT_LICENSED, missing))
    elif missing:
        reasons.append(_refusal("stored_value", here.why_not_others, missing))
    if found.held_minor:
        code = "stored_value_held"
        reasons.append(WhyNot("stored_value", code, found.held_minor, *_SENTENCES[code]))
    return reasons


def _refusal(asset: str, code: RefusalCode, amount: int) -> WhyNot:
    return WhyNot(asset, code.value, amount, *TILL_SENTENCES[code])
