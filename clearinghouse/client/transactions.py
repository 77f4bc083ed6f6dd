"""Transactions: posted, refunded, read back."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Literal
from urllib.parse import quote

from clearinghouse.client.transport import Ask, Transport, in_json, new_key
from clearinghouse.client.values import Money, Sentence, card_named, what_happened

Kind = Literal["spend", "award", "redeem", "load", "stored_value_spend", "refund"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Original:
    """The transaction that a refund reverses."""

    id: str
    txn_ref: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Lot:
    """What was added to (+) or taken from (−) one lot."""

    lot: str
    issuer_hotel: str
    issuer_system: str | None = None
    points: int | None = None
    amount: Money | None = None
    expires_on: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Leg:
    """What a transaction means between two systems, what it costs the host, and why."""

    leg_no: int
    fee_kind: str
    issuer_hotel: str
    issuer_system: str
    host_system: str
    is_cross_system: bool
    reason: str
    rulebook_version: str
    points: int | None = None
    base: Money
    obligation: Money
    fee: Money
    fee_rate_ppm: int
    explanation: Sentence


@dataclass(frozen=True, slots=True, kw_only=True)
class Transaction:
    """A transaction in the books, with all that explains it.

    ``replayed`` tells that this is the first answer to its idempotency key once more, not a new transaction.
    """

    id: str
    kind: str
    host_hotel: str
    host_system: str
    txn_ref: str
    original: Original | None = None
    card_id: str
    business_date: date
    occurred_at: datetime
    posted_at: datetime
    period: str
    late: bool
    amount: Money | None = None
    points: int | None = None
    earn_points_per_yuan: Decimal | None = None
    rulebook_version: str
    lots: tuple[Lot, ...]
    legs: tuple[Leg, ...]
    fee: Money
    till: Sentence
    replayed: bool = False


class Transactions:
    """``/v1/transactions``; needs ``transactions:write`` to post and ``transactions:read`` to read."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def post(  # noqa: PLR0913  as many as a transaction has
        self,
        kind: Kind,
        *,
        host_hotel: str,
        txn_ref: str,
        card: str,
        business_date: date,
        occurred_at: datetime,
        amount_minor: int | None = None,
        points: int | None = None,
        original_txn_ref: str | None = None,
        idempotency_key: str | None = None,
    ) -> Transaction:
        """Post a transaction; ``card`` is a card's id or number, ``amount_minor`` in fen.

        Raises:
            ClearinghouseProblem: it is refused; ``till`` is what to tell the guest. If the cause is ``NoAnswer``,
                repeat the same call with the exception's ``idempotency_key``.
        """
        body = in_json(
            {
                "kind": kind,
                "host_hotel": host_hotel,
                "txn_ref": txn_ref,
                "original_txn_ref": original_txn_ref,
                **card_named(card),
                **what_happened(business_date, occurred_at, amount_minor, points),
            }
        )
        key = idempotency_key or new_key()
        return self._transport.read(
            Transaction, Ask(method="POST", path="/v1/transactions", body=body, key=key)
        )

    def refund(
        self,
        txn_id: str,
        *,
        txn_ref: str,
        business_date: date,
        occurred_at: datetime,
        amount_minor: int | None = None,
        points: int | None = None,
        idempotency_key: str | None = None,
    ) -> Transaction:
        """Refund all or part of a transaction; ``txn_ref`` is the refund's own. Raises as :meth:`post`."""
        body = in_json(
            {
                "txn_ref": txn_ref,
                **what_happened(business_date, occurred_at, amount_minor, points),
            }
        )
        key = idempotency_key or new_key()
        return self._transport.read(
            Transaction, Ask(method="POST", path=f"{_path(txn_id)}/refund", body=body, key=key)
        )

    def get(self, txn_id: str) -> Transaction:
        """Return a transaction that an own hotel hosted."""
        return self._transport.get(Transaction, _path(txn_id))

    def list(
        self,
        *,
        host_hotel: str | None = None,
        kind: Kind | None = None,
        txn_ref: str | None = None,
        business_date: date | None = None,
    ) -> Iterator[Transaction]:
        """Yield the transactions that own hotels hosted, the newest first."""
        return self._transport.pages(
            Transaction,
            "/v1/transactions",
            host_hotel=host_hotel,
            kind=kind,
            txn_ref=txn_ref,
            business_date=business_date,
        )


def _path(txn_id: str) -> str:
    return f"/v1/transactions/{quote(txn_id, safe='')}"
