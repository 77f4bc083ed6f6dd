"""The sample alliance: the same bytes again, whole in itself, and judged as it says it will be."""

import csv
import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import phonenumbers
import pytest
from stdnum import luhn
from stdnum.cn import uscc

from api.demo import SampleFacts, write_sample_packs
from tests.model import Importer, Model

PERIODS = ["2025-10", "2026-09", "2026-10"]
KINDS = {"award", "load", "redeem", "refund", "spend", "stored_value_spend"}
CODES = {
    "hotel_unknown",
    "txn_ref_reused",
    "kind_unknown",
    "card_unknown",
    "business_date_mismatch",
    "card_not_active",
    "original_unknown",
    "original_not_refundable",
    "card_mismatch",
    "refund_before_original",
    "refund_too_late",
    "amount_not_positive",
    "exceeds_original",
    "load_only_at_issuer_system",
    "stored_value_not_licensed",
    "insufficient_points",
    "insufficient_stored_value",
}

Judged = tuple[Model, dict[str, set[tuple[str, int, str, str, str]]]]


def write_small(folder: Path, seed: int = 20261001) -> SampleFacts:
    return write_sample_packs(folder, seed=seed, travellers=300, lines=1_500)


@pytest.fixture(scope="module")
def facts(tmp_path_factory: pytest.TempPathFactory) -> SampleFacts:
    return write_sample_packs(tmp_path_factory.mktemp("sample"))


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> SampleFacts:
    return write_small(tmp_path_factory.mktemp("small"))


@pytest.fixture(scope="module")
def judged(small: SampleFacts) -> Judged:
    """The model after all packs, the shown month still open, and what it refused of each pack."""
    importer = Importer(Model())
    refused = {}
    for pack in small.packs:
        answers = importer.load(pack.folder)
        refused[pack.period] = {
            (one.file, one.line, one.host_hotel, one.txn_ref, one.code) for one in answers
        }
        if pack != small.shown:
            importer.model.close(pack.period)
    return importer.model, refused


def rows(facts: SampleFacts, pattern: str) -> list[dict[str, str]]:
    """All rows of all packs' files of a name, in the order of import."""
    return [
        row
        for pack in facts.packs
        for path in sorted(pack.folder.glob(pattern))
        for row in csv.DictReader(path.read_text(encoding="utf-8").splitlines())
    ]


def files_of(folder: Path) -> Iterator[tuple[str, str]]:
    for path in sorted(folder.rglob("*.*")):
        if path.is_file():
            name = path.relative_to(folder).as_posix()
            yield name, sha256(path.read_bytes()).hexdigest()


def test_the_same_arguments_give_the_same_bytes_in_another_process(tmp_path: Path) -> None:
    program = (
        "import sys; from pathlib import Path; from api.demo import write_sample_packs;"
        "write_sample_packs(Path(sys.argv[1]), travellers=300, lines=1_500)"
    )
    for hash_seed in ("1", "2"):
        environment = {**os.environ, "PYTHONHASHSEED": hash_seed, "TZ": f"UTC+{hash_seed}"}
        folder = str(tmp_path / hash_seed)
        subprocess.run([sys.executable, "-c", program, folder], env=environment, check=True)
    assert dict(files_of(tmp_path / "1")) == dict(files_of(tmp_path / "2"))


def test_another_seed_gives_another_month(tmp_path: Path) -> None:
    for seed in (1, 2):
        write_small(tmp_path / str(seed), seed)
    name = "2026-10/transactions-2026-10.csv"
    assert dict(files_of(tmp_path / "1"))[name] != dict(files_of(tmp_path / "2"))[name]


def test_too_small_a_sample_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="at least"):
        write_sample_packs(tmp_path, travellers=10)
    assert list(tmp_path.iterdir()) == []


