"""Limits, the waterfall and the way back: exact to the fen, and nobody bears more than it was to receive."""

from hypothesis import given
from hypothesis import strategies as st

from clearinghouse.domain.clearing import Leg
from clearinghouse.domain.limits import Limits, most_within
from clearinghouse.domain.standing import Standing, Step, standing_after
from clearinghouse.domain.waterfall import Recovery, recovery, split, taken_back, waterfall

AUR, BAM, CLD = 1, 2, 3
amounts = st.integers(0, 10**12)
weights = st.dictionaries(st.integers(1, 60), st.integers(1, 10**12), max_size=60)


def leg(issuer: int, host: int, obligation: int, fee: int) -> Leg:
    return Leg(1, "redeem", 1, issuer, host, 1, None, obligation, obligation, fee)


def test_a_limit_is_reached_and_not_passed() -> None:
    limits = Limits({AUR: 1_000}, {AUR: 400, BAM: 10**9})
    assert limits.passed({AUR: 600, BAM: 10**9}) == set()
    assert limits.passed({AUR: 601}) == {AUR}
    limits.count([leg(AUR, BAM, 600, 12)])
    assert limits.passed({AUR: 1}) == {AUR}
    assert limits.added == {AUR: 600}


def test_what_a_system_is_to_receive_comes_before_its_limit() -> None:
    limits = Limits({AUR: 0}, {AUR: -500})
    assert limits.passed({AUR: 500}) == set()
    assert limits.passed({AUR: 501}) == {AUR}
    limits.count([leg(BAM, AUR, 100, 3), leg(CLD, CLD, 999, 0)])
    assert limits.added == {AUR: -97}


def test_beyond_its_limit_not_even_nothing_is_drawn() -> None:
    assert Limits({AUR: 100}, {AUR: 101}).passed({AUR: 0}) == {AUR}


@given(total=st.integers(0, 5_000), limit=st.integers(-5, 5_005))
def test_the_most_that_is_possible(total: int, limit: int) -> None:
    assert most_within(total, lambda amount: amount <= limit) == max(min(total, limit), 0)


@given(amount=amounts, shares=weights)
def test_shares_sum_to_the_amount_and_stay_near_their_part(
    amount: int, shares: dict[int, int]
) -> None:
    total = sum(shares.values())
    found = split(amount, shares)
    assert sum(found.values()) == (amount if shares else 0)
    for key, weight in shares.items():
        exact = amount * weight
        assert abs(found.get(key, 0) * total - exact) < total
        if amount <= total:
            assert found.get(key, 0) <= weight


def test_equal_remainders_go_to_the_lower_number() -> None:
    assert split(100, {CLD: 1, AUR: 1, BAM: 1}) == {AUR: 34, BAM: 33, CLD: 33}
    assert split(1, {CLD: 5, BAM: 5}) == {BAM: 1}


@given(unpaid=amounts, collateral=amounts, fund=amounts, creditors=weights, paid=amounts)
def test_every_fen_is_borne_once_and_comes_back_in_the_reverse_order(
    unpaid: int, collateral: int, fund: int, creditors: dict[int, int], paid: int
) -> None:
    loss = waterfall(unpaid, collateral, fund, creditors)
    parts = (loss.collateral_minor, loss.fund_minor, loss.haircut_minor, loss.borne_minor)
    assert sum(parts) == unpaid
    assert min(parts) >= 0
    assert loss.fund_minor == 0 or loss.collateral_minor == collateral
    assert loss.haircut_minor == 0 or loss.fund_minor == fund
    assert loss.borne_minor == 0 or dict(loss.haircuts) == creditors
    paid = min(paid, unpaid - loss.collateral_minor)
    back = recovery(paid, loss.haircuts, loss.fund_minor, loss.borne_minor)
    assert sum(back.claims.values()) + back.fund_minor + back.kept_minor == paid
    assert back.fund_minor == 0 or dict(back.claims) == dict(loss.haircuts)
    assert back.kept_minor == 0 or back.fund_minor == loss.fund_minor


@given(claims=weights, fund=amounts, kept=amounts, returned=amounts, left=amounts)
def test_what_is_gone_again_is_taken_back_from_the_last_first_and_nobody_gives_more_than_it_got(
    claims: dict[int, int], fund: int, kept: int, returned: int, left: int
) -> None:
    handed_on = Recovery(claims, fund, kept)
    back = taken_back(returned, handed_on, left)
    in_fund = min(fund, left)
    assert -back.paid_minor == min(returned, handed_on.paid_minor - fund + in_fund)
    assert 0 <= -back.kept_minor <= kept
    assert 0 <= -back.fund_minor <= in_fund
    assert back.fund_minor == 0 or -back.kept_minor == kept
    assert not back.claims or (-back.fund_minor, -back.kept_minor) == (in_fund, kept)
    assert all(0 < -amount <= claims[system] for system, amount in back.claims.items())


def test_a_standing_is_what_was_recorded_last() -> None:
    suspended = [(Step.SUSPENDED, None, None)]
    assert standing_after(suspended) == Standing(suspended=True)
    assert standing_after([*suspended, (Step.REINSTATED, None, None)]).is_plain
