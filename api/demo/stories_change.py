"""Scripted examples of time: versions, moves, tiers, expiry, late lines, refunds and debts."""

from api.demo.months import (
    HOTEL_MOVES_DAY,
    HOTEL_OPENS_DAY,
    NEXT,
    PREVIOUS,
    RULE_CHANGE_DAY,
    YEAR_AGO,
)
from api.demo.script import Script


def tell_changes(s: Script) -> None:
    """Everything that depends on a date or comes back."""
    _fees_and_versions(s)
    _hotel_moves(s)
    _tier_and_opening(s)
    _expiry(s)
    _late_and_repeated(s)
    _refunds(s)
    _debt(s)


def _fees_and_versions(s: Script) -> None:
    card = s.card("LAUREL-GZ")
    s.award(card, "LAUREL-GL", s.at(1, "09:00"), 3_020)
    least = s.redeem(card, "SPRUCE-CD", s.at(2, "08:30"), 20)
    s.tell(
        "fee_minimum",
        least,
        "用 20 分（20 分钱）：2% 不足一分钱，按最低手续费 1 分钱",
        "20 points (20 fen): 2 % rounds to nothing, so the minimum fee of 1 fen applies",
    )
    before = s.redeem(card, "SPRUCE-CD", s.at(RULE_CHANGE_DAY - 1, "20:00"), 1_000)
    s.tell(
        "rulebook_before",
        before,
        "规则第 2 版：用 1,000 分，手续费 2% 为 20 分钱",
        "Rulebook version 2: 1,000 points used, fee of 2 % is 20 fen",
    )
    after = s.redeem(card, "SPRUCE-CD", s.at(RULE_CHANGE_DAY, "20:00"), 1_000)
    s.tell(
        "rulebook_change",
        after,
        "次日第 3 版生效：同样用 1,000 分，手续费 1.5% 为 15 分钱",
        "Version 3 is in force the next day: the same 1,000 points, fee of 1.5 % is 15 fen",
    )
    banquet = s.spend(s.card("LAUREL-GZ"), "SPRUCE-SYX", s.at(10, "21:30"), 3_500_000)
    s.tell(
        "fee_maximum",
        banquet,
        "宴会消费 ¥35,000.00：1% 为 ¥350.00，手续费封顶 ¥200.00",
        "A banquet of ¥35,000.00: 1 % would be ¥350.00, the fee stops at ¥200.00",
    )
    waiting = s.card("LILAC-XM")
    s.spend(waiting, "LILAC-XM", s.at(17, "12:00"), 40_000)
    early = s.redeem(waiting, "REED-ZZ", s.at(17, "21:00"), 300)
    s.refused(
        "insufficient_points",
        early,
        "第 3 版起消费所得积分次日可用：当天使用被拒",
        "From version 3 on points of a spend are usable the next day: refused on the same day",
        rule="pending_points",
    )
    s.redeem(waiting, "REED-ZZ", s.at(18, "21:00"), 300)


def _hotel_moves(s: Script) -> None:
    card = s.card("KAPOK-SZX", "SILVER")
    s.spend(card, "KAPOK-SZX", s.at(3, "19:00"), 100_000)
    before = s.spend(card, "KAPOK-GZ", s.at(HOTEL_MOVES_DAY - 2, "19:00"), 70_000)
    s.tell(
        "before_hotel_moves",
        before,
        "木棉深圳酒店发的卡在木棉广州消费：本系统，无手续费",
        "A card of Kapok Shenzhen spends at Kapok Guangzhou: own system, no fee",
    )
    after = s.spend(card, "KAPOK-GZ", s.at(HOTEL_MOVES_DAY + 2, "19:00"), 70_000)
    s.tell(
        "hotel_moves",
        after,
        "木棉深圳酒店转入云杉之后，同样的消费成为跨系统，收手续费",
        "After Kapok Shenzhen has moved to Spruce the same spend is across systems, with a fee",
    )
    s.spend(card, "SPRUCE-BJ", s.at(HOTEL_MOVES_DAY + 3, "19:00"), 30_000)
    redeemed = s.redeem(card, "SPRUCE-SH", s.at(HOTEL_MOVES_DAY + 4, "19:00"), 1_000)
    s.tell(
        "points_move_with_hotel",
        redeemed,
        "该酒店以前发行的 1,000 分随酒店转入云杉：在云杉使用不产生债务",
        "1,000 points it issued before have moved along: used at Spruce, no obligation",
    )
    returned = s.refund(before, s.at(HOTEL_MOVES_DAY + 6, "19:00"), 20_000)
    s.tell(
        "refund_keeps_systems",
        returned,
        "退还转入前的消费：仍按当时的系统关系，不收费",
        "A refund of the spend before the move uses the systems of that day: still no fee",
    )


def _tier_and_opening(s: Script) -> None:
    card = s.card("MAPLE-CQ")
    s.roster.change_tier(card, "GOLD", s.months.day(15))
    s.spend(card, "MAPLE-CQ", s.at(14, "18:00"), 100_000)
    after = s.spend(card, "MAPLE-CQ", s.at(16, "18:00"), 100_000)
    s.tell(
        "tier_change",
        after,
        "升为金卡后 ¥1,000.00 得 1,800 分（两天前为 1,200 分）",
        "Since the card became Gold ¥1,000.00 earns 1,800 points (two days before: 1,200)",
    )
    guest = s.card("CAMELLIA-KM")
    opened = s.spend(guest, "BIRCH-QD", s.at(HOTEL_OPENS_DAY, "20:00"), 66_600)
    s.tell("hotel_opens", opened, "白桦青岛当日开业", "Birch Qingdao opens on this day")


