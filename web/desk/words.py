"""Words of the desk for what the core has codes for."""

from __future__ import annotations

from typing import NamedTuple

from flask_babel import gettext as _

from clearinghouse.operations.dossier import MemberState


class Word(NamedTuple):
    """A word on a page and the tone of its badge."""

    text: str
    tone: str


def member_state(state: MemberState) -> Word:
    """Return how far a membership is."""
    words = {
        MemberState.APPLICATION: Word(_("申请中"), "warn"),
        MemberState.ACCEPTED: Word(_("已接受规则"), "accent"),
        MemberState.ACTIVE: Word(_("正常参与"), "good"),
        MemberState.BEHIND: Word(_("未接受现行规则"), "bad"),
        MemberState.SUSPENDED: Word(_("已暂停"), "bad"),
        MemberState.LEAVING: Word(_("退出中"), "warn"),
        MemberState.GONE: Word(_("已退出"), "plain"),
    }
    return words[state]


def period_state(state: str | None) -> Word:
    """Return how far a period is."""
    words = {
        None: Word(_("尚无交易"), "plain"),
        "open": Word(_("进行中"), "accent"),
        "closing": Word(_("关账中"), "warn"),
        "netted": Word(_("已轧差"), "warn"),
        "stated": Word(_("对账单已出具"), "warn"),
        "published": Word(_("已发布"), "good"),
        "settled": Word(_("已清讫"), "good"),
    }
    return words[state]


def standing_step(step: str) -> str:
    """Return what was recorded of a member's standing."""
    words = {"suspended": _("暂停"), "reinstated": _("恢复"), "withdrawn": _("退出")}
    return str(words[step])


def warning(code: str) -> str:
    """Return what the operator should look at of a member."""
    words = {
        "no_cap": _("未设净欠上限"),
        "over_limit": _("已超过限额"),
        "collateral_short": _("保证金低于约定"),
        "collateral_unbacked": _("保证金未到账"),
        "overdue": _("有逾期未付款"),
        "suspended": _("已暂停"),
        "leaving": _("退出中"),
    }
    return str(words.get(code, code))


def deed(what: str) -> str:
    """Return what two people are about to do."""
    words = {
        "system.suspend": _("暂停成员资格"),
        "system.reinstate": _("恢复成员资格"),
        "system.withdraw": _("成员办理退出"),
        "system.end-run-off": _("结束退出后的兑付期"),
        "system.change": _("更改银行账户或净欠上限"),
        "card.transfer": _("会员卡转移"),
        "collateral.post": _("收取保证金"),
        "collateral.release": _("退还保证金"),
        "risk.default": _("宣告违约并分摊损失"),
        "risk.recover": _("分配违约后的收款"),
        "risk.contributions": _("互保基金缴存"),
    }
    return str(words[what])


def fee_kind(kind: str) -> str:
    """Return a kind of fee."""
    words = {"spend": _("现金消费"), "redeem": _("积分兑换"), "stored_value": _("储值消费")}
    return str(words[kind])
