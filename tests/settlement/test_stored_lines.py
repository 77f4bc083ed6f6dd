"""Lines and summary of a published statement, read back from its files: exactly what was signed, a page at a time."""

from collections.abc import Iterator
from dataclasses import fields, replace
from datetime import date
from hashlib import sha256
from itertools import product
from uuid import UUID

import pytest

from clearinghouse.domain.calendar import parse_period
from clearinghouse.domain.errors import NotFound
from clearinghouse.operations.context import Context
from clearinghouse.operations.party import Party
from clearinghouse.store.database import Database
from clearinghouse.store.frozen import CHUNK_BYTES, StoredFile
from clearinghouse.store.vault import Vault
from settlement import stored_file, stored_lines
from settlement.building import system_statement
from settlement.frozen_run import read_run
from settlement.published import own_files
from settlement.recounted_lines import RecountedLines
from settlement.statements.csv_format import row_text
from settlement.statements.lines import values_of
from settlement.statements.statement import LINE_COLUMNS, Statement, StatementLine
from settlement.stored_file import LinesFile
from settlement.stored_lines import Filters, line_at, line_of, lines_of_transaction, lines_page
from settlement.stored_statement import stored_statement
from tests.alliances import live_a_while
from tests.conftest import Server
from tests.operations.parties import party
from tests.settlement.published_months import Story

MONTHS = [parse_period(month) for month in ("2026-10", "2026-11")]
SYSTEMS = ("AUR", "BAM", "CLD")


