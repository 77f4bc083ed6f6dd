"""Netting: published cases, VAT, and roll-ups that count what transactions add (domain.md §4, §6)."""

from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clearinghouse.domain.accounts import AccountKind, account
from clearinghouse.domain.adjustments import Adjusted
from clearinghouse.domain.netting import Increments, Measure, Obligations, add_points, net

#: Each "debtor>creditor amount", and the nets that must come out.
CASES = [
    pytest.param(
        "A>B 25, A>C 7, B>A 17, B>C 9, C>A 11, C>B 14", "A -4, B 13, C -9", id="Banco de México"
    ),
    pytest.param(
        "A>B 1000000, B>C 500000, C>A 750000, A>D 300000, D>B 200000, B>A 100000",
        "A -450000, B 600000, C -250000, D 100000",
        id="four systems, gross 2,850,000",
    ),
    pytest.param("A>B 10, B>C 20, C>A 50", "A 40, B -10, C -30", id="a ring with shared legs"),
    pytest.param("A>B 6, B>A 4", "A -2, B 2", id="two systems"),
    pytest.param("A>B 30050, A>C 1200, B>C 800, C>A 600", "A -30650, B 29250, C 1400", id="§6"),
    pytest.param("A>B 5, B>A 5", "A 0, B 0", id="even"),
    pytest.param("A>B -40, B>A 10", "A 50, B -50", id="a refund of another period's redemption"),
    pytest.param("A>B 7", "A -7, B 7, C 0", id="who does nothing nets to nothing"),
]


def pairs(text: str) -> list[Obligations]:
    """Read obligations; the systems are numbered by their letters."""
    found = []
    for part in text.split(", "):
        who, amount = part.split()
        debtor, creditor = who.split(">")
        found.append(Obligations(ord(debtor), ord(creditor), "redeem", 1, int(amount)))
    return found


@pytest.mark.parametrize(("owed", "nets"), CASES)
def test_published_netting_cases(owed: str, nets: str) -> None:
    expected = {ord(who): int(amount) for who, amount in (n.split() for n in nets.split(", "))}
    rows = net(expected, pairs(owed), {}, vat_ppm=60_000, fees_include_vat=True)
    assert {row.system: row.net_minor for row in rows} == expected
    assert sum(row.net_minor for row in rows) == 0


def test_the_order_of_obligations_does_not_matter() -> None:
    owed = pairs("A>B 25, A>C 7, B>A 17, B>C 9")
    results = {
        tuple(net([65, 66, 67], order, {}, vat_ppm=0, fees_include_vat=True))
        for order in permutations(owed)
    }
    assert len(results) == 1


def test_positions_come_in_the_order_of_the_systems() -> None:
    rows = net([67, 65, 66], pairs("A>B 1"), {}, vat_ppm=0, fees_include_vat=True)
    assert [row.system for row in rows] == [67, 65, 66]


@pytest.mark.parametrize(
    ("included", "fees", "vat", "net_minor"),
    [
        (True, 1_039, 59, 28_211),  # BAM in §6
        (False, 1_039, 62, 28_149),  # on top: the net is lower by it
        (False, 0, 0, 29_250),
        (True, -100, -6, 29_350),
        (False, -100, -6, 29_356),
    ],
)
def test_fees_and_vat_lower_the_net(included: bool, fees: int, vat: int, net_minor: int) -> None:
    owed = pairs("A>B 30050, B>C 800")
    (row,) = net([66], owed, {66: fees}, vat_ppm=60_000, fees_include_vat=included)
    assert (row.receivable_minor, row.payable_minor) == (30_050, 800)
    assert (row.fees_minor, row.vat_minor, row.net_minor) == (fees, vat, net_minor)


def test_adjustments_add_to_the_net() -> None:
    (row,) = net(
        [65],
        pairs("B>A 10"),
        {65: 1},
        vat_ppm=0,
        fees_include_vat=True,
        adjusted={65: Adjusted(-4)},
    )
    assert (row.adjustments_minor, row.net_minor) == (-4, 5)


_SYSTEMS = st.integers(1, 6)


@given(
    st.lists(
        st.builds(Obligations, _SYSTEMS, _SYSTEMS, st.just("redeem"), st.just(1), st.integers())
    ),
    st.dictionaries(_SYSTEMS, st.integers(-(10**6), 10**6)),
    st.integers(0, 1_000_000),
    st.booleans(),
)
def test_nets_fees_and_vat_on_top_sum_to_nothing(
    owed: list[Obligations], fees: dict[int, int], vat_ppm: int, included: bool
) -> None:
    rows = net(range(1, 7), owed, fees, vat_ppm=vat_ppm, fees_include_vat=included)
    vat_on_top = 0 if included else sum(row.vat_minor for row in rows)
    assert sum(row.net_minor + row.fees_minor for row in rows) + vat_on_top == 0


@pytest.mark.parametrize(
    ("kind", "credit", "measure", "counted"),
    [
        (AccountKind.POINTS_ISSUED, -100, Measure.POINTS_ISSUED, 100),
        (AccountKind.POINTS_REDEEMED, 40, Measure.POINTS_REDEEMED, 40),
        (AccountKind.POINTS_EXPIRED, 30, Measure.POINTS_EXPIRED, 30),
        (AccountKind.POINTS_REVERSED, 20, Measure.POINTS_REVERSED, -20),  # taken back
        (AccountKind.POINTS_REVERSED, -20, Measure.POINTS_REVERSED, 20),  # returned
        (AccountKind.POINTS_DEBTS, 5, Measure.POINTS_DEBTS, 5),
    ],
)
def test_points_are_counted_by_hotel(
    kind: AccountKind, credit: int, measure: Measure, counted: int
) -> None:
    sums: Increments = {}
    add_points(sums, 24_322, {account(kind, 9): (1, credit)})
    assert sums == {(24_322, measure, 9, 0): (1, counted)}
    add_points(sums, 24_322, {account(kind, 9): (1, credit)})
    assert sums == {(24_322, measure, 9, 0): (2, 2 * counted)}


def test_other_accounts_are_not_counted_as_a_hotels_points() -> None:
    sums: Increments = {}
    for kind in (
        AccountKind.TRAVELLER_POINTS,
        AccountKind.POSITION,
        AccountKind.STORED_VALUE_ISSUED,
    ):
        add_points(sums, 24_322, {account(kind, 9): (1, 1)})
    assert sums == {}
