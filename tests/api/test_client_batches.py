"""The Python client sends night audits: as lines or files, again where the line broke."""

import io
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from threading import Event as Signal
from threading import Thread

import pytest

from clearinghouse.client import (
    ClearinghouseProblem,
    Client,
    Line,
)
from clearinghouse.operations.batches import run_batches
from tests.alliances import CARDS
from tests.api.calling import AT, DAY
from tests.api.service import Service
from tests.api.wire import Line as Wire
from tests.api.wire import (
    instead,
    lost_after,
    lost_before,
    problem,
)


@pytest.fixture
def worker(service: Service) -> Iterator[None]:
    """What works batches off, as in the service."""
    stop = Signal()
    thread = Thread(target=run_batches, args=(service.context, stop), daemon=True)
    thread.start()
    yield
    stop.set()
    thread.join(20)


def night(count: int) -> Iterator[Line]:
    for number in range(count):
        too_many = number % 100 == 99
        yield Line(
            host_hotel="CLD-GZ",
            txn_ref=f"N{number}",
            kind="redeem" if too_many else "spend",
            card_number=CARDS["T1"],
            business_date=DAY - timedelta(days=1),
            occurred_at=AT - timedelta(days=1),
            amount_minor=None if too_many else 10_000,
            points=10**6 if too_many else None,
        )


@pytest.mark.usefixtures("worker")
def test_a_night_is_streamed_and_answered_line_by_line(
    service: Service, wire: Wire, cld: Client
) -> None:
    wire.faults.append(lost_after)
    batch = cld.batches.send(night(1_500))
    assert (batch.replayed, batch.lines, batch.format) == (True, 1_500, "ndjson")
    results = list(cld.batches.results(batch.batch_id, seconds=60))
    assert [result.line for result in results] == list(range(1, 1_501))
    refused = [result for result in results if result.outcome == "refused"]
    assert {result.code for result in refused} == {"insufficient_points"}
    assert refused[0].till
    done = cld.batches.wait(batch.batch_id, seconds=60)
    assert (done.state, done.totals.accepted, done.totals.refused) == ("finished", 1_485, 15)
    again = cld.batches.send(night(1_500))
    assert again.batch_id != batch.batch_id
    assert cld.batches.wait(again.batch_id, seconds=60).totals.repeated == 1_485
    assert [row.batch_id for row in cld.batches.list()] == [again.batch_id, batch.batch_id]


HEADER = "host_hotel,txn_ref,original_txn_ref,kind,card_number,business_date,occurred_at,amount_minor,points"
ROW = f"CLD-GZ,F1,,spend,{CARDS['T1']},2026-11-09,2026-11-09T12:00:00+08:00,100,"


def test_a_file_is_uploaded(wire: Wire, cld: Client, tmp_path: Path) -> None:
    content = f"{HEADER}\n{ROW}\n".encode()
    file = tmp_path / "night.CSV"
    file.write_bytes(content)
    wire.faults.append(lost_before)
    assert cld.batches.upload(file, idempotency_key="k").format == "csv"
    assert [request.body for request in wire.requests[1:]] == [content, content]

    class Pipe(io.BytesIO):
        def seekable(self) -> bool:
            return False

    wire.faults.extend([lost_after, instead(problem(400, "batch_incomplete"))])
    piped = cld.batches.upload(Pipe(content), "csv", idempotency_key="k")
    assert piped.replayed
    began = io.BytesIO(b"skipped" + content)
    began.seek(7)
    assert cld.batches.upload(began, "csv", idempotency_key="k").replayed
    with pytest.raises(ValueError, match="csv or ndjson"):
        cld.batches.upload(began)
    with pytest.raises(ClearinghouseProblem, match="batch_unreadable"):
        cld.batches.upload(io.BytesIO(b"nothing"), "csv")


def test_nobody_waits_for_a_batch_for_ever(cld: Client) -> None:
    batch = cld.batches.send(night(1))
    with pytest.raises(TimeoutError):
        cld.batches.wait(batch.batch_id, seconds=0.3)
    with pytest.raises(TimeoutError):
        list(cld.batches.results(batch.batch_id, seconds=0.3))
