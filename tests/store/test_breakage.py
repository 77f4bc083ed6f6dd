"""What ends with a period, and how it is posted: by set in the books, against the model in memory (domain.md §3)."""

import itertools
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, date, datetime
from itertools import product
from typing import Any, NamedTuple

import pytest

from clearinghouse.domain.accounts import Asset
from clearinghouse.domain.calendar import last_day, parse_period
from clearinghouse.domain.entries import Entry
from clearinghouse.domain.identifiers import transaction_id
from clearinghouse.domain.netting import Increments, add_points, add_postings
from clearinghouse.domain.pools import Debt, Lot
from clearinghouse.operations import breakage as ending
from clearinghouse.operations import giving_way
from clearinghouse.operations.breakage import end_all
from clearinghouse.operations.context import Context
from clearinghouse.store import breakage, closing
from clearinghouse.store.bulk import Batch
from clearinghouse.store.database import Session
from clearinghouse.store.health import writes_ended
from clearinghouse.store.ledger import DEBTS, LOTS
from clearinghouse.store.loading import DEBT_COLUMNS, LOT_COLUMNS, debt_from_row, lot_from_row
from clearinghouse.store.periods import open_period
from tests.histories.expiring import end_debts, expire
from tests.waiting import wait_until

NOVEMBER = parse_period("2026-11")
LAST = last_day(NOVEMBER)
AT = datetime(2026, 12, 4, tzinfo=UTC)
#: Around the last day of the period, and long before it.
DAYS = (date(2025, 11, 30), date(2026, 11, 29), LAST, date(2026, 12, 1))
PERIODS = (NOVEMBER - 1, NOVEMBER, NOVEMBER + 1)
#: Held of what remains, and what of the lot has expired before.
LEFT = ((100, 0, 0), (100, 30, 0), (70, 70, 30), (60, 20, 40), (0, 0, 100), (0, 0, 0))


Postings = list[tuple[Any, ...]]


class State(NamedTuple):
    """Lots as (remaining, held, expired) and what stands of debts, by number; postings and sums of the roll-ups."""

    lots: dict[int, tuple[int, int, int]]
    debts: dict[int, tuple[int, int]]
    postings: Postings
    sums: Increments


@pytest.fixture
def books(context: Context) -> Context:
    """Books with lots and debts of every kind that a closing can meet, of four travellers and three hotels."""
    context = replace(context, clock=lambda: AT)
    batch = Batch()
    txn = context.new_id(NOVEMBER)
    lots = [
        (
            *(number, number % 4 + 1, number % 3 + 1, Asset.POINT if ends else Asset.CNY, txn, period),
            *(100, remaining, held, expired, 0, 0, date(2025, 1, 1), ends, None),
        )
        for number, (period, ends, (remaining, held, expired)) in enumerate(
            product(PERIODS, (*DAYS, None), LEFT), 1
        )
    ]  # fmt: skip
    batch.insert(LOTS, lots)
    debts = [
        (number, number % 4 + 1, number % 3 + 1, 1, period, 50, remaining, posted, ends)
        for number, (period, ends, (remaining, posted)) in enumerate(
            product(PERIODS, DAYS, ((50, 50), (30, 20), (30, 0), (0, 0))), len(lots) + 1
        )
    ]
    batch.insert(DEBTS, debts)
    with context.database.office() as session:
        open_period(session, NOVEMBER)
        batch.write(session)
    return context


def found(session: Session) -> tuple[list[Lot], list[Debt]]:
    """All lots and debts."""
    return (
        [lot_from_row(row) for row in session.rows(f"SELECT {LOT_COLUMNS} FROM lots")],
        [debt_from_row(row) for row in session.rows(f"SELECT {DEBT_COLUMNS} FROM debts")],
    )


def in_the_model(lots: list[Lot], debts: list[Debt]) -> State:
    """What the model makes of the closing of November."""
    entry = Entry(transaction_id(NOVEMBER, 0, 0), NOVEMBER, "expiry", LAST)
    expire(entry, lots)
    end_debts(entry, debts, LAST)
    balances: dict[int, tuple[int, int]] = {}
    sums: Increments = {}
    add_postings(balances, entry.postings)
    add_points(sums, NOVEMBER, balances)
    postings = [(p.debit, p.credit, int(p.asset), p.amount, p.lot) for p in entry.postings]
    return _state(lots, debts, postings, sums)


