"""A pack as read from its files: each file is sound by itself, nothing is compared yet."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from clearinghouse.domain.transactions import Line
from clearinghouse.operations.packs import tables
from clearinghouse.operations.packs.agreement import RULEBOOK, AgreedRulebook, read_rulebook
from clearinghouse.operations.packs.folder import contents
from clearinghouse.operations.packs.rows import CardRow, HotelRow, SystemRow, TierRow, TravellerRow
from clearinghouse.operations.packs.transactions import (
    Progress,
    TransactionsFile,
    month_of,
    read_lines,
)


@dataclass(frozen=True, slots=True)
class Pack:
    """The reference rows in file order, the rulebook, and the names of the transactions files, not yet read.

    ``present`` names the reference files that are there: an absent file and one without rows mean the same
    to the books, but not to whoever has to mend the pack.
    """

    folder: Path
    present: frozenset[str]
    rulebook: AgreedRulebook | None
    systems: tuple[SystemRow, ...]
    hotels: tuple[HotelRow, ...]
    tiers: tuple[TierRow, ...]
    travellers: tuple[TravellerRow, ...]
    cards: tuple[CardRow, ...]
    transactions_names: tuple[str, ...]

    @property
    def dated(self) -> date | None:
        """The day from which rows without a date of their own (tiers, systems) hold.

        The first day of the pack's earliest transactions month; else the day its rulebook takes effect.
        """
        months = [month for name in self.transactions_names if (month := month_of(name))]
        if months:
            return min(months)
        return None if self.rulebook is None else self.rulebook.rulebook.effective_from

    @property
    def transactions_bytes(self) -> int:
        """The size of all transactions files together, for a progress bar (0 where it can't be told)."""
        total = 0
        for name in self.transactions_names:
            with suppress(OSError):
                total += (self.folder / name).stat().st_size
        return total


@dataclass(frozen=True, slots=True)
class CheckedPack:
    """A pack without structural faults: ``files`` are its transactions files in their order."""

    pack: Pack
    files: tuple[TransactionsFile, ...]

    @property
    def dated(self) -> date | None:
        """See :attr:`Pack.dated`."""
        return self.pack.dated

    def transactions(
        self, file: TransactionsFile, after: int = 0, progress: Progress | None = None
    ) -> Iterator[Line]:
        """Yield the transactions of a file that come after its line ``after`` (a resumed import's cursor).

        Raises:
            PackFault: the file has changed since it was checked; lines may have been yielded before.
        """
        return read_lines(file, after, progress)


def read_pack(folder: Path) -> Pack:
    """Read everything of a pack but its transactions.

    Raises:
        PackFault: no pack, or a fault within one file (with file and line).
    """
    found = contents(folder)
    there = found.files
    return Pack(
        folder=folder,
        present=there,
        rulebook=read_rulebook(folder) if RULEBOOK in there else None,
        systems=tables.read_systems(folder) if tables.SYSTEMS in there else (),
        hotels=tables.read_hotels(folder) if tables.HOTELS in there else (),
        tiers=tables.read_tiers(folder) if tables.TIERS in there else (),
        travellers=tables.read_travellers(folder) if tables.TRAVELLERS in there else (),
        cards=tables.read_cards(folder) if tables.CARDS in there else (),
        transactions_names=found.transactions,
    )
