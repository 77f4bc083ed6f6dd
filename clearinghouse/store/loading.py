"""Loading and locking what a sequence of lines can touch, in a fixed number of queries.

The order matters. Travellers are locked first, in the order of their numbers (two sequences that share
travellers would deadlock otherwise); only then are references, lots and debts read, so that they are seen
as the last holder of the lock left them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from time import perf_counter
from typing import Any, NamedTuple
from uuid import UUID

from clearinghouse.domain.accounts import AccountKind, Asset, account
from clearinghouse.domain.books import Books, Txn
from clearinghouse.domain.calendar import period_of
from clearinghouse.domain.clearing import Leg, after_reversal
from clearinghouse.domain.directory import Directory
from clearinghouse.domain.identifiers import period_of_id
from clearinghouse.domain.pools import Debt, Draw, Lot
from clearinghouse.domain.transactions import Authorization, Capture, Kind, Line
from clearinghouse.store.bulk import array
from clearinghouse.store.card_file import Cards
from clearinghouse.store.database import Session
from clearinghouse.store.holds import load_holds

#: First key of the advisory lock that posters share on a period and its closer waits for.
PERIOD_LOCK = 727003

LOT_COLUMNS = (
    "number, traveller, issuer_hotel, asset, period, issued, remaining, held, expired, gone,"
    " forgiven, usable_from, expires_on, restored_from"
)
TXN_COLUMNS = (
    "txn_id, host_hotel, host_system, txn_ref, kind, card, traveller, business_date, occurred_at, amount_minor, points,"
    " earn_ppm, rulebook, period, late, lot, original"
)
DEBT_COLUMNS = "number, traveller, issuer_hotel, lot, period, owed, ends_on, remaining, posted"
# NO KEY: a card may be issued to a traveller meanwhile.
_LOCK_TRAVELLERS = (
    "SELECT FROM travellers WHERE number = ANY (%s::bigint[]) ORDER BY number FOR NO KEY UPDATE"
)
_LOT_NUMBERS = "SELECT nextval('lot_numbers') FROM generate_series(1, %s)"
_SHARE_PERIODS = (
    f"SELECT pg_advisory_xact_lock_shared({PERIOD_LOCK}, period) FROM unnest(%s::int[]) AS period"
)
_CLOSED_THROUGH = "SELECT coalesce(max(period), 0) FROM periods WHERE state <> 'open'"
#: With it, whether there is a debt or a hold whose time is over: two tables less to ask, since most have neither.
_CLOSED_AND_RARE = (
    "SELECT (SELECT coalesce(max(period), 0) FROM periods WHERE state <> 'open'),"
    " EXISTS (SELECT FROM debts WHERE traveller = ANY (%s::bigint[]) AND remaining > 0),"
    " EXISTS (SELECT FROM authorizations"
    " WHERE traveller = ANY (%s::bigint[]) AND state = 'held' AND expires_at <= %s)"
)
_REFERENCES = (
    "SELECT r.host_hotel, r.txn_ref, r.content, r.txn_id"
    " FROM unnest(%s::int[], %s::text[]) AS wanted (host_hotel, txn_ref)"
    " JOIN transaction_refs r USING (host_hotel, txn_ref)"
)
_DEBTS = (
    f"SELECT {DEBT_COLUMNS} FROM debts"
    " WHERE traveller = ANY (%s::bigint[]) AND remaining > 0 ORDER BY number"
)
#: Where a connection remembers the last closed period that it has seen.
_CLOSED_BEFORE = "closed_before"
_ASSETS = {asset.value: asset for asset in Asset}
_NEEDS_LOTS = (Kind.REDEEM.value, Kind.STORED_VALUE_SPEND.value, Kind.REFUND.value)


def load_books(
    session: Session, lines: Sequence[Line], directory: Directory, found: Cards, now: datetime
) -> Books:
    """Load everything that deciding these lines can need, with their travellers locked."""
    cards = found.cards
    travellers = sorted(
        {cards[line.card_number].traveller for line in lines if line.card_number in cards}
    )
    most_lots = sum(1 if line.kind != Kind.REFUND.value else 0 for line in lines)
    began = perf_counter()
    lot_numbers = _lock_travellers(session, travellers, most_lots)
    waited = perf_counter() - began
    standing = _lock_periods(session, lines, travellers, now)
    books = Books(standing.closed_through, LotNumbers(session, lot_numbers), now)
    books.waited_us = round(waited * 1e6)
    books.cards = cards
    books.card_indexes = found.indexes
    _references(session, books, directory, lines)
    originals = _originals(session, books, directory, lines)
    drawing = {
        cards[line.card_number].traveller
        for line in lines
        if line.kind in _NEEDS_LOTS and line.card_number in cards
    }
    _lots(session, books, sorted(drawing), originals)
    if standing.debts:
        _debts(session, books, travellers)
    auth_ids, references = _holds_named(directory, lines)
    if drawing and (standing.holds_over or auth_ids or references):
        load_holds(session, books, sorted(drawing), auth_ids, references)
    return books


def load_pools(
    session: Session, travellers: Sequence[int], auth_ids: Iterable[UUID], now: datetime
) -> Books:
    """Load and lock what travellers hold, with some of their authorisations; nothing can be issued with it."""
    _lock_travellers(session, sorted(travellers), 0)
    books = Books(_closed_through(session), iter(()), now)
    if travellers:
        _add_lots(session, books, "traveller = ANY (%s::bigint[]) AND remaining > 0", travellers)
        load_holds(session, books, travellers, auth_ids, ())
    return books


class LotNumbers:
    """Numbers for new lots and debts: a block taken under the lock, and single ones beyond it.

    They must be taken after the travellers are locked, because their order is the order of acceptance.
    """

    def __init__(self, session: Session, block: Iterable[int]) -> None:
        self._session = session
        self._block = iter(block)

    def __iter__(self) -> LotNumbers:
        """Return itself: there is no end to the numbers."""
        return self

    def __next__(self) -> int:
        """Return the next number."""
        number = next(self._block, None)
        if number is None:
            row = self._session.row("SELECT nextval('lot_numbers')")
            number = int(row[0]) if row else 0
        return number


def _lock_travellers(session: Session, travellers: list[int], most_lots: int) -> list[int]:
    """Lock travellers in the order of their numbers, then take numbers for the lots to come."""
    lock, number = session.prepared(_LOCK_TRAVELLERS), session.prepared(_LOT_NUMBERS)
    rows = session.rows(f"{lock}; {number}", [array(travellers), most_lots])
    return [row[0] for row in rows]


class _Standing(NamedTuple):
    """What is known once all locks are held: the last closed period, and what the travellers may have."""

    closed_through: int
    debts: bool
    holds_over: bool


def _lock_periods(
    session: Session, lines: Sequence[Line], travellers: Sequence[int], now: datetime
) -> _Standing:
    """Share the locks of the periods that the lines go to; return what holds now that they are held.

    The closer commits ``closing`` and then waits for these locks. So the state is read again once they are
    held: what was open then stays open to this transaction. Which lock to share first is a guess from last time.
    """
    months = {period_of(line.business_date) for line in lines}
    closed = session.info.get(_CLOSED_BEFORE, 0)
    locked: set[int] = set()
    lock, last = session.prepared(_SHARE_PERIODS), session.prepared(_CLOSED_AND_RARE)
    owners = array(travellers)
    while True:
        targets = {max(month, closed + 1) for month in months} - locked
        row = session.row(f"{lock}; {last}", [array(sorted(targets)), owners, owners, now])
        found = _Standing(*row) if row else _Standing(0, False, False)
        closed = session.info[_CLOSED_BEFORE] = found.closed_through
        locked |= targets
        if {max(month, closed + 1) for month in months} <= locked:
            return found


def _closed_through(session: Session) -> int:
    row = session.row(session.prepared(_CLOSED_THROUGH))
    return int(row[0]) if row else 0


def _references(
    session: Session, books: Books, directory: Directory, lines: Sequence[Line]
) -> None:
    wanted: set[tuple[int, str]] = set()
    for line in lines:
        hotel = directory.hotel_by_code.get(line.host_hotel)
        if hotel is not None:
            wanted.add((hotel.number, line.txn_ref))
            if line.original_txn_ref:
                wanted.add((hotel.number, line.original_txn_ref))
    if not wanted:
        return
    hotels, references = zip(*sorted(wanted), strict=True)
    for hotel, reference, content, txn_id in session.rows(
        session.prepared(_REFERENCES), [array(hotels), array(references)]
    ):
        books.references[hotel, reference] = (bytes(content), txn_id)


def _holds_named(
    directory: Directory, lines: Sequence[Line]
) -> tuple[list[UUID], list[tuple[int, str]]]:
    """Return the ids of holds that captures name, and the references that authorisations give."""
    captures = [line.auth_id for line in lines if isinstance(line, Capture)]
    references = [
        (hotel.number, line.txn_ref)
        for line in lines
        if isinstance(line, Authorization)
        and (hotel := directory.hotel_by_code.get(line.host_hotel)) is not None
    ]
    return captures, references


def _originals(
    session: Session, books: Books, directory: Directory, lines: Sequence[Line]
) -> dict[UUID, list[tuple[int, int]]]:
    """Load the transactions that refunds name; return the lots that each drew on, and how much of them."""
    wanted: set[UUID] = set()
    for line in lines:
        hotel = directory.hotel_by_code.get(line.host_hotel)
        if line.kind == Kind.REFUND.value and hotel is not None and line.original_txn_ref:
            known = books.references.get((hotel.number, line.original_txn_ref))
            if known is not None:
                wanted.add(known[1])
    return load_transactions(session, books, sorted(wanted)) if wanted else {}


def load_transactions(
    session: Session, books: Books, wanted: Sequence[UUID]
) -> dict[UUID, list[tuple[int, int]]]:
    """Load transactions with what stands of their legs, and return their draws as (lot, amount)."""
    periods, ids = array({period_of_id(txn_id) for txn_id in wanted}), array(wanted)
    for row in session.rows(
        f"SELECT {TXN_COLUMNS} FROM transactions"
        " WHERE period = ANY (%s::int[]) AND txn_id = ANY (%s::uuid[])",
        [periods, ids],
    ):
        txn = transaction_from_row(row)
        books.txns[txn.txn_id] = txn
    _standing_legs(session, books, periods, ids)
    draws: dict[UUID, list[tuple[int, int]]] = {}
    for txn_id, debit, lot, amount in session.rows(
        "SELECT entry_id, debit, lot, amount FROM postings"
        " WHERE period = ANY (%s::int[]) AND entry_id = ANY (%s::uuid[]) AND lot IS NOT NULL"
        " ORDER BY entry_id, seq",
        [periods, ids],
    ):
        txn = books.txns[txn_id]
        if txn.kind in (Kind.REDEEM, Kind.STORED_VALUE_SPEND) and debit in (
            account(AccountKind.TRAVELLER_POINTS, txn.traveller),
            account(AccountKind.TRAVELLER_STORED_VALUE, txn.traveller),
        ):
            draws.setdefault(txn_id, []).append((lot, amount))
    return draws


def transaction_from_row(row: tuple[Any, ...]) -> Txn:
    """Make a transaction from a row of ``TXN_COLUMNS``; its content is with its reference."""
    return Txn(
        txn_id=row[0], host_hotel=row[1], host_system=row[2], txn_ref=row[3], content=b"", kind=Kind(row[4]),
        card=row[5], traveller=row[6], business_date=row[7], occurred_at=row[8], amount_minor=row[9],
        points=row[10], earn_ppm=row[11], rulebook=row[12], period=row[13], late=row[14], lot=row[15],
        original=row[16],
    )  # fmt: skip


def _standing_legs(session: Session, books: Books, periods: str, ids: str) -> None:
    """Give each loaded transaction its legs as its refunds have left them, and the refunded totals."""
    legs = "SELECT txn_id, leg_no, fee_kind, issuer_hotel, issuer_system, host_system, rulebook,"
    legs += " points, base_minor, obligation_minor, fee_minor"
    for row in session.rows(
        f"{legs} FROM legs WHERE period = ANY (%s::int[]) AND txn_id = ANY (%s::uuid[])"
        " ORDER BY txn_id, leg_no",
        [periods, ids],
    ):
        books.txns[row[0]].standing.append(Leg(*row[1:]))
    refunds = session.rows(
        "SELECT txn_id, original, amount_minor, points FROM transactions"
        " WHERE original = ANY (%s::uuid[])",
        [ids],
    )
    for _, original_id, amount_minor, points in refunds:
        original = books.txns[original_id]
        if original.kind in (Kind.AWARD, Kind.REDEEM):
            original.refunded_points += points
        else:
            original.refunded_minor += amount_minor
    if not refunds:
        return
    refund_ids = [row[0] for row in refunds]
    for row in session.rows(
        "SELECT reverses_txn, reverses_leg, leg_no, fee_kind, issuer_hotel, issuer_system, host_system,"
        " rulebook, points, base_minor, obligation_minor, fee_minor"
        " FROM legs WHERE period = ANY (%s::int[]) AND txn_id = ANY (%s::uuid[])",
        [array({period_of_id(txn_id) for txn_id in refund_ids}), array(refund_ids)],
    ):
        standing = books.txns[row[0]].standing
        standing[row[1] - 1] = after_reversal(standing[row[1] - 1], Leg(*row[2:]))


def _lots(
    session: Session,
    books: Books,
    drawing: list[int],
    originals: dict[UUID, list[tuple[int, int]]],
) -> None:
    """Load open lots of those who draw, and the lots and lot families of the originals."""
    named = {lot for draws in originals.values() for lot, _ in draws}
    named |= {txn.lot for txn in books.txns.values() if txn.lot is not None}
    if drawing:
        _add_lots(session, books, "traveller = ANY (%s::bigint[]) AND remaining > 0", drawing)
    if named:
        _add_lots(session, books, "number = ANY (%s::bigint[])", sorted(named))
        _add_lots(session, books, "restored_from = ANY (%s::bigint[])", sorted(named))
    for txn_id, draws in originals.items():
        txn = books.txns[txn_id]
        lots = books.pool(txn.traveller).lots
        txn.draws = [Draw(lots[lot], amount) for lot, amount in draws]


def _debts(session: Session, books: Books, travellers: list[int]) -> None:
    """Load live debts."""
    for row in session.rows(session.prepared(_DEBTS), [array(travellers)]):
        debt = debt_from_row(row)
        books.pool(debt.traveller).debts.append(debt)


def _add_lots(session: Session, books: Books, condition: str, values: Sequence[int]) -> None:
    statement = session.prepared(f"SELECT {LOT_COLUMNS} FROM lots WHERE {condition}")
    for row in session.rows(statement, [array(values)]):
        lot = lot_from_row(row)
        books.pool(lot.traveller).lots.setdefault(lot.number, lot)


def lot_from_row(row: tuple[Any, ...]) -> Lot:
    """Make a lot from a row of ``LOT_COLUMNS``."""
    return Lot(
        number=row[0], traveller=row[1], issuer_hotel=row[2], asset=_ASSETS[row[3]], period=row[4],
        issued=row[5], remaining=row[6], held=row[7], expired=row[8], gone=row[9], forgiven=row[10],
        usable_from=row[11], expires_on=row[12], restored_from=row[13],
    )  # fmt: skip


def debt_from_row(row: tuple[Any, ...]) -> Debt:
    """Make a debt from a row of ``DEBT_COLUMNS``."""
    return Debt(
        number=row[0], traveller=row[1], issuer_hotel=row[2], lot=row[3], period=row[4], owed=row[5],
        ends_on=row[6], remaining=row[7], posted=row[8],
    )  # fmt: skip
