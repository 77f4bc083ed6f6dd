"""Adjusting: what was wrong in a published period is put right in the earliest open one (domain.md §4)."""

from __future__ import annotations

from datetime import date
from typing import NamedTuple
from uuid import UUID

from clearinghouse.domain.accounts import AccountKind, Asset, account
from clearinghouse.domain.books import Posting
from clearinghouse.domain.business_day import business_day
from clearinghouse.domain.calendar import first_day, last_day, period_of
from clearinghouse.domain.entries import Entry
from clearinghouse.operations.context import Context
from clearinghouse.store import adjustments as store
from clearinghouse.store import periods
from clearinghouse.store.adjustments import AdjustmentRow, CorrectedLeg
from clearinghouse.store.database import Session
from clearinghouse.store.entries import write_entries

#: The kind of journal entry that an adjustment is.
ENTRY_KIND = "adjustment"


class About(NamedTuple):
    """The leg that an adjustment corrects, and the dispute behind it."""

    leg: CorrectedLeg | None = None
    dispute_id: UUID | None = None


NOTHING = About()


def adjust(
    session: Session,
    context: Context,
    *,
    payer: int | None,
    payee: int | None,
    amount_minor: int,
    kind: str,
    reference: str,
    text: str,
    about: About = NOTHING,
) -> int:
    """Post an adjustment in the earliest open period, in the caller's transaction; return its number.

    Systems by number, ``amount_minor`` in fen above 0. ``None`` is the clearing house, and then it is a fee that is
    given back (as ``payer``) or charged: it counts among the period's fees and not among its adjustments, so that
    Σ net + Σ fees = 0 stays true and VAT is that of the fees (decision 0024). ``reference`` and ``text`` stand on the
    statements of both; ``about`` what it corrects, where that is a leg.

    Raises:
        ValueError: nothing is paid, nobody pays, or a system pays itself.
    """
    if amount_minor <= 0 or payer == payee:
        raise ValueError("an adjustment moves an amount above zero between two parties")
    at = context.clock()
    today = business_day(context.directory.current(session), at)
    period = periods.hold_period(session, periods.earliest_open(session, period_of(today)))
    entry = Entry(context.new_id(period), period, ENTRY_KIND, _inside(period, today))
    entry.postings.append(Posting(_account(payer), _account(payee), Asset.CNY, amount_minor))
    write_entries(session, [entry], at)
    number = store.next_number(session)
    leg = about.leg
    rows = [
        AdjustmentRow(
            period=period,
            number=number,
            system=system,
            counterparty=other,
            amount_minor=amount,
            kind=kind,
            reference=reference,
            text=text,
            dispute_id=about.dispute_id,
            txn_id=leg.txn_id if leg else None,
            leg_no=leg.leg_no if leg else None,
            txn_ref=leg.txn_ref if leg else None,
            host_hotel=leg.host_hotel if leg else None,
            issuer_hotel=leg.issuer_hotel if leg else None,
            host_system=leg.host_system if leg else None,
            issuer_system=leg.issuer_system if leg else None,
            business_date=entry.business_date,
            entry_id=entry.entry_id,
            at=at,
        )
        for system, other, amount in ((payer, payee, -amount_minor), (payee, payer, amount_minor))
        if system is not None
    ]
    store.add(session, rows)
    return number


def _account(party: int | None) -> int:
    if party is None:
        return account(AccountKind.FEES)
    return account(AccountKind.POSITION, party)


def _inside(period: int, day: date) -> date:
    """Return the day of a period that is nearest to a day: an entry is dated inside its period."""
    return min(max(day, first_day(period)), last_day(period))
