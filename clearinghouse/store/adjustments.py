"""Adjustments as they are stored: one row for each system that one concerns, never changed (domain.md §4)."""

from __future__ import annotations

from datetime import date, datetime
from typing import NamedTuple
from uuid import UUID

from clearinghouse.domain.adjustments import Adjusted
from clearinghouse.store.bulk import Batch, table
from clearinghouse.store.database import Session

ADJUSTMENTS = table(
    "adjustments",
    "period int, number bigint, system int, counterparty int, amount_minor bigint, kind text, reference text,"
    " text text, dispute_id uuid, txn_id uuid, leg_no int, txn_ref text, host_hotel int, issuer_hotel int,"
    " host_system int, issuer_system int,"
    " business_date date, entry_id uuid, at timestamptz",
)
_COLUMNS = ", ".join(f"a.{name}" for name, _ in ADJUSTMENTS.columns)
_LEG_LOCK = 727021


class CorrectedLeg(NamedTuple):
    """The leg that an adjustment corrects, as its statement line names it; hotels and systems by number."""

    txn_id: UUID
    leg_no: int
    txn_ref: str
    host_hotel: int
    issuer_hotel: int
    host_system: int
    issuer_system: int


class AdjustmentRow(NamedTuple):
    """What an adjustment is to one system; systems and hotels by number, money in fen.

    ``amount_minor`` is what the system receives (+) or pays (−). Without a ``counterparty`` it is a fee: it counts
    among the fees of the period with the sign turned round, and among the adjustments only with one. The leg that it
    corrects is there where it corrects one; ``dispute_state`` where a dispute is behind it, and is how far that was
    when the period was netted, or is now if it is not.
    """

    period: int
    number: int
    system: int
    counterparty: int | None
    amount_minor: int
    kind: str
    reference: str
    text: str
    dispute_id: UUID | None
    txn_id: UUID | None
    leg_no: int | None
    txn_ref: str | None
    host_hotel: int | None
    issuer_hotel: int | None
    host_system: int | None
    issuer_system: int | None
    business_date: date
    entry_id: UUID
    at: datetime
    dispute_state: str | None = None

    @property
    def is_fee(self) -> bool:
        """Tell whether it is a fee charged (amount below 0) or given back (above)."""
        return self.counterparty is None


def next_number(session: Session) -> int:
    """Return the number of a new adjustment."""
    row = session.row("SELECT nextval('adjustment_numbers')")
    return int(row[0]) if row else 0


def add(session: Session, rows: list[AdjustmentRow]) -> None:
    """Write the rows of an adjustment; the database refuses them once their period is netted."""
    batch = Batch()
    batch.insert(ADJUSTMENTS, [row[:-1] for row in rows])
    batch.write(session)


def adjustments_of(session: Session, period: int) -> list[AdjustmentRow]:
    """Return the adjustments of a period by number and system, which is their order on statements."""
    rows = session.rows(
        f"SELECT {_COLUMNS}, coalesce(f.state, CASE WHEN p.state IN ('open', 'closing') THEN d.state END)"
        " FROM adjustments a JOIN periods p ON p.period = a.period"
        " LEFT JOIN adjusted_disputes f ON f.period = a.period AND f.dispute_id = a.dispute_id"
        " LEFT JOIN disputes d ON d.dispute_id = a.dispute_id"
        " WHERE a.period = %s ORDER BY a.number, a.system",
        [period],
    )
    return [AdjustmentRow(*row) for row in rows]


def sums(session: Session, period: int) -> dict[int, Adjusted]:
    """Return what the adjustments of a period come to for every system that has any."""
    rows = session.rows(
        "SELECT system, coalesce(sum(amount_minor) FILTER (WHERE counterparty IS NOT NULL), 0)::bigint,"
        " coalesce(-sum(amount_minor) FILTER (WHERE counterparty IS NULL), 0)::bigint"
        " FROM adjustments WHERE period = %s GROUP BY 1",
        [period],
    )
    return {system: Adjusted(adjustments, fees) for system, adjustments, fees in rows}


def freeze_states(session: Session, period: int) -> None:
    """Write how far the disputes behind a period's adjustments are, as its statements will say."""
    session.run(
        "INSERT INTO adjusted_disputes (period, dispute_id, state)"
        " SELECT DISTINCT a.period, d.dispute_id, d.state FROM adjustments a JOIN disputes d USING (dispute_id)"
        " WHERE a.period = %s",
        [period],
    )


def of_dispute(session: Session, dispute_id: UUID) -> list[AdjustmentRow]:
    """Return all adjustments that a dispute has led to, in order."""
    rows = session.rows(
        f"SELECT {_COLUMNS} FROM adjustments a WHERE dispute_id = %s ORDER BY number, system",
        [dispute_id],
    )
    return [AdjustmentRow(*row) for row in rows]


def of_leg(session: Session, system: int, txn_id: UUID, leg_no: int) -> list[AdjustmentRow]:
    """Return what adjustments of a leg are to one system, in order."""
    rows = session.rows(
        f"SELECT {_COLUMNS} FROM adjustments a WHERE txn_id = %s AND leg_no = %s AND system = %s ORDER BY number",
        [txn_id, leg_no, system],
    )
    return [AdjustmentRow(*row) for row in rows]


def hold_leg(session: Session, txn_id: UUID, leg_no: int) -> None:
    """Let nobody else correct a leg until this transaction ends: two corrections must see each other."""
    session.row(
        "SELECT pg_advisory_xact_lock(%s, hashtext(%s))", [_LEG_LOCK, f"{txn_id.hex}:{leg_no}"]
    )
