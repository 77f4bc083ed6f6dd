"""What another rulebook would have cost: the legs of a month priced by a draft (docs/decisions/0031).

From single legs it is exact: a leg is cleared by the draft as :func:`clearing.leg_of` clears it. From sums it is a
reckoning with the average leg; where a fee is a rate alone, no leg can be off by more than a fen.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from clearinghouse.domain.clearing import leg_of
from clearinghouse.domain.money import PPM, divide_half_up
from clearinghouse.domain.netting import Obligations
from clearinghouse.domain.rulebook import FeeRule, Rulebook

#: System and kind of fee.
Key = tuple[int, str]


class AlikeLegs(NamedTuple):
    """Cross-system legs that have all of this in common, as refunds of the month have left them; fen and points.

    ``begun`` tells that they were cleared in the month; what only a refund of the month touched keeps the rules under
    which it was cleared. ``fee_minor`` and ``obligation_minor`` are those of one leg.
    """

    host: int
    issuer: int
    fee_kind: str
    points: int | None
    base_minor: int
    fee_minor: int
    obligation_minor: int
    begun: bool
    legs: int


class KindSum(NamedTuple):
    """What a system hosted across systems of one kind: how many legs, their value and fees; fen."""

    legs: int
    base_minor: int
    fee_minor: int


@dataclass(slots=True)
class Repriced:
    """Fees by system and kind and obligations by pair and kind as they would be, in fen.

    ``within_minor`` bounds by how much the fees and obligations of a system can be off, 0 where they are exact; a
    system that is in ``unbounded`` has figures from averages that nothing bounds.
    """

    fees: dict[Key, int] = field(default_factory=dict)
    obligations: list[Obligations] = field(default_factory=list)
    within_minor: dict[int, int] = field(default_factory=dict)
    unbounded: set[int] = field(default_factory=set)


def reprice_legs(legs: Iterable[AlikeLegs], draft: Rulebook) -> Repriced:
    """Price the legs of a month one by one: exact."""
    fees: dict[Key, int] = {}
    pairs: dict[tuple[int, int, str], tuple[int, int]] = {}
    for alike in legs:
        fee, obligation = alike.fee_minor, alike.obligation_minor
        if alike.begun:
            leg = leg_of(
                draft,
                0,
                leg_no=1,
                fee_kind=alike.fee_kind,
                issuer_hotel=0,
                issuer_system=alike.issuer,
                host_system=alike.host,
                points=alike.points,
                amount_minor=alike.base_minor,
            )
            fee, obligation = leg.fee_minor, leg.obligation_minor
        key = (alike.host, alike.fee_kind)
        fees[key] = fees.get(key, 0) + fee * alike.legs
        if alike.fee_kind != "spend":
            pair = (alike.issuer, alike.host, alike.fee_kind)
            count, amount = pairs.get(pair, (0, 0))
            pairs[pair] = (count + alike.legs, amount + obligation * alike.legs)
    return Repriced(fees, [Obligations(*pair, *sums) for pair, sums in pairs.items()])


def reprice_sums(
    sums: Mapping[Key, KindSum],
    obligations: Iterable[Obligations],
    before: Sequence[Rulebook],
    draft: Rulebook,
) -> Repriced:
    """Price a month by its sums, as far as sums tell; ``before`` are the versions that judged it, the newest last.

    What the draft leaves as it is comes out exactly as it was.
    """
    done = Repriced()
    worth = draft.point_value_minor_per_100
    same_worth = all(worth == version.point_value_minor_per_100 for version in before)
    for pair in obligations:
        if pair.kind != "redeem" or same_worth:
            done.obligations.append(pair)
            continue
        amount = _rescaled(pair.amount_minor, before[-1], draft)
        done.obligations.append(replace(pair, amount_minor=amount))
        for system in (pair.debtor, pair.creditor):
            _loosen(done, system, pair.count * (1 + _ratio_up(before[-1], draft)))
    for (system, kind), found in sums.items():
        rule, base = draft.fee_rule(kind), found.base_minor
        changed_base = kind == "redeem" and not same_worth
        if not changed_base and all(rule == version.fee_rule(kind) for version in before):
            done.fees[system, kind] = found.fee_minor
            continue
        if changed_base:
            base = _rescaled(base, before[-1], draft)
        done.fees[system, kind] = _fee_of_average(rule, base, found.legs)
        if _is_rate(rule):
            _loosen(done, system, found.legs)
        else:
            done.unbounded.add(system)
    return done


def _fee_of_average(rule: FeeRule, base_minor: int, legs: int) -> int:
    """Return the fee of so many legs that are all as large as their average."""
    if _is_rate(rule) or legs <= 0:
        return divide_half_up(base_minor * rule.rate_ppm, PPM)
    return legs * rule.fee_minor(divide_half_up(base_minor, legs))


def _is_rate(rule: FeeRule) -> bool:
    return not rule.fixed_minor and not rule.min_minor and rule.max_minor is None


def _rescaled(amount_minor: int, before: Rulebook, draft: Rulebook) -> int:
    """Return the value of points at another value of a point."""
    had = before.point_value_minor_per_100
    return (
        divide_half_up(amount_minor * draft.point_value_minor_per_100, had) if had else amount_minor
    )


def _ratio_up(before: Rulebook, draft: Rulebook) -> int:
    had = before.point_value_minor_per_100
    return -(-draft.point_value_minor_per_100 // had) if had else 0


def _loosen(done: Repriced, system: int, by_minor: int) -> None:
    done.within_minor[system] = done.within_minor.get(system, 0) + by_minor
