"""A month is settled while hotels go on posting: no error, nobody waits for it, and every line is in one month."""

import csv
import io
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from threading import Event
from typing import Any

import psycopg2
import pytest

from api.http.options import Options
from clearinghouse.domain.calendar import format_period, parse_period
from clearinghouse.operations.context import Context
from clearinghouse.operations.prove import prove
from clearinghouse.store.database import Database
from clearinghouse.store.loading import PERIOD_LOCK
from clearinghouse.store.periods import PUBLISHED
from clearinghouse.store.vault import Vault
from settlement.run import read_file, settle
from tests.alliances import CARDS
from tests.api.service import URL, Caller, Service

NOVEMBER = parse_period("2026-11")
CUT_OFF = datetime(2026, 12, 4, 1, tzinfo=UTC)
THREADS = 6
#: Lines that each till posts before the month is closed, and at least as many after it is published.
EACH = 5


@pytest.fixture
def service(founded: object, database_url: str, tmp_path: Path) -> Iterator[Service]:
    """The fourth of December 2026, just behind the cut-off of November; both travellers have points."""
    database = Database(database_url, pool_size=THREADS + 4)
    options = Options(public_url=URL, requests_per_second=100_000)
    made = Service(Context(database, Vault(bytes(32))), tmp_path / "service", options)
    for card in ("T1", "T2"):
        made.alliance.accept("award", "AUR-BJ", f"A-{card}", card, "2026-11-02", points=100_000)
    made.alliance.clock.pass_to(CUT_OFF)
    yield made
    database.close()


def body(till: int, number: int) -> dict[str, Any]:
    """A redemption or a spend at CLD: of November as it comes late, or of December."""
    day = "2026-11-30" if number % 3 else "2026-12-02"
    what = {"points": 10} if number % 2 else {"amount": {"amount_minor": 1_000}}
    return {
        "kind": "redeem" if number % 2 else "spend",
        "host_hotel": "CLD-GZ",
        "txn_ref": f"{till}-{number}",
        "card_number": CARDS["T1" if till % 2 else "T2"],
        "business_date": day,
        "occurred_at": f"{day}T12:00:00+08:00",
        **what,
    }


class Till(Caller):
    """Posts one line after the other until it is told to stop, and keeps what was acknowledged."""

    def __init__(self, service: Service, token: str | None, number: int) -> None:
        super().__init__(service.app.test_client(), token)
        self.number = number
        self.answers: Counter[int] = Counter()
        self.acknowledged: set[str] = set()

    def post_until(self, stop: Event) -> None:
        left = EACH
        while left:
            left -= stop.is_set()
            stated = body(self.number, self.answers.total())
            answer = self.post("/v1/transactions", json=stated, key=stated["txn_ref"])
            self.answers[answer.status_code] += 1
            if answer.status_code == 201:
                self.acknowledged.add(stated["txn_ref"])


def test_a_month_is_settled_under_load(service: Service) -> None:
    token = service.client("CLD").token
    tills = [Till(service, token, number) for number in range(THREADS)]
    settled = Event()
    with ThreadPoolExecutor(THREADS) as pool:
        posting = [pool.submit(till.post_until, settled) for till in tills]
        try:
            while any(till.answers.total() < EACH for till in tills):
                assert not any(till.done() for till in posting)
            settle(service.context, NOVEMBER)
        finally:
            settled.set()
        for till in posting:
            till.result(timeout=60)

    assert sum((till.answers for till in tills), Counter()).keys() == {201}
    acknowledged = set().union(*(till.acknowledged for till in tills))
    posted = service.alliance.rows(
        "SELECT txn_ref, period, late, business_date < '2026-12-01' FROM transactions WHERE kind <> 'award'"
    )
    assert len(posted) == len(acknowledged)
    assert {ref for ref, *_ in posted} == acknowledged
    # In November's statement is exactly what was posted to November, and what came after is late and in December.
    statement = b"".join(read_file(service.context, NOVEMBER, "statements/OPERATOR.csv")).decode()
    stated = {row["txn_ref"] for row in csv.DictReader(io.StringIO(statement))}
    assert stated == {ref for ref, period, *_ in posted if period == NOVEMBER}
    assert {
        (format_period(period), late, of_november) for _, period, late, of_november in posted
    } == {("2026-11", False, True), ("2026-12", True, True), ("2026-12", False, False)}
    assert [proof.name_en for proof in prove(service.context) if not proof.holds] == []


def test_nobody_waits_for_whom_the_closing_waits(service: Service) -> None:
    """Somebody's transaction of November takes for ever: the closing waits for it, and all others post on."""
    till = Till(service, service.client("CLD").token, 1)
    url = service.context.database.owner_url.replace("+psycopg2", "")
    with ThreadPoolExecutor(1) as pool, closing(psycopg2.connect(url)) as slow:
        with slow.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock_shared(%s, %s)", [PERIOD_LOCK, NOVEMBER])
        settling = pool.submit(settle, service.context, NOVEMBER)
        state = "SELECT state FROM periods WHERE period = %s"
        while service.alliance.value(state, NOVEMBER) == "open":
            assert not settling.done()
        at_once = Event()
        at_once.set()
        till.post_until(at_once)
        assert till.answers == {201: EACH}
        assert service.alliance.value(state, NOVEMBER) == "closing"
        slow.rollback()
        settling.result(timeout=60)
    assert service.alliance.value(state, NOVEMBER) in PUBLISHED
