"""Scripted examples of reciprocity and of the pool: earning, drawing on issuers, stored value."""

from api.demo.script import Script


def tell_pool(s: Script) -> None:
    """Everything that works as a traveller expects."""
    _spend_and_redeem(s)
    _treatment(s)
    _given_points(s)
    _stored_value(s)
    _one_pool_two_cards(s)


def _spend_and_redeem(s: Script) -> None:
    card = s.card("SPRUCE-BJ", "GOLD")
    own = s.spend(card, "SPRUCE-SH", s.at(2, "19:12"), 120_000)
    s.tell(
        "own_system_spend",
        own,
        "云杉的卡在云杉消费 ¥1,200.00：按本卡等级得 1,800 分，手续费为零（非交换不收费）",
        "A Spruce card spends ¥1,200.00 at Spruce: 1,800 points at its own tier, no fee",
    )
    cross = s.spend(card, "BIRCH-BJ", s.at(4, "13:05"), 88_888)
    s.tell(
        "cross_system_spend",
        cross,
        "同一张卡在白桦消费 ¥888.88：按白桦金卡得 1,155 分，白桦付 1% 手续费 889 分钱",
        "The same card spends ¥888.88 at Birch: 1,155 points as Birch Gold, Birch pays 889 fen",
    )
    s.spend(card, "REED-WH", s.at(6, "20:31"), 50_000)
    redeemed = s.redeem(card, "MAPLE-SH", s.at(8, "21:02"), 2_000)
    s.tell(
        "redeem_several_issuers",
        redeemed,
        "在红枫用 2,000 分：1,800 分由云杉、200 分由白桦发行，各欠红枫相应价值",
        "2,000 points used at Maple: 1,800 issued by Spruce, 200 by Birch; both owe Maple",
    )
    own_points = s.redeem(card, "BIRCH-TJ", s.at(9, "18:40"), 500)
    s.tell(
        "redeem_own_points",
        own_points,
        "在白桦用白桦自己发行的 500 分：不产生债务，也没有手续费",
        "500 points issued by Birch, used at Birch: no obligation and no fee",
    )
    returned = s.refund(redeemed, s.at(18, "10:15"), 500)
    s.tell(
        "refund_redeem",
        returned,
        "退回 500 分：后用的先退（白桦 200、云杉 300）；规则已改版，仍按原交易的费率冲回",
        "500 points go back, last drawn first (Birch 200, Spruce 300), at the fee of the original",
    )


def _treatment(s: Script) -> None:
    platinum = s.card("GINKGO-NJ", "PLATINUM")
    top = s.spend(platinum, "BIRCH-SHE", s.at(5, "12:20"), 100_000)
    s.tell(
        "treatment_highest_not_above",
        top,
        "银杏白金卡（4 级）到白桦：白桦最高为金卡（3 级），按金卡每元 1.30 分",
        "A Ginkgo Platinum card (level 4) at Birch is treated as Birch Gold (level 3): 1.30",
    )
    lowest = s.spend(platinum, "LILAC-XM", s.at(7, "12:45"), 60_000)
    s.tell(
        "treatment_lowest_tier",
        lowest,
        "同一张卡到丁香：丁香只有 1 级会员，按会员每元 1.00 分",
        "The same card at Lilac, which has one tier only: treated as its Member, 1.00 per yuan",
    )
    silver = s.card("SPRUCE-CD", "SILVER")
    shared = s.spend(silver, "GINKGO-HZ", s.at(11, "19:55"), 80_000)
    s.tell(
        "treatment_same_level",
        shared,
        "云杉银卡（2 级）到银杏：银杏有两个 2 级等级，取较低者，每元 1.20 分",
        "A Spruce Silver card (level 2) at Ginkgo, which has two tiers of level 2: the lower, 1.20",
    )


