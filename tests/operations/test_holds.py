"""Authorisations: lots are reserved, captured once, voided or left to expire; nothing is cleared until capture."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from clearinghouse.domain.deciding import Accepted, Held, Outcome, Refused, Repeated
from clearinghouse.domain.errors import NotFound
from clearinghouse.domain.holds import Hold, HoldState
from clearinghouse.operations.authorizing import authorization, sweep, void
from clearinghouse.operations.context import Context
from clearinghouse.operations.party import Party
from clearinghouse.operations.prove import prove
from tests.alliances import RULEBOOK, MiniAlliance
from tests.founding import founding

HOUR = {**RULEBOOK, "hold_minutes": 60}

founded = founding(rulebook=HOUR)


@pytest.fixture
def alliance(founded: object, context: Context, tmp_path: Path) -> Iterator[MiniAlliance]:
    """T1 has 1,000 points of AUR-SH and 500 of BAM-HZ; whatever happens, the books are sound at the end."""
    made = MiniAlliance(context, tmp_path, rulebook=HOUR)
    made.accept("award", "AUR-SH", "A1", "T1", "2026-10-01", points=1_000)
    made.accept("award", "BAM-HZ", "A2", "T1", "2026-11-01", points=500)
    yield made
    assert [proof.name_en for proof in prove(made.context) if not proof.holds] == []


def held(outcome: Outcome) -> Hold:
    assert isinstance(outcome, Held), outcome
    return outcome.hold


def code(outcome: Outcome) -> str:
    assert isinstance(outcome, Refused), outcome
    return outcome.code.value


def lots(alliance: MiniAlliance) -> list[tuple[int, int]]:
    """Remaining and held of every lot, in the order of acceptance."""
    return alliance.rows("SELECT remaining, held FROM lots ORDER BY number")


def let_go(alliance: MiniAlliance, hold: Hold) -> object:
    with alliance.database.posting() as session:
        return void(alliance.context, session, hold)


def test_a_hold_reserves_exact_lots_and_clears_nothing(alliance: MiniAlliance) -> None:
    hold = held(alliance.hold("redeem", "CLD-GZ", "H1", "T1", "2026-11-02", points=1_200))
    assert [part for _, part in hold.parts] == [1_000, 200]
    assert lots(alliance) == [(1_000, 1_000), (500, 200)]
    assert alliance.value("SELECT count(*) FROM legs") == 0
    again = alliance.post("redeem", "CLD-GZ", "R1", "T1", "2026-11-02", points=301)
    assert code(again) == "insufficient_points"
    alliance.accept("redeem", "CLD-GZ", "R2", "T1", "2026-11-02", points=300)


@pytest.mark.parametrize(
    ("amount", "remaining"), [(1_200, [0, 300]), (1_100, [0, 400]), (400, [600, 500])]
)
def test_a_capture_uses_what_is_held_in_order_and_frees_the_rest(
    alliance: MiniAlliance, amount: int, remaining: list[int]
) -> None:
    hold = alliance.hold("redeem", "CLD-GZ", "H1", "T1", "2026-11-02", points=1_200)
    captured = alliance.capture(hold, "C1", "2026-11-02", amount)
    assert isinstance(captured, Accepted)
    assert sum(leg.points or 0 for leg in captured.txn.legs) == amount
    assert lots(alliance) == [(each, 0) for each in remaining]
    assert code(alliance.capture(hold, "C2", "2026-11-02", 1)) == "hold_already_captured"


def test_the_same_again_is_the_same_hold_and_the_same_capture(alliance: MiniAlliance) -> None:
    first = held(alliance.hold("redeem", "CLD-GZ", "H1", "T1", "2026-11-02", points=100))
    again = alliance.hold("redeem", "CLD-GZ", "H1", "T1", "2026-11-02", points=100)
    assert isinstance(again, Held)
    assert (again.repeated, again.hold.auth_id) == (True, first.auth_id)
    other = alliance.hold("redeem", "CLD-GZ", "H1", "T1", "2026-11-02", points=101)
    assert code(other) == "txn_ref_reused"
    captured = alliance.capture(first.auth_id, "H1", "2026-11-02", 100)
    assert isinstance(captured, Accepted)
    assert alliance.capture(first.auth_id, "H1", "2026-11-02", 100) == Repeated(captured.txn.txn_id)
    assert sum(held for _, held in lots(alliance)) == 0


def test_a_reference_of_a_transaction_is_taken(alliance: MiniAlliance) -> None:
    assert (
        code(alliance.hold("redeem", "BAM-HZ", "A2", "T1", "2026-11-02", points=1))
        == "txn_ref_reused"
    )
    hold = alliance.hold("redeem", "BAM-HZ", "H1", "T1", "2026-11-02", points=1)
    assert code(alliance.capture(hold, "A2", "2026-11-02", 1)) == "txn_ref_reused"


def test_no_more_than_is_held(alliance: MiniAlliance) -> None:
    hold = alliance.hold("redeem", "CLD-GZ", "H1", "T1", "2026-11-02", points=100)
    assert code(alliance.capture(hold, "C1", "2026-11-02", 101)) == "exceeds_hold"
    assert code(alliance.capture(hold, "C1", "2026-11-02", 0)) == "amount_not_positive"
    assert isinstance(alliance.capture(hold, "C1", "2026-11-02", 100), Accepted)


def test_what_is_voided_is_free_and_stays_voided(alliance: MiniAlliance) -> None:
    hold = held(alliance.hold("redeem", "CLD-GZ", "H1", "T1", "2026-11-02", points=1_500))
    for _ in range(2):
        freed = let_go(alliance, hold)
        assert isinstance(freed, Hold)
        assert freed.state is HoldState.VOIDED
    assert lots(alliance) == [(1_000, 0), (500, 0)]
    assert code(alliance.capture(hold.auth_id, "C1", "2026-11-02", 1)) == "hold_already_voided"
    kinds = alliance.rows(
        "SELECT kind FROM outbox WHERE kind LIKE 'authorization.%' ORDER BY number"
    )
    assert kinds == [("authorization.voided",)]


def test_a_hold_whose_time_is_over_counts_for_nothing_before_anybody_sweeps(
    alliance: MiniAlliance,
) -> None:
    hold = held(alliance.hold("redeem", "CLD-GZ", "H1", "T1", "2026-11-02", points=1_500))
    alliance.clock.pass_to(hold.expires_at)
    assert code(alliance.capture(hold.auth_id, "C1", "2026-11-02", 1)) == "hold_expired"
    alliance.accept("redeem", "BAM-HZ", "R1", "T1", "2026-11-02", points=1_500)
    assert alliance.value("SELECT state FROM authorizations") == "expired"


def test_another_traveller_or_kind_is_not_disturbed_by_what_is_over(alliance: MiniAlliance) -> None:
    hold = held(alliance.hold("redeem", "CLD-GZ", "H1", "T1", "2026-11-02", points=1_500))
    alliance.clock.pass_to(hold.expires_at)
    alliance.accept("spend", "CLD-GZ", "S1", "T1", "2026-11-02", amount=100)
    assert (
        code(alliance.hold("redeem", "CLD-GZ", "H1", "T2", "2026-11-02", points=1))
        == "txn_ref_reused"
    )
    assert sweep(alliance.context) == 1
    assert lots(alliance)[:2] == [(1_000, 0), (500, 0)]
    assert sweep(alliance.context) == 0


def test_held_points_outlive_their_last_day_and_expire_when_they_are_let_go(
    alliance: MiniAlliance,
) -> None:
    rulebook = {**HOUR, "version": "v2", "effective_from": "2027-10-01", "hold_minutes": 100_000}
    alliance.add({}, rulebook)
    hold = alliance.hold("redeem", "CLD-GZ", "H1", "T1", "2027-10-31", points=1_000)
    alliance.settle("2026-10")
    for month in ("2026-11", "2026-12", *(f"2027-{n:02}" for n in range(1, 11))):
        alliance.settle(month)
    assert lots(alliance) == [(1_000, 1_000), (500, 0)]
    captured = alliance.capture(hold, "C1", "2027-11-04", 400)
    assert isinstance(captured, Accepted)
    # The rest is free, and too late for any use: it goes with the next closing.
    assert (
        code(alliance.post("redeem", "CLD-GZ", "R1", "T1", "2027-10-31", points=501))
        == "insufficient_points"
    )
    alliance.settle("2027-11")
    assert lots(alliance)[0] == (0, 0)
    assert alliance.value("SELECT expired FROM lots ORDER BY number LIMIT 1") == 600


def test_closing_lets_go_of_what_is_over_so_that_it_expires(alliance: MiniAlliance) -> None:
    for month in ("2026-10", "2026-11", "2026-12", *(f"2027-{n:02}" for n in range(1, 10))):
        alliance.settle(month)
    alliance.hold("redeem", "CLD-GZ", "H1", "T1", "2027-10-31", points=1_000)
    alliance.settle("2027-10")
    assert lots(alliance)[0] == (0, 0)


def test_stored_value_is_held_too(alliance: MiniAlliance) -> None:
    alliance.accept("load", "AUR-BJ", "L1", "T1", "2026-11-02", amount=100_000)
    hold = alliance.hold("stored_value_spend", "BAM-HZ", "H1", "T1", "2026-11-02", amount=60_000)
    refund = alliance.post(
        "refund", "AUR-BJ", "L2", "T1", "2026-11-02", amount=40_001, original="L1"
    )
    assert code(refund) == "insufficient_stored_value"
    captured = alliance.capture(hold, "H1", "2026-11-02", 30_050)
    assert isinstance(captured, Accepted)
    assert captured.txn.legs[0].fee_minor == 150


@pytest.mark.parametrize("kind", ["spend", "award", "load", "refund", "gift"])
def test_only_a_use_can_be_held(alliance: MiniAlliance, kind: str) -> None:
    outcome = alliance.hold(kind, "AUR-BJ", "H1", "T1", "2026-11-02", points=1, amount=1)
    assert code(outcome) == "kind_unknown"


def test_two_captures_at_once_use_it_once(alliance: MiniAlliance) -> None:
    hold = held(alliance.hold("redeem", "CLD-GZ", "H1", "T1", "2026-11-02", points=1_000))
    with ThreadPoolExecutor(4) as pool:
        outcomes = list(
            pool.map(lambda n: alliance.capture(hold.auth_id, f"C{n}", "2026-11-02", 300), range(4))
        )
    assert sum(isinstance(outcome, Accepted) for outcome in outcomes) == 1
    assert sum(remaining for remaining, _ in lots(alliance)) == 1_200


def test_only_its_own_system_sees_it(alliance: MiniAlliance) -> None:
    hold = held(alliance.hold("redeem", "CLD-GZ", "H1", "T1", "2026-11-02", points=1))
    own, other = (
        Party(
            1,
            alliance.value("SELECT number FROM systems WHERE code = %s", system),
            None,
            frozenset(),
        )
        for system in ("CLD", "AUR")
    )
    assert authorization(alliance.context, own, hold.auth_id)[0].state is HoldState.HELD
    alliance.clock.pass_to(datetime(2026, 11, 2, 12, tzinfo=UTC) + timedelta(hours=2))
    assert authorization(alliance.context, own, hold.auth_id)[0].state is HoldState.EXPIRED
    with pytest.raises(NotFound):
        authorization(alliance.context, other, hold.auth_id)
