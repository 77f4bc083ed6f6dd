"""Two who close and net one month, each without knowing of the other: what is frozen is all that was posted to it."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from clearinghouse.domain.calendar import cut_off, parse_period
from clearinghouse.domain.deciding import Held
from clearinghouse.domain.netting import Measure
from clearinghouse.operations.authorizing import void
from clearinghouse.operations.close import close
from clearinghouse.operations.context import Context
from clearinghouse.operations.prove import prove
from clearinghouse.store import closing, rollups
from clearinghouse.store.breakage import Ending
from clearinghouse.store.database import Session
from settlement.netting import net_period
from tests.alliances import MiniAlliance
from tests.founding import founding
from tests.waiting import wait_until

OCTOBER = parse_period("2026-10")
CUT_OFF = cut_off(OCTOBER, 3, "Asia/Shanghai")
RULES = {"points_expiry_months": 0, "hold_minutes": 20_000}

founded = founding(rulebook=RULES)


@pytest.fixture
def alliance(founded: object, context: Context, tmp_path: Path) -> MiniAlliance:
    """Some days before the cut-off of October, with which the points of two travellers end."""
    alliance = MiniAlliance(context, tmp_path, rulebook=RULES)
    for card in ("T1", "T2"):
        alliance.accept("award", "AUR-BJ", f"A{card}", card, "2026-10-03", points=100)
    return alliance


def failed(alliance: MiniAlliance) -> list[str]:
    """The invariants that do not hold."""
    return [proof.name_en for proof in prove(alliance.context) if not proof.holds]


def test_nothing_ends_with_a_month_that_somebody_else_has_netted(
    alliance: MiniAlliance, monkeypatch: pytest.MonkeyPatch
) -> None:
    held = alliance.hold("redeem", "CLD-GZ", "H", "T2", "2026-10-30", points=40)
    assert isinstance(held, Held)
    alliance.clock.pass_to(CUT_OFF)
    due = closing.due

    def netted_meanwhile(session: Session, period: int) -> Iterator[Ending]:
        endings = list(due(session, period))
        monkeypatch.setattr(closing, "due", due)
        close(alliance.context, OCTOBER)
        net_period(alliance.context, OCTOBER)
        with alliance.database.posting() as posting:
            void(alliance.context, posting, held.hold)
        yield from endings

    monkeypatch.setattr(closing, "due", netted_meanwhile)
    close(alliance.context, OCTOBER)
    lots = "SELECT remaining, held, expired FROM lots ORDER BY remaining"
    assert alliance.rows(lots) == [(0, 0, 100), (40, 0, 60)]
    assert alliance.value("SELECT sum(expired) FROM points_liability") == 160
    # What was let go behind the closing goes with the next one, and nothing is wrong until then.
    assert failed(alliance) == []
    alliance.settle("2026-10")
    alliance.settle("2026-11")
    assert alliance.rows(lots) == [(0, 0, 100)] * 2
    assert failed(alliance) == []


def test_netting_waits_for_what_is_being_ended_and_is_done_once(alliance: MiniAlliance) -> None:
    alliance.clock.pass_to(CUT_OFF)
    close(alliance.context, OCTOBER)
    with alliance.database.office() as session:
        rollups.fold(session)
    waiting = "SELECT count(*) FROM pg_stat_activity WHERE %s = ANY (pg_blocking_pids(pid))"
    with ThreadPoolExecutor(2) as pool:
        with alliance.database.posting() as session:
            assert closing.is_closing(session, OCTOBER)
            mine = session.row("SELECT pg_backend_pid()")
            assert mine is not None
            netting = [pool.submit(net_period, alliance.context, OCTOBER) for _ in range(2)]
            wait_until(lambda: alliance.value(waiting, *mine) > 0)
            # What the transaction then posts is in the figures.
            session.run(
                "INSERT INTO rollup_increments SELECT period, measure, debtor, creditor, 1, 7 FROM rollups"
                " WHERE measure = %s",
                [Measure.POINTS_EXPIRED],
            )
        for each in netting:
            each.result(timeout=60)
    assert alliance.value("SELECT sum(expired) FROM points_liability") == 207
    with alliance.database.posting() as session:
        assert not closing.is_closing(session, OCTOBER)
        assert not closing.hold_to_net(session, OCTOBER)
