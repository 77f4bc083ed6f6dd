"""Disputes: who may dispute a leg with whom, which step follows which, and until when (domain.md §4 "Disputes")."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, time, timedelta
from enum import StrEnum
from typing import NamedTuple

from clearinghouse.domain.calendar import local_date, zone
from clearinghouse.domain.errors import LegNotDisputable


class DisputeState(StrEnum):
    """How far a dispute is."""

    OPEN = "open"
    ANSWERED = "answered"
    UPHELD = "upheld"
    REJECTED = "rejected"
    ESCALATED = "escalated"


#: What a respondent can say to a claim.
ANSWERS = ("accept", "contest")

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


REASONS: tuple[DisputeReason, ...] = (
    DisputeReason("not_recognised", "没有这笔交易", "The transaction did not take place"),
    DisputeReason("duplicate", "重复入账", "The same transaction was posted twice"),
    DisputeReason("amount_wrong", "金额或积分有误", "The amount or the points are wrong"),
    DisputeReason("fee_wrong", "手续费有误", "The fee is wrong"),
    DisputeReason("card_wrong", "会员卡有误", "It was posted to the wrong card"),
    DisputeReason("refund_missing", "应退未退", "A refund that was due is missing"),
    DisputeReason("other", "其他", "Something else, told in the text"),
)
REASON_CODES: tuple[str, ...] = tuple(reason.code for reason in REASONS)

#: The kind of fee of a leg of cash.
CASH = "spend"


def respondent_of(opener: int, host: int, issuer: int, fee_kind: str) -> int | None:
    """Return the system that has to answer; ``None``: the operator, for a leg of cash, which carries but a fee.

    Raises:
        LegNotDisputable: the leg is inside one system.
    """
    if host == issuer:
        raise LegNotDisputable("the leg is inside one system and carries neither value nor fee")
    if fee_kind == CASH:
        return None
    return issuer if opener == host else host


def due_after(moment: datetime, days: int, timezone: str) -> datetime:
    """Return the end of the local day that is so many days after a moment's, in UTC: from then on it is late."""
    day = local_date(moment, timezone) + timedelta(days=days + 1)
    return datetime.combine(day, time.min, zone(timezone)).astimezone(UTC)


def may_follow(state: DisputeState, following: DisputeState) -> bool:
    """Tell whether a dispute can go from one state to another."""
    return following in FOLLOWS[state]
