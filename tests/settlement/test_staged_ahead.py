"""A month that is staged ahead, while lines come in, has the statements of one that is staged when it is closed."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from io import BytesIO
from pathlib import Path

import psycopg2
import pytest
from click.testing import CliRunner

from api.cli.ahead import stage_open_months
from clearinghouse.config import Settings
from clearinghouse.domain.calendar import cut_off, parse_period
from clearinghouse.domain.errors import StagedAnew
from clearinghouse.domain.identifiers import transaction_id
from clearinghouse.operations.close import close
from clearinghouse.operations.context import Context
from clearinghouse.store import chunks, runs, staging
from clearinghouse.store.database import Database
from settlement import staging as when
from settlement.files import party_statement
from settlement.frozen_run import FrozenRun, read_run
from settlement.netting import net_period
from settlement.recounted_lines import RecountedLines
from settlement.run import settle
from settlement.staging import stage_ahead
from settlement.statements import csv_format, json_format
from tests.alliances import RULEBOOK, MiniAlliance

PERIOD = parse_period("2026-11")
CHUNK = "staging.legs_202611_chunk_"
#: As the service has it: tests let the newest transaction be in a chunk.
SETTLED = when._SETTLED


@pytest.fixture(autouse=True)
def few_legs_a_chunk(monkeypatch: pytest.MonkeyPatch) -> None:
    """Chunks have five legs, and the newest transaction may be in one."""
    monkeypatch.setattr(staging, "_MOST_LEGS", 5)
    monkeypatch.setattr(staging, "_LEAST_LEGS", 2)
    monkeypatch.setattr(when, "_SETTLED", timedelta(0))


@pytest.fixture
def alliance(founded: object, context: Context, tmp_path: Path) -> MiniAlliance:
    """November of domain.md §6, still open: two chunks of legs, and some behind them."""
    alliance = MiniAlliance(context, tmp_path)
    live(alliance, range(1, 14))
    return alliance


def live(alliance: MiniAlliance, days: range) -> None:
    for day in days:
        alliance.accept("spend", "BAM-HZ", f"S{day}", "T1", f"2026-11-{day:02}", amount=50_000)


def staged_ahead(alliance: MiniAlliance) -> int:
    return len(list(iter(lambda: stage_ahead(alliance.context), None)))


def netted(alliance: MiniAlliance) -> FrozenRun:
    alliance.clock.pass_to(cut_off(PERIOD, 3, "Asia/Shanghai"))
    close(alliance.context, PERIOD)
    net_period(alliance.context, PERIOD)
    return read_run(alliance.context, PERIOD)


def must_be_whole(alliance: MiniAlliance, run: FrozenRun) -> None:
    """Every statement has the lines that Python makes leg by leg."""
    for system in (*run.positions, None):
        statement = party_statement(alliance.context, run, system)
        again = replace(statement, lines=RecountedLines(alliance.context, run, system))
        for render in (csv_format.render, json_format.render):
            made, expected = BytesIO(), BytesIO()
            render(statement, made)
            render(again, expected)
            assert made.getvalue() == expected.getvalue()


def tables(alliance: MiniAlliance) -> dict[str, int]:
    """The tables of chunks, and what tells one from another that is made in its place."""
    rows = alliance.rows(
        "SELECT oid::regclass::text, oid::bigint FROM pg_class"
        " WHERE relnamespace = 'staging'::regnamespace AND relkind = 'r' AND relname ~ '_chunk_[0-9]+$'"
    )
    return dict(rows)


def test_what_is_staged_ahead_stays_and_the_rest_is_staged_behind_it(
    alliance: MiniAlliance,
) -> None:
    assert staged_ahead(alliance) == 2
    live(alliance, range(14, 20))
    assert staged_ahead(alliance) == 1
    before = tables(alliance)
    assert before.keys() == {f"{CHUNK}{number}" for number in range(3)}
    live(alliance, range(20, 22))
    run = netted(alliance)
    must_be_whole(alliance, run)
    after = tables(alliance)
    assert len(after) > 3
    assert after.items() >= before.items()
    settle(alliance.context, PERIOD)
    assert tables(alliance) == {}


def test_a_transaction_that_comes_into_a_span_behind_is_not_lost(alliance: MiniAlliance) -> None:
    """A till's call that took very long, or a machine whose clock was behind."""
    assert staged_ahead(alliance) == 2
    before = tables(alliance)
    with alliance.database.office() as session:
        second = chunks.known(session, PERIOD)[1]
    earlier = transaction_id(PERIOD, (second.first.int >> 80) + 1, 1)
    assert second.first < earlier < second.next
    late = replace(alliance.context, new_id=lambda _: earlier)
    alliance.context, context = late, alliance.context
    alliance.accept("spend", "CLD-GZ", "LATE", "T1", "2026-11-14", amount=5_000)
    alliance.context = context
    run = netted(alliance)
    must_be_whole(alliance, run)
    after = tables(alliance)
    assert after[f"{CHUNK}0"] == before[f"{CHUNK}0"]
    assert after[f"{CHUNK}1"] != before[f"{CHUNK}1"]


