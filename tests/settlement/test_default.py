"""The largest net debtor fails, returns and pays: settle, default, settle, recover, settle (domain.md §4 "Risk")."""

from pathlib import Path

import pytest

from clearinghouse.domain.calendar import parse_period
from clearinghouse.domain.deciding import Accepted, Outcome, Refused
from clearinghouse.domain.errors import OperatorRefused
from clearinghouse.operations.changing import Authority
from clearinghouse.operations.collateral import release_collateral
from clearinghouse.operations.context import Context
from clearinghouse.operations.contributing import contribute
from clearinghouse.operations.defaulting import Declared, declare_default, recover
from clearinghouse.operations.exposure_report import exposures
from clearinghouse.operations.standing_changes import reinstate
from settlement.journal import export_journal
from tests.settlement.years import CLAIM, COLLATERAL, FUND, POSITION, TWO, Year

AUR, BAM, CLD = 1, 2, 3
OCTOBER = parse_period("2026-10")


@pytest.fixture
def year(context: Context, tmp_path: Path) -> Year:
    """A tenth of what is paid in an average month goes to the guarantee fund."""
    return Year(context, tmp_path, guarantee_fund_ppm=100_000)


def code(outcome: Outcome) -> str:
    assert isinstance(outcome, Refused), outcome
    return outcome.code.value


def test_the_largest_net_debtor_fails_returns_and_pays(year: Year) -> None:
    september_as_it_should_be(year)
    october_is_not_paid(year)
    found = the_waterfall_runs(year)
    meanwhile_it_is_suspended(year)
    the_claim_is_on_the_statements(year, found)
    it_returns_and_pays(year, found)
    the_claim_is_cleared(year, found)


def september_as_it_should_be(year: Year) -> None:
    """Everybody pays, and the fund gets its first contributions."""
    do = year.alliance.accept
    do("award", "AUR-BJ", "1", "T1", "2026-09-02", points=90_000)
    do("award", "CLD-GZ", "2", "T2", "2026-09-02", points=9_000)
    do("redeem", "BAM-HZ", "3", "T1", "2026-09-03", points=20_000)
    do("redeem", "BAM-HZ", "4", "T2", "2026-09-04", points=4_000)
    year.alliance.settle("2026-09")
    year.pay("2026-09", "AUR", "CLD")
    year.pay("2026-09", "BAM")
    assert year.state("2026-09") == "settled"
    given = contribute(year.context, parse_period("2026-09"), TWO)
    assert {row.system_code: row.amount_minor for row in given} == {"AUR": 2_000, "CLD": 400}
    assert year.pledge("AUR", 5_000) == 5_000


def october_is_not_paid(year: Year) -> None:
    """AUR owes by far the most; what it contributed is collected with its net."""
    year.alliance.accept("redeem", "BAM-HZ", "5", "T1", "2026-10-06", points=30_000)
    year.alliance.accept("redeem", "CLD-GZ", "6", "T1", "2026-10-07", points=10_001)
    year.alliance.settle("2026-10")
    owed = year.statement("2026-10", "AUR")["summary"]
    assert (owed["net_minor"], owed["payments_minor"]) == (-40_001, -20_000 + 2_000)
    assert owed["closing_minor"] == -42_001
    with pytest.raises(OperatorRefused, match="not yet overdue"):
        declare_default(year.context, "AUR", OCTOBER, TWO)
    year.wait_past_due("2026-10")
    with pytest.raises(OperatorRefused, match="second person"):
        declare_default(year.context, "AUR", OCTOBER, Authority("李明", "alone"))