def in_the_books(context: Context) -> State:
    """What the books hold."""
    with context.database.office() as session:
        postings = session.rows("SELECT debit, credit, asset, amount, lot FROM postings")
        sums = {
            row[:4]: row[4:]
            for row in session.rows(
                "SELECT period, measure, debtor, creditor, sum(count)::bigint, sum(amount)::bigint"
                " FROM rollup_increments GROUP BY 1, 2, 3, 4"
            )
        }
        return _state(*found(session), postings, sums)


def _state(lots: list[Lot], debts: list[Debt], postings: Postings, sums: Increments) -> State:
    return State(
        {lot.number: (lot.remaining, lot.held, lot.expired) for lot in lots},
        {debt.number: (debt.remaining, debt.posted) for debt in debts},
        sorted(postings, key=str),
        sums,
    )


def close_november(context: Context) -> int:
    """Post what ends with November."""
    return end_all(context, lambda session: closing.due(session, NOVEMBER), entry_of(context))


def entry_of(context: Context) -> Callable[[Session], Entry]:
    """What makes the entries of a closing of November."""
    return lambda _: Entry(context.new_id(NOVEMBER), NOVEMBER, "expiry", LAST)


def test_what_ends_is_what_the_model_ends(books: Context) -> None:
    with books.database.office() as session:
        expected = in_the_model(*found(session))
    assert close_november(books) == sum(posting[3] for posting in expected.postings) > 0
    assert in_the_books(books) == expected
    assert close_november(books) == 0, "once"
    assert in_the_books(books) == expected
    with books.database.office() as session:
        assert session.rows(
            "SELECT DISTINCT period, kind, business_date, posted_at FROM entries"
        ) == [(NOVEMBER, "expiry", LAST, AT)]


