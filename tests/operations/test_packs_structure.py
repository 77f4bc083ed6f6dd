"""A pack must hold together and agree with what is on record: one case per contradiction."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from clearinghouse.domain.errors import PackFault
from clearinghouse.operations.packs import Known, TierStanding, check, read_pack
from tests.operations.packs_sample import C1, C2, C3, FILES, appended, edited, load, remembered
from tests.operations.packs_sample import write_pack as write

Change = Mapping[str, Any]
H_BAM = "BAM-HZ,AUR,竹酒店杭州,Bamboo Hangzhou,杭州市,2026-11-15"

WITHIN: list[tuple[Change, str]] = [
    (appended("systems.csv", "AUR,金酒店,Aurum,,,,"),
     "systems.csv line 4: the system_code is the same as on line 2"),
    (appended("tiers.csv", "AUR,T1,普通,Member,7,7,1,0,"),
     "tiers.csv line 5: the tier_code of this system is the same as on line 2"),
    (appended("travellers.csv", "P1,x,,"),
     "travellers.csv line 4: the traveller_ref is the same as on line 2"),
    (appended("hotels.csv", H_BAM),
     'hotels.csv line 5: hotel_code "BAM-HZ" from 2026-11-15 is the same as on line 4'),
    (appended("hotels.csv", "AUR-BJ,BAM,x,x,x,"),
     'hotels.csv line 5: hotel_code "AUR-BJ" from the beginning is the same as on line 2'),
    (appended("cards.csv", f"{C2},P2,BAM-HZ,B1,2026-03-01"),
     "cards.csv line 5: card_number 627781******0021 on 2026-03-01 is the same as on line 4"),
    (appended("hotels.csv", "BAM-HZ,BAM,x,x,x,2026-01-31"),
     'hotels.csv line 5: hotel "BAM-HZ" begins on 2026-02-01; a row from 2026-01-31 would come before that'),
    (appended("hotels.csv", "BAM-HZ,BAM,x,x,x,"), "a row from the beginning would come before that"),
    (appended("hotels.csv", "H9,XXX,x,x,x,"), 'hotels.csv line 5: system_code "XXX" is not known'),
    (appended("tiers.csv", "XXX,T1,x,x,1,1,1,0,"), 'tiers.csv line 5: system_code "XXX" is not known'),
    (appended("cards.csv", f"{C3},P9,AUR-BJ,T1,2026-01-01"),
     'cards.csv line 5: traveller_ref "P9" is not known'),
    (appended("cards.csv", f"{C3},P1,AUR-XX,T1,2026-01-01"),
     'cards.csv line 5: issuer_hotel "AUR-XX" is not known'),
    (appended("cards.csv", f"{C3},P1,AUR-BJ,B1,2026-01-01"),
     'cards.csv line 5: tier_code "B1" is none of system "AUR", whose hotel "AUR-BJ" is on 2026-01-01'),
    (appended("cards.csv", f"{C3},P1,BAM-HZ,B1,2026-11-15"),
     'tier_code "B1" is none of system "AUR", whose hotel "BAM-HZ" is on 2026-11-15'),
    (appended("cards.csv", f"{C3},P1,BAM-HZ,T1,2026-11-14"), 'tier_code "T1" is none of system "BAM"'),
    (appended("cards.csv", f"{C3},P1,BAM-HZ,B1,2026-01-31"),
     'cards.csv line 5: issuer_hotel "BAM-HZ" is not yet in the alliance on 2026-01-31'),
    (appended("cards.csv", f"{C1},P2,AUR-BJ,T1,2026-12-01"),
     "card_number 627781******0013 has another traveller_ref than in an earlier line"),
    (appended("cards.csv", f"{C1},P1,BAM-HZ,T1,2026-12-01"),
     "cards.csv line 5: card_number 627781******0013 has another issuer_hotel than in an earlier line"),
    (edited("tiers.csv", "Member,1,1,1.5", "Member,1,2,1.5"),
     'tiers.csv line 4: system "BAM" has no tier of alliance_level 1; its lowest is 2'),
    (appended("systems.csv", "CLD,云,Cloud,,,,") | appended("hotels.csv", "CLD-GZ,CLD,云,Cloud,广州,"),
     'hotels.csv line 5: system "CLD" has no tiers'),
    (edited("tiers.csv", "Gold,2,2", "Gold,1,1"),
     'tiers.csv line 3: tiers "T1" and "T2" of system "AUR" have the same alliance_level and rank'),
]  # fmt: skip


@pytest.mark.parametrize(("change", "sentence"), WITHIN)
def test_files_that_contradict_each_other(tmp_path: Path, change: Change, sentence: str) -> None:
    with pytest.raises(PackFault) as raised:
        load(write(tmp_path, change))
    assert sentence in str(raised.value)
    assert raised.value.file in change
    assert raised.value.line is not None


MISSING = [
    ("systems.csv", 'hotels.csv line 2: system_code "AUR" is not known; the pack has no systems.csv'),
    ("hotels.csv", 'cards.csv line 2: issuer_hotel "AUR-BJ" is not known; the pack has no hotels.csv'),
    ("tiers.csv", 'hotels.csv line 2: system "AUR" has no tiers; the pack has no tiers.csv'),
    ("travellers.csv", 'cards.csv line 2: traveller_ref "P1" is not known; the pack has no travellers'),
    ("cards.csv", "cards.csv: is missing, and there is nothing of it on record"),
    ("rulebook.json", "rulebook.json: is missing, and there is nothing of it on record"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "sentence"), MISSING)
def test_a_file_that_others_need(tmp_path: Path, name: str, sentence: str) -> None:
    complete = load(write(tmp_path))
    (tmp_path / name).unlink()
    with pytest.raises(PackFault) as raised:
        load(tmp_path)
    assert str(raised.value).startswith(sentence)
    # Once everything is on record, no later pack needs the file.
    assert load(tmp_path, remembered(complete)).files == complete.files


def test_transactions_alone_need_hotels(tmp_path: Path) -> None:
    alone = {name: None for name in FILES if not name.startswith("transactions")}
    with pytest.raises(PackFault, match=r"^hotels.csv: is missing, and there is nothing"):
        load(write(tmp_path, alone))


def only(name: str, *lines: str) -> dict[str, Any]:
    """A pack of one file with these lines below the header."""
    text = "\n".join([FILES[name].split("\n", 1)[0], *lines, ""])
    return dict.fromkeys(FILES) | {name: text}


AGAINST_THE_RECORD = [
    (only("hotels.csv", "BAM-HZ,BAM,竹酒店杭州,Bamboo,杭州市,2026-02-01"),
     'hotels.csv line 2: hotel "BAM-HZ" from 2026-02-01 is on record with other content'),
    (only("hotels.csv", "AUR-BJ,BAM,金酒店北京,Aurum Beijing,北京市,"),
     'hotels.csv line 2: hotel "AUR-BJ" from the beginning is on record with other content'),
    (only("hotels.csv", "BAM-HZ,BAM,竹酒店杭州,Bamboo,杭州市,2026-01-01"),
     'hotels.csv line 2: hotel "BAM-HZ" begins on 2026-02-01'),
    (only("tiers.csv", "BAM,B1,x,x,1,3,1,0,"),
     'tiers.csv line 2: system "BAM" has no tier of alliance_level 1; its lowest is 3'),
    (only("tiers.csv", "AUR,T3,x,x,2,2,1,0,"),
     'tiers.csv line 2: tiers "T2" and "T3" of system "AUR" have the same alliance_level and rank'),
    (only("cards.csv", f"{C1},P1,AUR-BJ,T1,2026-06-01"),
     "cards.csv line 2: card_number 627781******0013 has another tier_code on record for 2026-06-01"),
    (only("cards.csv", f"{C1},P2,AUR-BJ,T2,2026-12-01"),
     "cards.csv line 2: card_number 627781******0013 has another traveller_ref than in the record"),
    (only("cards.csv", f"{C1},P1,BAM-HZ,T2,2026-12-01"),
     "cards.csv line 2: card_number 627781******0013 has another issuer_hotel than in the record"),
]  # fmt: skip


@pytest.mark.parametrize(("change", "sentence"), AGAINST_THE_RECORD)
def test_a_later_pack_that_contradicts_the_record(
    tmp_path: Path, change: Change, sentence: str
) -> None:
    known = remembered(load(write(tmp_path / "first")))
    with pytest.raises(PackFault) as raised:
        load(write(tmp_path / "later", change), known)
    assert str(raised.value).startswith(sentence)


def test_the_cheap_checks_come_before_the_transactions_are_read(tmp_path: Path) -> None:
    both = appended("hotels.csv", H_BAM) | {"transactions-2026-11.csv": "nonsense"}
    with pytest.raises(PackFault, match=r"^hotels.csv line 5"):
        check(read_pack(write(tmp_path, both)), Known())


def test_an_older_pack_again_does_not_stumble_over_newer_tiers(tmp_path: Path) -> None:
    known = remembered(load(write(tmp_path)))
    newer = {"T0": TierStanding(rank=1, alliance_level=1), **known.tiers["AUR"]}
    known = replace(known, tiers={**known.tiers, "AUR": newer})
    assert load(tmp_path, known).files[0].lines == 4
