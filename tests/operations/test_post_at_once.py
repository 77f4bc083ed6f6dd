"""Many at once: one reference posts once, a pool is never overdrawn, nothing deadlocks or enters a closed period."""

import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from threading import Barrier, Event
from typing import Any, TypeVar

import psycopg2
import pytest

from clearinghouse.domain.calendar import parse_period
from clearinghouse.domain.deciding import Outcome
from clearinghouse.domain.netting import Measure
from clearinghouse.domain.transactions import Line
from clearinghouse.operations.close import close
from clearinghouse.operations.context import Context
from clearinghouse.operations.post import post
from clearinghouse.store import rollups
from clearinghouse.store.database import Database, Session
from clearinghouse.store.vault import Vault
from settlement.netting import net_period
from tests.alliances import MiniAlliance
from tests.founding import founding
from tests.histories.paper import told

THREADS = 16
NOVEMBER = parse_period("2026-11")
LATE = datetime(2027, 6, 1, tzinfo=UTC)
T = TypeVar("T")

founded = founding(now=LATE)


@pytest.fixture
def alliance(founded: object, database_url: str, tmp_path: Path) -> Iterator[MiniAlliance]:
    """The alliance of domain.md §6, with a connection for every thread."""
    database = Database(database_url, pool_size=THREADS + 4)
    yield MiniAlliance(Context(database, Vault(bytes(32))), tmp_path, now=LATE)
    database.close()


def at_once(work: Callable[[int], T], threads: int = THREADS) -> list[T]:
    """Do something in many threads that start together."""
    barrier = Barrier(threads)

    def start(number: int) -> T:
        barrier.wait(timeout=30)
        return work(number)

    with ThreadPoolExecutor(threads) as pool:
        return list(pool.map(start, range(threads)))


def outcomes(alliance: MiniAlliance, sequences: Sequence[Sequence[Line]]) -> Counter[str]:
    """Post sequences at once; count what became of their lines."""
    posted = at_once(lambda number: post(alliance.context, sequences[number]), len(sequences))
    return Counter(told(outcome) for sequence in posted for outcome in sequence)


def deadlocks(alliance: MiniAlliance) -> int:
    """How many deadlocks the server has broken in this database."""
    with alliance.database.office() as session:
        session.rows("SELECT pg_stat_force_next_flush()")
    return int(
        alliance.value("SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()")
    )


def test_one_reference_posts_once(alliance: MiniAlliance) -> None:
    line = alliance.line("spend", "BAM-HZ", "R", "T1", "2026-11-03", amount=10_000)
    assert outcomes(alliance, [[line]] * THREADS) == {"accepted": 1, "repeated": THREADS - 1}
    assert alliance.rows("SELECT issued, remaining FROM lots") == [(150, 150)]


