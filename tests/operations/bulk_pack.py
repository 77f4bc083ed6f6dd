"""A pack with thousands of lines of every kind, the same every time; many of them refused, repeated or refunds."""

import csv
import json
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from random import Random

HOTELS = {"A1": "A", "A2": "A", "B1": "B", "C1": "C"}
MONTH = date(2026, 10, 1)
HEADER = "host_hotel,txn_ref,original_txn_ref,kind,card_number,business_date,occurred_at,amount_minor,points"
_KINDS = (
    ("spend",) * 6 + ("redeem",) * 4 + ("refund",) * 4 + ("award", "load", "stored_value_spend")
)


def card_number(number: int) -> str:
    """A card number with a good check digit."""
    digits = f"62778{number:010d}"
    doubled = [int(digit) * (2 - n % 2) for n, digit in enumerate(digits)]
    return digits + str(-sum(value // 10 + value % 10 for value in doubled) % 10)


def write_bulk_pack(folder: Path, *, travellers: int, lines: int, seed: int = 7) -> Path:
    """Write the pack; its lines are of October 2026 and some of the last days of September."""
    random = Random(seed)  # noqa: S311 - the same every time, not unguessable
    folder.mkdir(parents=True)
    licence = {
        "number": "L",
        "holder": "H",
        "custody_bank": "B",
        "valid_until": "2030-12-31",
    }
    rulebook = {
        "version": "v1",
        "effective_from": "2026-01-01",
        "points_expiry_months": 1,
        "stored_value_licence": licence,
    }
    (folder / "rulebook.json").write_text(json.dumps(rulebook), encoding="utf-8")
    systems = sorted(set(HOTELS.values()))
    _table(
        folder / "systems.csv",
        "system_code,name_zh,name_en,uscc,bank_account,net_debit_cap_minor,collateral_minor",
        ([code, code, code, "", "", "", "0"] for code in systems),
    )
    _table(
        folder / "hotels.csv",
        "hotel_code,system_code,name_zh,name_en,city,effective_from",
        ([code, system, code, code, "城", ""] for code, system in HOTELS.items()),
    )
    _table(
        folder / "tiers.csv",
        "system_code,tier_code,name_zh,name_en,rank,alliance_level,earn_points_per_yuan,discount_percent,benefits",
        ([code, "M", "M", "M", "1", "1", "1.5", "0", ""] for code in systems),
    )
    _table(
        folder / "travellers.csv",
        "traveller_ref,name,phone,email",
        ([f"P{n}", f"P{n}", "", ""] for n in range(travellers)),
    )
    _table(
        folder / "cards.csv",
        "card_number,traveller_ref,issuer_hotel,tier_code,issued_on",
        (
            [card_number(n), f"P{n}", list(HOTELS)[n % len(HOTELS)], "M", "2026-01-05"]
            for n in range(travellers)
        ),
    )
    _table(
        folder / "transactions-2026-10.csv",
        HEADER,
        _lines(random, travellers, lines),
    )
    return folder


def _lines(random: Random, travellers: int, lines: int) -> Iterator[list[str]]:
    told: list[list[str]] = []
    for number in range(lines):
        row = _line(random, travellers, number, told)
        told.append(row)
        yield row


def _line(random: Random, travellers: int, number: int, told: list[list[str]]) -> list[str]:
    day = MONTH + timedelta(days=random.choice((-1, *range(31))))
    kind = random.choice(_KINDS)
    card = card_number(random.randrange(travellers + 3))  # some of them unknown
    row = [random.choice(list(HOTELS)), f"R{number}", "", kind, card, f"{day}", "", "", ""]
    if told and random.random() < 0.04:
        repeated = list(random.choice(told[-3_000:]))
        repeated[4] = random.choice((repeated[4], card))
        return repeated
    if kind == "refund" and told:
        first = random.choice(told[-3_000:])
        row[0], row[2], row[4] = first[0], first[1], random.choice((first[4], first[4], card))
        row[5] = max(first[5], row[5])
        row[7:] = [_part(random, first[7]), _part(random, first[8])]
    elif kind in ("award", "redeem"):
        row[8] = str(random.choice((0, 5, 20, 100)))
    else:
        row[7] = str(random.choice((0, 99, 5_000, 12_345)))
    row[6] = f"{row[5]}T12:00:00+08:00"
    return row


def _part(random: Random, quantity: str) -> str:
    return str(-(-int(quantity) * random.randint(1, 4) // 4)) if quantity else ""


def _table(path: Path, header: str, rows: Iterator[list[str]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(header.split(","))
        writer.writerows(rows)
