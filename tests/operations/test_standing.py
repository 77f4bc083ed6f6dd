"""A member is suspended, reinstated, or leaves: what it may still do, and what its points are good for (§2, §4)."""

from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from clearinghouse.domain.calendar import cut_off, parse_period
from clearinghouse.domain.deciding import Accepted, Held, Outcome, Refused
from clearinghouse.domain.errors import NotFound, OperatorRefused
from clearinghouse.operations.changing import Authority
from clearinghouse.operations.close import close
from clearinghouse.operations.collateral import post_collateral, release_collateral
from clearinghouse.operations.context import Context
from clearinghouse.operations.prove import prove
from clearinghouse.operations.standing_changes import end_run_off, reinstate, suspend, withdraw
from settlement.netting import net_period
from tests.alliances import MiniAlliance
from tests.settlement.years import TWO


@pytest.fixture
def alliance(context: Context, tmp_path: Path) -> Iterator[MiniAlliance]:
    """T1 has 2,000 points of AUR and 500 of BAM; points last two years and a run-off one month."""
    rulebook = {"points_expiry_months": 24, "run_off_months": 1, "points_pending_days": 0}
    made = MiniAlliance(context, tmp_path, rulebook=rulebook)
    made.accept("award", "AUR-BJ", "A1", "T1", "2026-10-01", points=2_000)
    made.accept("award", "BAM-HZ", "A2", "T1", "2026-10-02", points=500)
    yield made
    assert [proof.detail for proof in prove(made.context) if not proof.holds] == []


def code(outcome: Outcome) -> str:
    assert isinstance(outcome, Refused), outcome
    return outcome.code.value


def test_suspended_for_a_time(alliance: MiniAlliance) -> None:
    held = alliance.hold("redeem", "CLD-GZ", "H1", "T1", "2026-10-03", points=300)
    assert isinstance(held, Held)
    suspend(alliance.context, "AUR", TWO)
    post = alliance.post
    # Others draw on BAM alone; AUR's hotels host only what AUR issued.
    assert code(post("redeem", "CLD-GZ", "1", "T1", "2026-10-03", points=501)) == (
        "net_debit_cap_exceeded"
    )
    assert code(post("redeem", "CLD-GZ", "1", "T1", "2026-10-03", points=2_300)) == (
        "insufficient_points"
    )
    alliance.accept("redeem", "CLD-GZ", "1", "T1", "2026-10-03", points=400)
    assert (
        code(post("redeem", "AUR-SH", "2", "T1", "2026-10-03", points=1_750)) == "hotel_not_active"
    )
    alliance.accept("redeem", "AUR-SH", "2", "T1", "2026-10-03", points=1_000)
    assert (
        code(post("spend", "AUR-SH", "3", "T2", "2026-10-03", amount=5_000)) == "hotel_not_active"
    )
    alliance.accept("spend", "AUR-SH", "3", "T1", "2026-10-03", amount=5_000)
    alliance.accept("award", "AUR-SH", "4", "T2", "2026-10-03", points=5)
    # What was held before is captured: its host has relied on it. Refunds go on.
    captured = alliance.capture(held, "C1", "2026-10-04", 300)
    assert isinstance(captured, Accepted)
    alliance.accept("refund", "CLD-GZ", "5", "T1", "2026-10-04", points=100, original="C1")
    with pytest.raises(OperatorRefused, match="suspended already"):
        suspend(alliance.context, "AUR", TWO)

    reinstate(alliance.context, "AUR", TWO)
    alliance.accept("redeem", "CLD-GZ", "6", "T1", "2026-10-05", points=600)
    with pytest.raises(OperatorRefused, match="not suspended"):
        reinstate(alliance.context, "AUR", TWO)
    actions = alliance.rows(
        "SELECT action, details ->> 'approved_by' FROM audit_log ORDER BY number"
    )
    assert actions == [("system.suspend", "王芳"), ("system.reinstate", "王芳")]


