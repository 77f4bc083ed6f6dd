"""Scripted refusals: one example of every answer that is not a yes."""

from api.demo.lines import line
from api.demo.months import HOTEL_OPENS_DAY, NEXT, YEAR_AGO
from api.demo.people import Card, unknown_card_number
from api.demo.script import Script

_UNKNOWN_HOTEL = "SPRUCE-99"


def tell_refusals(s: Script) -> None:
    """Refused lines, in the order in which the clearing house asks."""
    card = s.card("SPRUCE-HZ", "SILVER")
    _who_and_where(s, card)
    _original(s, card)
    _amounts(s, card)
    _balances(s)
    _next_month(s, card)


def _who_and_where(s: Script, card: Card) -> None:
    nowhere = s.play(line("spend", _UNKNOWN_HOTEL, card, s.at(3, "10:00"), 10_000))
    s.refused("hotel_unknown", nowhere, "没有这家酒店", "There is no such hotel")
    closed = s.spend(card, "BIRCH-QD", s.at(HOTEL_OPENS_DAY - 1, "10:00"), 10_000)
    s.refused(
        "hotel_unknown",
        closed,
        "白桦青岛次日才开业",
        "Birch Qingdao opens only the day after",
        rule="hotel_not_yet_open",
    )
    first = s.spend(card, "PINE-XA", s.at(5, "10:00"), 31_500)
    reused = s.reuse_ref(first, s.at(6, "03:00"), 31_600)
    s.refused(
        "txn_ref_reused",
        reused,
        "同一参考号、另一金额：拒绝",
        "The same reference with another amount",
    )
    voucher = s.play(line("voucher", "PINE-XA", card, s.at(6, "10:00"), 5_000))
    s.refused("kind_unknown", voucher, "没有这种交易", "There is no such kind of transaction")
    stranger = s.spend(card, "GINKGO-WX", s.at(7, "10:00"), 20_000)
    stranger.card_number = unknown_card_number(0)
    s.refused("card_unknown", stranger, "不认识这张卡", "The card is not known")
    misdated = s.spend(card, "MAPLE-SH", s.at(9, "10:00"), 20_000)
    misdated.business_date = s.months.day(7)
    s.refused(
        "business_date_mismatch",
        misdated,
        "营业日既非当天也非前一天",
        "The business date is neither that day nor the day before",
    )
    newcomer = s.card("MAGNOLIA-CD", issued_on=s.months.day(10))
    early = s.spend(newcomer, "MAGNOLIA-CD", s.at(8, "10:00"), 20_000)
    s.refused("card_not_active", early, "卡尚未发出", "The card is not issued yet")
    s.spend(newcomer, "MAGNOLIA-CD", s.at(11, "10:00"), 20_000)


def _original(s: Script, card: Card) -> None:
    lost = s.play(line("refund", "GINKGO-SZ", card, s.at(10, "11:00"), 5_000))
    lost.missing_original = "no-such-reference"
    s.refused("original_unknown", lost, "找不到原交易", "The original is not known")
    stay = s.spend(card, "GINKGO-SZ", s.at(10, "12:00"), 60_000)
    back = s.refund(stay, s.at(12, "12:00"), 10_000)
    twice = s.refund(back, s.at(13, "12:00"), 10_000)
    s.refused(
        "original_not_refundable",
        twice,
        "退款本身不能再退",
        "A refund cannot itself be refunded",
    )
    other = s.card("SPRUCE-HZ")
    foreign = s.refund(stay, s.at(14, "12:00"), 10_000)
    foreign.card_number = other.number
    s.refused("card_mismatch", foreign, "退款的卡与原交易不同", "Refunded to another card")
    before = s.refund(stay, s.at(9, "12:00"), 10_000)
    before.arrives = s.at(15, "12:00")
    s.refused(
        "refund_before_original",
        before,
        "退款日早于原交易",
        "The refund is dated before its original",
    )
    old = s.spend(card, "BIRCH-TJ", s.at(18, "12:00", YEAR_AGO), 30_000)
    late = s.refund(old, s.at(15, "12:30"), 30_000)
    s.refused("refund_too_late", late, "超过 180 天的退款", "A refund after more than 180 days")


def _amounts(s: Script, card: Card) -> None:
    nothing = s.spend(card, "LAUREL-SZX", s.at(16, "12:00"), 0)
    s.refused("amount_not_positive", nothing, "金额为零", "The amount is zero")
    minus = s.spend(card, "LAUREL-SZX", s.at(16, "12:30"), 12_000)
    minus.points = -5
    s.refused(
        "amount_not_positive",
        minus,
        "注明的积分为负",
        "The stated points are negative",
        rule="negative_points",
    )
    away = s.load(card, "REED-WH", s.at(17, "12:00"), 50_000)
    s.refused(
        "load_only_at_issuer_system",
        away,
        "云杉的卡不能在芦苇储值",
        "A Spruce card cannot be loaded at Reed",
    )
    early = s.load(card, "SPRUCE-HZ", s.at(25, "12:00", YEAR_AGO), 50_000)
    s.refused(
        "stored_value_not_licensed",
        early,
        "一年前尚无储值许可",
        "A year ago stored value was not licensed yet",
    )


def _balances(s: Script) -> None:
    poor = s.card("REED-NC")
    s.award(poor, "REED-NC", s.at(3, "17:00"), 500)
    greedy = s.redeem(poor, "CAMELLIA-DLI", s.at(4, "17:00"), 800)
    s.refused("insufficient_points", greedy, "积分不足", "Not enough points")
    modest = s.reuse_ref(greedy, s.at(4, "17:05"), 500)
    s.tell(
        "refused_reference_is_free",
        modest,
        "被拒交易的参考号可再用：改为 500 分成功",
        "The reference of a refused line stays free: 500 points under it succeed",
    )
    holder = s.card("GINKGO-HZ")
    load = s.load(holder, "GINKGO-HZ", s.at(5, "17:00"), 60_000)
    over = s.use(holder, "WILLOW-YZ", s.at(6, "17:00"), 60_001)
    s.refused("insufficient_stored_value", over, "储值不足", "Not enough stored value")
    s.use(holder, "WILLOW-YZ", s.at(6, "17:10"), 50_000)
    back = s.refund(load, s.at(8, "17:00"), 30_000)
    s.refused(
        "insufficient_stored_value",
        back,
        "储值只剩 ¥100.00，不能退 ¥300.00",
        "Only ¥100.00 of the load is left; ¥300.00 cannot be paid back",
        rule="refund_load_beyond",
    )
    refused_refund = s.refund(over, s.at(9, "17:00"), 10_000)
    s.refused(
        "original_unknown",
        refused_refund,
        "被拒的交易不在账上，不能退",
        "A refused transaction is not in the books and cannot be refunded",
        rule="refund_of_refused",
    )


def _next_month(s: Script, card: Card) -> None:
    first = s.spend(card, "MAPLE-BJ", s.at(1, "12:00", NEXT), 28_800)
    s.tell(
        "next_month_stays_open",
        first,
        "下月的消费不进入本月账单",
        "A spend of next month stays out of this month's settlement",
    )