def the_waterfall_runs(year: Year) -> Declared:
    """Collateral, the fund, and the creditors of that run pro rata: to the fen."""
    found = declare_default(year.context, "AUR", OCTOBER, TWO)
    loss = found.loss
    assert found.unpaid_minor == 42_001
    assert (loss.collateral_minor, loss.fund_minor, loss.borne_minor) == (5_000, 2_400, 0)
    bam, cld = 29_400, 10_001 - 200 - 400
    assert sum(found.haircuts.values()) == loss.haircut_minor == 34_601
    assert found.haircuts["BAM"] == round(34_601 * bam / (bam + cld))
    cuts = {BAM: found.haircuts["BAM"], CLD: found.haircuts["CLD"]}
    assert year.balances(CLAIM) == {0: 2_400, **cuts}
    assert year.balances(FUND) == year.balances(COLLATERAL) == {}
    assert year.balances(POSITION)[AUR] == -37_001
    year.sound()
    with pytest.raises(OperatorRefused, match="in default on 2026-10 already"):
        declare_default(year.context, "AUR", OCTOBER, TWO)
    told = year.alliance.rows(
        "SELECT system, kind FROM outbox WHERE kind ~ '^(claim|system)' ORDER BY 1"
    )
    assert told == [
        (AUR, "system.suspended"), (BAM, "claim.recorded"), (CLD, "claim.recorded"),
        (None, "system.suspended"),
    ]  # fmt: skip
    return found


def meanwhile_it_is_suspended(year: Year) -> None:
    """It neither hosts others nor is drawn on elsewhere, but at home all goes on."""
    alliance = year.alliance
    assert code(alliance.post("redeem", "BAM-HZ", "7", "T1", "2026-11-20", points=100)) == (
        "net_debit_cap_exceeded"
    )
    alliance.accept("redeem", "AUR-SH", "8", "T1", "2026-11-20", points=100)
    visiting = alliance.post("spend", "AUR-SH", "9", "T2", "2026-11-20", amount=10_000)
    assert code(visiting) == "hotel_not_active"
    alliance.accept("spend", "AUR-SH", "9", "T1", "2026-11-20", amount=10_000)
    row = next(r for r in exposures(year.context).systems if r.system_code == "AUR")
    assert {"suspended", "overdue", "no_cap"} <= set(row.warnings)
    assert (row.debit_minor, row.overdue_minor, row.claims_minor) == (37_001, 37_001, 37_001)


def the_claim_is_on_the_statements(year: Year, found: Declared) -> None:
    """What is left of October is paid out, and then that month waits for nobody."""
    year.pay("2026-10", "BAM", "CLD")
    assert year.state("2026-10") == "settled"
    year.alliance.accept("redeem", "BAM-HZ", "10", "T2", "2026-11-21", points=1_000)
    year.alliance.settle("2026-11")
    for name, share in found.haircuts.items():
        told = year.statement("2026-11", name)
        assert {"kind": "haircut", "amount_minor": -share}.items() <= told["movements"][0].items()
        assert {"kind": "claim", "amount_minor": share} in told["securities"]
    assert year.statement("2026-11", "AUR")["summary"]["closing_minor"] == -37_001
    journal = b"".join(export_journal(year.context, parse_period("2026-11"))).decode()
    assert "system:BAM:claim" in journal
    assert "clearing-house:guarantee-fund" in journal
    year.sound()


def it_returns_and_pays(year: Year, found: Declared) -> None:
    """Half of it, then the rest: the creditors' claims first, then the fund's."""
    context = year.context
    with pytest.raises(OperatorRefused, match="has paid nothing more"):
        recover(context, "AUR", OCTOBER, TWO)
    with pytest.raises(OperatorRefused, match="has not paid"):
        reinstate(context, "AUR", TWO)
    year.bank([("CH-202610-AUR-1", "in", 17_301)])
    half = recover(context, "AUR", OCTOBER, TWO)
    assert sum(half.claims.values()) == half.paid_minor == 17_301
    assert half.left_minor == 19_700
    year.sound()
    year.pay("2026-10", "AUR")
    with pytest.raises(OperatorRefused, match="claims on AUR"):
        reinstate(context, "AUR", TWO)
    rest = recover(context, "AUR", OCTOBER, TWO)
    assert sum(rest.claims.values()) == 34_601 - 17_301
    assert {name: half.claims[name] + rest.claims[name] for name in rest.claims} == found.haircuts
    assert rest.share.fund_minor == 2_400
    assert (year.balances(CLAIM), year.balances(FUND)) == ({}, {0: 2_400})
    assert AUR not in year.balances(POSITION)
    reinstate(context, "AUR", TWO)
    drawn = year.alliance.post("redeem", "BAM-HZ", "11", "T1", "2026-12-29", points=100)
    assert isinstance(drawn, Accepted)


