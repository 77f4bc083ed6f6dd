"""Disputes: who may dispute a leg with whom and for how much, what follows what, and until when (domain.md §4)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, time, timedelta
from enum import StrEnum
from typing import NamedTuple

from clearinghouse.domain.calendar import local_date, zone
from clearinghouse.domain.dispute_errors import ClaimTooHigh, LegNotDisputable

#: The most that can be claimed, in fen: what a transaction's amount can be at most.
CLAIM_MAX = 10**12


class DisputeState(StrEnum):
    """How far a dispute is."""

    OPEN = "open"
    ANSWERED = "answered"
    UPHELD = "upheld"
    REJECTED = "rejected"
    ESCALATED = "escalated"


#: What a respondent can say to a claim.
ANSWERS = ("accept", "contest")
#: What stands in the place of an answer that did not come in time, once the claim is decided without it.
NO_ANSWER = "none"
#: States in which a decision stands.
DECIDED = frozenset({DisputeState.UPHELD, DisputeState.REJECTED})

#: Which states may follow a state; a dispute is escalated at most once.
FOLLOWS: Mapping[DisputeState, frozenset[DisputeState]] = {
    DisputeState.OPEN: frozenset({DisputeState.ANSWERED}),
    DisputeState.ANSWERED: frozenset({DisputeState.UPHELD, DisputeState.REJECTED}),
    DisputeState.UPHELD: frozenset({DisputeState.ESCALATED}),
    DisputeState.REJECTED: frozenset({DisputeState.ESCALATED}),
    DisputeState.ESCALATED: frozenset({DisputeState.UPHELD, DisputeState.REJECTED}),
}


class DisputeReason(NamedTuple):
    """A reason for a dispute and what it means, in Chinese and English."""

    code: str
    zh: str
    en: str


#: The reason that is about the fee, which the host pays to the clearing house, and not about the value.
FEE_WRONG = "fee_wrong"

REASONS: tuple[DisputeReason, ...] = (
    DisputeReason("not_recognised", "没有这笔交易", "The transaction did not take place"),
    DisputeReason("duplicate", "重复入账", "The same transaction was posted twice"),
    DisputeReason("amount_wrong", "金额或积分有误", "The amount or the points are wrong"),
    DisputeReason(FEE_WRONG, "手续费有误", "The fee is wrong"),
    DisputeReason("card_wrong", "会员卡有误", "It was posted to the wrong card"),
    DisputeReason("refund_missing", "应退未退", "A refund that was due is missing"),
    DisputeReason("other", "其他", "Something else, told in the text"),
)
REASON_CODES: tuple[str, ...] = tuple(reason.code for reason in REASONS)

#: The kind of fee of a leg of cash.
CASH = "spend"


def respondent_of(opener: int, host: int, issuer: int, fee_kind: str, reason: str) -> int | None:
    """Return the system that has to answer; ``None``: the operator, whom the host paid the fee that the claim is on.

    A leg of cash carries nothing but its fee.

    Raises:
        LegNotDisputable: the leg is inside one system, or its fee is another's.
    """
    if host == issuer:
        raise LegNotDisputable("the leg is inside one system and carries neither value nor fee")
    if fee_kind == CASH or reason == FEE_WRONG:
        if opener != host:
            raise LegNotDisputable("the fee is the host's, and yours is not that")
        return None
    return issuer if opener == host else host


class Claimable(NamedTuple):
    """What a claim can be for, in fen: ``usual`` where none is stated (0: it has to be), ``most`` at most."""

    usual: int
    most: int


def claimable(
    *, on_fee: bool, by_host: bool, obligation_minor: int, standing_minor: int, standing_fee: int
) -> Claimable:
    """Return what can be claimed of a leg: no more can be taken back than refunds and adjustments have left of it.

    A host that says that it should have got more has no such bound.
    """
    if on_fee:
        return Claimable(max(standing_fee, 0), max(standing_fee, 0))
    most = CLAIM_MAX if by_host else max(standing_minor, 0)
    return Claimable(min(abs(obligation_minor), most), most)


def claim_minor(stated: int | None, limits: Claimable) -> int:
    """Return what is claimed, in fen above 0.

    Raises:
        LegNotDisputable: nothing is left of the leg that could be claimed.
        ClaimTooHigh: more is claimed than is left of it, nothing is, or the amount has to be stated.
    """
    if limits.most == 0:
        raise LegNotDisputable("nothing is left of the leg that could be claimed")
    if stated is None and limits.usual == 0:
        raise ClaimTooHigh("the leg carries no value; say what is claimed")
    claimed = limits.usual if stated is None else stated
    if claimed < 1:
        raise ClaimTooHigh("a claim is of 1 fen at least")
    if claimed > limits.most:
        raise ClaimTooHigh("more is claimed than refunds and corrections have left of the leg")
    return claimed


def due_after(moment: datetime, days: int, timezone: str) -> datetime:
    """Return the end of the local day that is so many days after a moment's, in UTC: from then on it is late."""
    day = local_date(moment, timezone) + timedelta(days=days + 1)
    return datetime.combine(day, time.min, zone(timezone)).astimezone(UTC)


def may_follow(state: DisputeState, following: DisputeState) -> bool:
    """Tell whether a dispute can go from one state to another."""
    return following in FOLLOWS[state]


def may_be_decided(state: DisputeState, answer_due_at: datetime, at: datetime) -> bool:
    """Tell whether a dispute can be decided: it is answered or escalated, or its time to be answered is over."""
    return may_follow(state, DisputeState.UPHELD) or (
        state is DisputeState.OPEN and at >= answer_due_at
    )
