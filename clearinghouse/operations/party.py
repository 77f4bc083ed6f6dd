"""Who asks: a client of one member system or of the operator (interfaces.md "HTTP"), or a user of the pages."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from clearinghouse.domain.directory import Directory
from clearinghouse.store.doer import Doer


@dataclass(frozen=True, slots=True)
class Party:
    """A client or a user and what it stands for, by the numbers of the tables.

    ``system`` is ``None`` for the operator; ``hotels`` is ``None`` for a client of all hotels of its system, as every
    user is. Of ``client`` and ``user`` one is there: what is recorded says which of the two it was.
    """

    client: int | None
    system: int | None
    hotels: frozenset[int] | None
    scopes: frozenset[str]
    user: int | None = None

    @property
    def is_operator(self) -> bool:
        """Tell whether it is the operator who asks."""
        return self.system is None

    @property
    def doer(self) -> Doer:
        """Return who it is, for the record."""
        return Doer(self.client, self.user)

    def of_a_client(self) -> int:
        """Return the client's number, for what only clients of the API do: no page offers it to a user."""
        if self.client is None:
            raise RuntimeError("only a client of the API can do this, no user of the pages")
        return self.client

    def may_act_for(self, directory: Directory, hotel: int, business_date: date) -> bool:
        """Tell whether this client may speak for a hotel on a business date."""
        if self.hotels is not None and hotel not in self.hotels:
            return False
        return self.system is not None and directory.system_of(hotel, business_date) == self.system

    def may_see_hotel(self, hotel: int) -> bool:
        """Tell whether this client is for a hotel at all, whatever the date."""
        return self.hotels is None or hotel in self.hotels
