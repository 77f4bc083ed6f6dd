"""What the calendar says is due: one month at a time, in order, once its cut-off has passed."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from clearinghouse.domain.calendar import format_period, parse_period
from clearinghouse.domain.errors import PeriodNotReady
from clearinghouse.operations.close import close
from clearinghouse.operations.context import Context
from clearinghouse.store import imports, runs
from settlement.run import go_on, settle, standing
from settlement.schedule import period_due
from tests.alliances import MiniAlliance

OCTOBER, NOVEMBER = parse_period("2026-10"), parse_period("2026-11")
#: Three days after the end of October in Shanghai.
CUT_OFF = datetime(2026, 11, 3, 16, tzinfo=UTC)


@pytest.fixture
def alliance(founded: object, context: Context, tmp_path: Path) -> MiniAlliance:
    made = MiniAlliance(context, tmp_path)
    made.accept("spend", "BAM-HZ", "1", "T1", "2026-10-03", amount=88_888)
    made.accept("spend", "BAM-HZ", "2", "T1", "2026-11-01", amount=10_000)
    return made


def due(alliance: MiniAlliance) -> str | None:
    period = period_due(alliance.context)
    return None if period is None else format_period(period)


def test_a_month_is_due_at_its_cut_off_and_not_before(alliance: MiniAlliance) -> None:
    alliance.clock.now = CUT_OFF - timedelta(minutes=1)
    assert due(alliance) is None
    alliance.clock.now = CUT_OFF
    assert due(alliance) == "2026-10"


def test_a_month_without_a_line_is_due_like_any_other_and_the_next_one_behind_it(
    alliance: MiniAlliance,
) -> None:
    """Points expire with it, and every system gets its statement."""
    alliance.clock.now = datetime(2027, 2, 1, tzinfo=UTC)
    months = []
    while (period := period_due(alliance.context)) is not None:
        months.append(format_period(period))
        settle(alliance.context, period)
    assert months == ["2026-10", "2026-11", "2026-12"]


def test_what_is_under_way_is_due_before_what_comes_next(alliance: MiniAlliance) -> None:
    alliance.clock.now = datetime(2026, 12, 10, tzinfo=UTC)
    close(alliance.context, OCTOBER)
    assert due(alliance) == "2026-10"
    close(alliance.context, NOVEMBER)
    assert due(alliance) == "2026-10"
    with pytest.raises(PeriodNotReady, match="2026-10 is being settled and not published yet"):
        settle(alliance.context, NOVEMBER)
    for month in (OCTOBER, NOVEMBER):
        settle(alliance.context, month)
    assert due(alliance) is None


def test_while_an_import_runs_no_month_is_closed_by_the_calendar(alliance: MiniAlliance) -> None:
    alliance.clock.now = CUT_OFF
    with alliance.database.office() as session:
        imports.hold_lock(session)
        assert due(alliance) is None
    assert due(alliance) == "2026-10"


def test_a_run_that_failed_rests_a_minute_and_says_why(alliance: MiniAlliance) -> None:
    alliance.clock.now = CUT_OFF
    with alliance.database.office() as session:
        runs.record_failure(session, OCTOBER, alliance.clock(), "it does not balance")
    assert due(alliance) is None
    assert standing(alliance.context, OCTOBER)[1].sentence == "it does not balance"
    alliance.clock.now = CUT_OFF + timedelta(minutes=2)
    assert due(alliance) == "2026-10"


def test_one_takes_the_run_further_and_another_leaves_it_alone(alliance: MiniAlliance) -> None:
    alliance.clock.now = CUT_OFF
    with alliance.database.office() as session:
        assert runs.hold_run(session, wait=False)
        assert go_on(alliance.context, OCTOBER, wait=False) == []
        assert standing(alliance.context, OCTOBER)[0].state == "open"
    missing = go_on(alliance.context, OCTOBER, wait=False)
    assert missing[0] is None
    assert len(missing) == 4
