"""Transaction ids tell their period and their order; card numbers are masked."""

from uuid import RFC_4122, UUID

import pytest

from clearinghouse.domain.accounts import ASSET_OF, AccountKind, Asset, account, kind_of, owner_of
from clearinghouse.domain.calendar import parse_period
from clearinghouse.domain.identifiers import mask_card_number, period_of_id, transaction_id

NOVEMBER = parse_period("2026-11")


@pytest.mark.parametrize("month", ["2000-01", "2026-11", "2199-12", "2341-04"])
def test_the_period_can_be_told_from_the_id(month: str) -> None:
    made = transaction_id(parse_period(month), 1_795_000_000_000, (1 << 62) - 1)
    assert period_of_id(made) == parse_period(month)
    assert period_of_id(UUID(str(made))) == parse_period(month)
    assert (made.version, made.variant) == (7, RFC_4122)


@pytest.mark.parametrize("month", ["1999-12", "2341-05"])
def test_a_period_that_no_id_can_hold_is_refused(month: str) -> None:
    with pytest.raises(ValueError, match="period"):
        transaction_id(parse_period(month), 0, 0)


def test_ids_are_in_the_order_of_time_and_then_of_noise() -> None:
    made = [
        transaction_id(NOVEMBER, 1, 0),
        transaction_id(NOVEMBER, 1, 1),
        transaction_id(NOVEMBER, 1, 1 << 48),
        transaction_id(NOVEMBER, 2, 0),
    ]
    assert sorted(made) == made
    assert len(set(made)) == 4


def test_noise_and_time_beyond_their_bits_spoil_nothing() -> None:
    made = transaction_id(NOVEMBER, 1 << 50, 1 << 70)
    assert (period_of_id(made), made.version, made.variant) == (NOVEMBER, 7, RFC_4122)


def test_a_masked_card_number_shows_six_and_four_digits() -> None:
    assert mask_card_number("6277810000000013") == "627781******0013"


@pytest.mark.parametrize("kind", list(AccountKind))
@pytest.mark.parametrize("owner", [0, 1, 2**40])
def test_an_account_tells_its_kind_and_owner(kind: AccountKind, owner: int) -> None:
    number = account(kind, owner)
    assert (kind_of(number), owner_of(number)) == (kind, owner)


def test_points_and_money_never_share_an_account() -> None:
    points = {kind for kind, asset in ASSET_OF.items() if asset is Asset.POINT}
    assert points == {
        AccountKind.TRAVELLER_POINTS,
        AccountKind.TRAVELLER_DEBT,
        AccountKind.POINTS_ISSUED,
        AccountKind.POINTS_REDEEMED,
        AccountKind.POINTS_EXPIRED,
        AccountKind.POINTS_REVERSED,
        AccountKind.POINTS_DEBTS,
    }
