"""Hotels: where the card is honoured."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from urllib.parse import quote

from clearinghouse.client.transport import Transport


@dataclass(frozen=True, slots=True, kw_only=True)
class HotelSystem:
    """A member of the alliance."""

    code: str
    name_zh: str
    name_en: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Hotel:
    """A hotel that honours every card of the alliance today; ``since`` ``None`` is from the beginning."""

    code: str
    name_zh: str
    name_en: str
    city: str
    system: HotelSystem
    since: date | None = None


class Hotels:
    """``/v1/hotels``; needs the scope ``hotels:read``."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def list(self, *, city: str | None = None, system: str | None = None) -> Iterator[Hotel]:
        """Yield the hotels that honour the card today, by code."""
        return self._transport.pages(Hotel, "/v1/hotels", city=city, system=system)

    def get(self, code: str) -> Hotel:
        """Return one hotel."""
        return self._transport.get(Hotel, f"/v1/hotels/{quote(code, safe='')}")
