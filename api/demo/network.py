"""Which hotel is in which sample system, and the rows of systems.csv, hotels.csv and tiers.csv."""

from datetime import date

from api.demo.months import Months
from api.demo.names import (
    BENEFITS,
    CITIES,
    DISCOUNT_PERCENT,
    HOTELS,
    MOVES_TO,
    MOVING_HOTEL,
    OPENING_HOTEL,
    SYSTEMS,
    TIER_NAMES,
    TIERS,
    HotelName,
)

SYSTEMS_HEADER = (
    "system_code,name_zh,name_en,uscc,bank_account,net_debit_cap_minor,collateral_minor"
)
HOTELS_HEADER = "hotel_code,system_code,name_zh,name_en,city,effective_from"
TIERS_HEADER = (
    "system_code,tier_code,name_zh,name_en,rank,alliance_level,"
    "earn_points_per_yuan,discount_percent,benefits"
)

_USCC_ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
_USCC_WEIGHTS = (1, 3, 9, 27, 19, 26, 16, 17, 20, 29, 25, 13, 8, 24, 10, 30, 28)

Row = tuple[str, ...]


def hotel_code(hotel: HotelName) -> str:
    """`SYSTEM-CITY`; it keeps its first system's name even after the hotel has moved."""
    return f"{hotel.system}-{hotel.city}"


class Network:
    """The hotels of the sample with their dated membership."""

    def __init__(self, months: Months) -> None:
        self._months = months
        self._first_system = {hotel_code(hotel): hotel.system for hotel in HOTELS}
        self.established = [
            code
            for hotel in HOTELS
            for code in [hotel_code(hotel)] * hotel.weight
            if code != OPENING_HOTEL
        ]
        """Hotels known from the beginning, each as often as its share of the traffic."""

    def system_of(self, hotel: str, on: date) -> str:
        """The system a hotel belongs to on a business date."""
        if hotel == MOVING_HOTEL and on >= self._months.hotel_moves:
            return MOVES_TO
        return self._first_system[hotel]

    def lowest_rate(self, hotel: str, on: date) -> int:
        """Points per yuan, in hundredths, that any card earns at this hotel at least."""
        return min(tier.rate_hundredths for tier in TIERS[self.system_of(hotel, on)])

    def founding_hotels(self) -> list[Row]:
        """Rows of hotels.csv: all hotels but the one that opens later."""
        opening = [OPENING_HOTEL]
        return [_hotel_row(h, h.system, "") for h in HOTELS if hotel_code(h) not in opening]

    def changed_hotels(self) -> list[Row]:
        """Dated rows of the shown month: one hotel opens, one moves to another system."""
        by_code = {hotel_code(hotel): hotel for hotel in HOTELS}
        opening, moving = by_code[OPENING_HOTEL], by_code[MOVING_HOTEL]
        return [
            _hotel_row(opening, opening.system, self._months.hotel_opens.isoformat()),
            _hotel_row(moving, MOVES_TO, self._months.hotel_moves.isoformat()),
        ]


def _hotel_row(hotel: HotelName, system: str, effective_from: str) -> Row:
    brand = next(s for s in SYSTEMS if s.code == hotel.system)
    zh, en = CITIES[hotel.city]
    name_zh, name_en = f"示例·{brand.zh}酒店（{zh}）", f"Sample {brand.en} Hotel {en}"
    return (hotel_code(hotel), system, name_zh, name_en, f"{zh}市", effective_from)


def uscc(number: int) -> str:
    """A unified social credit code of no real region, with a right check character."""
    body = f"91000000{number:09d}"
    total = sum(
        _USCC_ALPHABET.index(sign) * weight
        for sign, weight in zip(body, _USCC_WEIGHTS, strict=True)
    )
    return body + _USCC_ALPHABET[(31 - total) % 31]


def system_rows() -> list[Row]:
    """Rows of systems.csv; the last system has no cap, which the operator is warned about."""
    rows: list[Row] = []
    for number, system in enumerate(SYSTEMS, 1):
        cap = "" if system.cap_yuan is None else str(system.cap_yuan * 100)
        name_zh, name_en = f"示例·{system.zh}酒店集团", f"Sample {system.en} Hotels"
        account = f"9999{number:015d}"
        collateral = str(system.collateral_yuan * 100)
        rows.append((system.code, name_zh, name_en, uscc(number), account, cap, collateral))
    return rows


def tier_rows() -> list[Row]:
    """Rows of tiers.csv, lowest rank first."""
    rows: list[Row] = []
    for system in SYSTEMS:
        for rank, tier in enumerate(TIERS[system.code], 1):
            zh, en = TIER_NAMES[tier.code]
            rate = f"{tier.rate_hundredths // 100}.{tier.rate_hundredths % 100:02d}"
            benefits = ";".join(text for level, text in BENEFITS if level <= tier.level)
            discount = str(DISCOUNT_PERCENT[tier.level])
            numbers = (str(rank), str(tier.level), rate, discount)
            rows.append((system.code, tier.code, zh, en, *numbers, benefits))
    return rows
