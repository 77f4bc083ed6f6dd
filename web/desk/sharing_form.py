"""The form in which a line of the bank is shared out by hand: whom its parts are for, adding up to what is left."""

from __future__ import annotations

from typing import NamedTuple

from flask import request
from flask_babel import gettext as _

from clearinghouse.domain.calendar import parse_period
from clearinghouse.domain.errors import OperatorRefused
from clearinghouse.operations.payments.sharing import Target
from web.desk.forms import typed, yuan_typed
from web.frame.showing import yuan

ROWS = 4
#: What a part can be for, besides the instruction of a period.
OLDEST, CREDIT, COLLATERAL = "open", "credit", "collateral"


class SharingRow(NamedTuple):
    """A row of the form as it was typed."""

    system: str
    purpose: str
    amount: str


class SharingForm:
    """What was typed, or what a link of the page has filled in."""

    def __init__(self, rest_minor: int) -> None:
        self._rest_minor = rest_minor
        self.leave_rest = typed("leave_rest") == "yes"
        self.rows = [
            SharingRow(*(_given(f"{name}_{number}") for name in SharingRow._fields))
            for number in range(1, ROWS + 1)
        ]

    def targets(self) -> list[Target]:
        """Return whom the line is for.

        Raises:
            OperatorRefused: a row is incomplete, or the parts don't add up to what is left of the line.
        """
        filled = [
            (number, row)
            for number, row in enumerate(self.rows, start=1)
            if row.system or row.amount
        ]
        if not filled:
            raise OperatorRefused(_("请至少填写一行：给哪个成员、作什么用。"))
        amounts = [yuan_typed(f"amount_{number}") for number, _row in filled]
        stated = sum(amount or 0 for amount in amounts)
        if None in amounts[:-1]:
            raise OperatorRefused(_("只有最后一行的金额可以留空，表示流水剩余的部分。"))
        if amounts[-1] is None and not self.leave_rest:
            amounts[-1] = self._rest_minor - stated
        elif amounts[-1] is not None and not self.leave_rest and stated != self._rest_minor:
            raise OperatorRefused(
                _(
                    "各部分合计 %(stated)s 元，流水还有 %(rest)s 元未分配。请使两者相等，或勾选“其余以后再分配”。",
                    stated=yuan(stated),
                    rest=yuan(self._rest_minor),
                )
            )
        return [
            _target(number, row, amount)
            for (number, row), amount in zip(filled, amounts, strict=True)
        ]


def _given(name: str) -> str:
    return typed(name) or request.args.get(name, "")[:100].strip()


def _target(number: int, row: SharingRow, amount: int | None) -> Target:
    if not row.system:
        raise OperatorRefused(_("第 %(number)s 行没有填写成员代码。", number=number))
    period = None
    if row.purpose not in (OLDEST, CREDIT, COLLATERAL, ""):
        try:
            period = parse_period(row.purpose)
        except ValueError:
            raise OperatorRefused(
                _("第 %(number)s 行的用途不是账期；请写成年-月，例如 2026-10。", number=number)
            ) from None
    return Target(row.system, period, row.purpose == CREDIT, row.purpose == COLLATERAL, amount)