def test_one_reference_of_two_travellers_goes_to_one_of_them(alliance: MiniAlliance) -> None:
    """Their locks do not meet, only the reference does."""
    lines = [
        [alliance.line("spend", "BAM-HZ", "R", card, "2026-11-03", amount=10_000)]
        for card in ("T1", "T2") * (THREADS // 2)
    ]
    half = THREADS // 2
    assert outcomes(alliance, lines) == {
        "accepted": 1,
        "repeated": half - 1,
        "txn_ref_reused": half,
    }
    assert alliance.value("SELECT count(*) FROM transaction_refs") == 1
    assert alliance.value("SELECT count(*) FROM transactions") == 1


def test_a_reference_that_another_is_posting_is_waited_for(alliance: MiniAlliance) -> None:
    first, second = (
        [alliance.line("spend", "BAM-HZ", "R", card, "2026-11-03", amount=10_000)]
        for card in ("T1", "T2")
    )
    post(alliance.context, [alliance.line("award", "BAM-HZ", "A", "T2", "2026-11-01", points=1)])
    decided, may_commit = Event(), Event()

    def hold(session: Session, found: Sequence[Outcome]) -> None:
        decided.set()
        assert may_commit.wait(timeout=30)

    with ThreadPoolExecutor(2) as pool:
        one = pool.submit(post, alliance.context, first, hold)
        assert decided.wait(timeout=30)
        other = pool.submit(post, alliance.context, second)
        with pytest.raises(TimeoutError):
            other.result(timeout=0.3)
        may_commit.set()
        assert [told(found) for found in one.result(timeout=30)] == ["accepted"]
        assert [told(found) for found in other.result(timeout=30)] == ["txn_ref_reused"]


def test_a_sequence_that_the_server_ends_to_break_a_deadlock_is_tried_again(
    alliance: MiniAlliance, database_url: str
) -> None:
    """Of two the server ends the one that looks for a deadlock after it came about, mostly the one that waited first.

    On a machine that is busy for a second that can be the other one; then it is tried with other references.
    """
    hotel = alliance.value("SELECT number FROM hotels WHERE code = 'BAM-HZ'")
    with (
        closing(psycopg2.connect(database_url.replace("+psycopg2", ""))) as other,
        ThreadPoolExecutor(1) as pool,
    ):
        assert any(_ends_the_sequence(alliance, other, hotel, pool, n) for n in range(10))
    until = time.monotonic() + 20  # a connection reports what it has counted now and then
    while deadlocks(alliance) == 0:
        assert time.monotonic() < until, "the sequence was never ended"
        time.sleep(0.05)


def _ends_the_sequence(
    alliance: MiniAlliance, other: Any, hotel: int, pool: ThreadPoolExecutor, attempt: int
) -> bool:
    """Let a sequence of two lines and another connection wait for each other; tell whether the sequence was ended."""
    first, second = f"{attempt}-R1", f"{attempt}-R2"
    lines = [
        alliance.line("spend", "BAM-HZ", ref, "T1", "2026-11-03", amount=10_000)
        for ref in (first, second)
    ]
    reserve = "INSERT INTO transaction_refs VALUES (%s, %s, '', gen_random_uuid())"
    with other.cursor() as cursor:
        cursor.execute(reserve, [hotel, second])
        posted = pool.submit(post, alliance.context, lines)
        while not alliance.value(
            "SELECT count(*) FROM pg_locks WHERE NOT granted AND locktype = 'transactionid'"
        ):
            assert not posted.done()
        try:
            cursor.execute(reserve, [hotel, first])
            ended = True
        except psycopg2.errors.DeadlockDetected:
            ended = False
        other.rollback()
    assert [told(found) for found in posted.result(timeout=30)] == ["accepted"] * 2
    return ended


def test_a_pool_is_never_overdrawn(alliance: MiniAlliance) -> None:
    alliance.accept("award", "AUR-BJ", "A", "T1", "2026-11-01", points=100)
    lines = [
        [alliance.line("redeem", "CLD-GZ", f"R{n}", "T1", "2026-11-02", points=7)]
        for n in range(50)
    ]
    assert outcomes(alliance, lines) == {"accepted": 14, "insufficient_points": 36}
    assert alliance.rows("SELECT remaining FROM lots") == [(2,)]


def test_stored_value_is_never_overdrawn_nor_refunded_twice(alliance: MiniAlliance) -> None:
    alliance.accept("load", "AUR-BJ", "L", "T1", "2026-11-01", amount=1_000)
    uses = [
        [alliance.line("stored_value_spend", "CLD-GZ", f"U{n}", "T1", "2026-11-02", amount=90)]
        for n in range(8)
    ]
    refunds = [
        [alliance.line("refund", "AUR-BJ", f"X{n}", "T1", "2026-11-02", amount=300, original="L")]
        for n in range(8)
    ]
    found = outcomes(alliance, [*uses, *refunds])
    refused = {"exceeds_original", "insufficient_stored_value"}
    assert set(found) <= {"accepted", *refused}
    used, refunded = (
        alliance.value(
            "SELECT coalesce(sum(amount_minor), 0) FROM transactions WHERE kind = %s", kind
        )
        for kind in ("stored_value_spend", "refund")
    )
    assert refunded <= 900
    assert alliance.value("SELECT remaining FROM lots") == 1_000 - used - refunded >= 0


def test_opposite_sequences_of_two_travellers_never_deadlock(alliance: MiniAlliance) -> None:
    for card in ("T1", "T2"):
        alliance.accept("award", "AUR-BJ", f"A{card}", card, "2026-11-01", points=10_000)
    before = deadlocks(alliance)
    for turn in range(6):
        sequences = [
            [
                alliance.line(
                    "redeem", "BAM-HZ", f"{turn}-{n}-{card}", card, "2026-11-02", points=1
                )
                for card in (("T1", "T2"), ("T2", "T1"))[n % 2]
            ]
            for n in range(THREADS)
        ]
        assert outcomes(alliance, sequences) == {"accepted": 2 * THREADS}
    assert deadlocks(alliance) == before
    assert alliance.rows("SELECT remaining FROM lots ORDER BY 1") == [(10_000 - 6 * THREADS,)] * 2


def test_sequences_that_meet_at_references_the_wrong_way_round_still_end(
    alliance: MiniAlliance,
) -> None:
    """Two travellers state the same references in opposite order: the server may have to break a deadlock."""
    names = [f"R{n}" for n in range(200)]
    sequences = [
        [alliance.line("spend", "BAM-HZ", ref, card, "2026-11-03", amount=100) for ref in order]
        for card, order in (("T1", names), ("T2", names[::-1]))
    ]
    assert outcomes(alliance, sequences) == {"accepted": 200, "txn_ref_reused": 200}
    assert alliance.value("SELECT count(*) FROM transactions") == 200


def test_the_first_lines_of_a_month_can_come_all_at_once(alliance: MiniAlliance) -> None:
    """They make its partitions together."""
    lines = [
        [alliance.line("spend", "BAM-HZ", f"R{n}", "T1", f"2026-{n % 4 + 5:02d}-01", amount=100)]
        for n in range(THREADS)
    ]
    assert outcomes(alliance, lines) == {"accepted": THREADS}
    assert alliance.rows("SELECT count(*) FROM periods") == [(4,)]


def test_nothing_enters_a_period_once_it_is_closing(alliance: MiniAlliance) -> None:
    alliance.accept("award", "AUR-BJ", "A", "T1", "2026-11-01", points=1)
    closed = Event()

    def spend_on(number: int) -> int:
        count = after = 0
        while after < 3:
            after += closed.is_set()
            line = alliance.line(
                "spend",
                "BAM-HZ",
                f"{number}-{count}",
                ("T1", "T2")[number % 2],
                "2026-11-03",
                amount=10_000,
            )
            post(alliance.context, [line])
            count += 1
        return count

    def close_soon() -> int:
        while alliance.value("SELECT count(*) FROM transaction_refs") < 3 * THREADS:
            pass
        close(alliance.context, NOVEMBER)
        net_period(alliance.context, NOVEMBER)
        closed.set()
        return 0

    posted = at_once(lambda number: spend_on(number) if number else close_soon())
    frozen = alliance.value("SELECT sum(fees_minor) FROM positions WHERE period = %s", NOVEMBER)
    by_period = dict(alliance.rows("SELECT period, sum(fee_minor) FROM legs GROUP BY 1"))
    assert by_period[NOVEMBER] == frozen
    assert sum(by_period.values()) == 100 * sum(posted)
    late = alliance.rows("SELECT DISTINCT period, late FROM transactions ORDER BY 1")
    assert late == [(NOVEMBER, False), (NOVEMBER + 1, True)]


def test_closing_waits_for_who_is_posting_and_nobody_waits_for_the_closing(
    alliance: MiniAlliance,
) -> None:
    spend = [
        alliance.line("spend", "BAM-HZ", f"R{n}", "T1", "2026-11-03", amount=10_000)
        for n in range(2)
    ]
    spend.append(alliance.line("spend", "BAM-HZ", "R2", "T2", "2026-11-03", amount=10_000))
    post(alliance.context, spend[:1])
    decided, may_commit = Event(), Event()

    def hold(session: Session, found: Sequence[Outcome]) -> None:
        decided.set()
        assert may_commit.wait(timeout=30)

    with ThreadPoolExecutor(3) as pool:
        poster = pool.submit(post, alliance.context, spend[1:2], hold)
        assert decided.wait(timeout=30)
        closer = pool.submit(close, alliance.context, NOVEMBER)
        while alliance.value("SELECT state FROM periods WHERE period = %s", NOVEMBER) == "open":
            assert not closer.done()
        # Another traveller's line comes now: it does not wait, and is late.
        pool.submit(post, alliance.context, spend[2:]).result(timeout=30)
        with pytest.raises(TimeoutError):
            closer.result(timeout=0.3)
        may_commit.set()
        poster.result(timeout=30)
        closer.result(timeout=30)
    net_period(alliance.context, NOVEMBER)
    assert alliance.value("SELECT sum(fees_minor) FROM positions") == 200
    late = alliance.rows("SELECT txn_ref, period, late FROM transactions ORDER BY 1")
    assert late == [("R0", NOVEMBER, False), ("R1", NOVEMBER, False), ("R2", NOVEMBER + 1, True)]


def test_roll_ups_lose_nothing_while_they_are_folded(alliance: MiniAlliance) -> None:
    folders = 3

    def work(number: int) -> None:
        for count in range(10):
            if number < folders:
                with alliance.database.office() as session:
                    rollups.fold(session)
                continue
            card = ("T1", "T2")[number % 2]
            line = alliance.line(
                "spend", "BAM-HZ", f"{number}-{count}", card, "2026-11-03", amount=10_000
            )
            post(alliance.context, [line])

    at_once(work)
    with alliance.database.office() as session:
        rollups.fold(session)
        fees = rollups.fees(session, NOVEMBER)
    posted = 10 * (THREADS - folders)
    assert sum(fees.values()) == 100 * posted
    assert alliance.rows(
        "SELECT count, amount FROM rollups WHERE measure = %s", Measure.FEE_SPEND.value
    ) == [(posted, 100 * posted)]
    assert alliance.value("SELECT count(*) FROM rollup_increments") == 0