def the_claim_is_cleared(year: Year, found: Declared) -> None:
    """December's statements say so, and its payments bring the creditors what they had borne."""
    year.alliance.settle("2026-12")
    for name, share in found.haircuts.items():
        told = year.statement("2026-12", name)["movements"]
        assert sum(m["amount_minor"] for m in told if m["kind"] == "claim_payment") == share
    carried = dict(
        year.alliance.rows(
            "SELECT system, carried_minor FROM payment_instructions WHERE period = %s",
            parse_period("2026-12"),
        )
    )
    assert (carried[BAM], carried[CLD]) == (found.haircuts["BAM"], found.haircuts["CLD"])
    year.sound()
    with pytest.raises(OperatorRefused, match=r"0\.00 can be given back"):
        release_collateral(year.context, "AUR", 1, "custody 2", TWO)


def test_who_was_paid_already_gives_its_share_back_with_the_next_payment(year: Year) -> None:
    september_as_it_should_be(year)
    october_is_not_paid(year)
    year.pay("2026-10", "BAM")
    found = declare_default(year.context, "AUR", OCTOBER, TWO)
    assert year.balances(POSITION)[BAM] == -found.haircuts["BAM"]
    year.alliance.settle("2026-11")
    owed = year.alliance.rows(
        "SELECT direction, amount_minor FROM payment_instructions WHERE period = %s AND system = %s",
        parse_period("2026-11"),
        BAM,
    )
    assert owed == [("in", found.haircuts["BAM"])]
    year.sound()


def test_contributions_are_asked_for_once_and_topped_up(year: Year) -> None:
    context = year.context
    september_as_it_should_be(year)
    with pytest.raises(OperatorRefused, match="posted already"):
        contribute(context, parse_period("2026-09"), TWO)
    with pytest.raises(OperatorRefused, match="not published"):
        contribute(context, OCTOBER, TWO)
    october_is_not_paid(year)
    more = contribute(context, OCTOBER, TWO)
    # AUR paid 20,000 and 40,001 on average 30,001: a tenth is 3,000. CLD's average has gone down.
    assert [(row.system_code, row.average_minor, row.amount_minor) for row in more] == [
        ("AUR", 30_001, 1_000)
    ]
    year.sound()


def test_a_month_of_fees_alone_has_no_creditors_and_we_bear_it(year: Year) -> None:
    year.alliance.accept("spend", "BAM-HZ", "1", "T1", "2026-10-06", amount=100_000)
    year.alliance.settle("2026-10")
    year.wait_past_due("2026-10")
    found = declare_default(year.context, "BAM", OCTOBER, TWO)
    assert (found.unpaid_minor, found.loss.borne_minor, found.haircuts) == (1_000, 1_000, {})
    year.pay("2026-10", "BAM")
    handed = recover(year.context, "BAM", OCTOBER, TWO)
    assert (handed.paid_minor, handed.share.kept_minor, handed.left_minor) == (1_000, 1_000, 0)
    year.sound()


def test_two_debtors_of_one_run_take_no_more_than_there_was(year: Year) -> None:
    do = year.alliance.accept
    do("award", "AUR-BJ", "1", "T1", "2026-09-02", points=90_000)
    do("award", "CLD-GZ", "2", "T2", "2026-09-02", points=9_000)
    do("redeem", "BAM-HZ", "3", "T1", "2026-09-03", points=20_000)
    do("redeem", "BAM-HZ", "4", "T2", "2026-09-04", points=4_000)
    year.alliance.settle("2026-09")
    year.wait_past_due("2026-09")
    september = parse_period("2026-09")
    first = declare_default(year.context, "AUR", september, TWO)
    second = declare_default(year.context, "CLD", september, TWO)
    assert (first.haircuts, first.loss.borne_minor) == ({"BAM": 20_000}, 0)
    # BAM was to get 24,000 less its fee of 480.
    assert (second.haircuts, second.loss.borne_minor) == ({"BAM": 3_520}, 480)
    assert year.state("2026-09") == "settled"
    assert BAM not in year.balances(POSITION)
    year.pay("2026-09", "AUR", "CLD")
    for name, share in (("AUR", 20_000), ("CLD", 3_520)):
        assert recover(year.context, name, september, TWO).claims == {"BAM": share}
    assert year.balances(CLAIM) == {}
    year.sound()
