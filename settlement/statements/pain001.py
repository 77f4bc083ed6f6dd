"""The payment file, pain.001.001.09: the operator orders its bank to pay the net creditors of a period.

Ids and dates follow from the period, the systems and the version. The message holds whom it can pay; whoever is to be
paid and has no account in our books is in the manifest and on the operator's control, never silently left out
(decision 0025).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, BinaryIO

from clearinghouse.domain.operator_profile import OperatorProfile
from settlement.statements.iso20022 import (
    ACCOUNT_MAX,
    NOT_PROVIDED,
    TEXT_MAX,
    Message,
    day,
    decimal,
    fitting,
    moment,
)

_MESSAGE = Message("pain.001.001.09")


@dataclass(frozen=True, slots=True)
class Payee:
    """A system that is paid: who it is, its account, how much in fen (above 0) and the reference of the payment."""

    code: str
    name: str
    uscc: str | None
    account: str
    amount_minor: int
    reference: str


@dataclass(frozen=True, slots=True)
class PaymentOrder:
    """What the operator pays for a period; ``pay_on`` is the day on which the bank is to pay."""

    message_id: str
    period: str
    created_at: datetime
    timezone: str
    pay_on: date
    currency: str
    operator: OperatorProfile
    payees: Sequence[Payee]


def render(order: PaymentOrder, out: BinaryIO) -> None:
    """Write the message.

    Raises:
        ValueError: nobody is paid; such a message does not exist.
    """
    if not order.payees:
        raise ValueError("a payment file pays somebody")
    make = _MESSAGE
    totals = (
        make.element("NbOfTxs", str(len(order.payees))),
        make.element("CtrlSum", decimal(sum(payee.amount_minor for payee in order.payees))),
    )
    make.write(
        out,
        "CstmrCdtTrfInitn",
        make.element(
            "GrpHdr",
            make.element("MsgId", order.message_id),
            make.element("CreDtTm", moment(order.created_at, order.timezone)),
            *totals,
            _operator("InitgPty", order.operator),
        ),
        _instruction(order),
    )


def _instruction(order: PaymentOrder) -> Any:
    make, operator = _MESSAGE, order.operator
    return make.element(
        "PmtInf",
        make.element("PmtInfId", order.message_id),
        make.element("PmtMtd", "TRF"),
        make.element("BtchBookg", "false"),
        make.element("NbOfTxs", str(len(order.payees))),
        make.element("CtrlSum", decimal(sum(payee.amount_minor for payee in order.payees))),
        make.path("ReqdExctnDt/Dt", day(order.pay_on)),
        _operator("Dbtr", operator),
        make.element(
            "DbtrAcct",
            make.path(
                "Id/Othr/Id",
                fitting("".join((operator.bank_account or NOT_PROVIDED).split()), ACCOUNT_MAX),
            ),
            make.element("Ccy", order.currency),
        ),
        make.bank("DbtrAgt", operator),
        # The operator bears its bank's charges: a member is to receive exactly what its statement says.
        make.element("ChrgBr", "DEBT"),
        *(_transfer(order, payee) for payee in order.payees),
    )


def _transfer(order: PaymentOrder, payee: Payee) -> Any:
    make = _MESSAGE
    return make.element(
        "CdtTrfTxInf",
        make.element(
            "PmtId",
            make.element("InstrId", payee.reference),
            make.element("EndToEndId", payee.reference),
        ),
        make.element("Amt", make.amount("InstdAmt", payee.amount_minor, order.currency)),
        # No creditor's agent: we know no bank of a member, and banks refuse a placeholder here.
        make.organisation("Cdtr", payee.name, payee.code, payee.uscc),
        make.path("CdtrAcct/Id/Othr/Id", payee.account),
        make.path("Purp/Cd", "NETT"),
        make.path("RmtInf/Ustrd", fitting(_text(order, payee), TEXT_MAX)),
    )


def _operator(name: str, operator: OperatorProfile) -> Any:
    return _MESSAGE.organisation(name, operator.name_zh, None, operator.uscc)


def _text(order: PaymentOrder, payee: Payee) -> str:
    return f"{payee.reference} {order.period} 联盟清算净额 alliance net settlement {payee.code}"
