"""A small sound pack, ways to break it, and what the books would know after importing one."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from clearinghouse.operations.packs import (
    CheckedPack,
    HotelFacts,
    Known,
    KnownCard,
    TierStanding,
    check,
    read_pack,
)

T1 = "transactions-2026-11.csv"
#: Card numbers with a good check digit.
C1, C2, C3 = "6277810000000013", "6277810000000021", "6277810000000039"

RULEBOOK: dict[str, Any] = {
    "version": "v1",
    "effective_from": "2026-01-01",
    "fees": {"spend": {"rate_ppm": 10000}, "redeem": {"rate_ppm": 20000, "max_minor": None}},
    "stored_value_licence": {
        "number": "L-1",
        "holder": "清算所",
        "custody_bank": "银行",
        "valid_until": "2030-12-31",
    },
}

FILES: Mapping[str, str] = {
    "rulebook.json": json.dumps(RULEBOOK, ensure_ascii=False, indent=1),
    "systems.csv": (
        "system_code,name_zh,name_en,uscc,bank_account,net_debit_cap_minor,collateral_minor\n"
        "AUR,金酒店,Aurum,,6222000047109087253,,0\n"
        "BAM,竹酒店,Bamboo,91310000MA1FL00000,,500000,1000\n"
    ),
    "hotels.csv": (
        "hotel_code,system_code,name_zh,name_en,city,effective_from\n"
        "AUR-BJ,AUR,金酒店北京,Aurum Beijing,北京市,\n"
        "BAM-HZ,BAM,竹酒店杭州,Bamboo Hangzhou,杭州市,2026-02-01\n"
        "BAM-HZ,AUR,竹酒店杭州,Bamboo Hangzhou,杭州市,2026-11-15\n"
    ),
    "tiers.csv": (
        "system_code,tier_code,name_zh,name_en,rank,alliance_level,"
        "earn_points_per_yuan,discount_percent,benefits\n"
        "AUR,T1,普通,Member,1,1,1.00,0,早餐\n"
        "AUR,T2,金,Gold,2,2,1.25,10,早餐; 延迟退房 ;;\n"
        "BAM,B1,普通,Member,1,1,1.5,0,\n"
    ),
    "travellers.csv": (
        "traveller_ref,name,phone,email\n"
        "P1,李芳,+8613800138000,p1@example.com\n"
        'P2,"Zhang, ""Bo""",,\n'
    ),
    "cards.csv": (
        "card_number,traveller_ref,issuer_hotel,tier_code,issued_on\n"
        f"{C1},P1,AUR-BJ,T1,2026-01-05\n"
        f"{C1},P1,AUR-BJ,T2,2026-06-01\n"
        f"{C2},P2,BAM-HZ,B1,2026-03-01\n"
    ),
    T1: (
        "host_hotel,txn_ref,original_txn_ref,kind,card_number,business_date,occurred_at,"
        "amount_minor,points\n"
        f"AUR-BJ,R1,,spend,{C1},2026-11-01,2026-11-01T10:00:00+08:00,120000,\n"
        f"BAM-HZ,R2,,redeem,{C1},2026-11-02,2026-11-02T02:00:00Z,,500\n"
        f"BAM-HZ,R3,R2,refund,{C1},2026-11-03,2026-11-03T09:00:00+08:00,,100\n"
        "NOWHERE,R4,,spend,6277810009009098,2026-11-03,2026-11-03T09:00:00+08:00,-5,0\n"
    ),
}


def write_pack(folder: Path, changes: Mapping[str, str | bytes | None] | None = None) -> Path:
    """Write the sound pack with some files replaced, or left out where the change is ``None``."""
    folder.mkdir(parents=True, exist_ok=True)
    files: dict[str, str | bytes | None] = {**FILES, **(changes or {})}
    for name, content in files.items():
        if content is not None:
            data = content.encode() if isinstance(content, str) else content
            (folder / name).write_bytes(data)
    return folder


def edited(name: str, old: str, new: str) -> dict[str, str | bytes | None]:
    """Return a change that replaces text which is in a file exactly once."""
    assert FILES[name].count(old) == 1, (name, old)
    return {name: FILES[name].replace(old, new)}


def appended(name: str, *lines: str) -> dict[str, str | bytes | None]:
    """Return a change that adds lines to a file."""
    return {name: FILES[name] + "".join(f"{line}\n" for line in lines)}


def load(folder: Path, known: Known | None = None) -> CheckedPack:
    """Read and check a pack against what is known."""
    return check(read_pack(folder), known or Known())


def remembered(checked: CheckedPack) -> Known:
    """What the books know after importing a pack into empty ones."""
    pack = checked.pack
    hotels: dict[str, dict[Any, HotelFacts]] = {}
    for hotel in pack.hotels:
        facts = HotelFacts(hotel.system_code, hotel.name_zh, hotel.name_en, hotel.city)
        hotels.setdefault(hotel.code, {})[hotel.effective_from] = facts
    tiers: dict[str, dict[str, TierStanding]] = {}
    for tier in pack.tiers:
        standing = TierStanding(tier.rank, tier.alliance_level)
        tiers.setdefault(tier.system_code, {})[tier.tier_code] = standing
    given: dict[str, dict[Any, str]] = {}
    for card in pack.cards:
        given.setdefault(card.card_number, {})[card.issued_on] = card.tier_code
    rulebooks = {}
    if pack.rulebook is not None:
        rulebook = pack.rulebook.rulebook
        rulebooks[rulebook.version] = (rulebook.effective_from, pack.rulebook.sha256)
    return Known(
        systems=frozenset(row.code for row in pack.systems),
        hotels=hotels,
        tiers=tiers,
        travellers=frozenset(row.ref for row in pack.travellers),
        cards={
            row.card_number: KnownCard(row.traveller_ref, row.issuer_hotel, given[row.card_number])
            for row in pack.cards
        },
        rulebooks=rulebooks,
        any_cards=bool(pack.cards),
    )
