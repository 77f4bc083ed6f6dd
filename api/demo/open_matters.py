"""What the demo leaves for its pages to show: two disputes that wait for an answer, one each way."""

from __future__ import annotations

from collections.abc import Iterator

from api.demo.sign_ins import SignIns
from clearinghouse.domain.calendar import parse_period
from clearinghouse.domain.transactions import Kind
from clearinghouse.operations.context import Context
from clearinghouse.operations.disputing import Claim, Line, open_dispute
from clearinghouse.operations.party import Party
from clearinghouse.operations.receipts import Receipt
from clearinghouse.operations.transactions import transactions
from clearinghouse.operations.users import user_named
from clearinghouse.store.receipts import Wanted

_ONE, _OTHER = "SPRUCE", "BIRCH"
_NOT_RECOGNISED = Claim(
    "not_recognised", "示例：我方没有这笔兑换的记录 Sample: we have no record of this"
)
_AMOUNT = Claim("amount_wrong", "示例：积分少算了一半 Sample: half of the points are missing", 100)
_ENOUGH = 400


def leave_open(context: Context, shown: str, found: SignIns) -> None:
    """Let each of two systems dispute a line of the shown month's statement that the other has to answer."""
    users = {
        each.login.partition("@")[2]: user_named(context, each.login).number
        for each in found.staff
        if each.login.startswith("finance")
    }
    codes = context.current_directory().system_by_code
    parties = {
        code: Party(None, codes[code].number, None, frozenset(), user=users[code])
        for code in (_ONE, _OTHER)
    }
    drawn = next(_redeemed(context, parties[_OTHER], _ONE, shown))
    open_dispute(context, parties[_ONE], drawn, _NOT_RECOGNISED)
    hosted = next(_redeemed(context, parties[_ONE], _OTHER, shown))
    open_dispute(context, parties[_ONE], hosted, _AMOUNT)


def _redeemed(context: Context, host: Party, issuer: str, shown: str) -> Iterator[Line]:
    """Yield lines of the shown month in which points of ``issuer`` were worth more than a yuan at ``host``."""
    period = parse_period(shown)
    newest: list[Receipt] = transactions(context, host, Wanted(kind=Kind.REDEEM), None, _ENOUGH)
    for receipt in newest:
        for leg in receipt.legs:
            if receipt.period == period and leg.issuer_system == issuer and leg.base_minor > 100:
                yield Line(receipt.txn_id, leg.leg_no)
