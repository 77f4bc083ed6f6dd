"""What ``settle`` says before it nets a month."""

from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner

from api.cli.books import settle_period
from api.demo.bank import SAMPLE_OPERATOR
from clearinghouse.config import Settings
from clearinghouse.operations.context import Context
from tests.alliances import MiniAlliance


@pytest.fixture
def settings(founded: object, database_url: str, context: Context, tmp_path: Path) -> Settings:
    alliance = MiniAlliance(context, tmp_path / "packs")
    alliance.accept("spend", "BAM-HZ", "1", "T1", "2026-10-03", amount=88_888)
    return Settings(tmp_path, database_url=database_url, master_key=bytes(32))


def warned(settings: Settings, out: Path) -> str:
    done = CliRunner().invoke(settle_period, ["2026-10", "--out", str(out)], obj=settings)
    assert done.exit_code == 0, (done.output, done.exception)
    return done.stderr


def test_a_clearing_house_without_an_account_is_warned_until_it_has_netted(
    settings: Settings, tmp_path: Path
) -> None:
    said = warned(settings, tmp_path / "out")
    assert said.startswith("警告")
    assert "warning: CLEARINGHOUSE_OPERATOR has no bank_account" in said
    assert warned(settings, tmp_path / "out") == ""


def test_one_with_an_account_is_not(settings: Settings, tmp_path: Path) -> None:
    assert warned(replace(settings, operator=SAMPLE_OPERATOR), tmp_path / "out") == ""
