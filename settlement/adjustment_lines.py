"""The lines of adjustments on a statement: they stand behind those of the legs, in the order in which they were posted.

There are few of them, and all that they show is in the frozen run.
"""

from __future__ import annotations

from clearinghouse.store.adjustments import AdjustmentRow
from settlement.frozen_run import FrozenRun, statement_no
from settlement.statements.statement import OPERATOR, StatementLine

KIND = "adjustment"


def adjustments_of(run: FrozenRun, system: int | None) -> list[AdjustmentRow]:
    """Return the adjustments on a system's statement; on the clearing house's (``None``) those of all systems."""
    return [row for row in run.adjustments if system in (None, row.system)]


def adjustment_lines(run: FrozenRun, system: int | None, behind: int) -> list[StatementLine]:
    """Return the lines of adjustments as a party sees them, numbered on from ``behind``."""
    return [
        _line(run, system, number, row)
        for number, row in enumerate(adjustments_of(run, system), start=behind + 1)
    ]


def _line(run: FrozenRun, system: int | None, number: int, row: AdjustmentRow) -> StatementLine:
    systems, hotels = run.directory.systems, run.directory.hotels
    # To the clearing house it is the other way round.
    amount = -row.amount_minor if system is None else row.amount_minor
    other = row.system if system is None else row.counterparty
    return StatementLine(
        statement_no=statement_no(run, OPERATOR if system is None else systems[system].code),
        line_no=number,
        txn_id=f"entry_{row.entry_id.hex}",
        txn_ref=None,
        original_txn_ref=row.txn_ref,
        business_date=row.business_date,
        occurred_at=row.at,
        posted_at=row.at,
        kind=KIND,
        host_hotel=None if row.host_hotel is None else hotels[row.host_hotel].code,
        host_system=None if row.host_system is None else systems[row.host_system].code,
        issuer_hotel=None if row.issuer_hotel is None else hotels[row.issuer_hotel].code,
        issuer_system=None if row.issuer_system is None else systems[row.issuer_system].code,
        is_cross_system=True,
        late=False,
        card_masked=None,
        points=None,
        lots=None,
        gross_debit_minor=None,
        gross_credit_minor=None,
        fee_rule=None,
        rulebook_version=None,
        fee_rate_ppm=None,
        fee_base_minor=None,
        fee_minor=-amount if row.is_fee else None,
        net_minor=amount,
        reason=row.kind,
        counterparty_system=None if other is None else systems[other].code,
        dispute_status=row.dispute_state,
        remarks=f"{row.reference} {row.text}",
    )
