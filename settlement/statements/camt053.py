"""A statement as camt.053.001.08: the member's account with the clearing house, for its accounting software.

The account is the one that the alliance settles over, kept by the clearing house: a credit is what the member is to
receive. One entry stands for everything of one kind with one counterparty, one for each kind of fee, one for VAT that
is on top, one for each adjustment and each movement (decision 0025): so the message is small whatever the month was,
and opening + entries = closing to the fen. The lines are in the CSV. Ids and moments are the statement's own.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any, BinaryIO

from clearinghouse.domain.calendar import zone
from settlement.statements import labels
from settlement.statements.amounts import percent
from settlement.statements.iso20022 import (
    ACCOUNT_MAX,
    ID_MAX,
    LONG_TEXT_MAX,
    NAME_MAX,
    NOT_PROVIDED,
    Message,
    day,
    decimal,
    fitting,
    message_id,
    moment,
)
from settlement.statements.labels import Label
from settlement.statements.presentation import is_operator
from settlement.statements.sections import RECEIVABLE
from settlement.statements.statement import Statement

_MESSAGE = Message("camt.053.001.08")
_ISSUER = "CLEARINGHOUSE"
_VAT_INCLUDED = "VAT_INCLUDED"


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry; ``amount_minor`` is signed, a credit above 0. ``count`` is how many lines it stands for.

    ``reversal`` marks a sum on the other side than its kind is meant for: more was refunded than used.
    """

    code: str
    amount_minor: int
    text: str
    booked: date
    count: int = 1
    reversal: bool = False
    counterparty: str | None = None
    reference: str | None = None
    vat_included_minor: int = 0


def render(statement: Statement, out: BinaryIO) -> None:
    """Write the message.

    Raises:
        ValueError: the entries do not add up to the balances; what was written is no statement.
    """
    make = _MESSAGE
    found = [entry for entry in entries(statement) if entry.amount_minor != 0]
    total = sum(entry.amount_minor for entry in found)
    summary = statement.summary
    if summary.opening_minor + total != summary.closing_minor:
        raise ValueError(f"the entries of {statement.statement_no} do not add up to its balances")
    created = moment(statement.generated_at, statement.timezone)
    number = message_id(statement.statement_no)
    names = {row.code: row.name_zh for row in statement.counterparties}
    make.write(
        out,
        "BkToCstmrStmt",
        make.element("GrpHdr", make.element("MsgId", number), make.element("CreDtTm", created)),
        make.element(
            "Stmt",
            *_head(statement, number, created),
            _totals(found),
            *(
                _entry(statement, position, entry, names)
                for position, entry in enumerate(found, start=1)
            ),
            make.element("AddtlStmtInf", fitting(_about(statement), LONG_TEXT_MAX)),
        ),
    )


def entries(statement: Statement) -> Iterator[Entry]:
    """Yield what stands on the account, in the order of the summary; what comes to nothing too."""
    end = statement.period_end
    summary = statement.summary
    for row in statement.exchanges:
        sign = 1 if row.direction == RECEIVABLE else -1
        kind = labels.KINDS.get(row.kind) or Label(row.kind, row.kind)
        side = labels.RECEIVABLE_SHORT if sign > 0 else labels.PAYABLE_SHORT
        text = f"{side.zh} {kind.zh} {row.code} · {side.en}, {kind.en.lower()}, {row.code}"
        yield Entry(
            _code(row.direction, row.kind), sign * row.amount_minor, text, end,
            count=row.count, reversal=row.amount_minor < 0, counterparty=row.code,
        )  # fmt: skip
    yield from _fees(statement)
    if summary.vat_on_top:
        vat = labels.VAT_ON_TOP
        text = f"{vat.zh} {percent(summary.vat_ppm)} · {vat.en} {percent(summary.vat_ppm)}"
        yield Entry("VAT", -summary.vat_minor, text, end)
    for adjustment in statement.adjustments:
        if adjustment.counts_as == "adjustment":
            yield Entry(
                _code("adjustment", adjustment.kind), adjustment.amount_minor, adjustment.text, end,
                counterparty=adjustment.counterparty, reference=adjustment.reference,
            )  # fmt: skip
    for movement in statement.movements:
        kind = labels.movement(movement.kind)
        yield Entry(
            _code("movement", movement.kind), movement.amount_minor, f"{kind.zh} · {kind.en}",
            movement.date, counterparty=movement.system, reference=movement.reference,
        )  # fmt: skip


def _fees(statement: Statement) -> Iterator[Entry]:
    """Yield the fees by kind. VAT that they contain is rounded once, on their sum: the first entry tells it."""
    summary = statement.summary
    sign = 1 if is_operator(statement) else -1
    vat = 0 if summary.vat_on_top else abs(summary.vat_minor)
    label = labels.FEES_OPERATOR if is_operator(statement) else labels.FEES
    for activity in statement.activities:
        kind = labels.KINDS.get(activity.kind) or Label(activity.kind, activity.kind)
        if activity.fee_minor:
            yield Entry(
                _code("fee", activity.kind),
                sign * activity.fee_minor,
                f"{label.zh} {kind.zh} · {label.en}, {kind.en.lower()}",
                statement.period_end,
                count=activity.cross_count,
                reversal=activity.fee_minor < 0,
                vat_included_minor=vat,
            )
            vat = 0


