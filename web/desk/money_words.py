"""What the desk's pages of money call things, in the page's language; a pair is a text and the tone of its badge."""

from __future__ import annotations

from collections.abc import Mapping

from flask_babel import gettext as _

from clearinghouse.domain.disputes import REASONS
from clearinghouse.domain.dunning import STAGES
from clearinghouse.domain.matching import FINDINGS, Finding, Part
from clearinghouse.domain.payments import Direction
from web.desk.words import deed, warning
from web.frame.language import language
from web.frame.showing import month

__all__ = ["deed", "warning"]

Told = tuple[str, str]


def instruction_state(name: str) -> Told:
    """Return what a state of a payment is called."""
    return {
        "open": (_("未付"), "warn"),
        "partial": (_("部分到账"), "warn"),
        "confirmed": (_("已确认"), "good"),
        "covered": (_("由他方承担"), "bad"),
    }[name]


def way(direction: Direction) -> str:
    """Return which way money goes, seen from the clearing house."""
    return str(_("收款") if direction is Direction.IN else _("付出"))


def stage(name: str | None) -> str:
    """Return what a reminder is called."""
    for found in STAGES:
        if found.name == name:
            return found.en if language() == "en" else found.zh
    return ""


def finding(found: Finding) -> Told:
    """Return how a line fits what was instructed."""
    tones = {Finding.EXACT: "accent", Finding.UNKNOWN: "bad"}
    return FINDINGS[found][1 if language() == "en" else 0], tones.get(found, "warn")


def purpose(part: Part) -> str:
    """Return what a part of a line is for."""
    if part.collateral:
        return str(_("保证金"))
    if part.period is None:
        return str(_("账户余额"))
    return str(_("%(month)s付款指令", month=month(part.period)))


def purposes(parts: tuple[Part, ...], codes: Mapping[int, str]) -> str:
    """Return what parts of a line are for, in one text."""
    return str(_("；")).join(f"{codes[part.system]} {purpose(part)}" for part in parts)


def line_stage(name: str) -> str:
    """Return which lines of the bank a list has."""
    return str(
        {
            "waiting": _("待处理"),
            "proposed": _("待复核"),
            "matched": _("已匹配"),
            "returned": _("退回"),
            "all": _("全部"),
        }[name]
    )


def dispute_state(name: str) -> Told:
    """Return what a state of a dispute is called."""
    return {
        "open": (_("待答复"), "warn"),
        "answered": (_("已答复，待裁定"), "accent"),
        "upheld": (_("已支持"), "good"),
        "rejected": (_("已驳回"), "plain"),
        "escalated": (_("已升级，待再裁"), "warn"),
    }[name]


def answer(name: str | None) -> str:
    """Return what the answer to a dispute was."""
    return str(
        {
            "accept": _("接受"),
            "contest": _("反对"),
            "none": _("期限内未答复"),
        }.get(name or "", "")
    )


def dispute_reason(code: str) -> str:
    """Return what a reason for a dispute means."""
    for reason in REASONS:
        if reason.code == code:
            return reason.en if language() == "en" else reason.zh
    return code


def transaction_kind(name: str) -> str:
    """Return what a kind of transaction is called."""
    return str(
        {
            "spend": _("消费"),
            "redeem": _("积分兑换"),
            "stored_value_spend": _("储值消费"),
            "refund": _("退款"),
        }.get(name, name)
    )


def adjustment_kind(name: str) -> str:
    """Return what a kind of adjustment is called."""
    return str(
        {
            "dispute_upheld": _("争议获支持"),
            "dispute_overturned": _("改判冲回"),
            "correction": _("更正"),
        }.get(name, name)
    )
