"""What is not what was published does not go out as if it were: files, signatures and what the manifest lists."""

import os
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import psycopg2
import pytest

from api.cli.books import settle_period, statement
from clearinghouse.domain.errors import BooksDoNotBalance
from clearinghouse.store.frozen import StoredFile
from settlement.whole import whole
from tests.api.office import Office
from tests.api.service import Service

ROOT = Path(__file__).parents[2]
FLIP = """UPDATE period_file_chunks SET bytes = set_byte(bytes, 9, get_byte(bytes, 9) # 1)
    WHERE path = 'statements/BAM.csv'"""


@pytest.fixture
def settled(service: Service) -> Service:
    """October is published."""
    service.alliance.accept("spend", "BAM-HZ", "0", "T1", "2026-10-03", amount=88_888)
    service.alliance.accept("redeem", "CLD-GZ", "1", "T1", "2026-10-04", points=500)
    service.alliance.settle("2026-10")
    return service


@pytest.fixture
def office(settled: Service, database_url: str, tmp_path: Path) -> Office:
    return Office(database_url, tmp_path)


def tamper(service: Service, *deeds: tuple[str, str]) -> None:
    """Do as the owner of the tables what nobody may."""
    url = service.context.database.owner_url.replace("+psycopg2", "", 1)
    with closing(psycopg2.connect(url)) as connection, connection, connection.cursor() as cursor:
        for table, deed in deeds:
            cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
            cursor.execute(deed)
            assert cursor.rowcount


def test_a_flipped_bit_is_not_written(settled: Service, office: Office, tmp_path: Path) -> None:
    tamper(settled, ("period_file_chunks", FLIP))
    out = tmp_path / "out"
    said = office.refusal(settle_period, "2026-10", "--out", out)
    assert said.startswith("statements/BAM.csv of 2026-10 is not what was published")
    assert not (out / "2026-10" / "statements" / "BAM.csv").exists()
    assert not (out / "2026-10" / "manifest.json").exists()
    asked = ("2026-10", "BAM", "--format", "csv", "--out")
    assert "not what was published" in office.refusal(statement, *asked, tmp_path / "bam.csv")
    assert not (tmp_path / "bam.csv").exists()
    assert "not what was published" in office.refusal(statement, *asked, "-")
    office.run(statement, "2026-10", "BAM", "--format", "json", "--out", tmp_path / "bam.json")


def test_a_flipped_bit_is_not_served(settled: Service) -> None:
    tamper(settled, ("period_file_chunks", FLIP))
    bam = settled.client("BAM")
    with pytest.raises(BooksDoNotBalance, match="not what was published"):
        bam.get("/v1/periods/2026-10/statement.csv").get_data()
    assert bam.get("/v1/periods/2026-10/statement.json").status_code == 200


def test_of_a_long_file_the_end_is_kept_back() -> None:
    file = StoredFile("positions.csv", "00", 6, None)
    found = []
    with pytest.raises(BooksDoNotBalance, match=r"positions.csv of 2026-10"):
        found.extend(whole(2026 * 12 + 9, file, [b"one", b"two"]))
    blocks = whole(2026 * 12 + 9, file, [b"one", b"two"])
    assert next(blocks) == b"one"


@pytest.mark.parametrize("path", ["statements/BAM.csv", "manifest.json"])
def test_a_file_that_is_gone_is_told(
    settled: Service, office: Office, tmp_path: Path, path: str
) -> None:
    tamper(
        settled,
        *(
            (table, f"DELETE FROM {table} WHERE path = '{path}'")
            for table in ("file_signatures", "period_file_chunks", "period_files")
        ),
    )
    said = office.refusal(settle_period, "2026-10", "--out", tmp_path / "out")
    assert said.startswith(f"{path} of 2026-10 was published and is missing")
    assert office.refusal(statement, "2026-10", "BAM", "--format", "csv") == said


def test_a_signature_that_is_gone_is_told(settled: Service, office: Office, tmp_path: Path) -> None:
    path = "statements/BAM.csv"
    tamper(settled, ("file_signatures", f"DELETE FROM file_signatures WHERE path = '{path}'"))
    said = office.refusal(settle_period, "2026-10", "--out", tmp_path)
    assert said.startswith(f"the signature of {path} of 2026-10 was published and is missing")
    target = tmp_path / "bam.csv"
    assert office.refusal(statement, "2026-10", "BAM", "--format", "csv", "--out", target) == said


@pytest.mark.parametrize(
    "command", [("statement", "2026-10", "BAM", "--out", "-"), ("export-journal", "2026-10")]
)
def test_a_full_disk_behind_standard_output_is_told(
    settled: Service, database_url: str, command: tuple[str, ...]
) -> None:
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            [sys.executable, "-m", "api.cli", *command],
            cwd=ROOT,
            env={
                **os.environ,
                "CLEARINGHOUSE_DATABASE_URL": database_url,
                "CLEARINGHOUSE_MASTER_KEY": "A" * 43 + "=",
            },
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    said = "error: standard output can't be written: No space left on device\n"
    assert (done.returncode, done.stderr) == (1, said)