def test_its_size(facts: SampleFacts) -> None:
    assert [pack.period for pack in facts.packs] == PERIODS
    assert [pack.lines for pack in facts.packs] == [400, 3_000, 20_003]
    assert (facts.systems, facts.hotels, facts.travellers) == (12, 40, 3_000)
    assert len(rows(facts, "systems.csv")) == 12
    assert len({row["hotel_code"] for row in rows(facts, "hotels.csv")}) == 40
    assert len(rows(facts, "travellers.csv")) == 3_000
    assert 0.01 < len(facts.shown.refusals) / facts.shown.lines < 0.02
    assert set(facts.shown.kinds) == KINDS | {"voucher"}
    assert facts.shown.late > 20
    assert facts.shown.repeated > 20


def test_every_refusal_is_shown(facts: SampleFacts) -> None:
    assert {refusal.code for pack in facts.packs for refusal in pack.refusals} == CODES
    told = {example.outcome for example in facts.examples}
    assert told == CODES | {"accepted", "repeated"}


def test_references_between_files_are_whole(facts: SampleFacts) -> None:
    systems = {row["system_code"] for row in rows(facts, "systems.csv")}
    tiers = {(row["system_code"], row["tier_code"]) for row in rows(facts, "tiers.csv")}
    levels = {
        row["system_code"] for row in rows(facts, "tiers.csv") if row["alliance_level"] == "1"
    }
    hotels = rows(facts, "hotels.csv")
    assert {row["system_code"] for row in hotels} == systems == levels
    travellers = [row["traveller_ref"] for row in rows(facts, "travellers.csv")]
    known = set(travellers)
    assert len(travellers) == len(known)
    for card in rows(facts, "cards.csv"):
        assert card["traveller_ref"] in known
        since = [
            row
            for row in hotels
            if row["hotel_code"] == card["issuer_hotel"]
            and row["effective_from"] <= card["issued_on"]
        ]
        assert (since[-1]["system_code"], card["tier_code"]) in tiers


def test_cards_and_people_are_well_formed_and_plainly_samples(facts: SampleFacts) -> None:
    for card in rows(facts, "cards.csv"):
        assert len(card["card_number"]) == 16
        assert luhn.is_valid(card["card_number"])
    for traveller in rows(facts, "travellers.csv"):
        assert "示例" in traveller["name"]
        assert "Sample" in traveller["name"]
        assert traveller["email"].endswith("@example.com")
    assert phonenumbers.is_valid_number(phonenumbers.parse(traveller["phone"]))
    for named in rows(facts, "systems.csv") + rows(facts, "hotels.csv"):
        assert named["name_zh"].startswith("示例")
        assert named["name_en"].startswith("Sample")
    assert all(uscc.is_valid(row["uscc"]) for row in rows(facts, "systems.csv"))


def test_lines_name_what_came_before_them(facts: SampleFacts) -> None:
    refused = {(pack.period, one.file, one.line) for pack in facts.packs for one in pack.refusals}
    accepted: dict[tuple[str, str], str] = {}
    for pack in facts.packs:
        for path in sorted(pack.folder.glob("transactions-*.csv")):
            with path.open(encoding="utf-8", newline="") as file:
                for number, row in enumerate(csv.DictReader(file), 2):
                    if (pack.period, path.name, number) in refused:
                        continue
                    host = row["host_hotel"]
                    if row["original_txn_ref"]:
                        original = accepted[host, row["original_txn_ref"]]
                        assert original == row["card_number"]
                    first = accepted.setdefault((host, row["txn_ref"]), row["card_number"])
                    assert first == row["card_number"]


def test_each_pack_brings_a_rulebook_version(facts: SampleFacts) -> None:
    documents = [
        json.loads((pack.folder / "rulebook.json").read_text(encoding="utf-8"))
        for pack in facts.packs
    ]
    assert [one["version"] for one in documents] == ["sample-1", "sample-2", "sample-3"]
    begins = [one["effective_from"] for one in documents]
    assert begins == ["2025-09-01", "2026-09-01", "2026-10-15"]


