"""Building statements from the frozen run: every total comes from frozen figures, every line from a closed period."""

from __future__ import annotations

from datetime import timedelta

from clearinghouse.domain.calendar import first_day, format_period, last_day, zone
from clearinghouse.domain.rulebook import FEE_KINDS
from clearinghouse.operations.context import Context
from clearinghouse.store.statement_lines import ActivitySum
from settlement.frozen_run import VERSION, FrozenRun, statement_no
from settlement.lines import Lines
from settlement.statements.statement import (
    OPERATOR,
    Activity,
    Counterparty,
    NetPoint,
    Party,
    Statement,
    Summary,
)

_OPERATOR_ZH, _OPERATOR_EN = "酒店联盟清算所", "Hotel Alliance Clearing House"


def system_statement(context: Context, run: FrozenRun, system: int) -> Statement:
    """Build the statement of one system."""
    member = run.directory.systems[system]
    position = run.positions[system]
    opening = run.net_before.get(system, 0)
    account = member.bank_account
    return _statement(
        run,
        Party(
            member.code,
            member.name_zh,
            member.name_en,
            member.uscc,
            f"{account[:4]} **** {account[-4:]}" if account else None,
        ),
        Summary(
            opening_minor=opening,
            receivable_minor=position.receivable_minor,
            payable_minor=position.payable_minor,
            fees_minor=position.fees_minor,
            vat_minor=position.vat_minor,
            vat_on_top=run.vat_on_top,
            vat_ppm=run.rulebook.vat_ppm,
            adjustments_minor=position.adjustments_minor,
            net_minor=position.net_minor,
            payments_minor=0,
            closing_minor=opening + position.net_minor,
        ),
        [row for row in run.activity if row.system == system],
        _counterparties(run, system),
        run.history.get(system, []),
        Lines(context, run, system, run.line_counts.get(system, 0)),
    )


def operator_statement(context: Context, run: FrozenRun) -> Statement:
    """Build the clearing house's own statement: what it takes in, pays out and earns."""
    total = run.total
    opening = -sum(run.net_before.values())
    history: dict[int, int] = {}
    for points in run.history.values():
        for period, net in points:
            history[period] = history.get(period, 0) - net
    systems = sorted(run.positions, key=lambda number: run.directory.systems[number].code)
    return _statement(
        run,
        Party(OPERATOR, _OPERATOR_ZH, _OPERATOR_EN, None, None),
        Summary(
            opening_minor=opening,
            receivable_minor=total.payable_minor,
            payable_minor=total.receivable_minor,
            fees_minor=-total.fees_minor,
            vat_minor=-total.vat_minor,
            vat_on_top=run.vat_on_top,
            vat_ppm=run.rulebook.vat_ppm,
            adjustments_minor=-total.adjustments_minor,
            net_minor=-total.net_minor,
            payments_minor=0,
            closing_minor=opening - total.net_minor,
        ),
        run.activity,
        tuple(_system_as_counterparty(run, number) for number in systems),
        sorted(history.items()),
        Lines(context, run, None, sum(row.legs for row in run.activity)),
    )


def _statement(
    run: FrozenRun,
    party: Party,
    summary: Summary,
    activity: list[ActivitySum],
    counterparties: tuple[Counterparty, ...],
    history: list[tuple[int, int]],
    lines: Lines,
) -> Statement:
    at = run.cut_off_at
    due = at.astimezone(zone(run.rulebook.timezone)).date()
    return Statement(
        statement_no=statement_no(run, party.code),
        version=VERSION,
        period=format_period(run.period),
        period_start=first_day(run.period),
        period_end=last_day(run.period),
        timezone=run.rulebook.timezone,
        party=party,
        currency=run.rulebook.currency,
        cut_off_at=at,
        generated_at=at,
        due_date=due + timedelta(days=run.rulebook.payment_days),
        status="published",
        rulebook_versions=run.rulebook_versions,
        summary=summary,
        activities=tuple(_activity(activity, kind) for kind in FEE_KINDS),
        counterparties=counterparties,
        history=tuple(NetPoint(format_period(month), net) for month, net in history),
        line_count=lines.count,
        lines=lines,
    )


def _activity(rows: list[ActivitySum], kind: str) -> Activity:
    cross = [row for row in rows if row.fee_kind == kind and row.cross]
    own = [row for row in rows if row.fee_kind == kind and not row.cross]
    return Activity(
        kind=kind,
        cross_count=sum(row.legs for row in cross),
        cross_base_minor=sum(row.base_minor for row in cross),
        fee_minor=sum(row.fee_minor for row in cross),
        own_count=sum(row.legs for row in own),
        own_base_minor=sum(row.base_minor for row in own),
    )


def _counterparties(run: FrozenRun, system: int) -> tuple[Counterparty, ...]:
    found: dict[int, list[int]] = {}
    for pair in run.obligations:
        if system == pair.creditor:
            sums = found.setdefault(pair.debtor, [0, 0, 0, 0])
            sums[0] += pair.count
            sums[1] += pair.amount_minor
        elif system == pair.debtor:
            sums = found.setdefault(pair.creditor, [0, 0, 0, 0])
            sums[2] += pair.count
            sums[3] += pair.amount_minor
    rows = []
    for number, (in_count, receivable, out_count, payable) in found.items():
        other = run.directory.systems[number]
        rows.append(
            Counterparty(
                other.code, other.name_zh, other.name_en, in_count, receivable, out_count, payable,
                receivable - payable,
            )
        )  # fmt: skip
    return tuple(sorted(rows, key=lambda row: row.code))


def _system_as_counterparty(run: FrozenRun, number: int) -> Counterparty:
    """Return one system as the operator sees it: receivable is what the system has to pay in."""
    system, position = run.directory.systems[number], run.positions[number]
    paid_in = [pair.count for pair in run.obligations if pair.debtor == number]
    paid_out = [pair.count for pair in run.obligations if pair.creditor == number]
    return Counterparty(
        code=system.code,
        name_zh=system.name_zh,
        name_en=system.name_en,
        receivable_count=sum(paid_in),
        receivable_minor=position.payable_minor,
        payable_count=sum(paid_out),
        payable_minor=position.receivable_minor,
        net_minor=position.payable_minor - position.receivable_minor,
    )
