"""The rules of a rulebook in words, each in a sentence that a hotel owner understands."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from flask_babel import gettext as _

from clearinghouse.domain.rulebook import FEE_KINDS
from settlement.statements.amounts import percent, shown
from web.desk import words

Document = Mapping[str, Any]


class Rule(NamedTuple):
    """A rule: the field that it is, what it is called and what it says."""

    name: str
    title: str
    text: str


class Difference(NamedTuple):
    """A rule that two versions have differently."""

    title: str
    before: str
    after: str


class Chapter(NamedTuple):
    """Rules that belong together."""

    title: str
    rules: list[Rule]


def chapters(document: Document) -> list[Chapter]:
    """Return every rule of a complete document, in words."""
    return [
        Chapter(_("积分"), _points(document)),
        Chapter(_("手续费"), [*_fees(document), _vat(document)]),
        Chapter(_("交易期限"), _terms(document)),
        Chapter(_("账期、付款与争议"), _month(document)),
        Chapter(_("风险与退出"), _risk(document)),
        Chapter(_("储值"), [_licence(document)]),
        Chapter(_("基础"), _basics(document)),
    ]


def differences(before: Document, after: Document) -> list[Difference]:
    """Return the rules that differ, in words on both sides; versions and dates are no rules."""
    left = {rule.name: rule for chapter in chapters(before) for rule in chapter.rules}
    right = {rule.name: rule for chapter in chapters(after) for rule in chapter.rules}
    return [
        Difference(rule.title, left[name].text, rule.text)
        for name, rule in right.items()
        if left[name].text != rule.text
    ]


def _points(document: Document) -> list[Rule]:
    grace = document["restore_grace_days"]
    orders = {
        "earliest_expiry": _("先用最早到期的积分；同日到期的先用接待方本系统的"),
        "own_system_first": _("先用接待方本系统发行的积分，再按到期先后"),
    }
    return [
        Rule(
            "point_value_minor_per_100",
            _("积分价值"),
            _("每 100 积分抵 %(amount)s 元", amount=shown(document["point_value_minor_per_100"])),
        ),
        Rule(
            "points_expiry_months",
            _("有效期"),
            _(
                "积分在发行之后第 %(months)s 个月的月末到期",
                months=document["points_expiry_months"],
            ),
        ),
        Rule("points_pending_days", _("可用时间"), _pending(document["points_pending_days"])),
        Rule("draw_order", _("支取顺序"), orders[document["draw_order"]]),
        Rule(
            "restore_grace_days",
            _("退回的过期积分"),
            _("退款退到已过期的批次时，积分恢复 %(days)s 天可用，仅一次", days=grace),
        ),
    ]


def _pending(days: int) -> str:
    if not days:
        return str(_("消费获得的积分当日可用"))
    return str(_("消费获得的积分 %(days)s 天后可用", days=days))


def _fees(document: Document) -> list[Rule]:
    return [
        Rule(f"fees.{kind}", words.fee_kind(kind), _fee(document["fees"][kind]))
        for kind in FEE_KINDS
    ]


def _fee(rule: Mapping[str, Any]) -> str:
    parts = [_("跨系统时由接待方支付金额的 %(rate)s", rate=percent(rule["rate_ppm"]))]
    if rule["fixed_minor"]:
        parts.append(_("每笔另加 %(amount)s 元", amount=shown(rule["fixed_minor"])))
    if rule["min_minor"]:
        parts.append(_("每笔至少 %(amount)s 元", amount=shown(rule["min_minor"])))
    if rule["max_minor"] is not None:
        parts.append(_("每笔至多 %(amount)s 元", amount=shown(rule["max_minor"])))
    return " · ".join([*map(str, parts), str(_("本系统内不收费"))])


def _vat(document: Document) -> Rule:
    rate = percent(document["vat_ppm"])
    text = (
        _("手续费已含增值税 %(rate)s", rate=rate)
        if document["fees_include_vat"]
        else _("手续费之外另加增值税 %(rate)s", rate=rate)
    )
    return Rule("vat", _("增值税"), text)


def _terms(document: Document) -> list[Rule]:
    lasting = _lasting(document["hold_minutes"])
    return [
        Rule("hold_minutes", _("预授权"), _("冻结最长保留 %(time)s", time=lasting)),
        Rule(
            "refund_days_max",
            _("退款期限"),
            _("原交易之后 %(days)s 天内可退款", days=document["refund_days_max"]),
        ),
        Rule(
            "presentment_days_max",
            _("补传期限"),
            _("营业日早于 %(days)s 天的交易不再受理", days=document["presentment_days_max"]),
        ),
        Rule(
            "offline_floor_minor",
            _("离线限额"),
            _(
                "无法联网时每卡每日最多使用 %(amount)s 元",
                amount=shown(document["offline_floor_minor"]),
            )
            if document["offline_floor_minor"]
            else _("无法联网时不得使用积分和储值"),
        ),
    ]


def _lasting(minutes: int) -> str:
    hours, rest = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    parts = (
        (days, _("%(count)s 天", count=days)),
        (hours, _("%(count)s 小时", count=hours)),
        (rest, _("%(count)s 分钟", count=rest)),
    )
    return " ".join(str(text) for count, text in parts if count)


def _month(document: Document) -> list[Rule]:
    return [
        Rule(
            "cutoff_days",
            _("关账"),
            _("账期在月末之后第 %(days)s 天结束时可以关账", days=document["cutoff_days"]),
        ),
        Rule(
            "payment_days",
            _("付款期限"),
            _("对账单发布后 %(days)s 天内付款", days=document["payment_days"]),
        ),
        Rule(
            "dispute_days",
            _("争议期限"),
            _("对账单发布后 %(days)s 天内可提出争议", days=document["dispute_days"]),
        ),
        Rule(
            "answer_days",
            _("答复期限"),
            _("对方须在 %(days)s 天内答复争议", days=document["answer_days"]),
        ),
    ]


def _risk(document: Document) -> list[Rule]:
    share = document["guarantee_fund_ppm"]
    return [
        Rule(
            "run_off_months",
            _("退出后的兑付期"),
            _(
                "成员退出后，其积分和储值还可使用 %(months)s 个月",
                months=document["run_off_months"],
            ),
        ),
        Rule(
            "guarantee_fund_ppm",
            _("互保基金"),
            _("按月均应付的 %(rate)s 缴存", rate=percent(share)) if share else _("不缴存"),
        ),
    ]


def _licence(document: Document) -> Rule:
    found = document["stored_value_licence"]
    if found is None:
        text = _("没有预付卡牌照：不受理储值")
    else:
        text = _(
            "牌照 %(number)s，持牌人 %(holder)s，存管银行 %(bank)s，有效期至 %(until)s",
            number=found["number"],
            holder=found["holder"],
            bank=found["custody_bank"],
            until=found["valid_until"],
        )
    return Rule("stored_value_licence", _("预付卡牌照"), text)


def _basics(document: Document) -> list[Rule]:
    return [
        Rule("currency", _("结算货币"), str(document["currency"])),
        Rule("timezone", _("营业日时区"), str(document["timezone"])),
    ]