def test_lines_come_in_and_chunks_are_made_in_any_order(alliance: MiniAlliance) -> None:
    """Four tills and three who want to stage, all at once; then the month is netted."""
    done = threading.Event()

    def till(number: int) -> None:
        for day in range(1, 16):
            alliance.accept(
                "spend", "BAM-HZ", f"{number}/{day}", "T2", f"2026-11-{day:02}", amount=5_000
            )

    def stager() -> int:
        made = 0
        while not done.is_set():
            made += stage_ahead(alliance.context) is not None
        return made

    alliance.clock.pass_to(datetime(2026, 11, 29, tzinfo=UTC))
    with ThreadPoolExecutor(7) as pool:
        stagers = [pool.submit(stager) for _ in range(3)]
        for each in [pool.submit(till, number) for number in range(4)]:
            each.result(120)
        done.set()
        made = sum(each.result(120) for each in stagers)
    assert made > 0
    assert made + staged_ahead(alliance) > 10
    must_be_whole(alliance, netted(alliance))


@pytest.mark.parametrize("steps", [1, 2, 3])
def test_who_dies_while_staging_ahead_leaves_what_the_next_one_goes_on_with(
    alliance: MiniAlliance, steps: int
) -> None:
    for step in range(steps):
        with alliance.database.office() as session:
            chunk = staging.ahead(session, PERIOD, "Asia/Shanghai", chunks.LAST)
        assert chunk == step // 2
        with alliance.database.office() as session:
            staging.stage(session, PERIOD, chunk, wait=True)
    assert staged_ahead(alliance) == 2 - steps // 2
    must_be_whole(alliance, netted(alliance))


def test_who_dies_while_staging_ahead_leaves_it_to_the_run(alliance: MiniAlliance) -> None:
    with alliance.database.office() as session:
        assert staging.ahead(session, PERIOD, "Asia/Shanghai", chunks.LAST) == 0
    with alliance.database.office() as session:
        assert not staging.stage(session, PERIOD, 0, wait=True)
    live(alliance, range(14, 20))
    must_be_whole(alliance, netted(alliance))


def test_moments_are_in_the_time_zone_of_the_month_as_it_closes(alliance: MiniAlliance) -> None:
    with alliance.database.office() as session:
        assert staging.ahead(session, PERIOD, "Asia/Kathmandu", chunks.LAST) == 0
    for _ in range(2):
        with alliance.database.office() as session:
            staging.stage(session, PERIOD, 0, wait=True)
    assert staged_ahead(alliance) == 1
    before = tables(alliance)
    must_be_whole(alliance, netted(alliance))
    after = tables(alliance)
    assert after[f"{CHUNK}0"] != before[f"{CHUNK}0"]
    assert after[f"{CHUNK}1"] == before[f"{CHUNK}1"]


def test_what_another_version_has_staged_ahead_is_made_anew(alliance: MiniAlliance) -> None:
    assert staged_ahead(alliance) == 2
    with alliance.database.office() as session:
        session.run(f"DROP TABLE {chunks.note_of(PERIOD)}")
        session.run(
            "CREATE UNLOGGED TABLE staging.legs_202611_chunks (number integer, made boolean)"
        )
        session.run("INSERT INTO staging.legs_202611_chunks VALUES (0, true)")
        session.run("UPDATE staging.legs_202611 SET fee_minor = fee_minor + 1")
    assert staged_ahead(alliance) == 2
    must_be_whole(alliance, netted(alliance))


def test_what_a_crash_of_the_server_has_emptied_is_made_anew(alliance: MiniAlliance) -> None:
    assert staged_ahead(alliance) == 2
    with alliance.database.office() as session:
        names = ", ".join(
            f"staging.{name}"
            for (name,) in session.rows(
                "SELECT relname FROM pg_class WHERE relnamespace = 'staging'::regnamespace AND relkind = 'r'"
            )
        )
        session.run(f"TRUNCATE {names}")
    must_be_whole(alliance, netted(alliance))


def test_only_open_months_are_staged_ahead(alliance: MiniAlliance) -> None:
    assert stage_ahead(alliance.context) == PERIOD
    alliance.clock.pass_to(cut_off(PERIOD, 3, "Asia/Shanghai"))
    close(alliance.context, PERIOD)
    assert stage_ahead(alliance.context) is None
    settle(alliance.context, PERIOD)
    assert stage_ahead(alliance.context) is None
    # Who found it open, and was late.
    with alliance.database.office() as session:
        assert staging.ahead(session, PERIOD, "Asia/Shanghai", chunks.LAST) is None
    assert tables(alliance) == {}


