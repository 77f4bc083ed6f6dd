"""A sound pack is read exactly, however it is spelled."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, timedelta, timezone
from hashlib import sha256
from pathlib import Path

import pytest

from clearinghouse.operations.packs import CheckedPack, Known, check, read_pack
from clearinghouse.operations.packs.rows import CardRow, HotelRow, SystemRow, TierRow, TravellerRow
from tests.operations.packs_sample import (
    C1,
    C3,
    FILES,
    T1,
    appended,
    edited,
    load,
    remembered,
    write_pack,
)

CHINA = timezone(timedelta(hours=8))


def transactions(checked: CheckedPack) -> list[tuple[object, ...]]:
    return [
        tuple(getattr(line, name) for name in (
            "line_no", "host_hotel", "txn_ref", "original_txn_ref", "kind", "card_number",
            "business_date", "occurred_at", "amount_minor", "points",
        ))
        for file in checked.files
        for line in checked.transactions(file)
    ]  # fmt: skip


def test_rows_are_read_with_their_lines(tmp_path: Path) -> None:
    pack = load(write_pack(tmp_path)).pack
    assert pack.systems[1] == SystemRow(
        3, "BAM", "竹酒店", "Bamboo", "91310000MA1FL00000", None, 500000, 1000
    )
    assert pack.systems[0].net_debit_cap_minor is None
    assert pack.hotels[2] == HotelRow(
        4, "BAM-HZ", "AUR", "竹酒店杭州", "Bamboo Hangzhou", "杭州市", date(2026, 11, 15)
    )
    assert pack.hotels[0].effective_from is None
    assert pack.tiers[1] == TierRow(
        3, "AUR", "T2", "金", "Gold", 2, 2, 1_250_000, 10, ("早餐", "延迟退房")
    )
    assert pack.travellers[1] == TravellerRow(3, "P2", 'Zhang, "Bo"', "", "")
    assert pack.cards[1] == CardRow(3, C1, "P1", "AUR-BJ", "T2", date(2026, 6, 1))
    assert pack.rulebook is not None
    assert pack.rulebook.rulebook.fee_redeem.rate_ppm == 20000


def test_personal_data_stays_out_of_a_repr(tmp_path: Path) -> None:
    pack = load(write_pack(tmp_path)).pack
    assert "李芳" not in repr(pack)
    assert "13800138000" not in repr(pack)
    assert C1 not in repr(pack)


def test_transactions_are_read_exactly_and_counted(tmp_path: Path) -> None:
    checked = load(write_pack(tmp_path))
    lines = transactions(checked)
    assert lines[0] == (
        2, "AUR-BJ", "R1", None, "spend", C1, date(2026, 11, 1),
        datetime(2026, 11, 1, 10, tzinfo=CHINA), 120000, None,
    )  # fmt: skip
    assert lines[2][3:4] + lines[2][-2:] == ("R2", None, 100)
    assert [line[0] for line in lines] == [2, 3, 4, 5]
    (file,) = checked.files
    assert (file.name, file.lines) == (T1, 4)
    assert file.sha256 == sha256(FILES[T1].encode()).hexdigest()
    assert file.size == len(FILES[T1].encode())


def test_what_the_books_judge_is_no_fault_of_the_pack(tmp_path: Path) -> None:
    odd = f"??,R9,gone,no_such_kind,not-a-card,2026-11-03,2020-01-01T00:00:00Z,0,{-(10**12)}"
    lines = transactions(load(write_pack(tmp_path, appended(T1, odd))))
    assert lines[-1][1:6] == ("??", "R9", "gone", "no_such_kind", "not-a-card")
    assert lines[-1][-2:] == (0, -(10**12))


SPELLINGS: dict[str, Callable[[str], str]] = {
    "byte order mark": lambda text: "\ufeff" + text,
    "CRLF": lambda text: text.replace("\n", "\r\n"),
    "no last line end": lambda text: text.removesuffix("\n"),
    "blank lines at the end": lambda text: text + "\n\r\n   \n",
    "white space around values": lambda text: text.replace(",", " ,\t"),
    "everything quoted": lambda text: "".join(
        ",".join(f'"{v}"' for v in line.split(",")) + "\n" for line in text.splitlines()
    ),
    "leading zeros and signs": lambda text: text.replace(",120000,", ",+00120000,").replace(
        ",500\n", ",00000500\n"
    ),
    "other columns first": lambda text: "".join(
        ",".join(reversed(line.split(","))) + "\n" for line in text.splitlines()
    ),
    "other offsets": lambda text: text.replace("2T02:00:00Z", "1T18:00:00-08:00").replace(
        "2026-11-01T10:00:00+08:00", "2026-11-01 02:00+0000"
    ),
}


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_nobody_is_refused_by_spelling(tmp_path: Path, spelling: str) -> None:
    plain = transactions(load(write_pack(tmp_path / "plain")))
    other = SPELLINGS[spelling](FILES[T1])
    assert other != FILES[T1]
    assert transactions(load(write_pack(tmp_path / "other", {T1: other}))) == plain


@pytest.mark.parametrize(
    ("written", "earn_ppm"),
    [("0", 0), ("1.", 1_000_000), (".5", 500_000), ("+2.25", 2_250_000), ("0.000001", 1),
     ("1.50000000", 1_500_000), ("01.10", 1_100_000), ("1000", 10**9)],
)  # fmt: skip
def test_earn_rates_are_exact(tmp_path: Path, written: str, earn_ppm: int) -> None:
    pack = load(write_pack(tmp_path, edited("tiers.csv", ",1.5,", f",{written},"))).pack
    assert pack.tiers[2].earn_ppm == earn_ppm


def test_a_row_on_record_is_no_contradiction(tmp_path: Path) -> None:
    first = load(write_pack(tmp_path))
    again = load(tmp_path, remembered(first))
    assert again.files == first.files


def test_a_later_pack_refers_to_what_is_on_record(tmp_path: Path) -> None:
    known = remembered(load(write_pack(tmp_path / "first")))
    later = dict.fromkeys(FILES) | {
        "cards.csv": FILES["cards.csv"].splitlines()[0]
        + f"\n{C1},P1,AUR-BJ,T1,2026-12-01\n{C3},P2,BAM-HZ,T2,2026-12-01\n",
        "hotels.csv": FILES["hotels.csv"].splitlines()[0] + "\nAUR-BJ,BAM,金,Au,北京,2027-01-01\n",
        "transactions-2026-12.csv": FILES[T1],
    }
    checked = load(write_pack(tmp_path / "later", later), known)
    assert len(checked.pack.cards) == 2
    assert checked.dated == date(2026, 12, 1)


def test_rows_of_a_pack_may_come_in_any_order_of_date_after_the_first(tmp_path: Path) -> None:
    between = appended("hotels.csv", "BAM-HZ,BAM,竹,Bamboo,杭州市,2026-05-01")
    cards = appended("cards.csv", f"{C3},P2,BAM-HZ,B1,2026-11-14", f"{C3},P2,BAM-HZ,T2,2026-11-15")
    assert len(load(write_pack(tmp_path, between | cards)).pack.hotels) == 4


def test_the_pack_is_dated_by_its_earliest_month_then_its_rulebook(tmp_path: Path) -> None:
    write_pack(
        tmp_path, {"transactions-2026-09.csv": FILES[T1], "transactions-2027-01.csv": FILES[T1]}
    )
    checked = load(tmp_path)
    assert checked.dated == date(2026, 9, 1)
    assert [file.name[13:20] for file in checked.files] == ["2026-09", "2026-11", "2027-01"]
    for path in tmp_path.glob("transactions*"):
        path.unlink()
    assert load(tmp_path).dated == date(2026, 1, 1)
    (tmp_path / "rulebook.json").unlink()
    assert load(tmp_path).dated is None


def test_files_of_other_kinds_are_left_alone(tmp_path: Path) -> None:
    write_pack(tmp_path)
    (tmp_path / "rejections.csv").write_text("anything")
    (tmp_path / "refused.csv").write_text(
        "file,line,host_hotel,txn_ref,code,message\r\nx,2,,,,\r\n"
    )
    for name in ("README.md", ".hotels.csv.swp", "~$hotels.csv", "hotels.csv.bak", "manifest.json"):
        (tmp_path / name).write_text("\0")
    (tmp_path / "2026-11").mkdir()
    (tmp_path / "old.csv").mkdir()
    assert load(tmp_path).files[0].lines == 4


def test_progress_counts_every_byte(tmp_path: Path) -> None:
    pack = read_pack(write_pack(tmp_path))
    steps: list[int] = []
    check(pack, Known(), steps.append)
    assert sum(steps) == pack.transactions_bytes == len(FILES[T1].encode())


def test_a_resumed_import_begins_after_its_cursor(tmp_path: Path) -> None:
    checked = load(write_pack(tmp_path))
    (file,) = checked.files
    assert [line.line_no for line in checked.transactions(file, after=3)] == [4, 5]
    assert list(checked.transactions(file, after=5)) == []


def test_a_file_of_no_transactions_is_sound(tmp_path: Path) -> None:
    header = FILES[T1].splitlines()[0]
    (file,) = load(write_pack(tmp_path, {T1: header})).files
    assert file.lines == 0


def test_a_wide_rulebook_is_one_rulebook_however_it_is_spelled(tmp_path: Path) -> None:
    known = remembered(load(write_pack(tmp_path / "a")))
    spelled = FILES["rulebook.json"].replace('"version"', '"vat_ppm": 60000, "version"')
    checked = load(write_pack(tmp_path / "b", {"rulebook.json": "\ufeff" + spelled}), known)
    assert checked.pack.rulebook is not None
    assert checked.pack.rulebook.sha256 == known.rulebooks["v1"][1]
