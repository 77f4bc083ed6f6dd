"""What a line of a batch may look like, and uploads that are refused as a whole: bombs, headers, encodings, limits."""

import io
import json
import tracemalloc
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from clearinghouse.domain.errors import BatchTooLarge, BatchUnreadable, ClearinghouseError
from clearinghouse.operations.batches import Format, Limits, receive
from clearinghouse.operations.batches.cutting import LINE_MAX, Cutter
from clearinghouse.operations.context import Context
from clearinghouse.operations.party import Party
from tests.alliances import MiniAlliance
from tests.founding import founding
from tests.operations.night_audit import (
    HEADER,
    NAMES,
    as_csv,
    as_ndjson,
    client,
    codes,
    faults,
    sent_and_done,
    stated,
)

MEGABYTE = 1 << 20
GOOD = stated("BAM-HZ", "R1")
ROW = as_csv([GOOD]).decode().splitlines()[1]
NOW = datetime(2026, 11, 5, 2, tzinfo=UTC)

founded = founding(now=NOW)


@pytest.fixture
def alliance(founded: object, context: Context, tmp_path: Path) -> MiniAlliance:
    """The alliance of domain.md §6, on the morning of 5 November."""
    return MiniAlliance(context, tmp_path, now=NOW)


@pytest.fixture
def bam(alliance: MiniAlliance) -> Party:
    """A client of BAM."""
    return client(alliance, "BAM")


def with_value(name: str, value: str) -> str:
    """A good CSV row with another value in one column."""
    values = ROW.split(",")
    values[NAMES.index(name)] = value
    return ",".join(values)


#: Lines of a CSV file, and what is said of them.
CSV_LINES = {
    ROW.replace("R1", '"R1'): "the quotation marks do not match",
    ROW + ',"endless': "the quotation marks do not match",
    "," * 5_000: "the line has 5001 values where the header has 9",
    "x" * (LINE_MAX + 1): "the line is longer than 8,192 bytes",
    "x" * (3 * MEGABYTE): "the line is longer than 8,192 bytes",
    "BAM-HZ": "the line has 1 values where the header has 9",
    "\u3000": "the line has 1 values where the header has 9",
    f"a\rb{ROW}": "the line has a carriage return inside",
    with_value("txn_ref", "a\0b"): "txn_ref \"a\\x00b\" has a control or invisible character",
    with_value("txn_ref", ""): "txn_ref is empty",
    with_value("txn_ref", "R" * 65): f'txn_ref "{"R" * 40}…" is longer than 64 characters',
    with_value("amount_minor", "1e30"): 'amount_minor "1e30" is not a whole number',
    with_value("amount_minor", "9" * 30): 'amount_minor "…9999" is not between -1,000,000,000,000'
    " and 1,000,000,000,000",
    with_value("amount_minor", "12.5"): 'amount_minor "12.5" is not a whole number',
    with_value("points", "NaN"): 'points "NaN" is not a whole number',
    with_value("business_date", "2026-02-30"): 'business_date "2026-02-30" is not a date written YYYY-MM-DD',
    with_value("occurred_at", "2026-11-03T12:00:00"): 'occurred_at "2026-11-03T12:00:00" has no UTC offset;'
    " write it like 2026-11-30T18:05:00+08:00",
    with_value("card_number", "\x1f1"): "card_number has a control or invisible character",
}  # fmt: skip


def test_a_broken_csv_line_costs_its_neighbours_nothing(alliance: MiniAlliance, bam: Party) -> None:
    lines = [
        row for n, broken in enumerate(CSV_LINES) for row in (broken, ROW.replace("R1", f"N{n}"))
    ]
    batch_id = sent_and_done(alliance, bam, "k", as_csv(lines))
    said = faults(alliance.context, bam, batch_id)
    assert said == dict(zip(range(2, 2 + len(lines), 2), CSV_LINES.values(), strict=True))
    answers = list(codes(alliance.context, bam, batch_id).values())
    assert answers == ["line_invalid", "accepted"] * len(CSV_LINES)


