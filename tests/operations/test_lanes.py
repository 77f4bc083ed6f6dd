"""Lanes share neither traveller nor reference, so that posting them side by side is posting them in order."""

from collections.abc import Sequence
from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clearinghouse.domain.transactions import Line
from clearinghouse.domain.treatment import Card
from clearinghouse.operations.lanes import split_into_lanes

#: Cards by number; the last two are one traveller's.
CARDS = {
    number: Card(number=n, traveller=min(n, 5), issuer_hotel=1, tiers=())
    for n, number in enumerate("ABCDEF", start=1)
}
UNKNOWN = "XYZ"

#: Card, reference, and the reference that it refunds, each line at one hotel.
Told = tuple[str, str, str]


def lines(told: Sequence[Told], hotel: str = "h") -> list[Line]:
    """Lines of which only card and references matter."""
    moment = datetime(2026, 11, 1, tzinfo=UTC)
    return [
        Line(n, hotel, ref, original or None, "spend", card, date(2026, 11, 1), moment, 1, None)
        for n, (card, ref, original) in enumerate(told, start=2)
    ]


def owner(line: Line) -> object:
    """Whose line it is; an unknown card is a traveller of its own."""
    card = CARDS.get(line.card_number)
    return card.traveller if card else line.card_number


_told = st.lists(
    st.tuples(
        st.sampled_from([*CARDS, *UNKNOWN]),
        st.sampled_from("0123456789"),
        st.one_of(st.just(""), st.sampled_from("0123456789")),
    ),
    max_size=30,
)


@given(_told, st.integers(1, 4))
def test_lanes_share_nothing_and_lose_nothing(told: list[Told], lanes: int) -> None:
    stated = lines(told)
    cut = split_into_lanes(stated, CARDS, lanes)
    assert len(cut) == lanes
    assert sorted(line.line_no for lane in cut for line in lane) == [
        line.line_no for line in stated
    ]
    for lane in cut:
        assert lane == sorted(lane, key=lambda line: line.line_no), "in the order of the file"
    owners = [{owner(line) for line in lane} for lane in cut]
    named = [
        {ref for line in lane for ref in (line.txn_ref, line.original_txn_ref) if ref}
        for lane in cut
    ]
    for shared in (owners, named):
        assert sum(map(len, shared)) == len(set().union(*shared))


@given(_told, st.integers(1, 4))
def test_the_same_lines_are_cut_the_same_way(told: list[Told], lanes: int) -> None:
    first = split_into_lanes(lines(told), CARDS, lanes)
    again = split_into_lanes(lines(told), dict(reversed(CARDS.items())), lanes)
    assert [[line.line_no for line in lane] for lane in first] == [
        [line.line_no for line in lane] for lane in again
    ]


@pytest.mark.parametrize(
    ("told", "together"),
    [
        ([("A", "1", ""), ("B", "1", "")], True),  # the same reference of two travellers
        ([("A", "1", ""), ("B", "2", "1")], True),  # one refunds what another has stated
        ([("A", "1", ""), ("B", "2", "")], False),
        ([("E", "1", ""), ("F", "2", "")], True),  # two cards of one traveller
        ([("A", "1", ""), ("X", "1", "")], True),  # also where a card is unknown
    ],
)
def test_who_goes_together(told: list[Told], together: bool) -> None:
    cut = split_into_lanes(lines(told), CARDS, 2)
    assert ([] in cut) is together


def test_references_of_different_hotels_are_different() -> None:
    stated = [*lines([("A", "1", "")], "h"), *lines([("B", "1", "")], "i")]
    assert [] not in split_into_lanes(stated, CARDS, 2)


def test_many_travellers_are_spread_over_all_lanes() -> None:
    many = {str(n): Card(number=n, traveller=n, issuer_hotel=1, tiers=()) for n in range(1, 3_001)}
    cut = split_into_lanes(lines([(card, f"r{card}", "") for card in many]), many, 3)
    assert [len(lane) for lane in cut] == [1_000, 1_000, 1_000]
