"""Closing a period to new legs, and posting what expires with it (domain.md §3 "Expiry", §4)."""

from __future__ import annotations

from collections.abc import Callable

from clearinghouse.domain.calendar import cut_off, format_period, last_day, zone
from clearinghouse.domain.directory import Directory, RulebookInForce
from clearinghouse.domain.errors import PeriodNotReady
from clearinghouse.domain.expiring import Entry, end_debts, expire
from clearinghouse.operations.authorizing import sweep
from clearinghouse.operations.context import Context
from clearinghouse.store import closing, periods
from clearinghouse.store.database import Session

#: Travellers whose expiry is posted in one transaction: few enough that nobody waits for it.
_TRAVELLERS_EACH = 500


def rulebook_of_period(directory: Directory, period: int) -> RulebookInForce:
    """Return the version that judges a period as a whole: the one in force on its last day (domain.md §2).

    Raises:
        PeriodNotReady: none is in force then.
    """
    version = directory.rulebook_on(last_day(period))
    if version is None:
        raise PeriodNotReady(f"no rulebook is in force at the end of {format_period(period)}")
    return version


def close(context: Context, period: int, watch: Callable[[str], None] | None = None) -> None:
    """Close a period to new legs and post the expiry of its points; safe to run again at any point.

    Raises:
        PeriodNotReady: an earlier month is open, a later one is closed, or the cut-off is still to come.
    """
    with context.database.posting() as session:
        periods.hold_opening_lock(session)
        state = periods.state_of(session, period)
        if state is None or state == "open":
            _must_be_closable(context, session, period)
            periods.open_period(session, period)
            closing.mark_closing(session, period, context.clock())
        elif state != "closing":
            return
    # Committed: whoever begins to post now goes to a later period. Those who began before are waited for.
    with context.database.posting() as session:
        closing.await_posters(session, period)
    # What a hold whose time is over still marks as held would not expire with its lot.
    sweep(context)
    while _expire_some(context, period):
        if watch:
            watch("expiry")


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


def _expire_some(context: Context, period: int) -> bool:
    """Post the expiry of some travellers' lots and debts; tell whether there may be more."""
    with context.database.office() as session:
        travellers = closing.travellers_to_expire(session, period, _TRAVELLERS_EACH)
        if not travellers:
            return False
        lots, debts = closing.due_lots_and_debts(session, period, travellers)
        entry = Entry(context.new_id(period), period, "expiry", last_day(period))
        expired = expire(entry, lots)
        ended = end_debts(entry, debts, last_day(period))
        closing.write_entry(session, entry, context.clock())
        closing.write_expired(session, expired, ended)
        # What another transaction has taken meanwhile is no longer due, so this ends.
        return bool(expired or ended)