def test_what_came_within_the_hour_is_left(
    alliance: MiniAlliance, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(when, "_SETTLED", SETTLED)
    assert stage_ahead(alliance.context) is None
    later = replace(
        alliance.context,
        new_id=lambda period: transaction_id(period, time.time_ns() // 1_000_000 + 3_700_000, 0),
    )
    assert stage_ahead(later) == PERIOD


def test_each_month_has_chunks_of_its_own(alliance: MiniAlliance) -> None:
    """November's last chunk is held up, and December goes on; what is staged of one is not of the other."""
    for day in range(1, 8):
        alliance.accept("spend", "CLD-GZ", f"D{day}", "T1", f"2026-12-{day:02}", amount=1_000)
    live(alliance, range(14, 16))
    for period in (PERIOD, PERIOD + 1):
        with alliance.database.office() as session:
            assert staging.ahead(session, period, "Asia/Shanghai", chunks.LAST) == 0
    with ThreadPoolExecutor(1) as pool, alliance.database.office() as held:
        staging.stage(held, PERIOD, 0, wait=True)
        pool.submit(when._make, alliance.context, PERIOD + 1, 0, wait=True).result(60)
    assert staged_ahead(alliance) == 3
    with alliance.database.office() as session:
        counted = [chunks.legs_staged(session, period) for period in (PERIOD, PERIOD + 1)]
    assert [len(each) for each in counted] == [3, 1]
    must_be_whole(alliance, netted(alliance))


def test_a_month_is_staged_in_the_time_zone_of_its_own_last_day(alliance: MiniAlliance) -> None:
    rules = {
        **RULEBOOK,
        "version": "v2",
        "effective_from": "2026-11-10",
        "timezone": "Asia/Singapore",
    }
    alliance.add({}, rules)
    alliance.clock.pass_to(datetime(2026, 11, 15, tzinfo=UTC))
    assert staged_ahead(alliance) == 2
    with alliance.database.office() as session:
        assert {chunk.timezone for chunk in chunks.known(session, PERIOD)} == {"Asia/Singapore"}
    before = tables(alliance)
    must_be_whole(alliance, netted(alliance))
    assert tables(alliance).items() >= before.items()


def test_one_stages_ahead_at_a_time_and_others_leave_it_to_that_one(alliance: MiniAlliance) -> None:
    with alliance.database.office() as session:
        assert runs.hold_ahead(session)
        assert stage_ahead(alliance.context) is None
    assert stage_ahead(alliance.context) == PERIOD


def test_a_server_that_ends_idle_transactions_ends_none_of_it(
    alliance: MiniAlliance, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What says that we are the only one does nothing while a chunk is made."""
    with alliance.database.office() as session:
        (name,) = session.row("SELECT current_database()") or ("",)
    with closing(psycopg2.connect(database_url.replace("+psycopg2", ""))) as owner:
        owner.autocommit = True
        with owner.cursor() as cursor:
            cursor.execute(
                f"ALTER DATABASE \"{name}\" SET idle_in_transaction_session_timeout = '100ms'"
            )

    def slowly(context: Context, period: int, chunk: int, *, wait: bool) -> None:
        time.sleep(0.3)
        make(context, period, chunk, wait=wait)

    make = when._make
    monkeypatch.setattr(when, "_make", slowly)
    with closing(Database(database_url)) as database:
        assert stage_ahead(replace(alliance.context, database=database)) == PERIOD


def test_who_stages_ahead_may_find_it_published_meanwhile(
    alliance: MiniAlliance, monkeypatch: pytest.MonkeyPatch
) -> None:
    def published_first(context: Context, period: int, chunk: int, *, wait: bool) -> None:
        monkeypatch.setattr(when, "_make", make)
        alliance.clock.pass_to(cut_off(PERIOD, 3, "Asia/Shanghai"))
        settle(context, period)
        make(context, period, chunk, wait=wait)

    make = when._make
    monkeypatch.setattr(when, "_make", published_first)
    assert stage_ahead(alliance.context) is None
    assert tables(alliance) == {}


def test_what_is_only_staged_ahead_is_no_month(alliance: MiniAlliance) -> None:
    assert staged_ahead(alliance) == 2
    with pytest.raises(StagedAnew), alliance.database.office() as session:
        staging.hold(session, PERIOD)


def test_workers_stage_ahead_at_night(alliance: MiniAlliance) -> None:
    """That is from four to six in the alliance's time zone, eight hours before."""
    for hour, minute, made in ((19, 59, False), (22, 0, False), (20, 0, True), (21, 59, True)):
        at = datetime(2026, 11, 14, hour, minute, tzinfo=UTC)
        context = replace(alliance.context, clock=lambda at=at: at)
        assert (stage_ahead(context, at_night=True) is not None) is made, at


def test_the_command_stages_what_it_can(alliance: MiniAlliance, tmp_path: Path) -> None:
    settings = Settings(tmp_path, database_url=alliance.database.owner_url, master_key=bytes(32))
    said = [CliRunner().invoke(stage_open_months, [], obj=settings) for _ in range(2)]
    assert [each.exit_code for each in said] == [0, 0]
    assert said[0].output == "2026-11: 已提前暂存 2 个分块 · chunks staged ahead: 2\n"
    assert said[1].output.startswith("没有可提前暂存的清算明细")
    must_be_whole(alliance, netted(alliance))