def _given_points(s: Script) -> None:
    card = s.card("LAUREL-GL")
    stated = s.spend(card, "MAPLE-CQ", s.at(3, "11:11"), 45_000)
    stated.points = 3_000
    s.tell(
        "stated_points",
        stated,
        "红枫自行注明给 3,000 分（促销），不按倍率计算",
        "Maple states 3,000 points itself (a campaign) instead of its earn rate",
    )
    returned = s.refund(stated, s.at(21, "09:30"), 15_000)
    s.tell(
        "refund_stated_points",
        returned,
        "退款三分之一，注明的积分按比例收回 1,000 分",
        "A third of the cash goes back, and pro rata 1,000 of the stated points",
    )
    award = s.award(card, "LAUREL-GZ", s.at(9, "16:00"), 800)
    s.tell("award", award, "月桂赠送 800 分，不清算", "Laurel gives 800 points; nothing is cleared")
    taken = s.refund(award, s.at(10, "16:30"), 300)
    s.tell("refund_award", taken, "收回其中 300 分", "300 of them are taken back")


def _stored_value(s: Script) -> None:
    card = s.card("PINE-HS", "SILVER")
    load = s.load(card, "PINE-HS", s.at(3, "15:00"), 100_000)
    s.tell("load", load, "在青松储值 ¥1,000.00", "¥1,000.00 loaded at Pine")
    used = s.use(card, "LAUREL-SZX", s.at(5, "20:10"), 30_050)
    s.tell(
        "stored_value_across",
        used,
        "在月桂用储值 ¥300.50：青松欠月桂 30,050 分钱，月桂付 0.5% 手续费 150 分钱",
        "¥300.50 used at Laurel: Pine owes Laurel 30,050 fen, Laurel pays a fee of 150 fen",
    )
    own = s.use(card, "PINE-XA", s.at(8, "13:00"), 12_000)
    s.tell(
        "stored_value_own_system",
        own,
        "在青松自己的酒店用储值：不产生债务，没有手续费",
        "Used at a hotel of Pine itself: no obligation, no fee",
    )
    returned = s.refund(used, s.at(12, "11:00"), 10_050)
    s.tell(
        "refund_stored_value_spend",
        returned,
        "月桂退回 ¥100.50 储值，债务与手续费按剩余金额重算",
        "Laurel returns ¥100.50; obligation and fee are those of what remains",
    )
    s.load(card, "PINE-JN", s.at(13, "09:20"), 50_000)
    both = s.use(card, "CAMELLIA-DLI", s.at(20, "19:00"), 90_000)
    s.tell(
        "stored_value_oldest_first",
        both,
        "先用完黄山储值的 ¥680.00，再用济南的 ¥220.00：两个发行酒店，两笔债务",
        "First the ¥680.00 left of Huangshan's load, then ¥220.00 of Jinan's: two issuers",
    )
    other = s.card("LILAC-FZ")
    loaded = s.load(other, "LILAC-FZ", s.at(6, "10:00"), 80_000)
    back = s.refund(loaded, s.at(9, "10:00"), 30_000)
    s.tell("refund_load", back, "退还储值 ¥300.00", "¥300.00 of a load is paid back")


def _one_pool_two_cards(s: Script) -> None:
    ginkgo = s.card("GINKGO-NJ")
    laurel = s.second_card(ginkgo, "LAUREL-GZ", "GOLD")
    s.load(ginkgo, "GINKGO-NJ", s.at(4, "10:00"), 40_000)
    s.load(laurel, "LAUREL-GZ", s.at(6, "10:00"), 60_000)
    used = s.use(laurel, "REED-CS", s.at(9, "20:00"), 70_000)
    s.tell(
        "one_pool_two_cards",
        used,
        "一位旅客两张卡、一个资金池：用月桂卡付 ¥700.00，¥400.00 出自银杏，¥300.00 出自月桂",
        "One traveller, two cards, one pool: ¥700.00 by the Laurel card, ¥400.00 of it from Ginkgo",
    )
