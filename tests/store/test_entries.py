"""Entries that are no transactions are written together, with what they add to the roll-ups."""

from datetime import UTC, date, datetime

from clearinghouse.domain.accounts import AccountKind, Asset, account
from clearinghouse.domain.books import Posting
from clearinghouse.domain.calendar import parse_period
from clearinghouse.domain.entries import Entry
from clearinghouse.domain.netting import Measure
from clearinghouse.operations.context import Context
from clearinghouse.store.entries import write_entries
from clearinghouse.store.periods import hold_period

OCTOBER = parse_period("2026-10")
AT = datetime(2026, 10, 5, tzinfo=UTC)


def test_many_are_written_at_once_and_counted_by_hotel_and_period(context: Context) -> None:
    def entry(period: int, hotel: int, *points: int) -> Entry:
        made = Entry(context.new_id(period), period, "expiry", date(2026, 10, 5))
        sides = account(AccountKind.TRAVELLER_POINTS, 1), account(AccountKind.POINTS_EXPIRED, hotel)
        made.postings.extend(Posting(*sides, Asset.POINT, amount, 1) for amount in points)
        return made

    with context.database.office() as session:
        periods = hold_period(session, OCTOBER), hold_period(session, OCTOBER + 1)
        entries = [entry(OCTOBER, 1, 5, 6), entry(OCTOBER, 1), entry(OCTOBER, 1, 7)]
        entries += [entry(OCTOBER, 2, 8), entry(OCTOBER + 1, 1, 9)]
        write_entries(session, entries, AT)
        counts = session.rows("SELECT period, count(*) FROM entries GROUP BY 1 ORDER BY 1")
        sums = session.rows(
            "SELECT period, measure, debtor, count, amount FROM rollup_increments ORDER BY 1, 3"
        )
    assert counts == [(periods[0], 3), (periods[1], 1)]
    expired = Measure.POINTS_EXPIRED.value
    assert sums == [
        (OCTOBER, expired, 1, 3, 18),
        (OCTOBER, expired, 2, 1, 8),
        (OCTOBER + 1, expired, 1, 1, 9),
    ]
