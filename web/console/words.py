"""What the finance console calls things, in the page's language."""

from __future__ import annotations

from typing import Protocol

from flask_babel import gettext as _

from clearinghouse.domain.disputes import REASONS
from clearinghouse.domain.dunning import STAGES
from settlement.statements import labels
from web.frame.language import language


class _Both(Protocol):
    @property
    def zh(self) -> str: ...
    @property
    def en(self) -> str: ...


def said(label: _Both) -> str:
    """Return what a label of statements says in the page's language."""
    return label.en if language() == "en" else label.zh


def activity(kind: str) -> str:
    """Return what a kind of business is called, as on statements."""
    found = labels.KINDS.get(kind)
    return said(found) if found else kind


def kind(name: str) -> str:
    """Return what a kind of line is called."""
    names: dict[str, str] = {
        "spend": _("消费"),
        "redeem": _("积分兑换"),
        "stored_value_spend": _("储值消费"),
        "refund": _("退款"),
        "adjustment": _("调整"),
    }
    return names.get(name, name)


def adjustment(name: str) -> str:
    """Return what a kind of adjustment is called."""
    return said(labels.adjustment(name))


def movement(name: str) -> str:
    """Return what a kind of movement is called."""
    return said(labels.movement(name))


def security(name: str) -> str:
    """Return what secures a debt, or what is owed by a defaulter."""
    found = labels.SECURITY_KINDS.get(name)
    return said(found) if found else name


def way(name: str) -> str:
    """Return how a net is settled."""
    found = labels.WAYS.get(name)
    return said(found) if found else name


def format_name(name: str | None) -> str:
    """Return what a file is for; ``None`` is the debit note."""
    if name is None:
        return str(_("付款通知书（PDF）"))
    names: dict[str, str] = {
        "pdf": _("PDF：汇总与往来，供阅读和签章"),
        "xlsx": _("Excel：带公式，可复算"),
        "csv": _("CSV：全部明细"),
        "json": _("JSON：汇总与全部明细"),
        "camt053": _("camt.053：导入财务软件"),
    }
    return names.get(name, name)


def period_state(name: str) -> tuple[str, str]:
    """Return what a stage of a period is called, and the tone of its badge."""
    return {
        "open": (_("进行中"), "accent"),
        "closing": (_("关账中"), "warn"),
        "netted": (_("关账中"), "warn"),
        "stated": (_("关账中"), "warn"),
        "published": (_("已发布"), "good"),
        "settled": (_("已清讫"), "good"),
    }.get(name, (name, "plain"))


def payment_state(name: str) -> tuple[str, str]:
    """Return what a state of a payment is called, and the tone of its badge."""
    return {
        "open": (_("未付"), "warn"),
        "partial": (_("部分到账"), "warn"),
        "confirmed": (_("已确认"), "good"),
        "covered": (_("由他方承担"), "bad"),
    }.get(name, (name, "plain"))


def stage(name: str | None) -> str:
    """Return what a reminder is called."""
    return next((said(found) for found in STAGES if found.name == name), name or "")


def dispute_state(name: str) -> tuple[str, str]:
    """Return what a state of a dispute is called, and the tone of its badge."""
    return {
        "open": (_("待答复"), "warn"),
        "answered": (_("已答复，待裁定"), "accent"),
        "upheld": (_("已支持"), "good"),
        "rejected": (_("已驳回"), "plain"),
        "escalated": (_("已升级，待再裁"), "warn"),
    }.get(name, (name, "plain"))


def dispute_step(state: str, said_then: str | None) -> str:
    """Return what a step of a dispute was."""
    if state == "answered":
        return str(_("答复：%(answer)s", answer=answer(said_then)))
    names: dict[str, str] = {
        "open": _("提出"),
        "upheld": _("裁定：支持"),
        "rejected": _("裁定：驳回"),
        "escalated": _("请求再次裁定"),
    }
    return names.get(state, state)


def answer(name: str | None) -> str:
    """Return what the answer to a dispute was."""
    names: dict[str, str] = {
        "accept": _("接受"),
        "contest": _("反对"),
        "none": _("期限内未答复"),
    }
    return names.get(name or "", "")


def dispute_reason(code: str) -> str:
    """Return what a reason for a dispute means."""
    return next((said(reason) for reason in REASONS if reason.code == code), code)


def file_size(count: int) -> str:
    """Write a size in bytes as people read it; rounded up, in steps of 1,024."""
    for unit, name in ((1 << 30, "GB"), (1 << 20, "MB"), (1 << 10, "KB")):
        if count >= unit:
            tenths = -(-count * 10 // unit)
            return f"{tenths // 10}.{tenths % 10} {name}"
    return f"{count} B"
