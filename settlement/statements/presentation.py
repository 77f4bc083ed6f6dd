"""What the PDF and the workbook both show, in the order in which they show it; only the layout is theirs."""

from __future__ import annotations

from dataclasses import dataclass

from settlement.statements import labels
from settlement.statements.amounts import percent, shown_moment
from settlement.statements.labels import Label
from settlement.statements.sections import Payment
from settlement.statements.statement import OPERATOR, Party, Statement

#: A workbook lists at most so many lines; beyond it they are in the CSV only (XLSX takes 75 s a million).
WORKBOOK_LINE_LIMIT = 200_000


@dataclass(frozen=True, slots=True)
class Fact:
    """One line of the header: what it is and its text."""

    label: Label
    text: str


@dataclass(frozen=True, slots=True)
class SummaryRow:
    """One line of the summary; ``amount_minor`` is signed by its effect, so that a column can be added up.

    ``column`` says where it stands: ``detail`` (parts of the net), ``total`` (opening, net,
    payments, closing) or ``memo`` (contained in the line above; never added).
    """

    name: str
    label: Label
    amount_minor: int
    column: str


def is_operator(statement: Statement) -> bool:
    """Tell whether this is the clearing house's own statement."""
    return statement.party.code == OPERATOR


def party_facts(statement: Statement) -> tuple[Fact, ...]:
    """Return who the statement is for, beside its names; what is not known is left out."""
    return identity(statement.party)


def identity(party: Party) -> tuple[Fact, ...]:
    """Return by what a party is known beside its names."""
    facts = (
        Fact(labels.CODE, party.code),
        Fact(labels.USCC, party.uscc or ""),
        Fact(labels.BANK_ACCOUNT, party.bank_account_masked or ""),
    )
    return tuple(fact for fact in facts if fact.text)


def document_facts(statement: Statement) -> tuple[Fact, ...]:
    """Return what the header says about the document itself (interfaces.md)."""
    timezone = statement.timezone
    status = labels.STATUSES.get(statement.status)
    currency = labels.CURRENCIES.get(statement.currency)
    days = f"{statement.period_start.isoformat()} – {statement.period_end.isoformat()}"
    return (
        Fact(labels.STATEMENT_NO, statement.statement_no),
        Fact(labels.VERSION, str(statement.version)),
        Fact(labels.PERIOD, f"{statement.period} ({days})"),
        Fact(labels.TIMEZONE, timezone),
        Fact(labels.CUT_OFF, shown_moment(statement.cut_off_at, timezone)),
        Fact(labels.GENERATED, shown_moment(statement.generated_at, timezone)),
        Fact(labels.DUE_DATE, statement.due_date.isoformat()),
        Fact(labels.RULEBOOKS, ", ".join(statement.rulebook_versions)),
        Fact(labels.CURRENCY, str(currency or statement.currency)),
        Fact(labels.STATUS, str(status or statement.status)),
    )


def summary_rows(statement: Statement) -> tuple[SummaryRow, ...]:
    """Return the summary: opening + net (the details) + payments = closing."""
    summary = statement.summary
    operator = is_operator(statement)
    receivable = labels.RECEIVABLE_OPERATOR if operator else labels.RECEIVABLE
    payable = labels.PAYABLE_OPERATOR if operator else labels.PAYABLE
    fees = labels.FEES_OPERATOR if operator else labels.FEES
    rate = percent(summary.vat_ppm)
    vat = labels.VAT_ON_TOP if summary.vat_on_top else labels.VAT_INCLUDED
    return (
        SummaryRow("opening", labels.OPENING, summary.opening_minor, "total"),
        SummaryRow("receivable", receivable, summary.receivable_minor, "detail"),
        SummaryRow("payable", payable, -summary.payable_minor, "detail"),
        SummaryRow("fees", fees, -summary.fees_minor, "detail"),
        SummaryRow(
            "vat",
            Label(vat.zh, f"{vat.en} {rate}"),
            -summary.vat_minor,
            "detail" if summary.vat_on_top else "memo",
        ),
        SummaryRow("adjustments", labels.ADJUSTMENTS, summary.adjustments_minor, "detail"),
        SummaryRow("net", labels.NET, summary.net_minor, "total"),
        SummaryRow("payments", labels.PAYMENTS, -summary.payments_minor, "total"),
        SummaryRow("closing", labels.CLOSING, summary.closing_minor, "total"),
    )


@dataclass(frozen=True, slots=True)
class PaymentRow:
    """One line of how the net is settled; the last one is what the others add up to."""

    label: Label
    reference: str
    amount_minor: int


def payment_rows(payment: Payment) -> tuple[PaymentRow, ...]:
    """Return how the net is settled: net + what stands on the account − what is set off = what is transferred."""
    rows = [PaymentRow(labels.NET, "", payment.net_minor)]
    if payment.carried_minor:
        rows.append(PaymentRow(labels.STANDING, "", payment.carried_minor))
    rows.extend(
        PaymentRow(labels.SET_OFF_AGAINST, debt.reference, -debt.set_off_minor)
        for debt in payment.older_debts
        if debt.set_off_minor
    )
    way = labels.WAYS[payment.way]
    really = labels.REALLY_TRANSFERRED
    rows.append(
        PaymentRow(
            Label(f"{really.zh}（{way.zh}）", f"{really.en} ({way.en})"),
            payment.reference,
            payment.amount_minor,
        )
    )
    return tuple(rows)


def to_transfer_minor(statement: Statement) -> int:
    """Return what is really paid to the party (+) or by it (−): its net, where nothing else is known."""
    payment = statement.payment
    return statement.summary.net_minor if payment is None else payment.amount_minor


def direction(amount_minor: int) -> Label:
    """Say which way an amount goes, seen by the party: positive is to receive."""
    if amount_minor > 0:
        return labels.TO_RECEIVE
    return labels.TO_PAY if amount_minor < 0 else labels.NOTHING_DUE


def lines_in_workbook(statement: Statement) -> bool:
    """Tell whether the workbook lists the lines."""
    return statement.line_count <= WORKBOOK_LINE_LIMIT


def notes(statement: Statement) -> tuple[Label, ...]:
    """Return what a reader has to know."""
    return (
        where_lines_are(statement),
        Label(
            "所有债权债务均由清算所承继，按净额结算。非交换不收费：本系统内的业务列示但不收费。",
            "Every obligation faces the clearing house and is settled net. No exchange, no fee: "
            "activity inside one system is shown and not charged.",
        ),
        Label(
            "争议与收付款状态以出账时为准。已发布的对账单不再更改，更正列入以后账期。",
            "Disputes and payments are as at publication. A published statement never changes; "
            "corrections are entries in a later period.",
        ),
    )


def where_lines_are(statement: Statement) -> Label:
    """Say how many lines there are and which files list them."""
    number = f"{statement.line_count:,}"
    if lines_in_workbook(statement):
        files = Label("XLSX 与 CSV 文件", "the XLSX and CSV files")
    else:
        files = Label("CSV 文件", "the CSV file")
    return Label(
        f"本对账单共 {number} 行明细，见同一对账单的 {files.zh}；明细合计与汇总一致。",
        f"The statement has {number} lines, listed in {files.en} of this statement; "
        "they add up to the summary.",
    )
