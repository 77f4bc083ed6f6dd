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
    EventKind("missing_stay.reported", "旅客补报了一次住店", "A traveller reported a missing stay"),
    EventKind(
        "missing_stay.answered", "一次住店补报已答复", "A report of a missing stay was answered"
    ),
    EventKind(
        "missing_stay.withdrawn", "一次住店补报已撤回", "A report of a missing stay was withdrawn"
    ),
    EventKind("batch.finished", "夜审批次已处理完毕", "A night-audit batch was answered"),
    EventKind("import.finished", "联盟数据包已导入", "An alliance pack was imported"),
    EventKind("statement.published", "对账单已发布", "A statement was published"),
    EventKind("period.published", "月结已发布", "A period was settled and published"),
    EventKind("period.settled", "账期已清讫", "Everything of a period is paid"),
    EventKind("payment.received", "收到付款", "A payment of the system arrived"),
    EventKind("payment.made", "已付款", "A payment to the system was made"),
    EventKind("payment.returned", "付款已退回", "A payment was returned by a bank"),
    EventKind("payment.corrected", "付款已更正", "What a payment was for was corrected"),
    EventKind("payment.overdue", "付款已逾期", "A payment is overdue: a reminder or a notice"),
    EventKind("dispute.opened", "一笔争议已提出", "A dispute was opened"),
    EventKind("dispute.answered", "一笔争议已答复", "A dispute was answered"),
    EventKind("dispute.overdue", "一笔争议逾期未答复", "A dispute was not answered in time"),
    EventKind("dispute.decided", "一笔争议已裁定", "A dispute was decided"),
    EventKind("dispute.escalated", "一笔争议已升级", "A dispute was escalated"),
    EventKind("system.suspended", "成员系统已暂停", "A system was suspended"),
    EventKind("system.reinstated", "成员系统已恢复", "A system takes part again"),
    EventKind("system.withdrawn", "成员系统将退出", "A system leaves the alliance"),
    EventKind("claim.recorded", "损失分摊已记为债权", "A share of a loss was recorded as a claim"),
    EventKind("claim.paid", "债权已获偿付", "A claim was paid"),
    EventKind("webhook.disabled", "Webhook 已停用", "A webhook was disabled by the service"),
    EventKind(TEST, "Webhook 测试事件", "A test event for one webhook"),
)
EVENT_NAMES: frozenset[str] = frozenset(kind.name for kind in EVENT_KINDS)
