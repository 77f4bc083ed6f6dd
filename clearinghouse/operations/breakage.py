"""Posting what ends of travellers' points, some of it in each transaction (domain.md §3 "Expiry")."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from clearinghouse.domain.entries import Entry
from clearinghouse.operations.context import Context
from clearinghouse.store.breakage import Ending, end
from clearinghouse.store.database import Session


def end_all(
    context: Context,
    over: Callable[[Session], Iterator[Ending]],
    entry: Callable[[Session], Entry],
) -> int:
    """End everything that ``over`` finds; return how many points that was. Safe to run again at any point.

    ``entry`` makes the entry that a part is posted with, in the transaction that posts it.
    """
    total = 0
    # What was freed meanwhile, as when a hold ended, is found by going through it once more; what another
    # transaction has taken is no longer there, so this ends.
    while points := _end_once(context, over, entry):
        total += points
    return total


def _end_once(
    context: Context,
    over: Callable[[Session], Iterator[Ending]],
    entry: Callable[[Session], Entry],
) -> int:
    points = 0
    with context.database.office() as reading:
        for ending in over(reading):
            with context.database.posting() as session:
                points += end(session, entry(session), ending, context.clock())
    return points
