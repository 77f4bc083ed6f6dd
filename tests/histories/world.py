"""A small alliance with every dated thing in it: hotels that move, tiers that change, several rulebooks."""

import csv
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from random import Random
from typing import Any

from tests.model import Model

Row = dict[str, str]

LICENCE = {"number": "L-1", "holder": "清算所", "custody_bank": "银行"}
#: Cards by number: traveller, issuing hotel, and the tiers given (date, code).
CARDS: Mapping[str, tuple[str, str, tuple[tuple[str, str], ...]]] = {
    "6277810000000013": ("T1", "A1", (("2016-11-01", "A-low"), ("2017-02-05", "A-high"))),
    "6277810000000021": ("T1", "B1", (("2017-01-10", "B-two"),)),
    "6277810000000039": ("T2", "C1", (("2016-11-01", "C-only"),)),
    "6277810000000047": ("T2", "A2", (("2016-11-01", "A-high"),)),
    "6277810000000054": ("T3", "D1", (("2017-01-20", "D-top"),)),
}
UNKNOWN_CARD = "6277810000000997"
TRAVELLERS = ("T1", "T2", "T3")
HOTELS = ("A1", "A2", "B1", "C1", "D1")
_COLUMNS = {
    "systems.csv": "system_code,name_zh,name_en,uscc,bank_account,net_debit_cap_minor,collateral_minor",
    "hotels.csv": "hotel_code,system_code,name_zh,name_en,city,effective_from",
    "tiers.csv": "system_code,tier_code,name_zh,name_en,rank,alliance_level,earn_points_per_yuan,"
    "discount_percent,benefits",
    "travellers.csv": "traveller_ref,name,phone,email",
    "cards.csv": "card_number,traveller_ref,issuer_hotel,tier_code,issued_on",
}


@dataclass
class PackRows:
    """The files of one pack: rows by file name, and its rulebook."""

    rulebook: dict[str, Any] | None = None
    files: dict[str, list[Row]] = field(default_factory=dict)

    def add(self, file: str, *values: str) -> None:
        """Add a row, its values in the order of the file's columns; missing ones are empty."""
        names = _COLUMNS[file].split(",")
        padded = (*values, *[""] * (len(names) - len(values)))
        self.files.setdefault(file, []).append(dict(zip(names, padded, strict=True)))

    def write(self, folder: Path) -> Path:
        """Write the pack as the files of interfaces.md."""
        folder.mkdir(parents=True)
        if self.rulebook is not None:
            text = json.dumps(self.rulebook, ensure_ascii=False)
            (folder / "rulebook.json").write_text(text, encoding="utf-8")
        for name, rows in self.files.items():
            with (folder / name).open("w", encoding="utf-8", newline="") as file:
                writer = csv.DictWriter(file, _COLUMNS[name].split(","))
                writer.writeheader()
                writer.writerows(rows)
        return folder


def new_world(random: Random) -> list[PackRows]:
    """Draw an alliance as the packs that bring it about, in the order of their import.

    System D joins with a pack that has no rulebook, so it has accepted none of the versions before it.
    """
    capped = random.random() < 0.5
    first, joining = _first_pack(random, capped=capped), _joining_pack(random, capped=capped)
    change = _change(random, capped=capped)
    packs = [first, joining, change] if random.random() < 0.5 else [first, change, joining]
    if random.random() < 0.5:
        third = PackRows(_rulebook(random, "v3", "2017-03-20", capped=capped))
        packs.insert(random.randrange(1, 4), third)
    return packs


def has_caps(packs: Sequence[PackRows]) -> bool:
    """Tell whether a system has a net debit cap: then the order of lines matters across travellers."""
    rows = [row for pack in packs for row in pack.files.get("systems.csv", ())]
    return any(row["net_debit_cap_minor"] for row in rows)


def _first_pack(random: Random, *, capped: bool) -> PackRows:
    pack = PackRows(_rulebook(random, "v1", "2016-12-01", capped=capped))
    for system in "ABC":
        _add_system(pack, random, system, capped=capped)
    for hotel in HOTELS[:4]:
        pack.add("hotels.csv", hotel, hotel[0], hotel, hotel, "城")
    if random.random() < 0.6:
        pack.add("hotels.csv", "A2", "B", "A2", "A2", "城", "2017-02-10")
    if random.random() < 0.3:
        pack.add("hotels.csv", "B1", "C", "B1", "B1", "城", "2017-03-05")
    for system, code, rank, level in (
        ("A", "A-low", "1", "1"),
        ("A", "A-high", "2", "3"),
        ("B", "B-one", "1", "1"),
        ("B", "B-two", "3", "2"),
        ("B", "B-also-two", "2", "2"),
        ("B", "B-top", "4", "5"),
        ("C", "C-only", "1", "1"),
    ):
        _add_tier(pack, random, system, code, rank, level)
    for traveller in TRAVELLERS[:2]:
        pack.add("travellers.csv", traveller, traveller)
    _add_cards(pack, TRAVELLERS[:2])
    return pack


