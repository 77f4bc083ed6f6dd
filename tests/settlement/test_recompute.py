"""A published month is calculated again from postings alone: every file comes out, and a change to one is found."""

import re
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from io import BytesIO
from zipfile import ZIP_STORED, ZipFile

import psycopg2
import pytest

from clearinghouse.domain.calendar import parse_period
from clearinghouse.domain.errors import PeriodNotReady
from clearinghouse.operations.adjusting import adjust
from clearinghouse.operations.context import Context
from clearinghouse.store.database import Database
from clearinghouse.store.vault import Vault
from settlement import recompute as recomputing
from settlement.recompute import Proved, recompute
from settlement.run import files_of, read_file
from settlement.same_content import same_content
from tests.alliances import MiniAlliance, live_a_while
from tests.conftest import Server

OCTOBER, NOVEMBER = parse_period("2026-10"), parse_period("2026-11")
FIGURES = 6


@pytest.fixture(scope="module")
def lived(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[MiniAlliance]:
    """Two settled months with VAT inside and on top of fees, refunds, a move, a debt, and adjustments of both kinds."""
    name = server.new_database()
    database = Database(server.url(name))
    alliance = MiniAlliance(
        Context(database, Vault(bytes(32))),
        tmp_path_factory.mktemp("mini"),
        rulebook={"points_expiry_months": 1, "restore_grace_days": 5},
    )
    settle = alliance.settle

    def adjusted_before(period: str) -> None:
        with alliance.database.office() as session:
            for payer, payee, amount in ((1, 2, 321), (None, 3, 45), (2, None, 6)):
                adjust(
                    session, alliance.context, payer=payer, payee=payee, amount_minor=amount,
                    kind="correction", reference=f"C-{period}-{amount}", text="示例",
                )  # fmt: skip
        settle(period)

    alliance.settle = adjusted_before  # type: ignore[method-assign]  # this test's own step goes before it
    live_a_while(alliance)
    yield alliance
    database.close()
    server.drop(name)


def wrong(proofs: list[Proved]) -> list[str]:
    return [f"{proved.path}: {proved.wrong}" for proved in proofs if proved.wrong]


@pytest.mark.parametrize("period", [OCTOBER, NOVEMBER])
def test_every_published_file_comes_out_again(lived: MiniAlliance, period: int) -> None:
    proofs = list(recompute(lived.context, period))
    assert wrong(proofs) == []
    assert {p.how for p in proofs[:FIGURES]} == {"figures"}
    assert {p.how for p in proofs[FIGURES:]} == {"bytes"}
    made = sorted(proved.path for proved in proofs[FIGURES:])
    assert made == sorted(file.path for file in files_of(lived.context, period))


def test_an_open_month_has_nothing_to_prove(lived: MiniAlliance) -> None:
    with pytest.raises(PeriodNotReady):
        list(recompute(lived.context, parse_period("2026-12")))


@pytest.mark.parametrize(
    ("table", "deed", "found"),
    [
        (
            "period_file_chunks",
            (
                "UPDATE period_file_chunks SET bytes = overlay(bytes PLACING '!'::bytea FROM 700)"
                " WHERE path = 'statements/BAM.csv'"
            ),
            ["statements/BAM.csv: it differs from byte 699 on"],
        ),
        (
            "postings",
            "UPDATE postings SET amount = amount + 1 WHERE debit & 31 = 16 AND credit & 31 = 24",
            ["(positions): the postings give other figures than were frozen", "positions.csv: it"],
        ),
        (
            "transactions",
            "UPDATE transactions SET occurred_at = occurred_at + interval '1 second' WHERE txn_ref = '2'",
            ["statements/BAM.json: it differs from byte", "statements/BAM.xlsx: it differs"],
        ),
        (
            "period_files",
            "INSERT INTO period_files (period, path, sha256, size) VALUES (24321, 'more.csv', '', 0)",
            ["more.csv: it was published, and nothing in the books leads to it"],
        ),
    ],
)
def test_a_change_is_found(
    server: Server, lived: MiniAlliance, table: str, deed: str, found: list[str]
) -> None:
    # A copy of the books takes as long as it takes; the connections to them have to be closed for it.
    lived.database.close()
    name = server.new_database(
        template=lived.database.owner_url.rpartition("/")[2].partition("?")[0]
    )
    url = server.url(name)
    with (
        closing(psycopg2.connect(url.replace("+psycopg2", ""))) as connection,
        connection,
        connection.cursor() as cursor,
    ):
        cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
        cursor.execute(deed)
        assert cursor.rowcount > 0
    database = Database(url)
    try:
        proofs = wrong(list(recompute(replace(lived.context, database=database), OCTOBER)))
    finally:
        database.close()
        server.drop(name)
    assert all(any(each.startswith(start) for each in proofs) for start in found), proofs


def test_other_libraries_are_proved_by_content(
    lived: MiniAlliance, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recomputing, "made_with", lambda: {"typst": "0"})
    proofs = {proved.path: proved for proved in recompute(lived.context, OCTOBER)}
    # The bytes are the same all the same: nothing less is claimed than what was found.
    assert proofs["statements/BAM.pdf"] == Proved("statements/BAM.pdf", "bytes")


def workbook(lived: MiniAlliance, of: str, to: str) -> BytesIO:
    """Return a published workbook as another library might have put it together, with one text changed."""
    source = BytesIO(b"".join(read_file(lived.context, OCTOBER, "statements/BAM.xlsx")))
    out = BytesIO()
    with ZipFile(source) as book, ZipFile(out, "w", ZIP_STORED) as other:
        for name in reversed(book.namelist()):
            text = book.read(name)
            other.writestr(name, re.sub(of.encode(), to.encode(), text))
    return out


def test_workbooks_are_compared_by_their_cells(lived: MiniAlliance) -> None:
    published = BytesIO(b"".join(read_file(lived.context, OCTOBER, "statements/BAM.xlsx")))
    assert same_content("a.xlsx", published, workbook(lived, "nothing", "")) is None
    assert same_content("a.xlsx", published, workbook(lived, "CLD-GZ", "CLD-GX")) is not None
    assert same_content("a.xlsx", published, BytesIO(b"no workbook")) == "it can't be read"


def test_documents_are_compared_by_their_text(lived: MiniAlliance) -> None:
    pytest.importorskip("pypdf")
    one, other = (
        BytesIO(b"".join(read_file(lived.context, OCTOBER, f"statements/{code}.pdf")))
        for code in ("BAM", "CLD")
    )
    assert same_content("a.pdf", one, other) == "its text differs"
