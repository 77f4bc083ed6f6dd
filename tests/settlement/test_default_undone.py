"""Defaults and money: a debtor with some of its own, payments that are gone again, collateral that never came."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from clearinghouse.domain.accounts import AccountKind
from clearinghouse.domain.errors import OperatorRefused
from clearinghouse.operations.collateral import post_collateral
from clearinghouse.operations.context import Context
from clearinghouse.operations.contributing import contribute
from clearinghouse.operations.defaulting import HandedOn, declare_default, recover
from clearinghouse.operations.exposure_report import exposures
from clearinghouse.operations.prove import prove
from clearinghouse.operations.standing_changes import reinstate
from tests.alliances import MiniAlliance
from tests.payments.bank import Booked
from tests.payments.desk import OCTOBER, Desk
from tests.settlement.years import TWO

AUR, BAM = "CH-202610-AUR-1", "CH-202610-BAM-1"


@pytest.fixture
def desk(context: Context, tmp_path: Path) -> Desk:
    """October's due date is over: AUR owes 300.01; BAM is to get 196.00, CLD 98.01, and we 6.00 of fees."""
    alliance = MiniAlliance(context, tmp_path, rulebook={"guarantee_fund_ppm": 10_000})
    alliance.accept("award", "AUR-BJ", "1", "T1", "2026-10-02", points=90_000)
    alliance.accept("redeem", "BAM-HZ", "2", "T1", "2026-10-03", points=20_000)
    alliance.accept("redeem", "CLD-GZ", "3", "T1", "2026-10-03", points=10_001)
    alliance.settle("2026-10")
    desk = Desk(alliance, alliance.context, tmp_path)
    desk.clock.pass_to(datetime(2026, 12, 1, 4, tzinfo=UTC))
    return desk


def hand_on(desk: Desk) -> HandedOn:
    return recover(desk.context, "AUR", OCTOBER, TWO)


def warnings(desk: Desk, code: str = "AUR") -> tuple[str, ...]:
    rows = exposures(desk.context).systems
    return next(row.warnings for row in rows if row.system_code == code)


def claims(desk: Desk) -> list[int]:
    """The claims of the fund, BAM and CLD, and what the fund has."""
    owned = [desk.balance(AccountKind.CLAIM, owner) for owner in (0, 2, 3)]
    return [*owned, desk.balance(AccountKind.GUARANTEE_FUND)]


def test_nobody_is_in_default_with_what_its_own_money_covers(desk: Desk) -> None:
    desk.bank(Booked("P1", 40_000, None, "AUR"))
    desk.match("P1", "AUR@credit")
    with pytest.raises(OperatorRefused, match=r"AUR owes nothing in all: 300\.01 .* 400\.00"):
        declare_default(desk.context, "AUR", OCTOBER, TWO)
    desk.undo("P1")
    desk.confirm("P1")
    desk.match("P1", "AUR@credit=10000")
    assert declare_default(desk.context, "AUR", OCTOBER, TWO).unpaid_minor == 20_001
    assert desk.instruction("AUR").state == "open"
    # Its credit meets the rest with the next net.
    desk.settle("2026-11")
    assert desk.instruction("AUR").confirmed_minor == 10_000
    assert desk.instruction("AUR").state == "covered"
    with pytest.raises(OperatorRefused, match="has paid nothing more"):
        hand_on(desk)
    desk.must_hold()


def test_what_a_system_is_still_to_be_paid_counts_first_too(desk: Desk) -> None:
    """BAM was cut after it was paid, and then its payment came back."""
    desk.bank(Booked("O1", -19_600, BAM, "BAM"))
    declare_default(desk.context, "AUR", OCTOBER, TWO)
    desk.bank(Booked("R1", 19_600, BAM, "BAM", reversal=True))
    desk.settle("2026-11")
    desk.settle("2026-12")
    desk.clock.pass_to(datetime(2027, 2, 20, 4, tzinfo=UTC))
    assert desk.instruction("BAM", OCTOBER + 2).direction == "in"
    with pytest.raises(OperatorRefused, match="BAM owes nothing in all"):
        declare_default(desk.context, "BAM", OCTOBER + 2, TWO)


def test_what_was_paid_of_another_default_and_is_not_handed_on_yet_is_no_credit(desk: Desk) -> None:
    desk.post("redeem", "BAM-HZ", "4", "T1", "2026-11-12", points=1_000)
    desk.settle("2026-11")
    desk.clock.pass_to(datetime(2027, 1, 20, 4, tzinfo=UTC))
    declare_default(desk.context, "AUR", OCTOBER, TWO)
    desk.bank(Booked("P1", 30_001, AUR, "AUR"))
    assert declare_default(desk.context, "AUR", OCTOBER + 1, TWO).unpaid_minor == 1_000
    assert hand_on(desk).paid_minor == 30_001
    desk.must_hold()


