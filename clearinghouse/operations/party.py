"""Who asks: a client of one member system, or the operator's own (interfaces.md "HTTP")."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from clearinghouse.domain.directory import Directory


@dataclass(frozen=True, slots=True)
class Party:
    """A client and what it stands for, by the numbers of the tables.

    ``system`` is ``None`` for the operator; ``hotels`` is ``None`` for a client of all hotels of its system.
    """

    client: int
    system: int | None
    hotels: frozenset[int] | None
    scopes: frozenset[str]

    @property
    def is_operator(self) -> bool:
        """Tell whether it is the operator who asks."""
        return self.system is None

    def may_act_for(self, directory: Directory, hotel: int, business_date: date) -> bool:
        """Tell whether this client may speak for a hotel on a business date."""
        if self.hotels is not None and hotel not in self.hotels:
            return False
        return self.system is not None and directory.system_of(hotel, business_date) == self.system

    def may_see_hotel(self, hotel: int) -> bool:
        """Tell whether this client is for a hotel at all, whatever the date."""
        return self.hotels is None or hotel in self.hotels
