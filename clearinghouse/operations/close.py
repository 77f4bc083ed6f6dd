"""Closing a period to new legs, and posting what expires with it (domain.md §3 "Expiry", §4)."""

from __future__ import annotations

from clearinghouse.domain.calendar import cut_off, format_period, last_day, zone
from clearinghouse.domain.directory import Directory, RulebookInForce
from clearinghouse.domain.entries import Entry
from clearinghouse.domain.errors import PeriodNotReady
from clearinghouse.operations.authorizing import sweep
from clearinghouse.operations.breakage import end_all
from clearinghouse.operations.context import Context
from clearinghouse.operations.giving_way import Pace
from clearinghouse.operations.signing_keys import fix_key
from clearinghouse.store import closing, periods
from clearinghouse.store.database import Session


def rulebook_of_period(directory: Directory, period: int) -> RulebookInForce:
    """Return the version that judges a period as a whole: the one in force on its last day (domain.md §2).

    Raises:
        PeriodNotReady: none is in force then.
    """
    version = directory.rulebook_on(last_day(period))
    if version is None:
        raise PeriodNotReady(f"no rulebook is in force at the end of {format_period(period)}")
    return version


def close(context: Context, period: int) -> None:
    """Close a period to new legs and post the expiry of its points; safe to run again at any point.

    Raises:
        PeriodNotReady: an earlier month is open, a later one is closed, or the cut-off is still to come.
    """
    pace = Pace(context.others)
    with context.database.posting() as session:
        context.others.look(session)
        periods.hold_opening_lock(session)
        state = periods.state_of(session, period)
        if state is None or state == "open":
            _must_be_closable(context, session, period)
            periods.open_period(session, period)
            at = context.clock()
            context.others.count_ours()
            closing.mark_closing(session, period, at)
            fix_key(context, session, period, at)
        elif state != "closing":
            return
    # Committed: whoever begins to post now goes to a later period. Those who began before are waited for.
    pace.rest()
    with context.database.posting() as session:
        closing.await_posters(session, period)
    # What a hold whose time is over still marks as held would not expire with its lot.
    sweep(context)
    pace.rest()

    def entry(session: Session) -> Entry | None:
        # Somebody else may have gone on to net it, if the connection was lost that kept us the only one: what ends
        # after that would be in no figure.
        if not closing.is_closing(session, period):
            return None
        return Entry(context.new_id(period), period, "expiry", last_day(period))

    end_all(context, lambda session: closing.due(session, period), entry)


def must_be_closable(context: Context, period: int) -> None:
    """Refuse a period that can't be closed now; one that is closing or closed already is none of them.

    Raises:
        PeriodNotReady: an earlier month is open, a later one is closed, or the cut-off is still to come.
    """
    with context.database.posting() as session:
        if periods.state_of(session, period) in (None, "open"):
            _must_be_closable(context, session, period)


def _must_be_closable(context: Context, session: Session, period: int) -> None:
    name = format_period(period)
    for known in periods.periods(session):
        if known.period < period and known.state == "open":
            raise PeriodNotReady(
                f"{name} can't be closed while {format_period(known.period)} is open; close that first"
            )
        if known.period > period and known.state != "open":
            raise PeriodNotReady(
                f"{name} is over for good: {format_period(known.period)} is closed already"
            )
    rulebook = rulebook_of_period(context.directory.current(session), period).rulebook
    at = cut_off(period, rulebook.cutoff_days, rulebook.timezone)
    if context.clock() < at:
        local = at.astimezone(zone(rulebook.timezone))
        raise PeriodNotReady(f"{name} can't be closed before its cut-off on {local:%Y-%m-%d %H:%M}")
