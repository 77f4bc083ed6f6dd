"""Batches that are uploaded or worked off by several, killed, stopped or failing: each line is answered once."""

import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from io import BytesIO
from pathlib import Path
from threading import Event, Thread

import psycopg2
import pytest

from clearinghouse.domain.errors import IdempotencyKeyInFlight
from clearinghouse.operations.batches import (
    Format,
    all_results,
    find_batch,
    receive,
    run_batches,
    work_off,
    working,
)
from clearinghouse.operations.batches.answers import BatchTakenUp, share_of
from clearinghouse.operations.context import Context
from clearinghouse.operations.importing import import_pack
from clearinghouse.operations.party import Party
from clearinghouse.operations.post import post
from clearinghouse.store import batches
from clearinghouse.store.database import Database
from clearinghouse.store.vault import Vault
from tests.alliances import MiniAlliance, TestClock
from tests.conftest import Server
from tests.operations.bulk_pack import write_bulk_pack
from tests.operations.dumping import Dump, differing, meaning
from tests.operations.night_audit import as_csv, client, codes, named, send, stated

LINES = 6_500
NIGHT = datetime(2026, 11, 1, 2, tzinfo=UTC)

#: Works off what waits, as the service does it.
WORKER = """
import sys
from datetime import UTC, datetime
from clearinghouse.operations.batches import work_off
from clearinghouse.operations.context import Context
from clearinghouse.store.database import Database
from clearinghouse.store.vault import Vault

if __name__ == "__main__":
    context = Context(Database(sys.argv[1]), Vault(bytes(32)), lambda: datetime(2026, 11, 1, 3, tzinfo=UTC))
    while work_off(context, lanes=int(sys.argv[2])):
        pass
"""

#: When the worker is killed: as soon as this query answers with true.
MOMENTS = {
    "once the batch is taken up": "SELECT EXISTS (SELECT FROM batches WHERE run > 0)",
    # A transaction that has written something, and nothing of the batch: one that posts.
    "within a sequence": "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE backend_xid IS NOT NULL"
    " AND datname = current_database() AND pid <> pg_backend_pid() AND query NOT LIKE '%batch%')",
    "between two portions": "SELECT EXISTS (SELECT FROM batches WHERE answered_through > 0)",
    "after the last sequence": f"SELECT sum(cardinality(lines)) >= {LINES} FROM batch_results",
}


