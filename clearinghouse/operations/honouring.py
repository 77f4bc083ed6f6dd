"""Where a card is honoured: the hotels that are in the alliance today. Every member may know all of them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from clearinghouse.domain.business_day import business_day
from clearinghouse.domain.errors import NotFound
from clearinghouse.operations.context import Context
from clearinghouse.operations.packs.showing import shown
from clearinghouse.operations.party import Party
from clearinghouse.store import members


@dataclass(frozen=True, slots=True)
class SystemName:
    """A member and what it is called."""

    code: str
    name_zh: str
    name_en: str


@dataclass(frozen=True, slots=True)
class HonouringHotel:
    """A hotel as it is today; ``since`` is ``None`` where it has been its system's from the beginning."""

    code: str
    name_zh: str
    name_en: str
    city: str
    system: SystemName
    since: date | None


def hotels(
    context: Context,
    party: Party,
    *,
    most: int,
    after: str | None = None,
    city: str | None = None,
    system: str | None = None,
    code: str | None = None,
    text: str | None = None,
) -> list[HonouringHotel]:
    """Return up to ``most`` hotels by code, from the one behind the code ``after`` on.

    Given a city, a system's code or a hotel's own, only those; given a text, those that have it in a name or city.
    """
    with context.database.posting() as session:
        today = business_day(context.directory.current(session), context.clock())
    with context.database.reading(party.system) as session:
        found = members.hotels_on(
            session, today, after=after, most=most, city=city, system=system, code=code, text=text
        )
    return [
        HonouringHotel(
            row.code, row.name_zh, row.name_en, row.city,
            SystemName(row.system_code, row.system_zh, row.system_en),
            None if row.since == members.BEGINNING else row.since,
        )
        for row in found
    ]  # fmt: skip


def cities(context: Context, most: int) -> list[tuple[str, int]]:
    """Return the cities with most hotels today, and how many each has."""
    with context.database.posting() as session:
        today = business_day(context.directory.current(session), context.clock())
        return members.cities_on(session, today, most)


def hotel(context: Context, party: Party, code: str) -> HonouringHotel:
    """Return one hotel.

    Raises:
        NotFound: no such hotel is in the alliance today.
    """
    found = hotels(context, party, most=1, code=code) if "\x00" not in code else []
    if not found:
        raise NotFound(f"there is no hotel {shown(code)}")
    return found[0]
