"""Invented systems, hotels, tiers and benefits: plants and cities, plainly marked as samples."""

from typing import NamedTuple


class SystemName(NamedTuple):
    """A sample system; `collateral_yuan` and `cap_yuan` are whole yuan, no cap is None."""

    code: str
    zh: str
    en: str
    cap_yuan: int | None
    collateral_yuan: int


class HotelName(NamedTuple):
    """A sample hotel; `weight` is its share of the traffic."""

    system: str
    city: str
    weight: int


class TierName(NamedTuple):
    """A tier of a system: alliance level and points per yuan in hundredths."""

    code: str
    level: int
    rate_hundredths: int


SYSTEMS = (
    SystemName("SPRUCE", "云杉", "Spruce", 20_000_000, 2_000_000),
    SystemName("BIRCH", "白桦", "Birch", 16_000_000, 1_600_000),
    SystemName("GINKGO", "银杏", "Ginkgo", 12_000_000, 1_200_000),
    SystemName("REED", "芦苇", "Reed", 10_000_000, 800_000),
    SystemName("MAPLE", "红枫", "Maple", 10_000_000, 1_000_000),
    SystemName("PINE", "青松", "Pine", 8_000_000, 600_000),
    SystemName("LAUREL", "月桂", "Laurel", 8_000_000, 600_000),
    SystemName("KAPOK", "木棉", "Kapok", 6_000_000, 400_000),
    SystemName("LILAC", "丁香", "Lilac", 6_000_000, 300_000),
    SystemName("CAMELLIA", "山茶", "Camellia", 6_000_000, 300_000),
    SystemName("WILLOW", "垂柳", "Willow", 4_000_000, 200_000),
    SystemName("MAGNOLIA", "玉兰", "Magnolia", None, 0),
)

CITIES = {
    "BJ": ("北京", "Beijing"),
    "SH": ("上海", "Shanghai"),
    "GZ": ("广州", "Guangzhou"),
    "SZX": ("深圳", "Shenzhen"),
    "CD": ("成都", "Chengdu"),
    "HZ": ("杭州", "Hangzhou"),
    "XA": ("西安", "Xi'an"),
    "SYX": ("三亚", "Sanya"),
    "TJ": ("天津", "Tianjin"),
    "SHE": ("沈阳", "Shenyang"),
    "HRB": ("哈尔滨", "Harbin"),
    "DL": ("大连", "Dalian"),
    "QD": ("青岛", "Qingdao"),
    "NJ": ("南京", "Nanjing"),
    "SZ": ("苏州", "Suzhou"),
    "HF": ("合肥", "Hefei"),
    "WX": ("无锡", "Wuxi"),
    "WH": ("武汉", "Wuhan"),
    "CS": ("长沙", "Changsha"),
    "NC": ("南昌", "Nanchang"),
    "ZZ": ("郑州", "Zhengzhou"),
    "CQ": ("重庆", "Chongqing"),
    "KM": ("昆明", "Kunming"),
    "HS": ("黄山", "Huangshan"),
    "JN": ("济南", "Jinan"),
    "GL": ("桂林", "Guilin"),
    "XM": ("厦门", "Xiamen"),
    "FZ": ("福州", "Fuzhou"),
    "DLI": ("大理", "Dali"),
    "YZ": ("扬州", "Yangzhou"),
}

_HOTELS = """
SPRUCE    BJ 6  SH 6  GZ 4  CD 4  HZ 3  XA 3  SYX 2
BIRCH     BJ 5  TJ 3  SHE 3 HRB 2 DL 3  QD 2
GINKGO    NJ 4  SZ 3  HZ 4  HF 2  WX 2
REED      WH 4  CS 3  NC 2  ZZ 2
MAPLE     SH 5  BJ 4  CQ 3  KM 2
PINE      HS 2  JN 2  XA 3
LAUREL    GL 2  SZX 4 GZ 3
KAPOK     GZ 3  SZX 3
LILAC     XM 3  FZ 2
CAMELLIA  KM 2  DLI 2
WILLOW    YZ 1
MAGNOLIA  CD 2
"""


def _hotels() -> tuple[HotelName, ...]:
    rows = [line.split() for line in _HOTELS.strip().splitlines()]
    return tuple(
        HotelName(system, city, int(weight))
        for system, *rest in rows
        for city, weight in zip(rest[::2], rest[1::2], strict=True)
    )


HOTELS = _hotels()
MOVING_HOTEL, MOVES_TO = "KAPOK-SZX", "SPRUCE"
OPENING_HOTEL = "BIRCH-QD"

TIERS = {
    "SPRUCE": (
        TierName("MEMBER", 1, 100),
        TierName("SILVER", 2, 125),
        TierName("GOLD", 3, 150),
        TierName("PLATINUM", 4, 200),
    ),
    "BIRCH": (TierName("MEMBER", 1, 80), TierName("SILVER", 2, 100), TierName("GOLD", 3, 130)),
    "GINKGO": (
        TierName("MEMBER", 1, 100),
        TierName("SILVER", 2, 120),
        TierName("ELITE", 2, 140),
        TierName("PLATINUM", 4, 220),
    ),
    "REED": (TierName("MEMBER", 1, 75), TierName("GOLD", 3, 125)),
    "MAPLE": (
        TierName("MEMBER", 1, 120),
        TierName("SILVER", 2, 150),
        TierName("GOLD", 3, 180),
        TierName("PLATINUM", 4, 240),
    ),
    "PINE": (TierName("MEMBER", 1, 50), TierName("SILVER", 2, 80), TierName("GOLD", 3, 100)),
    "LAUREL": (TierName("MEMBER", 1, 100), TierName("GOLD", 3, 160), TierName("PLATINUM", 4, 200)),
    "KAPOK": (TierName("MEMBER", 1, 90), TierName("SILVER", 2, 110)),
    "LILAC": (TierName("MEMBER", 1, 100),),
    "CAMELLIA": (TierName("MEMBER", 1, 60), TierName("SILVER", 2, 90), TierName("GOLD", 3, 120)),
    "WILLOW": (TierName("MEMBER", 1, 150), TierName("GOLD", 3, 250)),
    "MAGNOLIA": (TierName("MEMBER", 1, 100), TierName("SILVER", 2, 135)),
}

TIER_NAMES = {
    "MEMBER": ("会员", "Member"),
    "SILVER": ("银卡", "Silver"),
    "ELITE": ("尊享卡", "Elite"),
    "GOLD": ("金卡", "Gold"),
    "PLATINUM": ("白金卡", "Platinum"),
}

DISCOUNT_PERCENT = {1: 0, 2: 5, 3: 10, 4: 15}

BENEFITS = (
    (1, "欢迎饮品 Welcome drink"),
    (2, "延迟退房至14:00 Late check-out 14:00"),
    (3, "免费早餐 Free breakfast"),
    (3, "房型升级 Room upgrade"),
    (4, "行政酒廊 Executive lounge"),
)
"""Benefit texts with the lowest alliance level that has them."""
