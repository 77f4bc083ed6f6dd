"""Periods: months of the alliance, with the own position and statement once one is published."""

from __future__ import annotations

import hashlib
from base64 import b64encode
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from urllib.parse import quote

from clearinghouse.client.problems import ClearinghouseProblem
from clearinghouse.client.transport import Ask, Transport
from clearinghouse.client.values import Money


@dataclass(frozen=True, slots=True, kw_only=True)
class Position:
    """What a system receives (+) or pays (−) for a period."""

    receivable: Money
    payable: Money
    fees: Money
    vat: Money
    adjustments: Money
    net: Money


@dataclass(frozen=True, slots=True, kw_only=True)
class Period:
    """A month of the alliance; ``statements`` are the formats in which the own one is there."""

    period: str
    state: str
    published_at: datetime | None = None
    position: Position | None = None
    statements: tuple[str, ...]


class Periods:
    """``/v1/periods``; needs ``settlements:read``."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def list(self) -> Iterator[Period]:
        """Yield the periods, the newest first."""
        return self._transport.pages(Period, "/v1/periods")

    def statement(self, period: str, format: Literal["pdf", "xlsx", "csv", "json", "xml"]) -> bytes:  # noqa: A002  the service's own word
        """Return the own statement of a period (``2026-10``), byte for byte as it was published.

        Raises:
            ClearinghouseProblem: there is none, or what came is not what the service says it sent.
        """
        path = f"/v1/periods/{quote(period, safe='')}/statement.{format}"
        answer = self._transport.send(Ask(method="GET", path=path, accept="*/*"))
        stated = answer.headers.get("Repr-Digest")
        digest = b64encode(hashlib.sha256(answer.body).digest()).decode()
        if stated is not None and stated != f"sha-256=:{digest}:":
            raise ClearinghouseProblem(
                "answer_unreadable", "the statement arrived damaged", status=200
            )
        return answer.body

    def signature(self, period: str, format: Literal["pdf", "xlsx", "csv", "json", "xml"]) -> bytes:  # noqa: A002  the service's own word
        """Return the signature of the own statement of a period; :func:`verify_statement` proves the one by the other.

        Keep it beside the statement, as ``NAME.sig``: ``clearinghouse verify`` finds it there.

        Raises:
            ClearinghouseProblem: there is none.
        """
        path = f"/v1/periods/{quote(period, safe='')}/statement.{format}.sig"
        return self._transport.send(Ask(method="GET", path=path, accept="*/*")).body

    def keys(self) -> dict[str, Any]:
        """Return the public keys of the service as a JWK set; no key of a published file ever leaves it."""
        return self._transport.document(
            Ask(method="GET", path="/.well-known/jwks.json", with_token=False)
        )
