"""Payment instructions: what each system is to pay or to be paid for a published period (decision 0022)."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import NamedTuple

from clearinghouse.domain.matching import Item
from clearinghouse.domain.payments import Direction, Transfer, transfer
from clearinghouse.store.bulk import Batch, table
from clearinghouse.store.database import Session

_INSTRUCTIONS = table(
    "payment_instructions",
    "period int, system int, direction text, net_minor bigint, carried_minor bigint, amount_minor bigint,"
    " set_off_minor bigint, due_on date, reference text",
)
#: What systems have not paid of the instructions before a period, by what is posted up to its end (two parameters).
_DEBTS = (
    "payment_instructions i LEFT JOIN (SELECT period, system, sum(amount_minor) AS met"
    "  FROM payment_allocations WHERE in_period <= %s GROUP BY 1, 2) AS a USING (period, system)"
    " WHERE i.direction = 'in' AND i.period < %s"
)
#: Of ``payment_instructions i``, as :class:`Instruction` has them.
INSTRUCTION_COLUMNS = (
    "i.period, i.system, i.direction, i.net_minor, i.carried_minor, i.amount_minor, i.set_off_minor, i.due_on,"
    " i.reference, i.confirmed_minor, i.covered_minor, i.state"
)


class Debt(NamedTuple):
    """What a system had not paid of an earlier period's instruction at a period's end, in fen."""

    reference: str
    unpaid_minor: int


class Instruction(NamedTuple):
    """An instruction; fen. ``covered_minor`` of what is outstanding is borne by others: the period no longer waits."""

    period: int
    system: int
    direction: Direction
    net_minor: int
    carried_minor: int
    amount_minor: int
    set_off_minor: int
    due_on: date
    reference: str
    confirmed_minor: int
    covered_minor: int
    state: str

    @property
    def outstanding_minor(self) -> int:
        """What is still to be paid."""
        return self.amount_minor - self.confirmed_minor


def transfers(session: Session, period: int) -> dict[int, Transfer]:
    """Return what is to be transferred for a netted period, by system; systems without anything are left out.

    It reads frozen figures only: the period's net, and what stood open at its end. So the answer is the same
    before the period is published, in a run that is resumed, and years later. A payment may count before the
    return that takes it back does, or after it: an instruction is never met beyond its amount, nor below nothing.
    """
    rows = session.rows(
        "SELECT p.system, p.net_minor, coalesce(c.carried, 0), coalesce(u.unpaid, 0) FROM positions p"
        " LEFT JOIN (SELECT system, sum(amount_minor)::bigint AS carried FROM payment_allocations"
        "  WHERE period IS NULL AND kind <> 'collateral' AND in_period <= %s GROUP BY 1) AS c USING (system)"
        " LEFT JOIN (SELECT system,"
        "  sum(i.amount_minor - least(greatest(coalesce(a.met, 0), 0), i.amount_minor))::bigint AS unpaid"
        f"  FROM {_DEBTS} GROUP BY 1) AS u USING (system)"
        " WHERE p.period = %s",
        [period, period, period, period],
    )
    found = (transfer(*row) for row in rows)
    return {one.system: one for one in found if one is not None}


def debts(session: Session, period: int) -> dict[int, list[Debt]]:
    """Return what systems had not paid of earlier periods at a period's end, the oldest first; see ``transfers``."""
    found: dict[int, list[Debt]] = {}
    for system, *debt in session.rows(
        f"SELECT i.system, i.reference, (i.amount_minor - coalesce(a.met, 0))::bigint FROM {_DEBTS}"
        " AND i.amount_minor <> coalesce(a.met, 0) ORDER BY i.system, i.period",
        [period, period],
    ):
        found.setdefault(system, []).append(Debt(*debt))
    return found


def add(session: Session, rows: Iterable[tuple[int, Transfer, date, str]]) -> None:
    """Write instructions: (period, what is transferred, due date, reference)."""
    batch = Batch()
    batch.insert(
        _INSTRUCTIONS,
        [
            (
                period, t.system, t.direction.value, t.net_minor, t.carried_minor, t.amount_minor,
                t.set_off_minor, due_on, reference,
            )
            for period, t, due_on, reference in rows
        ],
    )  # fmt: skip
    batch.write(session)


def instructions(
    session: Session, *, period: int | None = None, system: int | None = None, unpaid: bool = False
) -> list[Instruction]:
    """Return instructions, of a period or of all, of a system or of all, by period and system code."""
    rows = session.rows(
        f"SELECT {INSTRUCTION_COLUMNS} FROM payment_instructions i JOIN systems s ON s.number = i.system"
        " WHERE (%s::int IS NULL OR i.period = %s) AND (%s::int IS NULL OR i.system = %s)"
        " AND (NOT %s OR i.state <> 'confirmed') ORDER BY i.period, s.code",
        [period, period, system, system, unpaid],
    )
    return [Instruction(row[0], row[1], Direction(row[2]), *row[3:]) for row in rows]


def items(session: Session) -> list[Item]:
    """Return every instruction as lines are matched against it."""
    rows = session.rows(
        "SELECT i.period, i.system, i.direction, i.reference, i.amount_minor - i.confirmed_minor,"
        " abs(coalesce(sum(a.amount_minor) FILTER (WHERE a.kind = 'bank'), 0))::bigint"
        " FROM payment_instructions i LEFT JOIN payment_allocations a USING (period, system)"
        " GROUP BY i.period, i.system"
    )
    return [Item(row[0], row[1], Direction(row[2]), *row[3:]) for row in rows]


def all_met(session: Session, period: int) -> bool:
    """Tell whether everything of a period is confirmed, or borne by those who bear what was not paid."""
    row = session.row(
        "SELECT NOT EXISTS (SELECT FROM payment_instructions WHERE period = %s"
        " AND state NOT IN ('confirmed', 'covered'))",
        [period],
    )
    return bool(row and row[0])


def credits_of(session: Session) -> dict[int, int]:
    """Return what stands on systems' accounts beside what is instructed, in fen; below 0: paid to them too much."""
    rows = session.rows(
        "SELECT system, sum(amount_minor)::bigint FROM payment_allocations"
        " WHERE period IS NULL AND kind <> 'collateral' GROUP BY 1 HAVING sum(amount_minor) <> 0"
    )
    return dict(rows)
