"""What happened to a pool, in a sentence that a traveller would say."""

from __future__ import annotations

from typing import Any, NamedTuple

from flask_babel import gettext as _

from clearinghouse.domain.transactions import Kind
from clearinghouse.operations.missing_stays import StayState
from clearinghouse.operations.traveller_history import Happening
from settlement.statements.amounts import shown
from web.frame.showing import named, points


class Told(NamedTuple):
    """A happening in words: the sentence, and what it says of a debt, if there is one."""

    happening: Happening
    sentence: str
    about_debt: str | None


def told(found: Happening) -> Told:
    """Return a happening with its words."""
    # flask_babel ships no types.
    return Told(found, str(_sentence(found)), _about_debt(found))


def _sentence(found: Happening) -> Any:
    hotel, amount = named(found.hotel), shown(found.amount_minor or 0)
    if found.kind is Kind.REFUND:
        return _refund(found, hotel, amount)
    if found.kind is Kind.REDEEM:
        worth, used = shown(found.worth_minor), points(-found.points)
        return _(
            "在%(hotel)s用 %(points)s 分抵 %(amount)s 元", hotel=hotel, points=used, amount=worth
        )
    if found.kind is Kind.LOAD:
        return _("在%(hotel)s储值 %(amount)s 元", hotel=hotel, amount=amount)
    if found.kind is Kind.STORED_VALUE_SPEND:
        return _("在%(hotel)s用储值付 %(amount)s 元", hotel=hotel, amount=amount)
    earned = points(found.points + max(-found.owed, 0))
    if found.kind is Kind.AWARD:
        return _("%(hotel)s赠送 %(points)s 分", hotel=hotel, points=earned)
    if earned == "0":
        return _("在%(hotel)s消费 %(amount)s 元", hotel=hotel, amount=amount)
    return _(
        "在%(hotel)s消费 %(amount)s 元，得 %(points)s 分", hotel=hotel, amount=amount, points=earned
    )


def _refund(found: Happening, hotel: str, amount: str) -> Any:
    taken = points(-found.points + max(found.owed, 0))
    if found.of is Kind.REDEEM:
        back = points(found.points + max(-found.owed, 0))
        return _("%(hotel)s退回兑换的 %(points)s 分", hotel=hotel, points=back)
    if found.of is Kind.LOAD:
        return _("%(hotel)s退还储值 %(amount)s 元", hotel=hotel, amount=amount)
    if found.of is Kind.STORED_VALUE_SPEND:
        return _("%(hotel)s退回储值付款 %(amount)s 元", hotel=hotel, amount=amount)
    if found.of is Kind.AWARD:
        return _("%(hotel)s收回赠送的 %(points)s 分", hotel=hotel, points=taken)
    if taken == "0":
        return _("%(hotel)s退款 %(amount)s 元", hotel=hotel, amount=amount)
    return _(
        "%(hotel)s退款 %(amount)s 元，收回 %(points)s 分", hotel=hotel, amount=amount, points=taken
    )


def _about_debt(found: Happening) -> Any:
    if found.owed > 0:
        return _("其中 %(points)s 分已经用掉，记为欠额", points=points(found.owed))
    if found.owed < 0:
        return _("其中 %(points)s 分抵还欠额", points=points(-found.owed))
    return None


def state_of(state: StayState) -> tuple[str, str]:
    """Return what a report's state is called, and the tone of its badge."""
    return {
        StayState.OPEN: (_("等待酒店答复"), "accent"),
        StayState.CREDITED: (_("已补记"), "good"),
        StayState.DECLINED: (_("未通过"), "bad"),
        StayState.WITHDRAWN: (_("已撤回"), "plain"),
    }[state]
