"""Whatever the bank says in whatever order, and whoever matches what: not a fen is lost or counted twice."""

from dataclasses import dataclass, field
from itertools import count
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from clearinghouse.domain.matching import Item, Items, Money, Part, references
from clearinghouse.domain.payments import Direction, reference_of, transfer

PERIOD = 24321
CODES = ("AUR", "BAM", "A-1", "A", "é")
ACCOUNTS = {number: f"62220{number}" for number in range(len(CODES))}
AMOUNTS = st.integers(1, 50)


@st.composite
def lines(draw: st.DrawFn) -> Money:
    system, period = draw(st.integers(0, len(CODES) - 1)), PERIOD + draw(st.integers(0, 2))
    named = draw(st.booleans())
    reference = reference_of(period, CODES[system], 1) if named else None
    quoted = draw(st.sampled_from(("{}", "ref {}.", "({})", "{}-THANKS")))
    return Money(
        draw(st.booleans()),
        draw(st.sampled_from((False, False, True))),
        draw(AMOUNTS),
        None,
        quoted.format(reference) if reference else "",
        draw(st.sampled_from((ACCOUNTS[system], "9999", None))),
    )


@dataclass
class Paper:
    """What the books must come to, by a pencil: outstanding of each instruction, and each system's account."""

    outstanding: dict[tuple[int, int], int]
    position: dict[int, int] = field(default_factory=dict)


def instructed(amounts: list[int]) -> tuple[list[Item], Paper]:
    items, paper, at = [], Paper({}), count()
    for period in (PERIOD, PERIOD + 1):
        for system, code in enumerate(CODES):
            amount = amounts[next(at)]
            way = Direction.IN if (system + period) % 2 else Direction.OUT
            items.append(Item(period, system, way, reference_of(period, code, 1), amount, 0))
            paper.outstanding[period, system] = amount
            signed = -amount if way is Direction.IN else amount
            paper.position[system] = paper.position.get(system, 0) + signed
    return items, paper


@settings(max_examples=300, deadline=None)
@given(
    st.lists(AMOUNTS, min_size=2 * len(CODES), max_size=2 * len(CODES)),
    st.lists(lines(), max_size=12),
)
def test_matching_conserves(amounts: list[int], told: list[Money]) -> None:
    items, paper = instructed(amounts)
    book = Items(items, ACCOUNTS.items())
    credit = dict.fromkeys(ACCOUNTS, 0)
    for money in told:
        match = book.match(money)
        assert sum(part.amount_minor for part in match.parts) in (0, money.amount_minor)
        assert all(part.amount_minor > 0 for part in match.parts)
        if match.automatic:
            assert len({part.system for part in match.parts}) == 1
            owner = match.parts[0].system
            own = money.counterparty_account == ACCOUNTS[owner]
            assert money.reversal or own
            # Nothing of ours that is too much goes without a person.
            assert money.incoming or all(part.period for part in match.parts)
            book.take(money, match.parts)
            for part in match.parts:
                signed = part.amount_minor if money.incoming else -part.amount_minor
                paper.position[part.system] += signed
                if part.period is None:
                    credit[part.system] += signed
    for system, position in paper.position.items():
        open_items = [item for item in items if item.system == system]
        assert all(item.outstanding_minor >= 0 for item in open_items)
        assert all(
            item.outstanding_minor + item.paid_minor == paper.outstanding[item.period, system]
            for item in open_items
        )
        owed = sum(
            -item.outstanding_minor if item.direction is Direction.IN else item.outstanding_minor
            for item in open_items
        )
        assert position == owed + credit[system]


@given(
    st.integers(-(10**9), 10**9),
    st.integers(-(10**6), 10**6),
    st.integers(0, 10**9),
)
def test_what_is_transferred(net: int, carried: int, unpaid: int) -> None:
    one = transfer(1, net, carried, unpaid)
    if one is None:
        assert net == carried == 0
        return
    assert one.amount_minor == abs(net + carried)
    assert 0 <= one.to_pay_minor <= one.amount_minor
    assert one.set_off_minor <= unpaid
    assert one.direction is Direction.OUT or one.set_off_minor == 0


@given(st.text(min_size=1, max_size=64), st.integers(24000, 27000), st.integers(1, 99))
def test_a_reference_fits_and_is_found_again(code: str, period: int, version: int) -> None:
    reference = reference_of(period, code, version)
    assert len(reference) <= 35
    assert reference.isascii()
    assert list(references(f"Zahlung {reference.lower()}, danke")) == [reference]


def test_systems_do_not_share_a_reference() -> None:
    codes = ["A", "a", "A-1", "A.1", "Ａ", "A" * 19, "A" * 20, "A" * 21, "+A", "京"]
    assert len({reference_of(PERIOD, code, 1) for code in codes}) == len(codes)


def test_the_longer_of_two_references_is_meant() -> None:
    found = Items(
        [
            Item(PERIOD, n, Direction.IN, reference_of(PERIOD, code, 1), 10, 0)
            for n, code in enumerate(("A", "A-1"))
        ],
        [(0, "1"), (1, "2")],
    )

    def paid(text: str, account: str) -> Any:
        return found.match(Money(True, False, 10, text, "", account)).parts

    assert paid("CH-202610-A-1", "1") == (Part(0, PERIOD, 10),)
    assert paid("CH-202610-A-1-1", "2") == (Part(1, PERIOD, 10),)