def _joining_pack(random: Random, *, capped: bool) -> PackRows:
    pack = PackRows()
    _add_system(pack, random, "D", capped=capped)
    pack.add("hotels.csv", "D1", "D", "D1", "D1", "城", "2017-01-20")
    _add_tier(pack, random, "D", "D-low", "1", "1")
    _add_tier(pack, random, "D", "D-top", "2", "4")
    pack.add("travellers.csv", "T3", "T3")
    _add_cards(pack, ("T3",))
    return pack


def _change(random: Random, *, capped: bool) -> PackRows:
    pack = PackRows(_rulebook(random, "v2", "2017-02-14", capped=capped))
    if random.random() < 0.5:
        _add_tier(pack, random, "B", "B-two", "3", "2")
        _add_tier(pack, random, "C", "C-new", "2", "2")
    return pack


def _add_system(pack: PackRows, random: Random, code: str, *, capped: bool) -> None:
    cap = random.choice(("", "0", "60", "400", "6000")) if capped else ""
    pack.add("systems.csv", code, code, code, "", "", cap, "0")


def _add_tier(
    pack: PackRows, random: Random, system: str, code: str, rank: str, level: str
) -> None:
    rate = random.choice(("1", "1.5", "0.87", "0", "1.000001"))
    pack.add("tiers.csv", system, code, code, code, rank, level, rate, "0")


def _add_cards(pack: PackRows, travellers: Sequence[str]) -> None:
    for number, (traveller, hotel, tiers) in CARDS.items():
        if traveller in travellers:
            for issued_on, tier in tiers:
                pack.add("cards.csv", number, traveller, hotel, tier, issued_on)


def _rulebook(random: Random, version: str, effective_from: str, *, capped: bool) -> dict[str, Any]:
    """Draw a version; short terms, so that a history meets every end of them.

    VAT on top joins a running debit with the netting, which the model does not know of: none where there are caps.
    """
    until = random.choice((None, "2017-02-20", "2030-12-31", "2030-12-31"))
    return {
        "version": version,
        "effective_from": effective_from,
        "timezone": random.choice(("Asia/Shanghai", "Asia/Shanghai", "America/New_York")),
        "point_value_minor_per_100": random.choice((100, 37, 250, 0)),
        "points_expiry_months": random.choice((0, 1, 1, 2)),
        "points_pending_days": random.choice((0, 0, 3)),
        "restore_grace_days": random.choice((0, 5, 40)),
        "refund_days_max": random.choice((180, 20)),
        "draw_order": random.choice(("earliest_expiry", "own_system_first")),
        "fees": {kind: _fee(random) for kind in ("spend", "redeem", "stored_value")},
        "vat_ppm": random.choice((0, 60_000, 130_000)),
        "fees_include_vat": random.random() < 0.6 or capped,
        "stored_value_licence": None if until is None else {**LICENCE, "valid_until": until},
    }


def _fee(random: Random) -> dict[str, int | None]:
    least = random.choice((0, 0, 5))
    return {
        "rate_ppm": random.choice((0, 10_000, 20_000, 333_333)),
        "fixed_minor": random.choice((0, 0, 7)),
        "min_minor": least,
        "max_minor": random.choice((None, None, 40, least)),
    }


def model_of(packs: Sequence[PackRows]) -> Model:
    """Return a reference model that knows these packs."""
    model = Model()
    for pack in packs:
        _teach(model, pack)
    return model


def _teach(model: Model, pack: PackRows) -> None:
    """Do what ``Importer.load`` does, without files; a pack with a rulebook dates its changed tiers by it."""
    for row in pack.files.get("systems.csv", ()):
        model.add_system(row)
    if pack.rulebook is not None:
        model.add_rulebook(pack.rulebook)
    for row in pack.files.get("hotels.csv", ()):
        model.add_hotel(row)
    for row in pack.files.get("tiers.csv", ()):
        known = row["tier_code"] in model.tiers.get(row["system_code"], {})
        if known and pack.rulebook is not None:
            model.add_tier(row, date.fromisoformat(pack.rulebook["effective_from"]))
        else:
            model.add_tier(row)
    for row in pack.files.get("travellers.csv", ()):
        model.add_traveller(row)
    for row in pack.files.get("cards.csv", ()):
        model.add_card(row)
