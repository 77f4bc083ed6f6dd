"""Booking money by the operator's word: one journal entry in the earliest period that is open (domain.md §4)."""

from __future__ import annotations

from collections.abc import Iterable

from clearinghouse.domain.accounts import Asset
from clearinghouse.domain.books import Posting
from clearinghouse.domain.calendar import period_of
from clearinghouse.domain.entries import Entry
from clearinghouse.domain.errors import NotFound, OperatorRefused
from clearinghouse.domain.people import same_person
from clearinghouse.operations.changing import Change
from clearinghouse.operations.packs.showing import shown
from clearinghouse.store.entries import write_entries
from clearinghouse.store.periods import hold_period


def book(
    change: Change, kind: str, reference: str, postings: Iterable[tuple[int, int, int]]
) -> Entry:
    """Post an entry of a change; ``postings`` are debit, credit and fen. Its period stays open until the end of it."""
    period = hold_period(change.session, period_of(change.today))
    entry = Entry(change.context.new_id(period), period, kind, change.today, reference)
    entry.postings.extend(
        Posting(debit, credit, Asset.CNY, amount) for debit, credit, amount in postings if amount
    )
    write_entries(change.session, [entry], change.now)
    return entry


def must_be_two(change: Change) -> None:
    """Refuse what one person would do alone: whoever approves it is somebody else (docs/decisions/0023).

    Raises:
        OperatorRefused: nobody has approved it, or the one who does it has.
    """
    actor, approved_by = change.authority.actor, change.authority.approved_by
    if approved_by is None or not approved_by.strip():
        raise OperatorRefused(
            "this needs the approval of a second person; say who with --approved-by"
        )
    if same_person(approved_by, actor):
        raise OperatorRefused("whoever approves this must be somebody else than who does it")


def system_number(change: Change, code: str) -> int:
    """Return the number of a system.

    Raises:
        NotFound: there is no such system.
    """
    found = change.context.directory.current(change.session).system_by_code.get(code)
    if found is None:
        raise NotFound(f"there is no system {shown(code)}")
    return found.number