def _expiry(s: Script) -> None:
    quiet = s.card("KAPOK-GZ")
    old = s.spend(quiet, "SPRUCE-GZ", s.at(12, "19:00", YEAR_AGO), 150_000)
    s.tell(
        "points_expire",
        old,
        "一年前所得 1,500 分一直未用，本月末过期，结算时注销",
        "1,500 points of a year ago, never used, expire with this month and end at its closing",
    )
    traveller = s.card("BIRCH-DL")
    s.spend(traveller, "BIRCH-DL", s.at(20, "19:00", YEAR_AGO), 100_000)
    s.spend(traveller, "MAPLE-KM", s.at(5, "19:00"), 100_000)
    drawn = s.redeem(traveller, "MAPLE-KM", s.at(25, "19:00"), 1_000)
    s.tell(
        "earliest_expiry_first",
        drawn,
        "先用快过期的：白桦一年前的 800 分，再用红枫本月的 200 分",
        "What expires first is drawn first: 800 of a year ago from Birch, then 200 of Maple",
    )
    saver = s.card("REED-ZZ", "GOLD")
    s.spend(saver, "PINE-JN", s.at(8, "19:00", YEAR_AGO), 300_000)
    last = s.redeem(saver, "GINKGO-HF", s.at(s.months.last_day(), "22:00"), 2_000)
    s.tell(
        "last_day_of_points",
        last,
        "过期当天仍可使用",
        "On the day they expire points are still usable",
    )
    returned = s.refund(last, s.at(2, "10:00", NEXT), 2_000)
    s.tell(
        "restored_lot",
        returned,
        "下月退回：原批次已过期，成为 30 天有效的新批次；属于下一账期",
        "Returned next month: the lots have expired, so a new lot holds for 30 days; next period",
    )
    s.redeem(saver, "WILLOW-YZ", s.at(3, "10:00", NEXT), 500)


def _late_and_repeated(s: Script) -> None:
    card = s.card("REED-WH")
    late = s.spend(card, "SPRUCE-BJ", s.at(28, "21:45", PREVIOUS), 52_100)
    late.arrives = s.at(2, "06:10")
    s.tell(
        "late_line",
        late,
        "上月的消费本月才到，上月已结账：记入本月并标明迟到",
        "A spend of last month arrives after its closing: it is in this period, flagged late",
    )
    night = s.spend(card, "SPRUCE-XA", s.at(9, "00:40"), 23_400)
    night.business_date = s.months.day(8)
    s.tell(
        "after_midnight",
        night,
        "夜里 0:40 的消费属于前一营业日",
        "A spend at 00:40 belongs to the business day before",
    )
    first = s.spend(card, "GINKGO-SZ", s.at(11, "12:34"), 46_800)
    again = s.repeat(first, s.at(12, "03:00"), 0, 2)
    s.tell(
        "repeated_line",
        again,
        "夜审重发，时间写成 UTC、金额带前导零：内容相同，不再记账",
        "Sent again by the night audit in UTC and with leading zeros: the same content",
    )


def _refunds(s: Script) -> None:
    card = s.card("MAPLE-BJ", "SILVER")
    stay = s.spend(card, "SPRUCE-XA", s.at(4, "12:00"), 99_999)
    for day in (6, 9, 12):
        part = s.refund(stay, s.at(day, "12:00"), 33_333)
    s.tell(
        "refund_in_parts",
        part,
        "¥999.99 分三次退完：手续费合计恰好退净，一分不差",
        "¥999.99 goes back in three parts: the fees end at exactly nothing",
    )
    beyond = s.refund(stay, s.at(13, "12:00"), 1)
    s.refused(
        "exceeds_original", beyond, "再退一分钱即超过原额", "One fen more exceeds the original"
    )
    earlier = s.spend(card, "REED-CS", s.at(22, "12:00", PREVIOUS), 64_000)
    returned = s.refund(earlier, s.at(3, "12:00"), 16_000)
    s.tell(
        "refund_of_earlier_month",
        returned,
        "上月消费本月退款：记入本月，上月账单不变",
        "A refund of last month's spend belongs to this month; last month's statement stays",
    )


def _debt(s: Script) -> None:
    card = s.card("CAMELLIA-KM", "SILVER")
    spent = s.spend(card, "WILLOW-YZ", s.at(2, "18:00"), 200_000)
    s.redeem(card, "REED-NC", s.at(5, "18:00"), 3_000)
    back = s.refund(spent, s.at(10, "18:00"), 100_000)
    s.tell(
        "debt_arises",
        back,
        "退款应收回 1,500 分，但积分已用完：旅客欠垂柳扬州 1,500 分",
        "The refund takes back 1,500 points that are already spent: a debt to Willow Yangzhou",
    )
    s.award(card, "REED-NC", s.at(11, "18:00"), 500)
    blocked = s.redeem(card, "REED-NC", s.at(11, "19:00"), 100)
    s.refused(
        "insufficient_points",
        blocked,
        "有 500 分但欠 1,500 分：可用为零，使用被拒",
        "500 points but a debt of 1,500: nothing is available, the redemption is refused",
        rule="debt_blocks",
    )
    repaid = s.spend(card, "WILLOW-YZ", s.at(12, "18:00"), 60_000)
    s.tell(
        "debt_repaid",
        repaid,
        "在该酒店再得 900 分，先还欠分，余欠 600 分",
        "900 new points of that hotel first repay the debt; 600 of it are left",
    )
    s.spend(card, "WILLOW-YZ", s.at(20, "18:00"), 100_000)