def test_in_small_parts_killed_and_by_two_at_once_it_is_the_same(
    books: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(breakage, "_EACH", 3)
    monkeypatch.setattr(ending, "_ALONE", 1)
    monkeypatch.setattr(ending, "_AT_ONCE", 1)
    with books.database.office() as session:
        expected = in_the_model(*found(session))
    with books.database.office() as reading, books.database.posting() as session:
        first = next(closing.due(reading, NOVEMBER))
        ended = breakage.end(session, entry_of(books)(session), first, AT)
    # Killed behind its first part, and gone on with by two who know nothing of each other.
    with ThreadPoolExecutor(2) as pool:
        ended += sum(pool.map(close_november, [books, books]))
    assert ended == sum(posting[3] for posting in expected.postings)
    assert in_the_books(books) == expected
    with books.database.office() as session:
        largest = session.row("SELECT count(*) FROM postings GROUP BY entry_id ORDER BY 1 DESC")
        empty = session.row(
            "SELECT count(*) FROM entries e WHERE NOT EXISTS (SELECT FROM postings p WHERE p.entry_id = e.entry_id)"
        )
    assert (largest, empty) == ((3,), (0,))


def test_a_second_one_helps_while_nobody_else_writes(
    books: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    with books.database.office() as session:
        expected = in_the_model(*found(session))
    # The server is not ours alone: other tests write.
    looks = watched(monkeypatch, others=itertools.repeat(0))
    hands = spied(monkeypatch, until=lambda hands: len(set(hands)) == 2)
    assert close_november(books) == sum(posting[3] for posting in expected.postings)
    assert in_the_books(books) == expected
    assert len(set(hands)) == 2
    assert len(looks) > 1


@pytest.mark.parametrize(("others_write", "longest"), [(True, 3), (False, 6)])
def test_a_part_is_larger_while_nobody_else_writes(
    books: Context, monkeypatch: pytest.MonkeyPatch, *, others_write: bool, longest: int
) -> None:
    monkeypatch.setattr(breakage, "_EACH", 3)
    monkeypatch.setattr(ending, "_AT_ONCE", 2)
    monkeypatch.setattr(giving_way.Others, "write", others_write)
    with books.database.office() as session:
        expected = in_the_model(*found(session))
    close_november(books)
    assert in_the_books(books) == expected
    with books.database.office() as session:
        assert session.row("SELECT max(seq) FROM postings") == (longest,)


def test_nobody_helps_while_others_write_and_each_part_is_rested_from(
    books: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks = watched(monkeypatch, others=itertools.count(step=1_000))
    hands = spied(monkeypatch, until=lambda _: len(looks) > 3)
    rests: list[int] = []
    ours: list[int] = []
    monkeypatch.setattr(giving_way.Pace, "rest", lambda *_: rests.append(len(hands)))
    monkeypatch.setattr(giving_way.Others, "count_ours", lambda _: ours.append(1))
    close_november(books)
    assert set(hands) == {threading.main_thread()}
    # Before each part, from finding it, and behind it; each counts as ours.
    assert rests == [done for part in range(len(hands)) for done in (part, part + 1)]
    assert len(ours) == len(hands)


@pytest.mark.parametrize("mine", [True, False])
def test_where_one_of_the_two_fails_the_other_stops(
    books: Context, monkeypatch: pytest.MonkeyPatch, *, mine: bool
) -> None:
    with books.database.office() as session:
        expected = in_the_model(*found(session))
    watched(monkeypatch, others=itertools.repeat(0))
    helping: list[Future[int]] = []
    hands: list[bool] = []

    class Pool(ThreadPoolExecutor):
        def submit(self, *given: Any) -> Any:
            helping.append(super().submit(*given))
            return helping[-1]

    def end(session: Session, entry: Entry, part: breakage.Ending, at: datetime) -> int:
        is_mine = threading.current_thread() is threading.main_thread()
        hands.append(is_mine)
        if is_mine and helping:
            wait_until(lambda: False in hands if mine else helping[0].done())
        if is_mine == mine and helping:
            raise ZeroDivisionError
        return breakage.end(session, entry, part, at)

    with monkeypatch.context() as failing:
        failing.setattr(ending, "ThreadPoolExecutor", Pool)
        failing.setattr(ending, "end", end)
        with pytest.raises(ZeroDivisionError):
            close_november(books)
    assert helping[0].done()
    assert in_the_books(books) != expected
    # The first part, and the one that it was at when one of the two failed.
    assert hands.count(True) == 2
    close_november(books)
    assert in_the_books(books) == expected


def test_nothing_ends_without_an_entry(books: Context) -> None:
    with books.database.office() as session:
        before = _state(*found(session), [], {})
    assert end_all(books, lambda session: closing.due(session, NOVEMBER), lambda _: None) == 0
    assert in_the_books(books) == before


def test_a_transaction_counts_once_it_has_written(books: Context) -> None:
    with books.database.posting() as session:
        before = writes_ended(session)
    with books.database.posting() as session:
        session.run("UPDATE lots SET held = held")
    with books.database.posting() as session:
        assert writes_ended(session) > before


def watched(monkeypatch: pytest.MonkeyPatch, others: Iterator[int]) -> list[int]:
    """Let a helper come from the second part on and see so many transactions of others; return what it saw."""
    monkeypatch.setattr(breakage, "_EACH", 1)
    monkeypatch.setattr(ending, "_ALONE", 1)
    looks: list[int] = []

    def seen(_session: Session) -> int:
        looks.append(next(others))
        return looks[-1]

    monkeypatch.setattr(giving_way, "writes_ended", seen)
    return looks


def spied(
    monkeypatch: pytest.MonkeyPatch, until: Callable[[list[threading.Thread]], bool]
) -> list[threading.Thread]:
    """Note who ends parts; from the second on, the main thread waits until it has seen what it wants."""
    hands: list[threading.Thread] = []

    def end(session: Session, entry: Entry, part: breakage.Ending, at: datetime) -> int:
        hand = threading.current_thread()
        hands.append(hand)
        if hand is threading.main_thread() and hands.count(hand) > 2:
            wait_until(lambda: until(hands))
        return breakage.end(session, entry, part, at)

    monkeypatch.setattr(ending, "end", end)
    return hands


def test_what_is_taken_meanwhile_does_not_end_and_what_is_freed_does(books: Context) -> None:
    with books.database.office() as session:
        lots = [lot for lot in found(session)[0] if lot.expiry_posted(NOVEMBER)]
    taken, freed = [lot.number for lot in lots if lot.unheld == 100][:2]
    hold = "UPDATE lots SET held = {} WHERE number = {}"
    with books.database.office() as session:
        session.run(hold.format("remaining", freed))
    passes = 0

    def over(session: Session) -> Iterator[breakage.Ending]:
        nonlocal passes
        passes += 1
        endings = list(closing.due(session, NOVEMBER))
        with books.database.office() as beside:
            if passes == 1:
                beside.run(hold.format("remaining - 40", taken))
                beside.run(hold.format("0", freed))
        yield from endings

    end_all(books, over, entry_of(books))
    left = in_the_books(books).lots
    assert (left[taken], left[freed]) == ((60, 60, 40), (0, 0, 100))
    # The one that found more, and the one that found nothing.
    assert passes == 3