#: Lines of an NDJSON file, and what is said of them.
JSON_LINES = {
    "{": "the line is not JSON",
    '{"a": "\0"}': "the line is not JSON",
    "[" * 8_000: "the line is nested too deeply",
    '{"a":' * 1_500: "the line is nested too deeply",
    "[]": "the line is not a JSON object",
    "null": "the line is not a JSON object",
    '"x"': "the line is not a JSON object",
    "{}": "host_hotel is empty",
    " " * LINE_MAX + "{}": "the line is longer than 8,192 bytes",
    json.dumps({**GOOD, "system": "AUR"}): 'there is no such member as "system"',
    json.dumps(GOOD)[:-1] + ', "points": 5}': 'the member "points" is there twice',
    json.dumps({**GOOD, "amount_minor": "100"}): "amount_minor is not a whole number",
    json.dumps({**GOOD, "amount_minor": True}): "amount_minor is not a whole number",
    json.dumps({**GOOD, "amount_minor": 1.5}): 'amount_minor "1.5" is not a whole number',
    json.dumps({**GOOD, "amount_minor": 1e30}): 'amount_minor "1e+30" is not a whole number',
    json.dumps({**GOOD, "amount_minor": float("nan")}): 'amount_minor "NaN" is not a whole number',
    json.dumps({**GOOD, "amount_minor": "@"}).replace('"@"', "9" * 6_000): 'amount_minor "…9999" is not a whole number',
    json.dumps({**GOOD, "points": 10**13}): 'points "…0000" is not between -1,000,000,000,000 and 1,000,000,000,000',
    json.dumps({**GOOD, "points": []}): "points is not a whole number",
    json.dumps({**GOOD, "txn_ref": 5}): "txn_ref is not a string",
    json.dumps({**GOOD, "txn_ref": {"$gt": ""}}): "txn_ref is not a string",
    json.dumps({**GOOD, "txn_ref": "a\0b"}): 'txn_ref "a\\x00b" has a control or invisible character',
    json.dumps({**GOOD, "txn_ref": "\ud800"}): 'txn_ref "\\ud800" has a control or invisible character',
    json.dumps({**GOOD, "business_date": None}): "business_date is empty",
}  # fmt: skip


def test_a_broken_json_line_costs_its_neighbours_nothing(
    alliance: MiniAlliance, bam: Party
) -> None:
    good = (stated("BAM-HZ", f"N{n}") for n in range(len(JSON_LINES)))
    lines = [line for pair in zip(JSON_LINES, good, strict=True) for line in pair]
    batch_id = sent_and_done(alliance, bam, "k", as_ndjson(lines), "ndjson")
    said = faults(alliance.context, bam, batch_id)
    assert said == dict(zip(range(1, 1 + len(lines), 2), JSON_LINES.values(), strict=True))
    answers = list(codes(alliance.context, bam, batch_id).values())
    assert answers == ["line_invalid", "accepted"] * len(JSON_LINES)


def test_members_that_say_nothing_may_be_left_out(alliance: MiniAlliance, bam: Party) -> None:
    line = {name: value for name, value in GOOD.items() if value is not None}
    batch_id = sent_and_done(alliance, bam, "k", b"\xef\xbb\xbf" + as_ndjson([line]), "ndjson")
    assert codes(alliance.context, bam, batch_id) == {1: "accepted"}


def test_columns_may_stand_in_any_order_and_lines_end_in_either_way(
    alliance: MiniAlliance, bam: Party
) -> None:
    header = ",".join(reversed(NAMES))
    body = b"\xef\xbb\xbf" + as_csv([GOOD, stated("BAM-HZ", '"R,2"')], header).replace(
        b"\n", b"\r\n"
    )
    batch_id = sent_and_done(alliance, bam, "k", body.removesuffix(b"\r\n"))
    assert codes(alliance.context, bam, batch_id) == {2: "accepted", 3: "accepted"}
    assert ("R,2",) in alliance.rows("SELECT txn_ref FROM transactions")


#: Whole uploads that are refused, and what is said.
REFUSED = {
    b"": "the batch is empty",
    b"\n": "the header row is missing",
    HEADER.replace(",points", "").encode(): "^line 1: the column points is missing",
    HEADER.replace("points", "pts").encode(): "there is no such column",
    f"{HEADER},points".encode(): "twice",
    HEADER.replace("txn_ref", '"txn_ref', 1).encode(): "quotation marks",
    HEADER.replace(",", "\r").encode(): "carriage return",
    b"x" * 20_000: "the header is longer",
    b"x" * 3 * MEGABYTE: "the header is longer",
    HEADER.encode("utf-16"): "UTF-16",
    as_csv([GOOD]) + "\n金".encode("gb18030"): "line 4: the batch is not UTF-8",
    as_csv([GOOD]) + b"\xe9": "not UTF-8",
    as_csv([GOOD] * 3_000) + b"\xff\n": "line 3002: the batch is not UTF-8",
}


