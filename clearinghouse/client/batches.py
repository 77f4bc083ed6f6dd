"""Night audits: a file of lines or lines made on the way, each of which gets its answer."""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import BinaryIO, Literal
from urllib.parse import quote

from clearinghouse.client.transactions import Kind
from clearinghouse.client.transport import Ask, Transport, new_key
from clearinghouse.client.values import Sentence, moment

Format = Literal["csv", "ndjson"]

_TYPES = {"csv": "text/csv", "ndjson": "application/x-ndjson"}
_SUFFIXES: dict[str, Format] = {".csv": "csv", ".ndjson": "ndjson", ".jsonl": "ndjson"}
_PAGE = 1000
_IN_MEMORY_BYTES = 1 << 20
_BLOCK = 1 << 20
_FIRST_PAUSE, _LONGEST_PAUSE = 0.2, 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A line of a night audit; ``occurred_at`` is when it happened, however late it is sent."""

    host_hotel: str
    txn_ref: str
    kind: Kind
    card_number: str = field(repr=False)
    business_date: date
    occurred_at: datetime
    amount_minor: int | None = None
    points: int | None = None
    original_txn_ref: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Totals:
    """How many lines of a batch have each outcome by now."""

    accepted: int
    repeated: int
    refused: int
    invalid: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """A night audit and how far it is: ``waiting``, ``running`` or ``finished``."""

    batch_id: str
    state: str
    format: str
    received_at: datetime
    finished_at: datetime | None = None
    size_bytes: int
    lines: int
    answered: int
    totals: Totals
    replayed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class LineResult:
    """What became of a line: ``accepted``, ``repeated`` (posted before), ``refused`` or ``invalid``."""

    line: int
    host_hotel: str | None = None
    txn_ref: str | None = None
    outcome: str
    txn_id: str | None = None
    code: str | None = None
    till: Sentence | None = None
    detail: str | None = None


class Batches:
    """``/v1/batches``; needs ``batches:write``. A batch that is sent again posts nothing twice."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def send(self, lines: Iterable[Line], *, idempotency_key: str | None = None) -> Batch:
        """Send lines as they come; they are written to a temporary file first, so that they can be sent again."""
        with tempfile.SpooledTemporaryFile(_IN_MEMORY_BYTES) as file:
            for line in lines:
                file.write(_encoded(line))
            file.seek(0)
            # A spooled file is a binary file in all but its declared type.
            return self.upload(file, "ndjson", idempotency_key=idempotency_key)  # type: ignore[arg-type]  # an open file is a stream of bytes

    def upload(
        self,
        file: str | Path | BinaryIO,
        format: Format | None = None,  # noqa: A002  the service's own word
        *,
        idempotency_key: str | None = None,
    ) -> Batch:
        """Send a file, from where it stands to its end; one that is given by its name says its format by that."""
        with _opened(file) as opened:
            named = file if isinstance(file, str | Path) else ""
            kind = format or _SUFFIXES.get(Path(named).suffix.lower())
            if kind is None:
                raise ValueError("say whether the file is csv or ndjson")
            start = opened.tell()
            size = opened.seek(0, 2) - start

            def from_the_start() -> tuple[BinaryIO, int]:
                opened.seek(start)
                return opened, size

            return self._transport.read(
                Batch,
                Ask(
                    method="POST",
                    path="/v1/batches",
                    body=from_the_start,
                    content_type=_TYPES[kind],
                    key=idempotency_key or new_key(),
                    long=True,
                ),
            )

    def get(self, batch_id: str) -> Batch:
        """Return how far a batch is."""
        return self._transport.get(Batch, _path(batch_id))

    def list(self) -> Iterator[Batch]:
        """Yield the batches that were sent, the newest first."""
        return self._transport.pages(Batch, "/v1/batches")

    def wait(self, batch_id: str, *, seconds: float = 3600.0) -> Batch:
        """Return a batch once it is finished.

        Raises:
            TimeoutError: it is not, after so many seconds; it goes on all the same.
        """
        pauses = _pauses(seconds)
        while (batch := self.get(batch_id)).state != "finished":
            next(pauses)
        return batch

    def results(self, batch_id: str, *, seconds: float = 3600.0) -> Iterator[LineResult]:
        """Yield what became of each line, in order, and wait for those that have no answer yet.

        Raises:
            TimeoutError: no further line was answered in so many seconds.
        """
        cursor: object = None
        pauses = _pauses(seconds)
        while True:
            asked = {"limit": _PAGE, "cursor": cursor}
            page = self._transport.get(_ResultPage, f"{_path(batch_id)}/results", **asked)
            yield from page.data
            cursor = page.next_cursor
            if cursor is None:
                return
            if page.data:
                pauses = _pauses(seconds)
            else:
                next(pauses)


@dataclass(frozen=True, slots=True, kw_only=True)
class _ResultPage:
    data: tuple[LineResult, ...]
    next_cursor: str | None = None


def _pauses(seconds: float) -> Iterator[None]:
    """Sleep at each step, longer each time, until so many seconds are over."""
    end, pause = time.monotonic() + seconds, _FIRST_PAUSE
    while time.monotonic() < end:
        time.sleep(pause)
        yield
        pause = min(pause * 1.5, _LONGEST_PAUSE)
    raise TimeoutError("the batch is not finished yet")


@contextmanager
def _opened(file: str | Path | BinaryIO) -> Iterator[BinaryIO]:
    """Open a file by its name, or copy one that can't be wound back."""
    if isinstance(file, str | Path):
        with Path(file).open("rb") as opened:
            yield opened
    elif file.seekable():
        yield file
    else:
        with tempfile.TemporaryFile() as copy:
            while block := file.read(_BLOCK):
                copy.write(block)
            copy.seek(0)
            yield copy


def _encoded(line: Line) -> bytes:
    stated = {name: value for name, value in asdict(line).items() if value is not None}
    stated["business_date"] = line.business_date.isoformat()
    stated["occurred_at"] = moment(line.occurred_at)
    return json.dumps(stated, ensure_ascii=False).encode() + b"\n"


def _path(batch_id: str) -> str:
    return f"/v1/batches/{quote(batch_id, safe='')}"