def test_a_leaving_members_points_stay_good_and_end(alliance: MiniAlliance) -> None:
    context = alliance.context
    day = date(2026, 10, 20)
    alliance.accept("load", "AUR-BJ", "L1", "T1", "2026-10-03", amount=1_000)
    with pytest.raises(OperatorRefused, match=r"posted 0\.00 yuan.*may cost 30\.00"):
        withdraw(context, "AUR", day, TWO)
    post_collateral(context, "AUR", 3_000, "custody 1", TWO)
    leaving = withdraw(context, "AUR", day, TWO)
    assert (leaving.run_off_until, leaving.worth_minor) == (date(2026, 11, 30), 3_000)
    with pytest.raises(OperatorRefused, match="leaving already"):
        withdraw(context, "AUR", day, TWO)

    # Until the day it is a member; from it on it issues nothing and hosts nobody else's.
    alliance.accept("spend", "AUR-SH", "1", "T2", "2026-10-19", amount=5_000)
    for kind, stated in (
        ("spend", {"amount": 5_000}),
        ("load", {"amount": 1}),
        ("award", {"points": 1}),
    ):
        refused = alliance.post(kind, "AUR-SH", "2", "T1", "2026-10-20", **stated)
        assert code(refused) == "hotel_not_active", kind
    assert code(alliance.post("redeem", "AUR-SH", "3", "T1", "2026-10-20", points=2_100)) == (
        "hotel_not_active"
    )
    alliance.accept("redeem", "AUR-SH", "3", "T1", "2026-10-20", points=100)
    alliance.accept("redeem", "CLD-GZ", "4", "T1", "2026-10-21", points=700)
    alliance.settle("2026-10")
    alliance.accept("redeem", "CLD-GZ", "5", "T1", "2026-11-30", points=500)
    with pytest.raises(OperatorRefused, match="lasts until 2026-11-30"):
        end_run_off(context, "AUR", TWO)
    with pytest.raises(OperatorRefused, match="can be given back"):
        release_collateral(context, "AUR", 3_000, "custody 2", TWO)

    # After the run-off they are good nowhere, and end as breakage of their issuer.
    assert code(alliance.post("redeem", "CLD-GZ", "6", "T1", "2026-12-01", points=501)) == (
        "insufficient_points"
    )
    ended = end_run_off(context, "AUR", TWO)
    assert (ended.points, ended.left.points, ended.left.stored_value_minor) == (750, 0, 1_000)
    assert end_run_off(context, "AUR", TWO).points == 0
    alliance.clock.pass_to(cut_off(parse_period("2026-11"), 3, "Asia/Shanghai"))
    for month in ("2026-11", "2026-12"):
        alliance.clock.pass_to(cut_off(parse_period(month), 3, "Asia/Shanghai"))
        close(context, parse_period(month))
        net_period(context, parse_period(month))
    liability = alliance.rows(
        "SELECT sum(expired)::int, sum(closing) FILTER (WHERE l.period = %s)::int FROM points_liability l"
        " JOIN hotels h ON h.number = l.hotel WHERE h.code LIKE 'AUR-%%'",
        parse_period("2026-12"),
    )
    assert liability == [(750, 0)]


def test_without_enough_collateral_points_are_good_as_far_as_it_reaches(
    alliance: MiniAlliance,
) -> None:
    post_collateral(alliance.context, "AUR", 300, "custody 1", TWO)
    withdraw(alliance.context, "AUR", date(2026, 10, 20), TWO, uncovered=True)
    alliance.clock.pass_to(datetime(2026, 10, 20, tzinfo=UTC))
    alliance.accept("redeem", "CLD-GZ", "1", "T1", "2026-10-20", points=300)
    last = alliance.accept("redeem", "CLD-GZ", "2", "T1", "2026-10-20", points=500)
    bam = alliance.value("SELECT number FROM hotels WHERE code = 'BAM-HZ'")
    assert [leg.issuer_hotel for leg in last.txn.legs] == [bam]


def test_who_may_leave_when_and_by_whose_word(alliance: MiniAlliance) -> None:
    context = alliance.context
    with pytest.raises(NotFound):
        suspend(context, "DUN", TWO)
    with pytest.raises(OperatorRefused, match="second person"):
        suspend(context, "AUR", Authority("李明", "alone"))
    with pytest.raises(OperatorRefused, match="somebody else"):
        withdraw(context, "AUR", date(2026, 10, 20), Authority("李明", "alone", "李 明"[::2]))
    with pytest.raises(OperatorRefused, match="that day is over"):
        withdraw(context, "AUR", date(2026, 10, 1), TWO)
    with pytest.raises(OperatorRefused, match="has not left"):
        end_run_off(context, "AUR", TWO)
    assert alliance.value("SELECT count(*) FROM standings") == 0
