"""The benchmark alliance: 500 hotels in 60 systems, 20,000 travellers; the same one every time."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from random import Random

#: Every system has a tier of each level, so a card earns at the host's tier of its own level.
LEVELS = (1, 2, 3)
#: Month of all benchmark lines, long past: it can be closed at once.
MONTH = "2025-03"
MONTH_BEFORE = "2025-02"
_ISSUED_ON = "2025-01-02"
_CARD_PREFIX = "627781"
_SURNAMES = "王李张刘陈杨赵黄周吴"
_GIVEN = "伟芳娜敏静丽强磊军洋"


@dataclass(frozen=True, slots=True)
class Card:
    """A card: its number, holder, issuing system and alliance level."""

    number: str
    traveller: int
    system: int
    level: int


@dataclass(frozen=True, slots=True)
class Alliance:
    """Who takes part. ``system_of`` gives each hotel's system, ``earn_ppm`` what a level earns there."""

    hotels: tuple[str, ...]
    system_of: tuple[int, ...]
    hotels_of: tuple[tuple[int, ...], ...]
    earn_ppm: tuple[dict[int, int], ...]
    cards: tuple[Card, ...]
    travellers: int


def make_alliance(
    *, systems: int = 60, hotels: int = 500, travellers: int = 20_000, seed: int = 1
) -> Alliance:
    """Make the alliance; one traveller in ten holds a second card."""
    chance = Random(seed)  # noqa: S311 - the same alliance every time
    # The first hotels give every system one; the rest fall unevenly, as they do.
    system_of = [*range(systems)]
    system_of += [
        min(int(chance.paretovariate(0.8)) - 1, systems - 1) for _ in range(hotels - systems)
    ]
    hotels_of: list[list[int]] = [[] for _ in range(systems)]
    for hotel, system in enumerate(system_of):
        hotels_of[system].append(hotel)
    earn = [
        {level: 250_000 * chance.randint(2 + level, 4 + level) for level in LEVELS}
        for _ in range(systems)
    ]
    holders = [*range(travellers), *chance.sample(range(travellers), travellers // 10)]
    cards = [
        Card(
            _card_number(number),
            holder,
            chance.randrange(systems),
            chance.choice((1, 1, 1, 2, 2, 3)),
        )
        for number, holder in enumerate(holders, 1)
    ]
    return Alliance(
        tuple(f"H{number:04d}" for number in range(hotels)),
        tuple(system_of),
        tuple(map(tuple, hotels_of)),
        tuple(earn),
        tuple(cards),
        travellers,
    )


def write_members(alliance: Alliance, folder: Path) -> Path:
    """Write a pack of everything but transactions."""
    folder.mkdir(parents=True)
    (folder / "rulebook.json").write_text(json.dumps(_RULEBOOK, ensure_ascii=False))
    systems = range(len(alliance.hotels_of))
    _write(
        folder / "systems.csv",
        "system_code,name_zh,name_en,uscc,bank_account,net_debit_cap_minor,collateral_minor",
        (f"S{s:02d},第{s}酒店集团,System {s},,62220000{s:08d},,0" for s in systems),
    )
    _write(
        folder / "hotels.csv",
        "hotel_code,system_code,name_zh,name_en,city,effective_from",
        (
            f"{code},S{system:02d},{code}酒店,Hotel {code},上海市,"
            for code, system in zip(alliance.hotels, alliance.system_of, strict=True)
        ),
    )
    _write(
        folder / "tiers.csv",
        "system_code,tier_code,name_zh,name_en,rank,alliance_level,earn_points_per_yuan,"
        "discount_percent,benefits",
        (
            f"S{s:02d},T{level},{level}级会员,Level {level},{level},{level},"
            f"{alliance.earn_ppm[s][level] / 1e6:.2f},0,早餐"
            for s in systems
            for level in LEVELS
        ),
    )
    _write(
        folder / "travellers.csv",
        "traveller_ref,name,phone,email",
        (
            f"T{t},{_SURNAMES[t % 10]}{_GIVEN[t // 10 % 10]},+86199{t:08d},t{t}@example.com"
            for t in range(alliance.travellers)
        ),
    )
    _write(
        folder / "cards.csv",
        "card_number,traveller_ref,issuer_hotel,tier_code,issued_on",
        (
            f"{card.number},T{card.traveller},"
            f"{alliance.hotels[alliance.hotels_of[card.system][0]]},T{card.level},{_ISSUED_ON}"
            for card in alliance.cards
        ),
    )
    return folder


_RULEBOOK = {
    "version": "bench-1",
    "effective_from": "2024-01-01",
    "fees": {"spend": {"rate_ppm": 7300}, "redeem": {"rate_ppm": 15000, "min_minor": 1}},
    "stored_value_licence": {
        "number": "BENCH-1",
        "holder": "清算所",
        "custody_bank": "银行",
        "valid_until": "2035-12-31",
    },
}


def _write(path: Path, header: str, rows: Iterable[str]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        file.write(header + "\n")
        file.writelines(f"{row}\n" for row in rows)


def _card_number(number: int) -> str:
    """Return a card number with its Luhn check digit."""
    body = f"{_CARD_PREFIX}{number:09d}"
    doubled = (int(digit) * 2 for digit in body[::-2])
    total = sum(map(int, body[-2::-2])) + sum(value - 9 * (value > 9) for value in doubled)
    return f"{body}{-total % 10}"
