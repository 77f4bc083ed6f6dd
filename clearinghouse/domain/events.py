"""Kinds of event: what systems and the operator are told of, in one table (interfaces.md "HTTP").

An event says no more than its party may know. What an issuer hears of a redemption elsewhere is that its
points were used, where and for how much value: never what was bought, or by whom.
"""

from __future__ import annotations

from typing import NamedTuple


class EventKind(NamedTuple):
    """A kind of event and what it means, in Chinese and English."""

    name: str
    zh: str
    en: str


#: Sent to one webhook alone, when its owner asks for it.
TEST = "webhook.test"

EVENT_KINDS: tuple[EventKind, ...] = (
    EventKind("transaction.posted", "一笔交易已入账", "A transaction was posted"),
    EventKind("transaction.refunded", "一笔交易已退款", "A transaction was refunded"),
    EventKind("authorization.held", "积分或储值已冻结", "Points or stored value were held"),
    EventKind("authorization.captured", "冻结已请款", "A hold was captured"),
    EventKind("authorization.voided", "冻结已撤销", "A hold was voided"),
    EventKind("authorization.expired", "冻结已过期", "A hold expired"),
    EventKind("card.issued", "会员卡已发出", "A card was issued"),
    EventKind("card.tier_changed", "会员卡等级已变更", "A card's tier changed"),
    EventKind("card.suspended", "会员卡已暂停", "A card was suspended"),
    EventKind("card.reactivated", "会员卡已恢复", "A suspended card is active again"),
    EventKind("card.replaced", "会员卡已补发新卡", "A lost card was replaced by a new one"),
    EventKind("card.closed", "会员卡已注销", "A card was closed"),
    EventKind("enrolment.confirmed", "入会已确认", "An enrolment was confirmed"),
    EventKind("batch.finished", "夜审批次已处理完毕", "A night-audit batch was answered"),
    EventKind("import.finished", "联盟数据包已导入", "An alliance pack was imported"),
    EventKind("statement.published", "对账单已发布", "A statement was published"),
    EventKind("period.published", "月结已发布", "A period was settled and published"),
    EventKind("dispute.opened", "一笔争议已提出", "A dispute was opened"),
    EventKind("dispute.answered", "一笔争议已答复", "A dispute was answered"),
    EventKind("webhook.disabled", "Webhook 已停用", "A webhook was disabled by the service"),
    EventKind(TEST, "Webhook 测试事件", "A test event for one webhook"),
)
EVENT_NAMES: frozenset[str] = frozenset(kind.name for kind in EVENT_KINDS)
