"""``clearinghouse balance``."""

from pathlib import Path

import pytest

from api.cli.balance import balance
from clearinghouse.operations.context import Context
from tests.alliances import CARDS, PACK, MiniAlliance
from tests.api.office import Office

T1 = CARDS["T1"]


@pytest.fixture
def office(database_url: str, context: Context, tmp_path: Path) -> Office:
    """T1 has usable and pending points, a debt and stored value; a hotel's name looks like markup."""
    hotels = [
        row if row[0] != "AUR-SH" else (*row[:3], "Aurum [red]", row[4])
        for row in PACK["hotels.csv"]
    ]
    alliance = MiniAlliance(
        context,
        tmp_path / "packs",
        files={"hotels.csv": hotels},
        rulebook={"points_pending_days": 2},
    )
    alliance.accept("award", "AUR-SH", "1", "T1", "2026-10-01", points=1_500)
    alliance.accept("redeem", "AUR-BJ", "2", "T1", "2026-10-02", points=500)
    alliance.accept("award", "BAM-HZ", "3", "T1", "2026-10-03", points=20)
    alliance.accept("refund", "AUR-SH", "4", "T1", "2026-10-04", points=1_200, original="1")
    alliance.accept("spend", "CLD-GZ", "5", "T1", "2026-10-05", amount=123_400)
    alliance.accept("load", "AUR-BJ", "6", "T1", "2026-10-05", amount=50_000)
    return Office(database_url, tmp_path)


def test_the_table_shows_everything_in_both_languages(office: Office) -> None:
    out = office.run(balance, T1, "--as-of", "2026-10-05")
    assert "会员卡 Card 627781******0013，营业日 business date 2026-10-05\n" in out
    assert "可用积分 Spendable points: 0，折合 worth 0.00 元 CNY\n" in out
    assert "待生效 Pending, usable later: 1,234\n" in out
    assert "积分欠额 Debts, taken off already: 200\n" in out
    assert "储值 Stored value: 500.00 元 CNY" in out
    lines = [[cell.strip() for cell in line.split("│")[1:-1]] for line in out.splitlines()]
    assert [
        "2027-10-31",
        "CLD-GZ",
        "云酒店广州 Cloud Guangzhou",
        "2026-10-07",
        "1,234",
        "12.34",
    ] in lines
    assert ["2027-10-31", "BAM-HZ", "竹酒店杭州 Bamboo Hangzhou", "", "20", "0.20"] in lines
    assert ["2027-10-31", "AUR-SH", "金酒店上海 Aurum [red]", "200"] in lines
    assert ["AUR-BJ", "金酒店北京 Aurum Beijing", "500.00"] in lines
    assert T1 not in out


def test_figures_are_right_aligned(office: Office) -> None:
    out = office.run(balance, T1, "--as-of", "2026-10-07")
    small = next(line for line in out.splitlines() if "BAM-HZ" in line)
    large = next(line for line in out.splitlines() if "CLD-GZ" in line)
    assert small.endswith("          20 │                 0.20 │")
    assert large.endswith("       1,234 │                12.34 │")
    assert len(small) == len(large)


def test_json_for_scripts(office: Office) -> None:
    found = office.json(balance, "6277 8100 0000 0013", "--as-of", "2026-10-07", "--format", "json")
    assert found["card_masked"] == "627781******0013"
    assert found["as_of"] == "2026-10-07"
    assert (found["usable_points"], found["owed_points"], found["spendable_points"]) == (
        1254,
        200,
        1054,
    )
    assert found["worth_minor"] == 1054
    assert found["points"][1] == {
        "issuer": {
            "hotel_code": "CLD-GZ",
            "name_zh": "云酒店广州",
            "name_en": "Cloud Guangzhou",
            "system_code": "CLD",
        },
        "expires_on": "2027-10-31",
        "usable_from": None,
        "points": 1234,
        "held": 0,
        "worth_minor": 1234,
    }
    assert found["debts"][0]["ends_on"] == "2027-10-31"
    assert found["stored_value"][0]["amount_minor"] == 50_000


def test_stored_value_without_a_licence_says_so(office: Office) -> None:
    assert "No licence" in office.run(balance, T1, "--as-of", "2031-01-01")
    assert "No licence" not in office.run(balance, T1, "--as-of", "2026-10-07")


def test_a_card_that_is_none_is_one_sentence_without_the_number(office: Office) -> None:
    assert office.refusal(balance, "6277810000000997") == "there is no card 627781******0997"
    assert office.refusal(balance, "6277810000000014") == "the card number has a wrong check digit"


@pytest.mark.parametrize("arguments", [[], [T1, "--as-of", "soon"], [T1, "--format", "csv"]])
def test_wrong_usage(office: Office, arguments: list[str]) -> None:
    assert T1 not in office.misuse(balance, *arguments)