def test_the_model_refuses_exactly_the_lines_that_are_meant(
    small: SampleFacts, judged: Judged
) -> None:
    model, refused = judged
    for pack in small.packs:
        meant = {
            (one.file, one.line, one.host_hotel, one.txn_ref, one.code) for one in pack.refusals
        }
        assert refused[pack.period] == meant
    late = Counter(txn.period for txn in model.transactions.values() if txn.late)
    assert late == {"2026-10": small.shown.late}


@pytest.mark.parametrize(
    ("rule", "points", "drawn", "fees"),
    [
        ("own_system_spend", 1_800, [], [0]),
        ("cross_system_spend", 1_155, [], [889]),
        ("redeem_several_issuers", 0, [("SPRUCE-SH", 1_800), ("BIRCH-BJ", 200)], [36, 4]),
        ("redeem_own_points", 0, [("BIRCH-BJ", 500)], [0]),
        ("treatment_highest_not_above", 1_300, [], [1_000]),
        ("treatment_lowest_tier", 600, [], [600]),
        ("treatment_same_level", 960, [], [800]),
        ("stored_value_across", 0, [("PINE-HS", 30_050)], [150]),
        ("stored_value_oldest_first", 0, [("PINE-HS", 68_000), ("PINE-JN", 22_000)], [282, 98]),
        ("one_pool_two_cards", 0, [("GINKGO-NJ", 40_000), ("LAUREL-GZ", 30_000)], [200, 150]),
        ("fee_minimum", 0, [("LAUREL-GL", 20)], [1]),
        ("fee_maximum", 35_000, [], [20_000]),
        ("rulebook_before", 0, [("LAUREL-GL", 1_000)], [20]),
        ("rulebook_change", 0, [("LAUREL-GL", 1_000)], [15]),
        ("before_hotel_moves", 770, [], [0]),
        ("hotel_moves", 770, [], [630]),
        ("points_move_with_hotel", 0, [("KAPOK-SZX", 1_000)], [0]),
        ("tier_change", 1_800, [], [0]),
        ("earliest_expiry_first", 0, [("BIRCH-DL", 800), ("MAPLE-KM", 200)], [12, 0]),
        ("points_expire", 1_500, [], [1_500]),
        ("debt_repaid", 900, [], [600]),
    ],
)
def test_examples_are_what_their_text_says(
    small: SampleFacts,
    judged: Judged,
    rule: str,
    points: int,
    drawn: list[tuple[str, int]],
    fees: list[int],
) -> None:
    example = small.example(rule)
    txn = judged[0].transactions[example.host_hotel, example.txn_ref]
    assert txn.points == points
    assert [(one.lot.issuer, one.quantity) for one in txn.draws] == drawn
    assert [leg.entries[0].fee for leg in txn.legs] == fees


def test_a_debt_is_left_and_points_wait_to_expire(small: SampleFacts, judged: Judged) -> None:
    model = judged[0]
    restored = small.example("restored_lot")
    txn = model.transactions[restored.host_hotel, restored.txn_ref]
    assert txn.period == "2026-11"
    lots = model.lots(model.cards[restored.card_number].traveller)
    assert [(lot.issuer, lot.remaining, str(lot.expires_on)) for lot in lots if lot.restored] == [
        ("PINE-JN", 1_500, "2026-12-02")
    ]
    quiet = model.cards[small.example("points_expire").card_number].traveller
    assert [(lot.remaining, str(lot.expires_on)) for lot in model.lots(quiet)] == [
        (1_500, "2026-10-31")
    ]
    owing = model.cards[small.example("debt_arises").card_number].traveller
    assert [change for debt in model.wallets[owing].debts for change in debt.changes] == [
        ("2026-10", 1_500),
        ("2026-10", -900),
        ("2026-10", -600),
    ]


def test_every_example_is_told_in_both_languages(facts: SampleFacts) -> None:
    rules = [example.rule for example in facts.examples]
    assert len(rules) == len(set(rules))
    for example in facts.examples:
        assert example.pack in PERIODS
        assert any("\u4e00" <= sign <= "\u9fff" for sign in example.zh)
        assert example.en.isascii() or "¥" in example.en
