"""What a sequence of transactions is decided on: the loaded part of the books, and what deciding adds to it.

A ``Books`` is filled by the store with everything that the sequence can touch, locked; deciding works on it
in order, so a later line sees what an earlier one did; the store then writes what was added or touched.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date, datetime
from typing import NamedTuple
from uuid import UUID

from clearinghouse.domain.accounts import Asset
from clearinghouse.domain.clearing import Leg
from clearinghouse.domain.holds import Hold, HoldState
from clearinghouse.domain.limits import Limits
from clearinghouse.domain.pools import Debt, Draw, Lot, Pool
from clearinghouse.domain.transactions import Kind
from clearinghouse.domain.treatment import Card


class Posting(NamedTuple):
    """One movement: ``amount`` (above 0) of an asset from the debit to the credit account, and of which lot."""

    debit: int
    credit: int
    asset: Asset
    amount: int
    lot: int | None = None


class Txn:
    """An accepted transaction with its legs and postings.

    ``amount_minor`` is fen of cash or stored value; ``points`` what a spend or award issued, a redemption
    used, or a refund took or gave back. ``earn_ppm`` is the rate a spend earned at, ``None`` where the host
    stated the points. ``lot`` is the lot it issued. ``draws``, ``standing`` and the ``refunded_*`` totals
    are what a refund of it needs; ``standing`` are its legs as the refunds so far have left them.
    """

    __slots__ = (
        "amount_minor",
        "business_date",
        "card",
        "content",
        "draws",
        "earn_ppm",
        "host_hotel",
        "host_system",
        "kind",
        "late",
        "legs",
        "line_no",
        "lot",
        "occurred_at",
        "original",
        "original_ref",
        "period",
        "points",
        "postings",
        "refunded_minor",
        "refunded_points",
        "rulebook",
        "standing",
        "traveller",
        "txn_id",
        "txn_ref",
    )

    def __init__(
        self,
        *,
        txn_id: UUID,
        host_hotel: int,
        host_system: int,
        txn_ref: str,
        content: bytes,
        kind: Kind,
        card: int,
        traveller: int,
        business_date: date,
        occurred_at: datetime,
        rulebook: int,
        period: int,
        late: bool,
        line_no: int = 0,
        amount_minor: int | None = None,
        points: int | None = None,
        earn_ppm: int | None = None,
        lot: int | None = None,
        original: UUID | None = None,
    ) -> None:
        self.txn_id = txn_id
        self.host_hotel = host_hotel
        self.host_system = host_system
        self.txn_ref = txn_ref
        self.content = content
        self.kind = kind
        self.card = card
        self.traveller = traveller
        self.business_date = business_date
        self.occurred_at = occurred_at
        self.rulebook = rulebook
        self.period = period
        self.late = late
        self.line_no = line_no
        self.amount_minor = amount_minor
        self.points = points
        self.earn_ppm = earn_ppm
        self.lot = lot
        self.original = original
        self.original_ref: str | None = None
        self.legs: list[Leg] = []
        self.postings: list[Posting] = []
        self.draws: list[Draw] = []
        self.standing: list[Leg] = []
        self.refunded_minor = 0
        self.refunded_points = 0

    def post(
        self, debit: int, credit: int, asset: Asset, amount: int, lot: int | None = None
    ) -> None:
        """Add a posting; a negative amount moves the other way, none moves nothing."""
        if amount > 0:
            self.postings.append(Posting(debit, credit, asset, amount, lot))
        elif amount < 0:
            self.postings.append(Posting(credit, debit, asset, -amount, lot))


class Books:
    """The loaded part of the books.

    ``closed_through`` is the last period that takes no more legs (0: none); ``now`` is when the sequence is
    decided, which only holds are judged by.
    """

    def __init__(self, closed_through: int, lot_numbers: Iterator[int], now: datetime) -> None:
        self.closed_through = closed_through
        self.now = now
        #: How long the sequence waited for its travellers' locks, in microseconds; told to whoever watches.
        self.waited_us = 0
        #: How far systems are from their net debit caps; ``None`` where no system has one.
        self.limits: Limits | None = None
        self.cards: Mapping[str, Card] = {}
        self.card_indexes: Mapping[str, bytes] = {}
        self.references: dict[tuple[int, str], tuple[bytes, UUID]] = {}
        self.txns: dict[UUID, Txn] = {}
        self.pools: dict[int, Pool] = {}
        self.accepted: list[Txn] = []
        self.new_lots: list[Lot] = []
        self.new_debts: list[Debt] = []
        self.touched_lots: dict[int, Lot] = {}
        self.touched_debts: dict[int, Debt] = {}
        #: Authorisations that lines name, by their id and by the reference they were given.
        self.holds: dict[UUID, Hold] = {}
        self.hold_references: dict[tuple[int, str], Hold] = {}
        self.new_holds: list[Hold] = []
        self.ended_holds: list[Hold] = []
        self._lot_numbers = lot_numbers

    def pool(self, traveller: int) -> Pool:
        """Return a traveller's pool."""
        pool = self.pools.get(traveller)
        if pool is None:
            pool = self.pools[traveller] = Pool(traveller)
        return pool

    def accept(self, txn: Txn) -> None:
        """Enter a decided transaction, so that later lines can repeat or refund it."""
        self.accepted.append(txn)
        self.txns[txn.txn_id] = txn
        self.references[txn.host_hotel, txn.txn_ref] = (txn.content, txn.txn_id)
        txn.standing = list(txn.legs)
        if self.limits is not None:
            self.limits.count(txn.legs)

    def issue_lot(
        self,
        txn: Txn,
        *,
        issuer_hotel: int,
        asset: Asset,
        amount: int,
        usable_from: date,
        expires_on: date | None,
        restored_from: int | None = None,
    ) -> Lot:
        """Enter a new lot of this transaction; its number follows all lots accepted before."""
        lot = Lot(
            number=next(self._lot_numbers),
            traveller=txn.traveller,
            issuer_hotel=issuer_hotel,
            asset=asset,
            txn_id=txn.txn_id,
            period=txn.period,
            issued=amount,
            usable_from=usable_from,
            expires_on=expires_on,
            restored_from=restored_from,
        )
        self.pool(txn.traveller).lots[lot.number] = lot
        self.new_lots.append(lot)
        return lot

    def new_debt(self, txn: Txn, lot: Lot, owed: int) -> Debt:
        """Enter the debt for points of a lot that were spent before the refund ``txn`` took them back."""
        if lot.expires_on is None:
            raise ValueError("only points have debts")
        debt = Debt(
            number=next(self._lot_numbers),
            traveller=lot.traveller,
            issuer_hotel=lot.issuer_hotel,
            lot=lot.number,
            period=txn.period,
            owed=owed,
            ends_on=lot.expires_on,
        )
        self.pool(lot.traveller).debts.append(debt)
        self.new_debts.append(debt)
        return debt

    def change(self, lot: Lot, *, remaining: int = 0, gone: int = 0, forgiven: int = 0) -> None:
        """Add to the figures of a lot and remember that it must be written."""
        lot.remaining += remaining
        lot.gone += gone
        lot.forgiven += forgiven
        self.touched_lots[lot.number] = lot

    def hold(self, hold: Hold) -> None:
        """Enter a decided authorisation: what it holds of its lots is no longer there to draw."""
        for lot, amount in hold.parts:
            lot.held += amount
            self.touched_lots[lot.number] = lot
        self.new_holds.append(hold)
        self.holds[hold.auth_id] = hold
        self.hold_references[hold.host_hotel, hold.txn_ref] = hold

    def end_hold(self, hold: Hold, state: HoldState, at: datetime) -> None:
        """Let go of all that an authorisation holds."""
        for lot, amount in hold.parts:
            lot.held -= amount
            self.touched_lots[lot.number] = lot
        hold.state = state
        hold.ended_at = at
        self.ended_holds.append(hold)

    def pay_debt(self, debt: Debt, amount: int) -> int:
        """Lower a debt; return how much of that stands in the ledger and must be posted there."""
        debt.remaining -= amount
        posted = min(debt.posted, amount)
        debt.posted -= posted
        self.touched_debts[debt.number] = debt
        return posted
