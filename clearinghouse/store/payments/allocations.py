"""Allocations: what met an instruction or stands as a system's credit; only ever added to."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from clearinghouse.domain.accounts import AccountKind, account
from clearinghouse.domain.matching import Part
from clearinghouse.store.bulk import Batch, table
from clearinghouse.store.database import Session

_COLLATERAL, _OURS = int(AccountKind.COLLATERAL), account(AccountKind.UNALLOCATED)
#: Entries are few beside the postings of transactions, which are never looked through.
_ENTRIES = "entries e JOIN postings p ON p.period = e.period AND p.entry_id = e.entry_id"
_ALLOCATIONS = table(
    "payment_allocations",
    "kind text, system int, period int, amount_minor bigint, line bigint, match bigint, entry_id uuid,"
    " in_period int, at timestamptz",
)
_COVERS = table(
    "payment_covers",
    "period int, system int, amount_minor bigint, entry_id uuid, at timestamptz",
)


class Allocation(NamedTuple):
    """What meets the instruction of a period, or is a system's credit (``period`` ``None``).

    ``amount_minor`` is in fen, a credit to the system's account above 0: so what meets a payment *to* a system is
    below 0. ``kind`` is ``bank``, ``collateral``, ``set_off``, ``carry`` or ``risk``. ``in_period`` is that of its
    entry; of what has none, the first period in whose figures it counts.
    """

    kind: str
    system: int
    period: int | None
    amount_minor: int
    in_period: int
    entry_id: UUID | None = None
    line: int | None = None
    match: int | None = None


class AllocatedPart(NamedTuple):
    """What stands of what a line was allocated to."""

    line: int
    part: Part


def add(session: Session, allocations: Sequence[Allocation], at: datetime) -> None:
    """Write allocations. The database counts them on their instructions, and refuses what is beyond a line's amount."""
    batch = Batch()
    batch.insert(
        _ALLOCATIONS,
        [
            (
                a.kind,
                a.system,
                a.period,
                a.amount_minor,
                a.line,
                a.match,
                a.entry_id,
                a.in_period,
                at,
            )
            for a in allocations
        ],
    )
    batch.write(session)


def add_cover(
    session: Session, period: int, system: int, amount_minor: int, entry_id: UUID, at: datetime
) -> None:
    """Write what the guarantee fund or other systems bear of what a system has not paid; it goes on owing it."""
    batch = Batch()
    batch.insert(_COVERS, [(period, system, amount_minor, entry_id, at)])
    batch.write(session)


def parts_of_lines(session: Session, lines: Sequence[int]) -> list[AllocatedPart]:
    """Return what lines of the bank are allocated to, in the order in which it was done; what was undone is not."""
    rows = session.rows(
        "SELECT line, system, period, abs(sum(amount_minor))::bigint, kind = 'collateral' FROM payment_allocations"
        " WHERE line = ANY (%s) GROUP BY line, system, period, kind HAVING sum(amount_minor) <> 0"
        " ORDER BY line, min(number)",
        [list(lines)],
    )
    return [AllocatedPart(row[0], Part(*row[1:])) for row in rows]


def collateral_without_line(session: Session) -> dict[int, int]:
    """Return what was posted of systems' collateral, in fen, and no line of the bank was matched to yet.

    What was given back counts below 0.
    """
    rows = session.rows(
        "SELECT system, sum(amount)::bigint FROM ("
        f" SELECT p.credit >> 5 AS system, p.amount FROM {_ENTRIES}"
        f"  WHERE e.kind = 'collateral_posted' AND p.credit & 31 = {_COLLATERAL} AND p.debit = {_OURS}"
        f" UNION ALL SELECT p.debit >> 5, -p.amount FROM {_ENTRIES}"
        f"  WHERE e.kind = 'collateral_released' AND p.debit & 31 = {_COLLATERAL} AND p.credit = {_OURS}"
        " UNION ALL SELECT system, -amount_minor FROM payment_allocations WHERE kind = 'collateral'"
        ") AS sides GROUP BY 1 HAVING sum(amount) <> 0"
    )
    return dict(rows)