@pytest.fixture(scope="module")
def uploaded(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A database with members, and a batch of thousands of lines of one system that waits."""
    name = server.new_database()
    folder = write_bulk_pack(tmp_path_factory.mktemp("packs") / "bulk", travellers=200, lines=LINES)
    lines = (folder / "transactions-2026-10.csv").read_bytes().replace(b"\r\n", b"\n")
    (folder / "transactions-2026-10.csv").unlink()
    database = Database(server.url(name))
    context = Context(database, Vault(bytes(32)), TestClock(NIGHT))
    import_pack(context, folder)
    with database.office() as session:
        (system,) = session.row("SELECT number FROM systems WHERE code = 'A'") or (0,)
        session.run(
            "INSERT INTO clients (number, client_id, system, name, scopes, created_at)"
            " VALUES (1, 'c1', %s, 'PMS', '{}', now())",
            [system],
        )
    broken = lines.replace(b",spend,", b",spend", 40)
    receipt = receive(
        context, Party(1, system, None, frozenset()), "k", Format.CSV, BytesIO(broken)
    )
    assert receipt.lines == LINES
    database.close()
    yield name
    server.drop(name)


def working_on(url: str, script: Path, lanes: int) -> "subprocess.Popen[bytes]":
    """Start a worker."""
    script.write_text(WORKER, encoding="utf-8")
    return subprocess.Popen(
        [sys.executable, str(script), url, str(lanes)],
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
        stderr=subprocess.PIPE,
    )


def ended_well(worker: "subprocess.Popen[bytes]") -> None:
    """Wait for a worker; it must succeed."""
    _, errors = worker.communicate(timeout=120)
    assert worker.returncode == 0, errors.decode()


def killed_when(worker: "subprocess.Popen[bytes]", url: str, question: str) -> bool:
    """Kill a worker as soon as the question is answered with true; false if it was over before."""
    with closing(psycopg2.connect(url.replace("+psycopg2", ""))) as connection:
        connection.autocommit = True
        with connection.cursor() as cursor:
            while worker.poll() is None:
                cursor.execute(question)
                row = cursor.fetchone()
                if row and row[0]:
                    worker.send_signal(signal.SIGKILL)
                    worker.communicate(timeout=60)
                    return True
                time.sleep(0.0005)
    return False


def results(url: str) -> list[tuple[object, ...]]:
    """What became of the batch's lines, without the transactions' ids, which may differ."""
    database = Database(url)
    context = Context(database, Vault(bytes(32)))
    with database.office() as session:
        (system, batch_id) = session.row("SELECT system, batch_id FROM batches") or (0, None)
    party = Party(1, system, None, frozenset())
    told = list(all_results(context, party, f"bat_{batch_id.hex}"))
    with database.office() as session:
        ids = dict(session.rows("SELECT txn_id, txn_ref FROM transactions"))
        assert session.row("SELECT count(*) FROM outbox WHERE kind = 'batch.finished'") == (1,)
        assert session.row("SELECT count(*) FROM batch_parts") == (0,)
    assert all((r.txn_id is None) == (r.code not in {"accepted", "repeated"}) for r in told)
    database.close()
    return [(r.line, r.host, r.ref, r.code, ids.get(r.txn_id), r.fault) for r in told]  # type: ignore[arg-type]  # wrong on purpose, or of many types


@pytest.fixture(scope="module")
def whole(
    server: Server, uploaded: str, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Dump, list[tuple[object, ...]]]:
    """The books and the results once one process has worked the batch off, undisturbed."""
    name = server.new_database(template=uploaded)
    ended_well(working_on(server.url(name), tmp_path_factory.mktemp("w") / "work.py", 1))
    found = meaning(server.url(name)), results(server.url(name))
    server.drop(name)
    return found


def test_the_batch_has_something_of_everything(
    whole: tuple[Dump, list[tuple[object, ...]]],
) -> None:
    told = whole[1]
    assert [line for line, *_ in told] == list(range(2, LINES + 2))
    counts = Counter(row[3] for row in told)
    assert counts["line_invalid"] == 40
    assert len(counts) >= 9
    assert {row[3] for row in whole[0]["transactions"]} == {
        "spend", "award", "redeem", "load", "stored_value_spend", "refund",
    }  # fmt: skip


@pytest.mark.parametrize("lanes", [1, 2])
@pytest.mark.parametrize("moment", MOMENTS)
def test_a_killed_worker_leaves_the_same_books_and_results(
    server: Server,
    uploaded: str,
    whole: tuple[Dump, list[tuple[object, ...]]],
    tmp_path: Path,
    moment: str,
    lanes: int,
) -> None:
    name = server.new_database(template=uploaded)
    url = server.url(name)
    script = tmp_path / "work.py"
    assert killed_when(working_on(url, script, lanes), url, MOMENTS[moment])
    ended_well(working_on(url, script, lanes))
    assert differing(whole[0], meaning(url)) == {}
    assert results(url) == whole[1]
    server.drop(name)


def test_several_workers_share_what_waits(
    server: Server, uploaded: str, whole: tuple[Dump, list[tuple[object, ...]]], tmp_path: Path
) -> None:
    name = server.new_database(template=uploaded)
    url = server.url(name)
    workers = [working_on(url, tmp_path / f"{n}.py", 1) for n in range(2)]
    for worker in workers:
        ended_well(worker)
    assert differing(whole[0], meaning(url)) == {}
    assert results(url) == whole[1]
    server.drop(name)


@pytest.fixture
def alliance(context: Context, tmp_path: Path) -> MiniAlliance:
    """The alliance of domain.md §6, on the morning of 5 November."""
    return MiniAlliance(context, tmp_path, now=datetime(2026, 11, 5, 2, tzinfo=UTC))


@pytest.fixture
def bam(alliance: MiniAlliance) -> Party:
    """A client of BAM."""
    return client(alliance, "BAM")


def test_a_sequence_of_an_earlier_run_can_not_come_late(alliance: MiniAlliance, bam: Party) -> None:
    """It may still be on its way to the server when the process that sent it is dead already."""
    receipt = send(alliance.context, bam, "k", as_csv([stated("BAM-HZ", "R1")]))
    line = alliance.line("spend", "BAM-HZ", "R1", "T1", "2026-11-03", amount=10_000)
    with alliance.database.office() as session:
        number = alliance.value("SELECT number FROM batches")
        late = share_of(
            batches.take_up(session, number), 0, batches.parts(session, number, -1, 1), [line]
        )
    assert work_off(alliance.context, lanes=1)
    before = alliance.value("SELECT count(*) FROM transactions")
    with pytest.raises(BatchTakenUp):
        post(alliance.context, late.lines, late.record)
    assert alliance.value("SELECT count(*) FROM transactions") == before == 1
    assert list(codes(alliance.context, bam, named(receipt)).values()) == ["accepted"]


def test_a_batch_that_fails_is_put_off_and_the_next_one_done(
    alliance: MiniAlliance, bam: Party, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = (
        send(alliance.context, bam, key, as_csv([stated("BAM-HZ", key)])) for key in ("R1", "R2")
    )
    open_part = working.open_part

    def failing(vault: Vault, batch_id: object, part: batches.StoredPart) -> object:
        if batch_id == first.batch_id:
            raise OSError("the disk is full")
        return open_part(vault, second.batch_id, part)

    monkeypatch.setattr(working, "open_part", failing)
    with pytest.raises(OSError, match="full"):
        work_off(alliance.context, lanes=1)
    assert work_off(alliance.context, lanes=1)
    assert find_batch(alliance.context, bam, named(second)).job.state == "finished"
    for seconds in (1, 2, 4):
        assert not work_off(alliance.context, lanes=1)
        alliance.clock.pass_to(alliance.clock.now + timedelta(seconds=seconds))
        with pytest.raises(OSError, match="full"):
            work_off(alliance.context, lanes=1)
    monkeypatch.undo()
    alliance.clock.pass_to(alliance.clock.now + timedelta(seconds=8))
    assert work_off(alliance.context, lanes=1)
    assert list(codes(alliance.context, bam, named(first)).values()) == ["accepted"]


def test_the_service_works_off_what_comes_and_counts_it(alliance: MiniAlliance, bam: Party) -> None:
    stop, counts = Event(), Counter[tuple[str, int]]()
    service = Thread(
        target=run_batches,
        args=(alliance.context, stop),
        kwargs={"lanes": 1, "counted": lambda *told: counts.update([told]), "pause": 0.01},
    )
    service.start()
    try:
        for key in ("R1", "R2"):
            body = as_csv(
                [stated("BAM-HZ", key), "x", stated("BAM-HZ", key), stated("AUR-BJ", "R")]
            )
            receipt = send(alliance.context, bam, key, body)
            for _ in range(1_000):
                if find_batch(alliance.context, bam, named(receipt)).job.state == "finished":
                    break
                time.sleep(0.01)
            else:
                pytest.fail("the batch was not worked off")
    finally:
        stop.set()
        service.join(30)
    assert not service.is_alive()
    assert counts == dict.fromkeys(
        [("accepted", 1), ("repeated", 1), ("refused", 1), ("invalid", 1)], 2
    )


def test_a_stopped_worker_leaves_the_rest(alliance: MiniAlliance, bam: Party) -> None:
    receipt = send(
        alliance.context,
        bam,
        "k",
        as_csv([stated("BAM-HZ", f"R{n}", amount=100) for n in range(4_100)]),
    )
    stop = Event()
    work_off(alliance.context, lanes=1, stop=stop, counted=lambda *_: stop.set())
    batch = find_batch(alliance.context, bam, named(receipt))
    assert (batch.job.state, batch.answered) == ("running", 2_000)
    assert work_off(alliance.context, lanes=1)
    assert set(codes(alliance.context, bam, named(receipt)).values()) == {"accepted"}


class Interrupted:
    """A body in whose middle something happens."""

    def __init__(self, body: bytes, what: Callable[[], None]) -> None:
        self._blocks = [body[:5_000], body[5_000:]]
        self._what = what

    def read(self, size: int, /) -> bytes:
        if len(self._blocks) == 1:
            self._what()
        return self._blocks.pop(0) if self._blocks else b""


def test_a_key_under_way_waits_unless_the_upload_lies_still(
    alliance: MiniAlliance, bam: Party
) -> None:
    body = as_csv([stated("BAM-HZ", f"R{n}", amount=100) for n in range(2_500)])

    def again() -> None:
        with pytest.raises(IdempotencyKeyInFlight):
            send(alliance.context, bam, "k", body)
        assert not work_off(alliance.context, lanes=1)

    receive(alliance.context, bam, "k", Format.CSV, Interrupted(body, again))

    def much_later() -> None:
        alliance.clock.pass_to(alliance.clock.now + timedelta(minutes=2))
        assert not send(alliance.context, bam, "other", body).replayed

    with pytest.raises(IdempotencyKeyInFlight):
        receive(alliance.context, bam, "other", Format.CSV, Interrupted(body, much_later))
    assert alliance.rows("SELECT state, lines FROM batches") == [("waiting", 2_500)] * 2


def test_an_abandoned_upload_is_removed(alliance: MiniAlliance, bam: Party) -> None:
    def abandoned() -> None:
        alliance.clock.pass_to(alliance.clock.now + timedelta(hours=2))
        work_off(alliance.context, lanes=1)
        assert alliance.value("SELECT count(*) FROM batches") == 0

    body = as_csv([stated("BAM-HZ", f"R{n}", amount=100) for n in range(2_500)])
    with pytest.raises(IdempotencyKeyInFlight):
        receive(alliance.context, bam, "k", Format.CSV, Interrupted(body, abandoned))
    assert alliance.value("SELECT count(*) FROM batch_parts") == 0
