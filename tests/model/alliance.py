"""The model: apply transactions one at a time, close periods, answer (domain.md §1–§4)."""

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

from . import books
from .books import Leg, Liability, Move, Obligation, Position
from .caps import within_caps
from .members import Card, Members
from .refusals import first_refusal
from .request import Request
from .rules import PackError, Rulebook, earned_points, last_day, later_month, month_of
from .transaction import Transaction
from .wallet import NEVER, Debt, Lot, Wallet, draw, give_back, return_points, take_back


class Model(Members):
    """A whole alliance in memory. Deterministic; it has no clock."""

    def __init__(self) -> None:
        super().__init__()
        self.rulebooks: list[Rulebook] = []
        self.accepted_by: dict[str, set[str]] = {}  # version: systems
        self.wallets: dict[str, Wallet] = {}
        self.transactions: dict[tuple[str, str], Transaction] = {}
        self.moves: list[Move] = []
        self.closed_through = ""  # the last closed period
        self.closed_with: dict[str, Rulebook | None] = {}

    # --- rulebooks (§2) -------------------------------------------------------------------

    def add_rulebook(self, document: Mapping[str, Any]) -> None:
        """A version; "every system known by then accepts it" (interfaces.md)."""
        new = Rulebook.read(document)
        for old in self.rulebooks:
            if old == new:
                break
            if old.version == new.version or old.effective_from == new.effective_from:
                raise PackError(f"rulebook {new.version} contradicts {old.version}")
        else:
            self.rulebooks.append(new)
        self.accepted_by.setdefault(new.version, set()).update(self.systems)

    def accept(self, system: str, version: str) -> None:
        """One system accepts one version."""
        self.accepted_by[version].add(system)

    def rulebook_on(self, day: date) -> Rulebook | None:
        """§2: the version in force on a business date."""
        begun = [book for book in self.rulebooks if book.effective_from <= day]
        return max(begun, key=lambda book: book.effective_from, default=None)

    # --- periods (§4) ---------------------------------------------------------------------

    def period_of(self, day: date) -> str:
        """The month of the business date if it is open, else the earliest open period."""
        month = month_of(day)
        if self.closed_through and month <= self.closed_through:
            return later_month(self.closed_through, 1)
        return month

    def close(self, period: str) -> None:
        """Close a period and post the expiry of its lots. Closing again changes nothing.

        Raises ValueError while an earlier open month has transactions.
        """
        if self.closed_through and period <= self.closed_through:
            return
        if any(txn.period < period for txn in self._open_transactions()):
            raise ValueError(f"an earlier month than {period} is still open")
        for wallet in self.wallets.values():
            for lot in wallet.lots:
                if lot.expires_on <= last_day(period) and not lot.expiry_posted:
                    # §3 "Expiry": from now on not even a late line draws on it
                    lot.expiry_posted = True
                    wallet.source_of(lot).lost += lot.remaining
                    self._move(period, lot.issuer, "expired", lot.remaining)
                    lot.remaining = 0
        self.closed_through = period
        self.closed_with[period] = self.rulebook_on(last_day(period))

    def _open_transactions(self) -> list[Transaction]:
        return [t for t in self.transactions.values() if t.period > self.closed_through]

    def _move(self, period: str, hotel: str, what: str, points: int) -> None:
        if points:
            self.moves.append(Move(period, hotel, what, points))

    # --- transactions (§3) ----------------------------------------------------------------

    def apply(self, row: Mapping[str, str | int | None]) -> str:
        """One transaction row: "accepted", "repeated" or a refusal code.

        A refused row changes nothing. Raises PackError if the row is structurally wrong.
        """
        request = Request.read(row)
        earlier = self.transactions.get((request.host, request.txn_ref))
        if earlier is not None and earlier.request == request:
            return "repeated"
        refusal = first_refusal(self, request)
        if refusal is not None:
            return refusal
        original = self.original_of(request)
        # "A refund uses the rulebook version … of the leg it reverses; only its period is new"
        rulebook = original.rulebook if original else self.rulebook_on(request.business_date)
        assert rulebook is not None
        period = self.period_of(request.business_date)
        txn = Transaction(
            request, rulebook, period, period != month_of(request.business_date), original
        )
        txn.size = request.size(original.request.kind if original else request.kind)
        if original is not None:
            self._refund(txn, original)
        elif request.kind in ("spend", "award"):
            self._issue(txn)
        elif request.kind == "load":
            txn.lot = Lot(request.host, txn.size, request.business_date, NEVER)
            self.wallet_of(request).loads.append(txn.lot)
        else:
            self._use(txn)
        self.transactions[request.host, request.txn_ref] = txn
        return "accepted"

    def original_of(self, request: Request) -> Transaction | None:
        """The transaction that a refund names, at the same host."""
        if request.kind != "refund" or request.original_txn_ref is None:
            return None
        return self.transactions.get((request.host, request.original_txn_ref))

    def wallet_of(self, request: Request) -> Wallet:
        """The pool that a card opens."""
        return self.wallets.setdefault(self.cards[request.card_number].traveller, Wallet())

    def host_system(self, request: Request) -> str:
        """The host's system on the business date."""
        return self.system_of(request.host, request.business_date) or ""

    def usable(self, request: Request) -> list[Lot]:
        """What a redemption or a use of stored value may draw on, in its order (§3)."""
        day = request.business_date
        wallet = self.wallet_of(request)
        if request.kind == "stored_value_spend":
            return [load for load in wallet.loads if load.usable(day)]
        rulebook = self.rulebook_on(day)
        return wallet.draw_order(
            day,
            lambda hotel: self.system_of(hotel, day) == self.host_system(request),
            rulebook is not None and rulebook.own_system_first,
        )

    def _leg(self, txn: Transaction, kind: str, other_hotel: str, quantity: int) -> None:
        day = txn.request.business_date
        other_system = self.system_of(other_hotel, day) or ""
        leg = Leg(kind, self.host_system(txn.request), other_hotel, other_system, txn.rulebook)
        leg.change(quantity, txn.period, txn.late)
        txn.legs.append(leg)

    def _issue(self, txn: Transaction) -> None:
        """A spend or an award: points, and for the cash a leg of host vs card issuer."""
        request, day = txn.request, txn.request.business_date
        card: Card = self.cards[request.card_number]
        txn.points = request.points or 0  # "or the number the host states (0 or more)"
        pending = 0
        if request.kind == "spend":
            pending = txn.rulebook.points_pending_days
            self._leg(txn, "spend", card.issuer_hotel, txn.size)
            if request.points is None:
                txn.rate = self.earn_rate(card, request.host, day)
                txn.points = earned_points(txn.size, txn.rate)
        if txn.points == 0:
            return
        wallet = self.wallet_of(request)
        left = wallet.repay(request.host, txn.points, day, txn.period)
        usable_from = day + timedelta(days=pending)
        txn.lot = Lot(request.host, left, usable_from, txn.rulebook.lot_end(day))
        wallet.lots.append(txn.lot)
        self._move(txn.period, request.host, "issued", txn.points)
        self._move(txn.period, request.host, "reversed", left - txn.points)

    def _use(self, txn: Transaction) -> None:
        """A redemption or a use of stored value: one leg per issuing hotel of what is drawn."""
        in_points = txn.request.kind == "redeem"
        wallet = self.wallet_of(txn.request)
        lots = within_caps(self, txn.request, txn.size)
        assert lots is not None, "refused before: net_debit_cap_exceeded"
        txn.draws = draw(lots, txn.size, wallet.source_of)
        by_issuer: dict[str, int] = {}
        for one in txn.draws:
            issuer = one.lot.issuer
            by_issuer[issuer] = by_issuer.get(issuer, 0) + one.quantity
        for issuer, quantity in by_issuer.items():
            self._leg(txn, "redeem" if in_points else "stored_value", issuer, quantity)
            if in_points:
                self._move(txn.period, issuer, "redeemed", quantity)

    def _refund(self, txn: Transaction, original: Transaction) -> None:
        """All or part of an earlier transaction (§3 "Refunds")."""
        original.refunded += txn.size
        kind = original.request.kind
        if kind == "load":
            assert original.lot is not None
            original.lot.remaining -= txn.size
        elif kind in ("spend", "award"):
            self._take_back(txn, original)
            for leg in original.legs:
                leg.change(-txn.size, txn.period, txn.late)
        else:
            self._give_back(txn, original)

    def _take_back(self, txn: Transaction, original: Transaction) -> None:
        """§3: what is left is what the remaining cash would have earned."""
        left = original.size - original.refunded
        if original.request.kind == "spend":
            if original.request.points is None:
                left = earned_points(left, original.rate)
            else:  # "stated points: what is left is pro rata, rounded down"
                left = original.points * left // original.size
        back = original.points - original.taken_back - left
        original.taken_back += back
        if back > 0 and original.lot is not None:
            wallet = self.wallet_of(original.request)
            taken = take_back(wallet, original.lot, back, txn.period)
            self._move(txn.period, original.request.host, "reversed", -taken)

    def _give_back(self, txn: Transaction, original: Transaction) -> None:
        """Back to the very lots or loads, last drawn first; one reversing leg per issuer."""
        in_points = original.request.kind == "redeem"
        wallet = self.wallet_of(original.request)
        by_issuer: dict[str, int] = {}
        for portion in give_back(original.draws, txn.size):
            one, quantity = portion
            issuer = one.lot.issuer
            by_issuer[issuer] = by_issuer.get(issuer, 0) + quantity
            if in_points:
                day, grace = txn.request.business_date, txn.rulebook.restore_grace_days
                back = return_points(wallet, portion, day, txn.period, grace)
                self._move(txn.period, issuer, "reversed", back)
            else:
                one.lot.remaining += quantity
        for leg in original.legs:
            if leg.other_hotel in by_issuer:
                leg.change(-by_issuer[leg.other_hotel], txn.period, txn.late)

    # --- answers --------------------------------------------------------------------------

    def legs(self) -> list[Leg]:
        """Every leg, in order of acceptance; refunds are entries of the leg they reverse."""
        return [leg for txn in self.transactions.values() for leg in txn.legs]

    def positions(self, period: str) -> dict[str, Position]:
        """positions.csv: every system known, by code."""
        rulebook = self.closed_with.get(period, self.rulebook_on(last_day(period)))
        return books.positions(self.legs(), self.systems, period, rulebook)

    def obligations(self, period: str) -> dict[tuple[str, str, str], Obligation]:
        """obligations.csv: by (debtor system, creditor system, kind)."""
        return books.obligations(self.legs(), period)

    def points_liability(self, period: str) -> dict[str, Liability]:
        """points_liability.csv: every hotel that ever issued a point, by code."""
        end = last_day(period)
        owed = [
            (debt.hotel, sum(points for when, points in debt.changes if when <= period))
            for wallet in self.wallets.values()
            for debt in wallet.debts
            if debt.ends_on > end
        ]
        return books.liabilities(self.moves, owed, period)

    def lots(self, traveller: str) -> list[Lot]:
        """The lots with something left, in order of acceptance; some may have expired."""
        return [lot for lot in self._wallet(traveller).lots if lot.remaining > 0]

    def available_points(self, traveller: str, day: date) -> int:
        """§3: usable lots − live debts. Below zero if more is owed than held."""
        return self._wallet(traveller).available(day)

    def debts(self, traveller: str, day: date) -> list[Debt]:
        """The debts that are live on a business date, oldest first."""
        return [debt for debt in self._wallet(traveller).debts if debt.live(day)]

    def stored_value(self, traveller: str) -> dict[str, int]:
        """What is left of stored value, in fen, by issuing hotel."""
        left: dict[str, int] = {}
        for load in self._wallet(traveller).loads:
            if load.remaining > 0:
                left[load.issuer] = left.get(load.issuer, 0) + load.remaining
        return dict(sorted(left.items()))

    def _wallet(self, traveller: str) -> Wallet:
        return self.wallets.get(traveller, Wallet())