@pytest.mark.parametrize("way", ["returned", "undone"])
def test_what_was_handed_on_is_taken_back_when_the_money_is_gone(desk: Desk, way: str) -> None:
    contribute(desk.context, OCTOBER, TWO)
    found = declare_default(desk.context, "AUR", OCTOBER, TWO)
    assert (found.loss.fund_minor, found.loss.borne_minor) == (300, 300)
    borne = claims(desk)
    assert borne == [300, 19_600, 9_801, 0]
    desk.bank(Booked("P1", 30_001, AUR, "AUR"))
    hand_on(desk)
    reinstate(desk.context, "AUR", TWO)
    assert claims(desk) == [0, 0, 0, 300]
    if way == "returned":
        desk.bank(Booked("R1", -30_001, AUR, "AUR", reversal=True))
    else:
        desk.undo("P1")
        desk.confirm("P1")
    (hole,) = [proof.detail for proof in prove(desk.context) if not proof.holds]
    assert "30001 fen that system AUR had paid of its default on 2026-10 are gone" in hole
    back = hand_on(desk)
    assert (back.paid_minor, back.share.fund_minor, back.share.kept_minor) == (-30_001, -300, -300)
    assert back.claims == {"BAM": -19_600, "CLD": -9_801}
    assert claims(desk) == borne
    assert (desk.credit("BAM"), desk.credit("CLD")) == (0, 0)
    assert "suspended" in warnings(desk)
    with pytest.raises(OperatorRefused, match="has not paid"):
        reinstate(desk.context, "AUR", TWO)
    with pytest.raises(OperatorRefused, match="has paid nothing more"):
        hand_on(desk)
    desk.must_hold()
    pays_again(desk)


def pays_again(desk: Desk) -> None:
    """And in two parts, of which one half goes again."""
    desk.bank(Booked("P2", 29_901, AUR, "AUR"), Booked("P3", 100, AUR, "AUR"))
    assert hand_on(desk).left_minor == 0
    desk.bank(Booked("R3", -100, AUR, "AUR", reversal=True))
    assert hand_on(desk).share == ({}, 0, -100)
    desk.bank(Booked("R2", -29_901, AUR, "AUR", reversal=True))
    assert hand_on(desk).share.kept_minor == -200
    desk.bank(Booked("P4", 30_001, AUR, "AUR"))
    assert hand_on(desk).paid_minor == 30_001
    assert claims(desk) == [0, 0, 0, 300]
    reinstate(desk.context, "AUR", TWO)
    desk.settle("2026-11")
    desk.must_hold()


def test_the_waterfall_draws_no_collateral_whose_money_never_came(desk: Desk) -> None:
    post_collateral(desk.context, "AUR", 20_000, "a promise", TWO)
    assert "collateral_unbacked" in warnings(desk)
    desk.bank(Booked("C1", 5_000, None, "AUR"))
    desk.match("C1", "AUR@collateral")
    assert "collateral_unbacked" in warnings(desk)
    found = declare_default(desk.context, "AUR", OCTOBER, TWO)
    assert (found.loss.collateral_minor, found.loss.haircut_minor) == (5_000, 25_001)
    assert "collateral_unbacked" in warnings(desk)
    desk.bank(Booked("C2", 15_000, None, "AUR"))
    desk.match("C2", "AUR@collateral")
    assert "collateral_unbacked" not in warnings(desk)
    desk.must_hold()


def test_the_money_of_collateral_that_was_drawn_stays(desk: Desk) -> None:
    post_collateral(desk.context, "AUR", 20_000, "custody 1", TWO)
    desk.bank(Booked("C1", 15_000, None, "AUR"), Booked("C2", 5_000, None, "AUR"))
    desk.match("C1", "AUR@collateral")
    desk.match("C2", "AUR@collateral")
    desk.undo("C1")
    assert declare_default(desk.context, "AUR", OCTOBER, TWO).loss.collateral_minor == 20_000
    with pytest.raises(OperatorRefused, match="drawn for a default"):
        desk.confirm("C1")
    with pytest.raises(OperatorRefused, match="collateral of AUR that line 2 brought has been"):
        desk.undo("C2")
    desk.must_hold()