def _code(*words: str) -> str:
    return "-".join(words).upper()[:ID_MAX]


def _head(statement: Statement, number: str, created: str) -> Iterator[Any]:
    make, party, operator = _MESSAGE, statement.party, statement.operator
    yield make.element("Id", number)
    yield make.element("CreDtTm", created)
    here = zone(statement.timezone)
    first = datetime.combine(statement.period_start, time.min, here)
    last = datetime.combine(statement.period_end, time(23, 59, 59), here)
    start, end = (moment(at, statement.timezone) for at in (first, last))
    yield make.element("FrToDt", make.element("FrDtTm", start), make.element("ToDtTm", end))
    yield make.element(
        "Acct",
        make.path(
            "Id/Othr",
            make.element("Id", fitting(f"CLR-{party.code}", ACCOUNT_MAX)),
            make.path("SchmeNm/Prtry", "ALLIANCE_SETTLEMENT"),
            make.element("Issr", _ISSUER),
        ),
        make.element("Ccy", statement.currency),
        make.organisation("Ownr", party.name_zh, party.code, party.uscc),
        make.path(
            "Svcr/FinInstnId",
            make.element("Nm", fitting(operator.name_zh, NAME_MAX)),
            make.path("Othr/Id", fitting(operator.uscc or NOT_PROVIDED, ID_MAX)),
        ),
    )
    yield _balance("OPBD", statement.summary.opening_minor, statement.period_start, statement)
    yield _balance("CLBD", statement.summary.closing_minor, statement.period_end, statement)


def _balance(code: str, amount_minor: int, on: date, statement: Statement) -> Any:
    make = _MESSAGE
    return make.element(
        "Bal",
        make.path("Tp/CdOrPrtry/Cd", code),
        make.amount("Amt", amount_minor, statement.currency),
        make.sign(amount_minor),
        make.path("Dt/Dt", day(on)),
    )


def _totals(found: list[Entry]) -> Any:
    make = _MESSAGE
    paid_in = [entry.amount_minor for entry in found if entry.amount_minor > 0]
    paid_out = [-entry.amount_minor for entry in found if entry.amount_minor < 0]
    net = sum(paid_in) - sum(paid_out)

    def counted(name: str, amounts: list[int], *more: Any) -> Any:
        return make.element(
            name,
            make.element("NbOfNtries", str(len(amounts))),
            make.element("Sum", decimal(sum(amounts))),
            *more,
        )

    balance = make.element("TtlNetNtry", make.element("Amt", decimal(abs(net))), make.sign(net))
    return make.element(
        "TxsSummry",
        counted("TtlNtries", [*paid_in, *paid_out], balance),
        counted("TtlCdtNtries", paid_in),
        counted("TtlDbtNtries", paid_out),
    )


def _entry(statement: Statement, position: int, entry: Entry, names: dict[str, str]) -> Any:
    make, currency = _MESSAGE, statement.currency
    vat = entry.vat_included_minor
    return make.element(
        "Ntry",
        make.element("NtryRef", str(position)),
        make.amount("Amt", entry.amount_minor, currency),
        make.sign(entry.amount_minor),
        make.element("RvslInd", "true") if entry.reversal else None,
        make.path("Sts/Cd", "BOOK"),
        make.path("BookgDt/Dt", day(entry.booked)),
        make.path("ValDt/Dt", day(entry.booked)),
        make.element(
            "BkTxCd",
            make.element("Prtry", make.element("Cd", entry.code), make.element("Issr", _ISSUER)),
        ),
        make.path(
            "AmtDtls/PrtryAmt",
            make.element("Tp", _VAT_INCLUDED),
            make.amount("Amt", vat, currency),
        )
        if vat
        else None,
        _details(entry, names, currency),
        make.element("AddtlNtryInf", fitting(entry.text, LONG_TEXT_MAX)) if entry.text else None,
    )


def _details(entry: Entry, names: dict[str, str], currency: str) -> Any:
    """Make what an entry stands for: how many lines, with whom, under what reference."""
    make = _MESSAGE
    other = entry.counterparty
    role = "Dbtr" if entry.amount_minor > 0 else "Cdtr"
    parties = None
    if other:
        party = make.organisation("Pty", names.get(other, other), other, None)
        parties = make.element("RltdPties", make.element(role, party))
    details = make.element(
        "TxDtls",
        make.path("Refs/EndToEndId", fitting(entry.reference, ID_MAX)) if entry.reference else None,
        make.amount("Amt", entry.amount_minor, currency),
        make.sign(entry.amount_minor),
        parties,
    )
    return make.element(
        "NtryDtls",
        make.element(
            "Btch",
            make.element("NbOfTxs", str(entry.count)),
            make.amount("TtlAmt", entry.amount_minor, currency),
            make.sign(entry.amount_minor),
        )
        if entry.count != 1
        else None,
        details,
    )


def _about(statement: Statement) -> str:
    return (
        f"{statement.statement_no} · {statement.line_count} 行明细见 CSV 文件 lines are in the CSV file"
        f" · 付款到期日 due date {statement.due_date.isoformat()}"
    )
