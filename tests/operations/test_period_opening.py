"""A month is opened beside one that is closing: they take turns, and no month appears before a closed one."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from threading import Event

import pytest

from clearinghouse.domain.accounts import AccountKind, account
from clearinghouse.domain.calendar import parse_period
from clearinghouse.domain.errors import PeriodNotReady
from clearinghouse.operations.booking import book
from clearinghouse.operations.changing import changing
from clearinghouse.operations.close import close
from clearinghouse.operations.context import Context
from clearinghouse.operations.post import post
from clearinghouse.store.database import Database
from clearinghouse.store.periods import OPENING_LOCK, hold_period, open_period
from clearinghouse.store.vault import Vault
from tests.alliances import MiniAlliance
from tests.histories.paper import told
from tests.operations.import_command import asking, awaited, until
from tests.settlement.years import TWO

OCTOBER, NOVEMBER, DECEMBER = (parse_period(f"2026-{month}") for month in (10, 11, 12))
JANUARY, FEBRUARY = DECEMBER + 1, DECEMBER + 2


@pytest.fixture
def alliance(founded: object, database_url: str, tmp_path: Path) -> Iterator[MiniAlliance]:
    """November is over and has a transaction; October has none."""
    database = Database(database_url)
    alliance = MiniAlliance(Context(database, Vault(bytes(32))), tmp_path)
    alliance.accept("spend", "BAM-HZ", "1", "T1", "2026-11-03", amount=10_000)
    alliance.clock.pass_to(datetime(2027, 1, 10, tzinfo=UTC))
    yield alliance
    database.close()


def test_a_month_that_is_opened_while_a_later_one_closes_stays_shut(
    alliance: MiniAlliance, database_url: str
) -> None:
    asked, may_go_on = Event(), Event()

    def clock() -> datetime:
        """Stop the closing under its lock, where it asks for the time."""
        asked.set()
        assert may_go_on.wait(timeout=30)
        return alliance.clock()

    late = alliance.line("spend", "BAM-HZ", "2", "T2", "2026-10-03", amount=10_000)
    with ThreadPoolExecutor(2) as pool, asking(database_url) as cursor:
        closer = pool.submit(close, replace(alliance.context, clock=clock), NOVEMBER)
        assert asked.wait(timeout=30)
        poster = pool.submit(post, alliance.context, [late])
        until(lambda: awaited(cursor, OPENING_LOCK))
        assert not poster.done()
        may_go_on.set()
        closer.result(timeout=30)
        assert [told(outcome) for outcome in poster.result(timeout=30)] == ["accepted"]
    periods = alliance.rows("SELECT period, state FROM periods ORDER BY 1")
    assert periods == [(NOVEMBER, "closing"), (DECEMBER, "open")]
    rows = alliance.rows("SELECT txn_ref, period, late FROM transactions ORDER BY 1")
    assert rows == [("1", NOVEMBER, False), ("2", DECEMBER, True)]


def test_a_month_does_not_close_beside_an_earlier_one_that_is_opened(
    alliance: MiniAlliance, database_url: str
) -> None:
    with ThreadPoolExecutor(1) as pool, asking(database_url) as cursor:
        with alliance.database.posting() as session:
            open_period(session, OCTOBER)
            closer = pool.submit(close, alliance.context, NOVEMBER)
            until(lambda: awaited(cursor, OPENING_LOCK))
            assert not closer.done()
        with pytest.raises(PeriodNotReady, match="2026-11 can't be closed while 2026-10 is open"):
            closer.result(timeout=30)
    close(alliance.context, OCTOBER)
    close(alliance.context, NOVEMBER)
    states = alliance.rows("SELECT state FROM periods")
    assert states == [("closing",)] * 2


@pytest.mark.parametrize(
    ("wanted", "closed", "held"),
    [
        (OCTOBER, False, NOVEMBER),
        (NOVEMBER, False, NOVEMBER),
        (JANUARY, False, JANUARY),
        (OCTOBER, True, DECEMBER),
        (JANUARY, True, JANUARY),
    ],
)
def test_an_entry_goes_to_its_month_or_to_the_next_one_that_is_open(
    alliance: MiniAlliance, wanted: int, closed: bool, held: int
) -> None:
    if closed:
        close(alliance.context, NOVEMBER)
    with alliance.database.posting() as session:
        assert hold_period(session, wanted) == held
    periods = dict(alliance.rows("SELECT period, state FROM periods"))
    assert periods == {NOVEMBER: "closing" if closed else "open", held: "open"}


def test_an_entry_in_a_month_that_is_there_keeps_nobody_from_opening_or_closing(
    alliance: MiniAlliance, database_url: str
) -> None:
    bank, unallocated = account(AccountKind.BANK), account(AccountKind.UNALLOCATED)
    with asking(database_url) as cursor:
        for free in (False, True):
            with changing(alliance.context, TWO) as change:
                entry = book(change, "bank", "1", [(bank, unallocated, 100)])
                assert entry.period == JANUARY
                cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [OPENING_LOCK])
                assert cursor.fetchone() == (free,)


def test_an_entry_waits_for_a_later_month_that_closes_and_goes_behind_it(
    alliance: MiniAlliance, database_url: str
) -> None:
    alliance.accept("spend", "BAM-HZ", "2", "T1", "2027-01-03", amount=10_000)
    close(alliance.context, NOVEMBER)
    alliance.clock.pass_to(datetime(2027, 2, 10, tzinfo=UTC))
    asked, may_go_on = Event(), Event()

    def clock() -> datetime:
        asked.set()
        assert may_go_on.wait(timeout=30)
        return alliance.clock()

    def hold() -> int:
        with alliance.database.posting() as session:
            return hold_period(session, DECEMBER)

    with ThreadPoolExecutor(2) as pool, asking(database_url) as cursor:
        closer = pool.submit(close, replace(alliance.context, clock=clock), JANUARY)
        assert asked.wait(timeout=30)
        holder = pool.submit(hold)
        until(lambda: awaited(cursor, OPENING_LOCK))
        may_go_on.set()
        closer.result(timeout=30)
        assert holder.result(timeout=30) == FEBRUARY
