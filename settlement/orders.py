"""What the operator orders and asks for when a period is settled: the payment file and the debit notes."""

from __future__ import annotations

from typing import Any

from clearinghouse.domain.calendar import format_period
from settlement.frozen_run import VERSION, FrozenRun
from settlement.parts import party, signing_key
from settlement.statements.debit_note import DebitNote
from settlement.statements.pain001 import Payee, PaymentOrder
from settlement.transfers import DEBIT_NOTE, NO_ACCOUNT, TRANSFER, Settled


def payment_order(run: FrozenRun) -> PaymentOrder | None:
    """Return the order to pay the net creditors whose account we know; ``None`` if there are none."""
    payees = [
        Payee(
            code=row.system.code,
            name=row.system.name_zh,
            uscc=row.system.uscc,
            account=row.account or "",
            amount_minor=row.money_minor,
            reference=row.reference,
        )
        for row in _settled_by(run, TRANSFER)
    ]
    if not payees:
        return None
    period = format_period(run.period)
    return PaymentOrder(
        message_id=f"PAY-{period.replace('-', '')}-{VERSION}",
        period=period,
        created_at=run.cut_off_at,
        timezone=run.rulebook.timezone,
        pay_on=run.due_date,
        currency=run.rulebook.currency,
        operator=run.operator,
        payees=payees,
    )


def debit_note(run: FrozenRun, system: int | None) -> DebitNote | None:
    """Return the debit note of a system that has to pay; ``None`` for any other, and for the clearing house."""
    settled = None if system is None else run.settled.get(system)
    if settled is None or settled.way != DEBIT_NOTE:
        return None
    whom = party(run, settled.system.number)
    period = format_period(run.period)
    return DebitNote(
        number=f"DN-{period.replace('-', '')}-{whom.code}-{VERSION}",
        statement_no=f"ST-{period.replace('-', '')}-{whom.code}-{VERSION}",
        period=period,
        timezone=run.rulebook.timezone,
        currency=run.rulebook.currency,
        issued_at=run.cut_off_at,
        due_date=run.due_date,
        party=whom,
        operator=run.operator,
        reference=settled.reference,
        amount_minor=-settled.money_minor,
        net_minor=settled.transfer.net_minor,
        carried_minor=settled.transfer.carried_minor,
        signing_key=signing_key(run),
    )


def payments_summary(run: FrozenRun) -> dict[str, Any]:
    """Return what the manifest says of payments: how many and how much, and who can't be paid by the file."""
    paid, withheld, called = (_settled_by(run, way) for way in (TRANSFER, NO_ACCOUNT, DEBIT_NOTE))
    return {
        "due_date": run.due_date.isoformat(),
        "ordered": {"count": len(paid), "amount_minor": sum(row.money_minor for row in paid)},
        "called_in": {
            "count": len(called),
            "amount_minor": -sum(row.money_minor for row in called),
        },
        "not_payable": [
            {
                "system": row.system.code,
                "amount_minor": row.money_minor,
                "reference": row.reference,
                "reason": "no_bank_account",
            }
            for row in withheld
        ],
        "operator_account_known": run.operator.bank_account is not None,
    }


def _settled_by(run: FrozenRun, way: str) -> list[Settled]:
    return [row for row in run.settled.values() if row.way == way]