@pytest.fixture(scope="module")
def story(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    """Two settled months with refunds, a late line, a move, an adjustment between systems and one of a fee."""
    name = server.new_database()
    database = Database(server.url(name))
    rules = {"points_expiry_months": 1, "restore_grace_days": 5}
    made = Story(
        Context(database, Vault(bytes(32))), tmp_path_factory.mktemp("months"), rulebook=rules
    )
    live_a_while(made)
    yield made
    database.close()
    server.drop(name)


def everything(
    story: Story, who: Party, month: int, wanted: Filters, size: int
) -> list[StatementLine]:
    """All lines that fit, from page to page."""
    found: list[StatementLine] = []
    after = 0
    for _ in range(1_000):
        page = lines_page(story.context, who, month, wanted, after, size)
        found.extend(page.lines)
        if page.after is None:
            return found
        assert page.after > after or page.searched_to == after
        after = page.after
    raise AssertionError("the pages have no end")


def test_a_statement_is_read_back_as_it_was_rendered(story: Story) -> None:
    for code, month in product(SYSTEMS, MONTHS):
        who = party(story, code)
        assert who.system is not None
        rendered = system_statement(story.context, read_run(story.context, month), who.system)
        found = stored_statement(story.context, who, month)
        for field in fields(Statement):
            if field.name not in ("lines", "generated_at", "cut_off_at"):
                assert getattr(found, field.name) == getattr(rendered, field.name), field.name
        assert found.cut_off_at == rendered.cut_off_at


def test_pages_have_every_line_once_and_in_order(story: Story) -> None:
    for code, month in product(SYSTEMS, MONTHS):
        who = party(story, code)
        assert who.system is not None
        lines = [*RecountedLines(story.context, read_run(story.context, month), who.system)]
        assert len(lines) >= 2
        for size in (1, 2, 50):
            assert everything(story, who, month, Filters(), size) == lines
        for number, line in enumerate(lines, start=1):
            assert line_at(story.context, who, month, number) == line


@pytest.mark.parametrize(
    "wanted",
    [
        Filters(counterparty="CLD"),
        Filters(kind="redeem"),
        Filters(kind="adjustment"),
        Filters(hotel="BAM-HZ"),
        Filters(cross=False),
        Filters(cross=True),
        Filters(with_fee=True),
        Filters(since=date(2026, 11, 6)),
        Filters(until=date(2026, 11, 16)),
        Filters(since=date(2026, 10, 31), until=date(2026, 11, 16), cross=True),
        Filters(since=date(2026, 12, 1)),
        Filters(counterparty="NOBODY"),
    ],
)
def test_filters_find_what_fits_and_nothing_else(story: Story, wanted: Filters) -> None:
    for code, month in product(SYSTEMS, MONTHS):
        who = party(story, code)
        lines = everything(story, who, month, Filters(), 50)
        assert everything(story, who, month, wanted, 2) == [
            line for line in lines if _fits(line, wanted)
        ]


def _fits(line: StatementLine, wanted: Filters) -> bool:
    return (
        wanted.counterparty in (None, line.counterparty_system)
        and wanted.kind in (None, line.kind)
        and wanted.hotel in (None, line.host_hotel, line.issuer_hotel)
        and wanted.cross in (None, line.is_cross_system)
        and (not wanted.with_fee or bool(line.fee_minor))
        and (wanted.since is None or line.business_date >= wanted.since)
        and (wanted.until is None or line.business_date <= wanted.until)
    )


def test_a_reference_is_found_at_once(story: Story) -> None:
    who = party(story, "CLD")
    lines = everything(story, who, MONTHS[0], Filters(), 50)
    for line in lines:
        found = everything(story, who, MONTHS[0], Filters(txn_ref=line.txn_ref), 1)
        assert found == [each for each in lines if each.txn_ref == line.txn_ref]
        txn = UUID(line.txn_id.removeprefix("txn_"))
        assert line in lines_of_transaction(story.context, who, MONTHS[0], txn)
    # Cash of another system's guest is on its host's statement alone.
    assert everything(story, who, MONTHS[0], Filters(txn_ref="1"), 5) == []
    assert everything(story, who, MONTHS[0], Filters(txn_ref="no such reference"), 5) == []


def test_what_is_not_there_is_not_found(story: Story) -> None:
    who = party(story, "AUR")
    count = lines_page(story.context, who, MONTHS[0], Filters(), 0, 1).total
    for number in (0, -1, count + 1, 10**12):
        with pytest.raises(NotFound):
            line_at(story.context, who, MONTHS[0], number)
    assert lines_page(story.context, who, MONTHS[0], Filters(), count + 7, 5).lines == ()
    for month in (parse_period("2026-12"), parse_period("2027-12")):
        with pytest.raises(NotFound):
            lines_page(story.context, who, month, Filters(), 0, 5)
        with pytest.raises(NotFound):
            stored_statement(story.context, who, month)
        with pytest.raises(NotFound):
            own_files(story.context, who, month)


def test_own_files_are_listed_with_their_signatures(story: Story) -> None:
    for code in SYSTEMS:
        files = own_files(story.context, party(story, code), MONTHS[0])
        assert [file.format_name for file in files][:5] == ["pdf", "xlsx", "csv", "json", "camt053"]
        for file in files:
            assert file.size > 0
            assert file.key is not None
            assert file.signed_at is not None
            assert not file.withdrawn
    assert [file.format_name for file in own_files(story.context, party(story, "AUR"), MONTHS[0])][
        5:
    ] == [None]


class Long:
    """The CSV of a statement with many lines of all lengths, at hand and not in the books."""

    def __init__(self, story: Story, count: int) -> None:
        who = party(story, "CLD")
        template = everything(story, who, MONTHS[0], Filters(), 1)[0]
        self.lines = [
            replace(
                template,
                line_no=number,
                txn_ref=f"R{number:07d}{',' * (number % 3)}",
                business_date=date(2026, 10, 1 + (number - 1) * 31 // count),
                lots="lot_1:1;" * (0 if number % 997 else 2_000) or None,
            )
            for number in range(1, count + 1)
        ]
        tail = [
            replace(
                template, line_no=count + n, kind="adjustment", txn_ref=None, business_date=date(2026, 10, 1 + n),
                remarks='a text, "quoted",\nwith a break',
            )
            for n in (1, 2, 3)
        ]  # fmt: skip
        self.lines += tail
        text = ",".join(LINE_COLUMNS) + "\n"
        text += "".join(row_text(values_of(line, "Asia/Shanghai")) for line in self.lines)
        self.content = text.encode()
        self.file = StoredFile(
            "x.csv", sha256(self.content).hexdigest(), len(self.content), count + 3
        )

    def part(self, _session: object, _period: int, _path: str, offset: int, length: int) -> bytes:
        self.reads += 1
        return self.content[offset : offset + length]

    def first_piece_with(
        self, _session: object, _period: int, _path: str, needle: bytes, pieces: range
    ) -> int | None:
        size = CHUNK_BYTES
        for piece in pieces:
            if needle in self.content[piece * size : (piece + 1) * size + len(needle) - 1]:
                return piece
        return None

    reads = 0


@pytest.fixture(scope="module")
def long(story: Story) -> Long:
    return Long(story, 12_000)


@pytest.fixture
def file(long: Long, monkeypatch: pytest.MonkeyPatch) -> LinesFile:
    monkeypatch.setattr(stored_file.file_parts, "part", long.part)
    monkeypatch.setattr(stored_file.file_parts, "first_piece_with", long.first_piece_with)
    return LinesFile(None, 0, long.file)  # type: ignore[arg-type]  # the bytes are at hand


def test_any_line_of_a_long_file_is_a_few_reads_away(long: Long, file: LinesFile) -> None:
    for number in (*range(1, 40), 5_000, 996, 997, 998, 11_999, *range(12_000, 12_004)):
        long.reads = 0
        raw = next(file.walk(file.of_line(number), 4096))
        assert line_of(raw.values) == long.lines[number - 1]
        assert long.reads < 40
    assert file.of_line(12_004) == len(long.content)


def test_walks_have_every_line(long: Long, file: LinesFile) -> None:
    for block in (777, 1 << 16, 1 << 24):
        assert [line_of(raw.values) for raw in file.walk(file.of_line(1), block)] == long.lines


def test_a_search_ends_after_some_work_and_goes_on(
    long: Long, file: LinesFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stored_lines, "_SEARCH_BYTES", 1 << 19)
    for wanted, fits in (
        # Every line of one of five days, and one that is nowhere: pieces without it are not even read.
        (
            Filters(hotel="CLD-GZ", until=date(2026, 10, 5)),
            lambda line: line.business_date.day <= 5,
        ),
        (Filters(counterparty="AUR", kind="adjustment"), lambda line: line.kind == "adjustment"),
        (Filters(kind="spend"), lambda line: False),
    ):
        found, after = [], 0
        for _ in range(100):
            file.bytes_read = file.pieces_tested = 0
            page = stored_lines._search(file, wanted, after, 500)
            found.extend(page.lines)
            assert file.bytes_read < 1 << 20
            if page.after is None:
                break
            assert page.after > after
            after = page.after
        assert found == [line for line in long.lines if fits(line)]


def test_a_needle_in_a_haystack_is_found_wherever_it_lies(
    long: Long, file: LinesFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stored_lines, "_SEARCH_PIECES", 1)
    around = [file.number_at(file.of_line_around(n * CHUNK_BYTES)) for n in (1, 2, 3)]
    for number in (1, *around, *(n + 1 for n in around), *(n - 1 for n in around), 12_000):
        line = long.lines[number - 1]
        old = next(file.walk(file.of_line(number), 4096)).text
        new = old.replace(b",AUR-SH,AUR,", b",BAM-HZ,AUR,")
        assert len(new) == len(old)
        content = long.content
        long.content = content.replace(old, new)
        try:
            found, after, steps = [], 0, 0
            while True:
                file.bytes_read = file.pieces_tested = 0
                page = stored_lines._search(file, Filters(hotel="BAM-HZ"), after, 10)
                found.extend(page.lines)
                steps += 1
                if page.after is None:
                    break
                assert page.after >= after
                after = page.after
            assert found == [replace(line, issuer_hotel="BAM-HZ")]
            assert steps <= 5
        finally:
            long.content = content


def test_days_are_found_by_halving(
    long: Long, file: LinesFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stored_lines, "_SEARCH_BLOCK", 1 << 16)
    wanted = Filters(since=date(2026, 10, 20), until=date(2026, 10, 20))
    page = stored_lines._search(file, wanted, 0, 10_000)
    assert list(page.lines) == [
        line for line in long.lines if line.business_date == date(2026, 10, 20)
    ]
    assert file.bytes_read < len(long.content) / 5
