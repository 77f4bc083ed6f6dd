"""``clearinghouse payment``: what a person at the payments desk types and reads."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from api.cli import cli
from clearinghouse.config import Settings
from clearinghouse.domain.errors import ClearinghouseError
from tests.payments.bank import Booked, camt
from tests.payments.desk import Desk

Command = Callable[..., Result]
AUR, BAM = "CH-202610-AUR-1", "CH-202610-BAM-1"


@pytest.fixture
def payment(desk: Desk, tmp_path: Path) -> Command:
    settings = Settings(
        data_dir=tmp_path, database_url=desk.context.database.owner_url, master_key=bytes(32)
    )

    def run(*words: object) -> Result:
        return CliRunner().invoke(cli, ["payment", *map(str, words)], obj=settings)

    return run


def test_from_the_file_to_settled(desk: Desk, payment: Command) -> None:
    path = camt(
        desk.folder / "statement.xml",
        [
            Booked("B1", 31_250, AUR, "AUR"),
            Booked("B2", -28_211, BAM, "BAM"),
            Booked("B3", -1_960, None, "CLD", text="结算款"),
        ],
    )
    out = payment("import", path, "--by", "clerk").output
    assert "3 行新流水 new lines, 2 行已匹配 matched" in out
    assert "待处理 waits, 相符 exact" in out
    waiting = json.loads(payment("list", "--format", "json", "--as-of", "2026-11-20").output)
    assert [one["system"] for one in waiting["instructions"]] == ["CLD"]
    assert waiting["instructions"][0]["days_overdue"] == 6
    assert waiting["waiting"][0]["suggestion"] == {
        "finding": "exact",
        "parts": [
            {"system": "CLD", "period": "2026-10", "collateral": False, "amount_minor": 1_960}
        ],
    }
    number = waiting["waiting"][0]["line"]
    assert "CLD" in payment("match", number, "--by", "zhao").output
    assert "待复核 to be confirmed: CLD 2026-10" in payment("list").output
    refused = payment("confirm", number, "--by", "Zhao")
    assert isinstance(refused.exception, ClearinghouseError)
    assert "another person" in refused.exception.message
    assert "CLD" in payment("confirm", number, "--by", "qian").output
    assert desk.state() == "settled"
    assert "无 none" in payment("list").output
    assert "已确认 confirmed" in payment("list", "2026-10").output
    assert "示例付款人" in payment("show", "CLD").output
    shown = payment("show", number).output
    assert "银行参考号 Bank's reference: B3" in shown
    assert (
        json.loads(payment("show", number, "--format", "json").output)["allocated_minor"] == 1_960
    )
    again = payment("import", path).output
    assert "imported before; nothing changes" in again


def test_a_part_is_written_in_yuan(desk: Desk, payment: Command) -> None:
    desk.bank(Booked("X", 40_000))
    number = desk.line("X")
    assert payment("match", number, "AUR@2026-10=100.50", "CLD@credit").exit_code == 0
    assert desk.rows("SELECT amount_minor FROM payment_match_parts ORDER BY seq") == [
        (10_050,),
        (29_950,),
    ]
    assert "rejected" in payment("reject", number).output


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("match", "1", "AUR@October"), "is not a month"),
        (("match", "1", "AUR=1.5"), "is not SYSTEM, SYSTEM@YYYY-MM"),
        (("match", "1", "AUR", "--undo"), "takes back everything"),
        (("import", "nowhere.xml"), "does not exist"),
    ],
)
def test_wrong_usage_is_told(payment: Command, words: tuple[str, ...], said: str) -> None:
    done = payment(*words)
    assert done.exit_code == 2
    assert said in done.output


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("match", "1", "AUR"), "there is no bank line 1"),
        (("confirm", "1"), "no match of bank line 1 waits"),
        (("show", "XXX"), 'there is no system "XXX"'),
        (("dunning", "--as-of", "2199-01-01"), "nobody is reminded"),
    ],
)
def test_a_refusal_is_one_sentence(payment: Command, words: tuple[str, ...], said: str) -> None:
    done = payment(*words)
    assert isinstance(done.exception, ClearinghouseError)
    assert said in done.exception.message


def test_dunning_shows_what_it_sent(desk: Desk, payment: Command) -> None:
    # By the clock of the machine, which is long past or before the due date.
    done = payment("dunning", "--format", "json")
    assert done.exit_code == 0
    assert {one["system"] for one in json.loads(done.output)} <= {"AUR"}


def test_help_tells_the_whole_way(payment: Command) -> None:
    out = payment("--help").output
    assert "payment confirm LINE" in out
    for name in ("import", "list", "show", "match", "confirm", "reject", "dunning"):
        assert name in out
        assert len(payment(name, "--help").output.splitlines()) > 5
