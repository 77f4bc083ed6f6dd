"""PostgreSQL makes the lines of statements: those that Python makes leg by leg, and only if they sum."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime
from io import BytesIO
from itertools import pairwise
from pathlib import Path
from zoneinfo import ZoneInfo

import psycopg2
import pytest

from clearinghouse.domain.calendar import cut_off, parse_period
from clearinghouse.domain.errors import BooksDoNotBalance, DatabaseUnavailable, PeriodNotReady
from clearinghouse.operations.close import close
from clearinghouse.operations.context import Context
from clearinghouse.store import chunks, staging, statement_lines
from clearinghouse.store.staged_legs import field, moment
from clearinghouse.store.statement_lines import Wanted
from settlement.files import party_statement
from settlement.frozen_run import FrozenRun, read_run
from settlement.netting import net_period
from settlement.recounted_lines import RecountedLines
from settlement.run import settle
from settlement.statements import csv_format, json_format
from settlement.statements.statement import Statement
from tests.alliances import MiniAlliance
from tests.settlement.lives import spend_daily
from tests.waiting import wait_until

PERIOD = parse_period("2026-11")
RENDERERS = (csv_format.render, json_format.render)
#: Fractions of a second that a hotel may state; the last two end in zeros.
FRACTIONS = (0, 1, 123_456, 500_000, 120)
#: References that a CSV, a JSON text or a spreadsheet has to be careful with.
REFERENCES = ('a,"b"', "=1+1", " c ", "旅客-1", "\\d", "e;f'g", "\\.", "%s {0}")
#: References that no pack or call can bring; a database could hold them all the same.
BREAKING = ("a\nb", "c\rd", "\x01", 'e\x02"f', "g\r\n,")


@pytest.fixture
def alliance(founded: object, context: Context, tmp_path: Path) -> MiniAlliance:
    """November of domain.md §6 with odd references and moments; nothing is closed."""
    alliance = MiniAlliance(context, tmp_path)
    home = ZoneInfo("Asia/Shanghai")
    for day, ref in enumerate(REFERENCES, start=1):
        moment = datetime(2026, 11, day, 9, 30, 0, FRACTIONS[day % len(FRACTIONS)], home)
        alliance.accept(
            "spend", "BAM-HZ", ref, "T1", moment.date(), amount=88_888, occurred_at=moment
        )
    alliance.accept("redeem", "CLD-GZ", "R1", "T1", "2026-11-20", points=2_000)
    alliance.accept("redeem", "BAM-HZ", "R2", "T1", "2026-11-20", points=500)
    alliance.accept("refund", "CLD-GZ", "R3", "T1", "2026-11-21", points=300, original="R1")
    return alliance


def netted(alliance: MiniAlliance) -> FrozenRun:
    alliance.clock.pass_to(cut_off(PERIOD, 3, "Asia/Shanghai"))
    close(alliance.context, PERIOD)
    net_period(alliance.context, PERIOD)
    return read_run(alliance.context, PERIOD)


def written(render: Callable[[Statement, BytesIO], None], statement: Statement) -> bytes:
    out = BytesIO()
    render(statement, out)
    return out.getvalue()


def staged(alliance: MiniAlliance) -> list[str]:
    tables = alliance.rows("SELECT relname FROM pg_class WHERE relnamespace = 'staging'::regnamespace"
                           " AND relkind = 'r'")  # fmt: skip
    return [name for (name,) in tables]


def test_lines_are_those_made_leg_by_leg(alliance: MiniAlliance) -> None:
    run = netted(alliance)
    for system in (*run.positions, None):
        statement = party_statement(alliance.context, run, system)
        again = replace(statement, lines=RecountedLines(alliance.context, run, system))
        assert list(statement.lines) == list(again.lines)
        for render in RENDERERS:
            assert written(render, statement) == written(render, again)


@pytest.fixture
def by_few(monkeypatch: pytest.MonkeyPatch) -> None:
    """A month is staged in chunks of a few legs."""
    monkeypatch.setattr(staging, "_LEAST_LEGS", 1)
    monkeypatch.setattr(staging, "_MOST_LEGS", 3)


@pytest.mark.usefixtures("by_few")
def test_lines_of_many_chunks_are_those_made_leg_by_leg(alliance: MiniAlliance) -> None:
    spend_daily(alliance, "2026-11")
    run = netted(alliance)
    for system in (*run.positions, None):
        statement = party_statement(alliance.context, run, system)
        again = replace(statement, lines=RecountedLines(alliance.context, run, system))
        for render in RENDERERS:
            assert written(render, statement) == written(render, again)
    assert len([name for name in staged(alliance) if name.endswith("_owed")]) > 3


def test_lines_are_not_read_while_they_are_staged(alliance: MiniAlliance) -> None:
    run = netted(alliance)
    wanted = Wanted(PERIOD, None, "ST-1", 1)
    for begun in (False, True):
        if begun:
            with alliance.database.office() as session:
                staging.begin(session, PERIOD, "Asia/Shanghai")
        with (
            pytest.raises(DatabaseUnavailable, match="staged anew"),
            alliance.database.office() as session,
        ):
            statement_lines.sums(session, wanted)
    assert list(party_statement(alliance.context, run, None).lines)
    with alliance.database.office() as session:
        assert statement_lines.sums(session, wanted).lines > 1


def test_staged_legs_stay_as_long_as_somebody_reads_them(alliance: MiniAlliance) -> None:
    run = netted(alliance)
    expected = written(csv_format.render, party_statement(alliance.context, run, None))
    dropped = threading.Event()

    def drop() -> None:
        with alliance.database.office() as session:
            staging.discard(session, PERIOD)
        dropped.set()

    dropping = threading.Thread(target=drop)
    with alliance.database.office() as reading:
        staging.hold(reading, PERIOD)
        dropping.start()
        wait_until(lambda: waiting_for_lock(alliance) == 1)
        out = BytesIO()
        statement_lines.copy_csv(reading, Wanted(PERIOD, None, "ST-202611-OPERATOR-1", 0), out)
        assert not dropped.is_set()
    dropping.join(60)
    assert dropped.is_set()
    assert expected.endswith(out.getvalue())
    assert staged(alliance) == []


def test_a_published_month_is_not_staged_again(alliance: MiniAlliance) -> None:
    netted(alliance)
    settle(alliance.context, PERIOD)
    with pytest.raises(PeriodNotReady, match="2026-11"), alliance.database.office() as session:
        staging.begin(session, PERIOD, "Asia/Shanghai")
    assert staged(alliance) == []


def test_who_waited_while_they_went_away_is_told_so(alliance: MiniAlliance) -> None:
    run = netted(alliance)
    assert list(party_statement(alliance.context, run, None).lines)
    with alliance.database.office() as waiting, ThreadPoolExecutor(1) as pool:
        # From now on this connection remembers what it found, until it next begins or opens a table.
        waiting.row(f"SELECT to_regclass('{chunks.note_of(PERIOD)}')")
        with alliance.database.office() as dropping:
            staging.discard(dropping, PERIOD)
            held = pool.submit(staging.hold, waiting, PERIOD)
            wait_until(lambda: waiting_for_lock(alliance) == 1)
        with pytest.raises(DatabaseUnavailable, match="staged anew"):
            held.result(60)


def test_rows_lie_host_by_host_whatever_the_planner_knows(alliance: MiniAlliance) -> None:
    """Nobody has counted a table here, as nobody ever counts a small one."""
    for day in range(1, 21):
        for host in ("AUR-SH", "BAM-HZ", "CLD-GZ"):
            alliance.accept("spend", host, f"{host}{day}", "T1", f"2026-11-{day:02}", amount=5_000)
    run = netted(alliance)
    assert list(party_statement(alliance.context, run, None).lines)
    rows = alliance.rows(
        "SELECT host_system, business_date FROM staging.legs_202611_chunk_0 ORDER BY ctid"
    )
    assert len(rows) > 60
    # A row may fill what room an earlier page has left.
    assert sum(after < before for before, after in pairwise(rows)) < 3


def waiting_for_lock(alliance: MiniAlliance) -> int:
    found = alliance.rows(
        "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
        " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
    )
    return int(found[0][0])


def test_what_another_version_staged_is_made_anew(alliance: MiniAlliance) -> None:
    run = netted(alliance)
    expected = written(csv_format.render, party_statement(alliance.context, run, None))
    with alliance.database.office() as session:
        session.run("CREATE UNLOGGED TABLE staging.legs_202611_0 (old integer)")
        session.run(f"ALTER TABLE {chunks.note_of(PERIOD)} RENAME TO legs_202611_chunks")
        session.run("UPDATE staging.legs_202611 SET fee_minor = fee_minor + 1")
    assert written(csv_format.render, party_statement(alliance.context, run, None)) == expected
    assert "legs_202611_0" not in staged(alliance)


def test_references_that_copy_would_break_are_quoted_all_the_same(alliance: MiniAlliance) -> None:
    for day, ref in enumerate(BREAKING, start=1):
        alliance.accept("spend", "BAM-HZ", ref, "T1", f"2026-11-{day:02}", amount=5_000)
    run = netted(alliance)
    for system in (*run.positions, None):
        statement = party_statement(alliance.context, run, system)
        again = replace(statement, lines=RecountedLines(alliance.context, run, system))
        assert list(statement.lines) == list(again.lines)
        for render in RENDERERS:
            assert written(render, statement) == written(render, again)


def test_a_field_is_quoted_as_copy_does(context: Context) -> None:
    texts = [*REFERENCES, *BREAKING, '"', ",", "", "\x7f", "\t", "'", "é,é", '\\"']
    with context.database.office() as session, session.cursor() as cursor:
        for text in texts:
            cursor.execute(f"SELECT {field('x')} FROM (VALUES (%s)) AS one (x)", [text])
            made = cursor.fetchone()
            copied = BytesIO()
            select = cursor.mogrify("COPY (SELECT 1, %s::text) TO STDOUT (FORMAT csv)", [text])
            cursor.copy_expert(select.decode(), copied)
            assert made == (copied.getvalue().decode()[2:-1],)


def test_a_moment_is_written_as_python_does(context: Context) -> None:
    moments = [
        datetime(2026, month, 3, 23, 59, 59, fraction, UTC)
        for month in (1, 7)
        for fraction in (*FRACTIONS, 999_999, 10, 100_000)
    ]
    zones = ("Asia/Shanghai", "UTC", "America/St_Johns", "Asia/Kathmandu", "Pacific/Chatham")
    with context.database.office() as session:
        for zone in zones:
            session.row("SELECT set_config('TimeZone', %s, true)", [zone])
            rows = session.rows(
                f"SELECT {moment('at')} FROM unnest(%s::timestamptz[]) AS at", [moments]
            )
            assert [text for (text,) in rows] == [
                at.astimezone(ZoneInfo(zone)).isoformat() for at in moments
            ]


def test_lines_that_were_lost_with_the_server_are_made_anew(alliance: MiniAlliance) -> None:
    run = netted(alliance)
    before = written(csv_format.render, party_statement(alliance.context, run, None))
    with alliance.database.office() as session:
        # As a server that ended badly leaves an unlogged table.
        session.run(f"TRUNCATE {', '.join(f'staging.{name}' for name in staged(alliance))}")
    assert written(csv_format.render, party_statement(alliance.context, run, None)) == before


@pytest.mark.parametrize(
    "deed", ["UPDATE legs SET fee_minor = fee_minor + 1 WHERE fee_minor > 0", "DELETE FROM legs"]
)
def test_lines_that_do_not_sum_are_not_published(alliance: MiniAlliance, deed: str) -> None:
    run = netted(alliance)
    url = alliance.database.owner_url.replace("+psycopg2", "")
    with closing(psycopg2.connect(url)) as connection, connection, connection.cursor() as cursor:
        cursor.execute("ALTER TABLE legs DISABLE TRIGGER USER")
        cursor.execute(deed)
    with pytest.raises(BooksDoNotBalance):
        written(csv_format.render, party_statement(alliance.context, run, None))
    with pytest.raises(BooksDoNotBalance):
        settle(alliance.context, PERIOD)


def test_a_leg_that_lacks_what_a_line_says_is_not_published(alliance: MiniAlliance) -> None:
    """Its sums are right: only its text would be empty."""
    run = netted(alliance)
    url = alliance.database.owner_url.replace("+psycopg2", "")
    with closing(psycopg2.connect(url)) as connection, connection, connection.cursor() as cursor:
        cursor.execute("ALTER TABLE rulebooks DISABLE TRIGGER USER")
        cursor.execute("UPDATE rulebooks SET document = document #- '{fees,redeem,rate_ppm}'")
    with pytest.raises(BooksDoNotBalance):
        written(csv_format.render, party_statement(alliance.context, run, None))


def test_nothing_is_left_in_the_staging_schema(alliance: MiniAlliance) -> None:
    run = netted(alliance)
    list(party_statement(alliance.context, run, None).lines)
    assert "legs_202611_chunk_0" in staged(alliance)
    settle(alliance.context, PERIOD)
    assert staged(alliance) == []
