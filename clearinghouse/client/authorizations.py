"""Authorisations: points or stored value held, then captured or let go."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal
from urllib.parse import quote

from clearinghouse.client.transactions import Transaction
from clearinghouse.client.transport import Ask, Transport, in_json, new_key
from clearinghouse.client.values import Money, Sentence, card_named, what_happened


@dataclass(frozen=True, slots=True, kw_only=True)
class Authorization:
    """A hold and what became of it: ``held``, ``captured``, ``voided`` or ``expired``."""

    id: str
    kind: str
    state: str
    host_hotel: str
    txn_ref: str
    card_id: str
    business_date: date
    occurred_at: datetime
    held_at: datetime
    expires_at: datetime
    ended_at: datetime | None = None
    amount: Money | None = None
    points: int | None = None
    captured_amount: Money | None = None
    captured_points: int | None = None
    transaction: str | None = None
    rulebook_version: str
    till: Sentence
    replayed: bool = False


class Authorizations:
    """``/v1/authorizations``; needs ``transactions:write``, and ``transactions:read`` to read.

    Errors are raised as :meth:`Transactions.post` does.
    """

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def hold(
        self,
        kind: Literal["redeem", "stored_value_spend"],
        *,
        host_hotel: str,
        txn_ref: str,
        card: str,
        business_date: date,
        occurred_at: datetime,
        amount_minor: int | None = None,
        points: int | None = None,
        idempotency_key: str | None = None,
    ) -> Authorization:
        """Hold points or stored value; ``txn_ref`` is that of the transaction which is to come of it."""
        body = in_json(
            {
                "kind": kind,
                "host_hotel": host_hotel,
                "txn_ref": txn_ref,
                **card_named(card),
                **what_happened(business_date, occurred_at, amount_minor, points),
            }
        )
        key = idempotency_key or new_key()
        return self._transport.read(
            Authorization, Ask(method="POST", path="/v1/authorizations", body=body, key=key)
        )

    def capture(
        self,
        auth_id: str,
        *,
        business_date: date,
        occurred_at: datetime,
        amount_minor: int | None = None,
        points: int | None = None,
        txn_ref: str | None = None,
        idempotency_key: str | None = None,
    ) -> Transaction:
        """Use all or part of what is held, once; the rest is free again."""
        body = in_json(
            {
                "txn_ref": txn_ref,
                **what_happened(business_date, occurred_at, amount_minor, points),
            }
        )
        key = idempotency_key or new_key()
        return self._transport.read(
            Transaction, Ask(method="POST", path=f"{_path(auth_id)}/capture", body=body, key=key)
        )

    def void(self, auth_id: str, *, idempotency_key: str | None = None) -> Authorization:
        """Let go of all that is held."""
        key = idempotency_key or new_key()
        return self._transport.read(
            Authorization, Ask(method="POST", path=f"{_path(auth_id)}/void", key=key)
        )

    def get(self, auth_id: str) -> Authorization:
        """Return an authorisation of an own hotel."""
        return self._transport.get(Authorization, _path(auth_id))


def _path(auth_id: str) -> str:
    return f"/v1/authorizations/{quote(auth_id, safe='')}"
