"""``clearinghouse export-journal``."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from api.cli.journal import export_journal
from clearinghouse.operations.context import Context
from tests.alliances import MiniAlliance
from tests.api.office import Office


@pytest.fixture
def office(founded: object, database_url: str, context: Context, tmp_path: Path) -> Office:
    alliance = MiniAlliance(context, tmp_path / "packs")
    alliance.accept("spend", "BAM-HZ", "1", "T1", "2026-10-01", amount=10_000)
    return Office(database_url, tmp_path)


def test_it_goes_to_standard_output_or_to_a_file(office: Office, tmp_path: Path) -> None:
    out = tmp_path / "a" / "2026-10.journal"
    printed = office.run(export_journal, "2026-10")
    assert office.run(export_journal, "2026-10", "--format", "hledger", "--out", out) == ""
    entries = printed[printed.index("\n2026-10-01 (txn_") :]
    assert out.read_text(encoding="ascii").endswith(entries)
    again = office.run(export_journal, "2026-10", "--out", "-")
    assert again.endswith(entries)
    assert re.search(r"\n    traveller:1:points  -150 POINT  ; lot:\d+\n", entries)
    assert "    system:BAM:position  1.00 CNY\n    clearing-house:fees  -1.00 CNY\n" in entries


def test_hledger_reads_what_is_printed(office: Office) -> None:
    hledger = shutil.which("hledger")
    if hledger is None:
        pytest.skip("hledger is not installed; `make tools` installs it where that is possible")
    printed = office.run(export_journal, "2026-10")
    subprocess.run([hledger, "-f", "-", "check", "--strict"], input=printed, text=True, check=True)


def test_a_month_without_postings_is_refused_and_leaves_no_file(
    office: Office, tmp_path: Path
) -> None:
    said = office.refusal(export_journal, "2026-11", "--out", tmp_path / "x" / "none.journal")
    assert said == "nothing is posted in 2026-11"
    assert not (tmp_path / "x").exists()


@pytest.mark.parametrize("arguments", [["2026-13"], [], ["2026-10", "--format", "csv"]])
def test_wrong_usage(office: Office, arguments: list[str]) -> None:
    office.misuse(export_journal, *arguments)