@pytest.mark.parametrize(("body", "said"), REFUSED.items(), ids=REFUSED.values())
def test_an_upload_that_cant_be_read_leaves_nothing(
    alliance: MiniAlliance, bam: Party, body: bytes, said: str
) -> None:
    with pytest.raises(BatchUnreadable, match=said):
        receive(alliance.context, bam, "k", Format.CSV, io.BytesIO(body))
    assert alliance.rows("SELECT count(*) FROM batches UNION ALL SELECT count(*) FROM batch_parts") == [
        (0,), (0,),
    ]  # fmt: skip
    # The key is free for what was meant.
    assert codes(alliance.context, bam, sent_and_done(alliance, bam, "k", as_csv([GOOD])))


@pytest.mark.parametrize("kind", Format)
@pytest.mark.parametrize("limits", [Limits(size=400_000), Limits(lines=2_999)])
def test_an_upload_beyond_the_limits_leaves_nothing(
    alliance: MiniAlliance, bam: Party, kind: Format, limits: Limits
) -> None:
    body = as_csv([GOOD] * 3_000) if kind is Format.CSV else as_ndjson([GOOD] * 3_000)
    padded = body + b" " * (400_001 - len(body))
    with pytest.raises(BatchTooLarge):
        receive(alliance.context, bam, "k", kind, io.BytesIO(padded), limits)
    assert alliance.value("SELECT count(*) FROM batches") == 0
    within = Limits(size=len(body), lines=3_000)
    assert receive(alliance.context, bam, "k", kind, io.BytesIO(body), within).lines == 3_000


class Trickle:
    """A body that comes a byte at a time, or breaks off."""

    def __init__(self, body: bytes, *, breaks: bool = False) -> None:
        self._body = io.BytesIO(body)
        self._breaks = breaks

    def read(self, size: int, /) -> bytes:
        byte = self._body.read(1)
        if not byte and self._breaks:
            raise ConnectionResetError
        return byte


def test_it_does_not_matter_how_a_body_comes(alliance: MiniAlliance, bam: Party) -> None:
    body = "\ufeff".encode() + as_csv(
        [stated("BAM-HZ", "金-1"), "x" * 9_000, stated("BAM-HZ", "竹")]
    )
    whole, bytewise = (Cutter(Format.CSV, Limits()) for _ in range(2))
    assert list(whole.parts(io.BytesIO(body))) == list(bytewise.parts(Trickle(body)))
    assert (whole.digest, whole.lines) == (bytewise.digest, bytewise.lines)


def test_an_upload_that_breaks_off_leaves_nothing(alliance: MiniAlliance, bam: Party) -> None:
    with pytest.raises(ConnectionResetError):
        receive(alliance.context, bam, "k", Format.CSV, Trickle(as_csv([GOOD]), breaks=True))
    assert alliance.value("SELECT count(*) FROM batches") == 0


class Made:
    """A body of so many bytes that is made while it is read."""

    def __init__(self, block: bytes, size: int, first: bytes = b"") -> None:
        self._blocks = self._made(block, size, first)

    @staticmethod
    def _made(block: bytes, size: int, first: bytes) -> Iterator[bytes]:
        yield first or block
        for _ in range(size // len(block)):
            yield block

    def read(self, size: int, /) -> bytes:
        return next(self._blocks, b"")


BODIES = {
    "lines": (ROW.encode() + b"\n") * 500,
    "one giant line": b"x" * 50_000,
    "an endless quote": b'"' + b"a," * 25_000,
    "commas": b"," * 50_000,
    "lines at the limit": (b"x" * LINE_MAX + b"\n") * 6,
}


@pytest.mark.parametrize("block", BODIES.values(), ids=BODIES)
def test_a_large_upload_takes_a_few_blocks_of_memory(block: bytes) -> None:
    cutter = Cutter(Format.CSV, Limits())
    body = Made(block, 30 * MEGABYTE, f"{HEADER}\n".encode())
    tracemalloc.start()
    for part in cutter.parts(body):
        assert len(part.content) <= 2 * MEGABYTE
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert cutter.size > 29 * MEGABYTE
    assert peak < 6 * MEGABYTE


def test_receiving_a_large_upload_takes_a_few_blocks_of_memory(
    alliance: MiniAlliance, bam: Party
) -> None:
    body = Made(BODIES["lines"], 30 * MEGABYTE, f"{HEADER}\n".encode())
    tracemalloc.start()
    receipt = receive(alliance.context, bam, "k", Format.CSV, body)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert receipt.lines > 300_000
    assert alliance.value("SELECT count(*) FROM batch_parts") == -(-receipt.lines // 2_000)
    assert peak < 8 * MEGABYTE


def test_blank_lines_count_against_the_limit() -> None:
    with pytest.raises(ClearinghouseError, match="1,000,000 lines"):
        for _ in Cutter(Format.NDJSON, Limits()).parts(Made(b"\n" * 50_000, 2 * MEGABYTE)):
            pass
