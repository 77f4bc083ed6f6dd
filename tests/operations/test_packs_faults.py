"""Every structural fault within a file is one clear sentence with file and line."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from clearinghouse.domain.errors import PackFault
from clearinghouse.operations.packs import read_pack, tables
from tests.operations.packs_sample import C1, FILES, T1, appended, edited, load, write_pack

Change = dict[str, Any]


def value(column: str, written: str) -> Change:
    """A change to one column of the third transaction (line 4)."""
    header, *lines = FILES[T1].splitlines()
    values = lines[2].split(",")
    values[header.split(",").index(column)] = written
    lines[2] = ",".join(values)
    return {T1: "\n".join([header, *lines]) + "\n"}


def header(name: str, old: str, new: str) -> Change:
    first, rest = FILES[name].split("\n", 1)
    return {name: first.replace(old, new) + "\n" + rest}


R3 = "BAM-HZ,R3,R2,refund"
OPEN = "line 4: a quotation mark is open at the end of the line; line breaks in a value are not allowed"
TRANSACTION_FAULTS: list[tuple[Change, str]] = [
    (value("amount_minor", "1e30"), 'line 4: amount_minor "1e30" is not a whole number'),
    (value("amount_minor", "12.0"), 'line 4: amount_minor "12.0" is not a whole number'),
    (value("amount_minor", "1_000"), 'line 4: amount_minor "1_000" is not a whole number'),
    (value("amount_minor", "１２"), 'line 4: amount_minor "１２" is not a whole number'),
    (value("amount_minor", "NaN"), 'line 4: amount_minor "NaN" is not a whole number'),
    (value("amount_minor", "--5"), 'line 4: amount_minor "--5" is not a whole number'),
    (value("points", "1000000000000001"),
     'line 4: points "…0001" is not between -1,000,000,000,000 and 1,000,000,000,000'),
    (value("points", "-" + "9" * 5000), "is not between -1,000,000,000,000 and"),
    (value("business_date", "2026-02-30"), 'business_date "2026-02-30" is not a date written YYYY-MM-DD'),
    (value("business_date", "20261103"), 'business_date "20261103" is not a date written YYYY-MM-DD'),
    (value("business_date", "03/11/2026"), "is not a date written YYYY-MM-DD"),
    (value("business_date", "1999-12-31"), "is not between 2000-01-01 and 2199-12-31"),
    (value("business_date", ""), "line 4: business_date is empty"),
    (value("occurred_at", "2026-11-03T09:00:00"), "has no UTC offset; write it like"),
    (value("occurred_at", "2026-11-03"), 'occurred_at "2026-11-03" has no UTC offset'),
    (value("occurred_at", "2026-11-03T25:00:00Z"), "is not a moment written like"),
    (value("occurred_at", "2026-11-03x09:00:00Z"), "is not a moment written like"),
    (value("occurred_at", "yesterday"), 'occurred_at "yesterday" is not a moment written like'),
    (value("occurred_at", "0001-01-01T00:00:00+14:00"), "is not between 2000-01-01 and 2199-12-31"),
    (value("occurred_at", " "), "line 4: occurred_at is empty"),
    (value("host_hotel", ""), "line 4: host_hotel is empty"),
    (value("txn_ref", "\u3000"), "line 4: txn_ref is empty"),
    (value("txn_ref", "R" * 65), 'txn_ref "' + "R" * 40 + '…" is longer than 64 characters'),
    (value("txn_ref", "R\x07"), 'txn_ref "R\\x07" has a control or invisible character'),
    (value("txn_ref", "R\u202e3"), 'txn_ref "R\\u202e3" has a control or invisible character'),
    (value("txn_ref", '"R""3"'), "has a quotation mark"),
    (value("original_txn_ref", "x" * 70), "original_txn_ref"),
    (value("kind", ""), "line 4: kind is empty"),
    (value("card_number", ""), "line 4: card_number is empty"),
    (value("card_number", "6" * 65), "line 4: card_number is longer than 64 characters"),
    (edited(T1, "R3,R2,refund", "R3,R2,refund,"), "line 4: has 10 values where the header has 9"),
    (edited(T1, "R3,R2,refund", "R3,refund"), "line 4: has 8 values where the header has 9"),
    (edited(T1, R3, '"BAM-HZ,R3,R2,refund'), OPEN),
    (edited(T1, R3, '"BAM"-HZ,R3,R2,refund'), "line 4: the quotation marks do not match"),
    (edited(T1, R3, 'BAM"HZ,R3,R2,refund'), "line 4: the quotation marks do not match"),
    (edited(T1, R3, '"BAM\nHZ",R3,R2,refund'), OPEN),
    (edited(T1, R3, "BAM\rHZ,R3,R2,refund"), "line 4: has a carriage return inside a line"),
    (edited(T1, R3, "BAM\0HZ,R3,R2,refund"), "line 4: has a NUL byte"),
    (edited(T1, R3, f"{'x' * 200_000},R3,R2,refund"), "line 4: has a value too long"),
    ({T1: FILES[T1].encode().replace(b"R3,", b"\xff3,")}, "line 4: is not UTF-8 text"),
    ({T1: FILES[T1] + "é".encode("latin-1").decode("latin-1")}, "line 6: has 1 values where"),
    ({T1: FILES[T1].encode() + "é".encode()[:1]}, "line 6: is not UTF-8 text"),
    ({T1: "\ufeff".encode("utf-16-le") + FILES[T1].encode("utf-16-le")}, "line 1: is UTF-16 text"),
    ({T1: ""}, "line 1: is empty: the header row is missing"),
    ({T1: "\ufeff"}, "line 1: is empty: the header row is missing"),
    ({T1: "\n" + FILES[T1]}, "line 1: the header row is missing"),
    (header(T1, "txn_ref,", "ref,"), 'line 1: there is no such column as "ref"'),
    (header(T1, ",points", ""), "line 1: the column points is missing"),
    (header(T1, ",points", ",points,points"), "line 1: the column points is there twice"),
    (header(T1, ",points", ",points,"), "line 1: column 10 of the header has no name"),
    (header(T1, ",", ";"), 'line 1: there is no such column as "host_hotel;txn_ref;'),
]  # fmt: skip


@pytest.mark.parametrize(("change", "sentence"), TRANSACTION_FAULTS)
def test_a_fault_in_transactions(tmp_path: Path, change: Change, sentence: str) -> None:
    with pytest.raises(PackFault) as raised:
        load(write_pack(tmp_path, change))
    fault = raised.value
    assert sentence in str(fault)
    assert str(fault).startswith(f"{T1} line {fault.line}: ")
    assert fault.file == T1
    assert fault.line in {1, 4, 6}
    assert "\n" not in str(fault)
    assert len(str(fault)) < 220


REFERENCE_FAULTS: list[tuple[Change, str]] = [
    (edited("systems.csv", "\nBAM,", "\n../BAM,"),
     'systems.csv line 3: system_code "../BAM" may have only letters, digits, dots, hyphens and'),
    (edited("systems.csv", "\nBAM,", f"\n{'竹' * 64}𠮷,"), "longer than 64 characters"),
    (edited("systems.csv", "\nBAM,", f"\n{'𠮷' * 60},"), "is longer than 200 bytes"),
    (edited("systems.csv", "竹酒店,Bamboo", ","), "line 3: name_zh and name_en are both empty"),
    (edited("systems.csv", "Bamboo", "B" * 201), "is longer than 200 characters"),
    (edited("systems.csv", "500000", "-1"), 'net_debit_cap_minor "-1" is not between 0 and'),
    (edited("systems.csv", "500000", "1e30"), 'net_debit_cap_minor "1e30" is not a whole number'),
    (edited("systems.csv", "500000", "9" * 16), 'net_debit_cap_minor "…9999" is not between 0 and'),
    (edited("systems.csv", "6222000047109087253", "62\t22"), "line 2: bank_account has a control"),
    (edited("hotels.csv", "AUR-BJ", "AUR BJ"), 'hotels.csv line 2: hotel_code "AUR BJ" may have only'),
    (edited("hotels.csv", "AUR-BJ", "AUR:BJ"), 'hotel_code "AUR:BJ" may have only'),
    (edited("hotels.csv", "2026-11-15", "tomorrow"),
     'hotels.csv line 4: effective_from "tomorrow" is not a date written YYYY-MM-DD'),
    (edited("hotels.csv", "Aurum Beijing", "Aurum\x1b[31m"),
     'hotels.csv line 2: name_en "Aurum\\x1b[31m" has a control character'),
    (edited("tiers.csv", "Gold,2,2", "Gold,two,2"), 'tiers.csv line 3: rank "two" is not a whole number'),
    (edited("tiers.csv", "Gold,2,2", "Gold,2,0"), 'alliance_level "0" is not between 1 and 1,000'),
    (edited("tiers.csv", "Gold,2,2", "Gold,2,"), "tiers.csv line 3: alliance_level is empty"),
    (edited("tiers.csv", ",1.5,", ",-1.5,"), 'tiers.csv line 4: earn_points_per_yuan "-1.5" is negative'),
    (edited("tiers.csv", ",1.5,", ",1e3,"), 'earn_points_per_yuan "1e3" is not a decimal number'),
    (edited("tiers.csv", ",1.5,", ",,"), "tiers.csv line 4: earn_points_per_yuan is empty"),
    (edited("tiers.csv", ",1.5,", ",1.0000001,"), "has more than six decimals"),
    (edited("tiers.csv", ",1.5,", ",1000.1,"), "is more than 1,000 points per yuan"),
    (edited("tiers.csv", "1.25,10,", "1.25,101,"), 'discount_percent "101" is not between 0 and 100'),
    (edited("tiers.csv", "1.25,10,", "1.25,-1,"), 'discount_percent "-1" is not between 0 and 100'),
    (edited("tiers.csv", "早餐;", "早餐\x00;"), "tiers.csv line 3: has a NUL byte"),
    (edited("travellers.csv", "+8613800138000", "call me"),
     "travellers.csv line 2: phone is not a telephone number"),
    (edited("travellers.csv", "p1@example.com", "p1 at home"),
     "travellers.csv line 2: email is not an e-mail address"),
    (edited("travellers.csv", "李芳", "李\x08芳"), "travellers.csv line 2: name has a control character"),
    (edited("travellers.csv", "P1,", ","), "travellers.csv line 2: traveller_ref is empty"),
    (edited("cards.csv", "6277810000000021", "6277810000000022"),
     "cards.csv line 4: card_number has a wrong check digit"),
    (edited("cards.csv", "6277810000000021", "627781000000021"),
     "cards.csv line 4: card_number is not 16 digits"),
    (edited("cards.csv", "6277810000000021", "６２７７８１００００００００２１"),
     "cards.csv line 4: card_number is not 16 digits"),
    (edited("cards.csv", "2026-06-01", ""), "cards.csv line 3: issued_on is empty"),
    (edited("cards.csv", "2026-06-01", "2026-6-1"), 'issued_on "2026-6-1" is not a date'),
]  # fmt: skip


@pytest.mark.parametrize(("change", "sentence"), REFERENCE_FAULTS)
def test_a_fault_in_a_reference_file(tmp_path: Path, change: Change, sentence: str) -> None:
    with pytest.raises(PackFault) as raised:
        read_pack(write_pack(tmp_path, change))
    assert sentence in str(raised.value)
    (name,) = change
    assert str(raised.value).startswith(f"{name} line {raised.value.line}: ")
    for private in ("6277810000000021", "李芳", "13800138000", "6222000047109087253"):
        assert private not in str(raised.value)


@pytest.mark.parametrize(
    "name", ["systems.csv", "hotels.csv", "tiers.csv", "travellers.csv", "cards.csv", T1]
)
def test_every_column_is_required(tmp_path: Path, name: str) -> None:
    columns = FILES[name].split("\n", 1)[0].split(",")
    for number, column in enumerate(columns):
        left = ",".join(columns[:number] + columns[number + 1 :])
        with pytest.raises(PackFault, match=f"{name} line 1: the column {column} is missing"):
            load(write_pack(tmp_path, {name: left + "\n"}))


SWAPPED = [
    (value("business_date", C1), C1),
    (value("amount_minor", "13800138000x"), "13800138000"),
    (value("occurred_at", "6277 8100 0000 0013"), "0000 0013"),
    (value("occurred_at", "p1@example.com"), "p1"),
]


@pytest.mark.parametrize(("change", "private"), SWAPPED)
def test_what_stands_in_the_wrong_column_is_not_shown(
    tmp_path: Path, change: Change, private: str
) -> None:
    with pytest.raises(PackFault, match=r'line 4: [a-z_]+ "') as raised:
        load(write_pack(tmp_path, change))
    assert private not in str(raised.value)


def test_too_many_reference_rows_ask_for_several_packs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tables, "ROWS_MAX", 2)
    with pytest.raises(PackFault, match=r"hotels.csv line 4: has more than 2 rows; split it"):
        read_pack(write_pack(tmp_path))


def test_no_folder_a_file_and_no_pack(tmp_path: Path) -> None:
    with pytest.raises(PackFault, match=r'^there is no folder ".*nowhere"$'):
        read_pack(tmp_path / "nowhere")
    (tmp_path / "file").write_text("x")
    with pytest.raises(PackFault, match='file" is a file; an alliance pack is a folder of CSV'):
        read_pack(tmp_path / "file")
    (tmp_path / "empty").mkdir()
    (tmp_path / "empty" / "holiday.jpg").write_text("x")
    with pytest.raises(
        PackFault, match=r'empty" is no alliance pack: it has none of rulebook.json, '
    ):
        read_pack(tmp_path / "empty")
    with pytest.raises(PackFault, match="can't be read: embedded null byte"):
        read_pack(Path("a\0b"))


@pytest.mark.parametrize(
    ("name", "sentence"),
    [("hotel.csv", "hotel.csv: is not a file of an alliance pack; is it hotels.csv?"),
     ("Hotels.CSV", "Hotels.CSV: is not a file of an alliance pack; is it hotels.csv?"),
     ("notes.csv", "notes.csv: is not a file of an alliance pack"),
     ("rulebooks.json", "rulebooks.json: is not a file of an alliance pack; is it rulebook.json?"),
     ("transactions-2017-13.csv", "transactions-2017-13.csv: is not named after a month"),
     ("transactions-2017-1.csv", "transactions-2017-1.csv: is not named after a month"),
     ("transactions-0000-01.csv", "transactions-0000-01.csv: is not named after a month"),
     ("Transactions-2017-01.csv", "Transactions-2017-01.csv: is not named after a month"),
     ("transactions.csv", "transactions.csv: is not named after a month"),
     ("a\nb.csv", "a\\nb.csv: is not a file of an alliance pack")],
)  # fmt: skip
def test_a_misspelt_file(tmp_path: Path, name: str, sentence: str) -> None:
    with pytest.raises(PackFault) as raised:
        read_pack(write_pack(tmp_path, {name: "x"}))
    assert str(raised.value).startswith(sentence)


@pytest.mark.parametrize("name", ["rulebook.json", "cards.csv", T1])
def test_what_is_no_regular_file(tmp_path: Path, name: str) -> None:
    path = write_pack(tmp_path, {name: None}) / name
    path.symlink_to(tmp_path / "systems.csv")
    with pytest.raises(PackFault, match=f"^{name}: is a symbolic link, not a file$"):
        load(tmp_path)
    path.unlink()
    path.mkdir()
    with pytest.raises(PackFault, match=f"^{name}: is a folder, not a file$"):
        load(tmp_path)
    path.rmdir()
    os.mkfifo(path)
    with pytest.raises(PackFault, match=f"^{name}: is a pipe or a device, not a file$"):
        load(tmp_path)


def test_lines_are_counted_across_blocks(tmp_path: Path) -> None:
    lines = [
        f'"AUR-BJ",K{n},,spend,{C1},2026-11-01,2026-11-01T10:00:00+08:00,{n},' for n in range(9000)
    ]
    lines[7000] = lines[7000].replace("spend", "spend,")
    with pytest.raises(PackFault, match=f"{T1} line 7006: has 10 values"):
        load(write_pack(tmp_path, appended(T1, *lines)))
    lines[6990] = lines[6990].replace("K", '"K')
    with pytest.raises(PackFault, match=f"{T1} line 6996: a quotation mark is open"):
        load(write_pack(tmp_path, appended(T1, *lines)))
