"""What the demo leaves for its pages to show: matters that wait for somebody, one of every kind.

Two disputes, one each way; a stay that a traveller misses; money from somebody that the clearing house does not know;
and collateral that one person of the desk has proposed and another is to confirm.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta

from api.demo.bank import OUR_ACCOUNT
from api.demo.facts import SampleFacts
from api.demo.sign_ins import SignIns
from clearinghouse.domain.business_day import business_day
from clearinghouse.domain.calendar import parse_period
from clearinghouse.domain.transactions import Kind
from clearinghouse.operations.changing import Authority
from clearinghouse.operations.context import Context
from clearinghouse.operations.disputing import Claim, Line, open_dispute
from clearinghouse.operations.missing_stays import StayTold, report_stay
from clearinghouse.operations.party import Party
from clearinghouse.operations.payments.bank_csv import NEEDED, OPTIONAL
from clearinghouse.operations.payments.importing import import_bank_bytes
from clearinghouse.operations.receipts import Receipt
from clearinghouse.operations.transactions import transactions
from clearinghouse.operations.two_people import propose
from clearinghouse.operations.users import user_named
from clearinghouse.store.cards import cards_with_indexes
from clearinghouse.store.receipts import Wanted

_ONE, _OTHER = "SPRUCE", "BIRCH"
_NOT_RECOGNISED = Claim(
    "not_recognised", "示例：我方没有这笔兑换的记录 Sample: we have no record of this"
)
_AMOUNT = Claim("amount_wrong", "示例：积分少算了一半 Sample: half of the points are missing", 100)
_ENOUGH = 400
_MAKER = Authority("maker", "示例：银行保函已到 Sample: the bank guarantee has come")
_CLERK = Authority("maker", "示例：银行对账单 Sample: the bank's statement")
_COLLATERAL_FEN = 50_000_000
_STAY_FEN = 68_800


def leave_open(context: Context, facts: SampleFacts, found: SignIns) -> None:
    """Leave a matter of every kind open, about the shown month and the day behind it."""
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
    shown = facts.shown.period
    drawn = next(_redeemed(context, parties[_OTHER], _ONE, shown))
    open_dispute(context, parties[_ONE], drawn, _NOT_RECOGNISED)
    hosted = next(_redeemed(context, parties[_ONE], _OTHER, shown))
    open_dispute(context, parties[_ONE], hosted, _AMOUNT)
    today = business_day(context.current_directory(), context.clock())
    _miss_a_stay(context, facts, today)
    import_bank_bytes(context, "sample-bank.csv", _from_nobody(today), _CLERK)
    values = {"system": _ONE, "amount_minor": _COLLATERAL_FEN, "reference": "SAMPLE-GUARANTEE-2"}
    propose(context, "collateral.post", values, _MAKER)


def _redeemed(context: Context, host: Party, issuer: str, shown: str) -> Iterator[Line]:
    """Yield lines of the shown month in which points of ``issuer`` were worth more than a yuan at ``host``."""
    period = parse_period(shown)
    newest: list[Receipt] = transactions(context, host, Wanted(kind=Kind.REDEEM), None, _ENOUGH)
    for receipt in newest:
        for leg in receipt.legs:
            if receipt.period == period and leg.issuer_system == issuer and leg.base_minor > 100:
                yield Line(receipt.txn_id, leg.leg_no)


def _miss_a_stay(context: Context, facts: SampleFacts, today: date) -> None:
    """Let the traveller of the live day miss a stay at a hotel of the first system."""
    index = context.vault.blind_index("card", facts.live.points_card)
    with context.database.office() as session:
        card = cards_with_indexes(session, [index])[index]
    directory = context.current_directory()
    left = today - timedelta(days=9)
    system = directory.system_by_code[_ONE].number
    hotel = min(
        hotel.code
        for hotel in directory.hotels.values()
        if directory.system_of(hotel.number, left) == system
    )
    told = StayTold(
        hotel, left - timedelta(days=2), left, _STAY_FEN, "SAMPLE-BILL-1",
        "示例：两晚，前台没有刷卡 Sample: two nights, the desk did not take the card",
    )  # fmt: skip
    report_stay(context, card.traveller, card.number, told)


def _from_nobody(today: date) -> bytes:
    """Return a bank's CSV with one incoming payment that names no reference, of an account that no member has."""
    cells = (
        OUR_ACCOUNT, "SAMPLE-0001", today.isoformat(), "in", "1234.56", "CNY",
        "", "", "示例：清算款 Sample: for the clearing", "6222000000000009999", "示例付款人 Sample payer",
    )  # fmt: skip
    return f"{','.join(NEEDED + OPTIONAL)}\n{','.join(cells)}\n".encode()
