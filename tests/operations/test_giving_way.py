"""Work behind the tills: who else writes is seen, and rests are as long as what was done."""

import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest

from clearinghouse.domain.calendar import cut_off, parse_period
from clearinghouse.domain.netting import FEE_MEASURES
from clearinghouse.operations import giving_way
from clearinghouse.operations.close import close
from clearinghouse.operations.context import Context
from clearinghouse.operations.giving_way import Others, Pace
from clearinghouse.store import rollups
from clearinghouse.store.database import Session
from settlement import netting
from settlement.netting import net_period
from tests.alliances import MiniAlliance

OCTOBER = parse_period("2026-10")


class Time:
    """A clock that goes on by itself only while somebody sleeps, and the rests that it saw."""

    def __init__(self) -> None:
        self.now = 100.0
        self.rests: list[float] = []

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.rests.append(round(seconds, 3))
        self.now += seconds


@pytest.fixture
def time(monkeypatch: pytest.MonkeyPatch) -> Time:
    time = Time()
    monkeypatch.setattr(giving_way, "time", time)
    monkeypatch.setattr(giving_way, "_TIMES", 3)
    return time


@pytest.fixture
def alliance(founded: object, context: Context, tmp_path: Path) -> MiniAlliance:
    return MiniAlliance(context, tmp_path)


def written(monkeypatch: pytest.MonkeyPatch, ended: Iterator[int]) -> None:
    """Let so many writing transactions have ended at each look: the server is not ours alone."""
    monkeypatch.setattr(giving_way, "writes_ended", lambda _session: next(ended))


def looked(context: Context, time: Time, others: Others, seconds: float) -> bool:
    """Whether others write, when looked at so much later."""
    time.now += seconds
    with context.database.posting() as session:
        others.look(session)
    return others.write


def test_others_write_until_none_has_for_a_while(
    context: Context, time: Time, monkeypatch: pytest.MonkeyPatch
) -> None:
    written(monkeypatch, iter((70, 70, 70, 71, 71, 71)))
    others = Others()
    assert others.write
    assert [looked(context, time, others, 0.06) for _ in range(6)] == [
        *(True, True, False),
        *(True, True, False),
    ]


def test_what_we_write_is_nobody_elses(
    context: Context, time: Time, monkeypatch: pytest.MonkeyPatch
) -> None:
    others = Others()
    written(monkeypatch, iter((70, 70, 71, 72, 73, 75)))
    assert looked(context, time, others, 0)
    assert not looked(context, time, others, 1)
    for _ in range(3):
        others.count_ours()
        assert not looked(context, time, others, 1)
    others.count_ours()
    assert looked(context, time, others, 1)


def test_who_has_just_looked_does_not_ask_again(
    context: Context, time: Time, monkeypatch: pytest.MonkeyPatch
) -> None:
    written(monkeypatch, iter((70,)))
    others = Others()
    for _ in range(3):
        looked(context, time, others, 0.005)


def test_a_rest_is_three_times_the_work_since_the_last(
    context: Context, time: Time, monkeypatch: pytest.MonkeyPatch
) -> None:
    written(monkeypatch, itertools.count())
    pace = Pace(Others())
    for seconds in (0.005, 0.01, 5.0):
        time.now += seconds
        with context.database.posting() as session:
            pace.rest(session)
    assert time.rests == [0.015, 0.03, 0.2]


def test_with_nobody_else_about_there_is_no_rest(
    context: Context, time: Time, monkeypatch: pytest.MonkeyPatch
) -> None:
    written(monkeypatch, itertools.repeat(70))
    others = Others()
    looked(context, time, others, 0)
    looked(context, time, others, 1)
    pace = Pace(others)
    time.now += 5
    with context.database.posting() as session:
        pace.rest(session)
    assert time.rests == []


def test_others_may_have_written_since_the_last_look(
    context: Context, time: Time, monkeypatch: pytest.MonkeyPatch
) -> None:
    written(monkeypatch, itertools.repeat(70))
    others = Others()
    looked(context, time, others, 0)
    assert not looked(context, time, others, 1)
    time.now += 1
    assert others.write


def test_a_look_that_takes_long_tells_of_the_moment_it_ends(
    context: Context, time: Time, monkeypatch: pytest.MonkeyPatch
) -> None:
    def slowly(_session: Session) -> int:
        time.now += 1
        return int(time.now)

    monkeypatch.setattr(giving_way, "writes_ended", slowly)
    assert looked(context, time, Others(), 0)


def test_who_writes_to_a_server_that_was_put_in_place_of_another_is_seen(
    context: Context, time: Time, monkeypatch: pytest.MonkeyPatch
) -> None:
    written(monkeypatch, iter((7_000, 7_000, 50, 50, 51)))
    others = Others()
    assert [looked(context, time, others, 1) for _ in range(5)] == [True, False, True, False, True]


@pytest.mark.parametrize("others_write", [True, False])
def test_netting_folds_in_pieces_while_others_write_and_all_of_it_anyway(
    alliance: MiniAlliance, monkeypatch: pytest.MonkeyPatch, *, others_write: bool
) -> None:
    for number in range(12):
        card = ("T1", "T2")[number % 2]
        alliance.accept("spend", "BAM-HZ", f"R{number}", card, "2026-10-03", amount=10_000 + number)
    alliance.accept("spend", "BAM-HZ", "N", "T1", "2026-11-02", amount=10_000)
    alliance.clock.pass_to(cut_off(OCTOBER, 3, "Asia/Shanghai"))
    ours: list[int] = []
    monkeypatch.setattr(Others, "count_ours", lambda _: ours.append(1))
    close(alliance.context, OCTOBER)
    current = f"SELECT * FROM {rollups.CURRENT} AS r WHERE period = {OCTOBER} ORDER BY 1, 2, 3, 4"
    before = alliance.rows(current)
    folded: list[int] = []
    rests: list[int] = []
    fold = rollups.fold

    def spied(*given: object) -> int:
        folded.append(fold(*given))
        return folded[-1]

    monkeypatch.setattr(Others, "write", others_write)
    monkeypatch.setattr(netting, "_FOLDED_EACH", 5)
    monkeypatch.setattr(rollups, "fold", spied)
    monkeypatch.setattr(Pace, "rest", lambda *_: rests.append(len(folded)))
    increments, later = alliance.rows(
        "SELECT count(*) FROM rollup_increments GROUP BY period ORDER BY period"
    )
    net_period(alliance.context, OCTOBER)
    # Ahead of the netting, and what is left of them within.
    whole, rest = divmod(increments[0], 5) if others_write else (0, increments[0])
    pieces = [*[5] * whole, rest, 0]
    assert increments[0] > 10
    assert folded == pieces
    assert sorted(set(rests)) == [*range(1, len(folded))], (
        "behind each piece, never behind the last"
    )
    assert len(ours) == 1 + len(folded), (
        "the month is marked, nothing expires, and each fold writes"
    )
    assert alliance.rows(current) == before
    assert alliance.rows("SELECT count(*) FROM rollup_increments") == [later], "of November"
    assert alliance.value("SELECT sum(fees_minor) FROM positions") == sum(
        amount for _, measure, _, _, _, amount in before if measure in FEE_MEASURES.values()
    )
