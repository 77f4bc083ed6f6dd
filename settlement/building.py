"""Building statements from the frozen run: every total comes from frozen figures, every line from a closed period."""

from __future__ import annotations

from dataclasses import dataclass, field

from clearinghouse.domain.calendar import first_day, format_period, last_day
from clearinghouse.domain.movements import payments_minor
from clearinghouse.domain.rulebook import FEE_KINDS
from clearinghouse.operations.context import Context
from clearinghouse.store.statement_lines import ActivitySum
from settlement.control import control
from settlement.frozen_run import VERSION, FrozenRun, statement_no
from settlement.lines import Lines
from settlement.parts import (
    adjustments,
    exchanges,
    issued,
    movements,
    party,
    payment,
    securities,
    signing_key,
)
from settlement.statements.sections import PAYABLE, RECEIVABLE, Exchange, SigningKey
from settlement.statements.statement import (
    OPERATOR,
    Activity,
    Counterparty,
    NetPoint,
    Party,
    Statement,
    Summary,
)

#: The activity that is no leg's: fees that adjustments charge or give back.
CORRECTED = "correction"


@dataclass(frozen=True)
class _Figures:
    """What is of one party only: who it is, its totals, and over what it was active."""

    party: Party
    summary: Summary
    system: int | None
    activity: list[ActivitySum]
    counterparties: tuple[Counterparty, ...]
    history: list[tuple[int, int]]
    lines: Lines
    exchanges: tuple[Exchange, ...] = field(default=())


def system_statement(context: Context, run: FrozenRun, system: int) -> Statement:
    """Build the statement of one system."""
    position = run.positions[system]
    opening = run.opening.get(system, 0)
    payments = payments_minor(run.movements.get(system, ()))
    exchanged = exchanges(run, system)
    return _statement(
        run,
        _Figures(
            party(run, system),
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
                payments_minor=payments,
                closing_minor=opening + position.net_minor - payments,
            ),
            system,
            [row for row in run.activity if row.system == system],
            _counterparties(run, exchanged),
            run.history.get(system, []),
            Lines(context, run, system, run.line_counts.get(system, 0)),
            exchanged,
        ),
    )


def operator_statement(context: Context, run: FrozenRun) -> Statement:
    """Build the clearing house's own statement: what it takes in, pays out and earns."""
    total = run.total
    opening = -sum(run.opening.values())
    payments = -sum(payments_minor(rows) for rows in run.movements.values())
    history: dict[int, int] = {}
    for points in run.history.values():
        for period, net in points:
            history[period] = history.get(period, 0) - net
    exchanged = exchanges(run, None)
    return _statement(
        run,
        _Figures(
            party(run, None),
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
                payments_minor=payments,
                closing_minor=opening - total.net_minor - payments,
            ),
            None,
            run.activity,
            _counterparties(run, exchanged, everybody=True),
            sorted(history.items()),
            Lines(context, run, None, sum(row.legs for row in run.activity)),
            exchanged,
        ),
    )


def _statement(run: FrozenRun, figures: _Figures) -> Statement:
    at = run.cut_off_at
    return Statement(
        statement_no=statement_no(run, figures.party.code),
        version=VERSION,
        period=format_period(run.period),
        period_start=first_day(run.period),
        period_end=last_day(run.period),
        timezone=run.rulebook.timezone,
        party=figures.party,
        currency=run.rulebook.currency,
        cut_off_at=at,
        generated_at=at,
        due_date=run.due_date,
        status="published",
        rulebook_versions=run.rulebook_versions,
        summary=figures.summary,
        activities=_activities(run, figures),
        counterparties=figures.counterparties,
        history=tuple(NetPoint(format_period(month), net) for month, net in figures.history),
        line_count=figures.lines.count,
        lines=figures.lines,
        operator=run.operator,
        exchanges=figures.exchanges,
        adjustments=adjustments(run, figures.system),
        movements=movements(run, figures.system),
        issued=issued(run, figures.system),
        securities=securities(run, figures.system),
        payment=payment(run, figures.system),
        control=control(run) if figures.party.code == OPERATOR else None,
        signing_key=signing_key(run) if run.key is None else SigningKey(*run.key),
    )


def _activities(run: FrozenRun, figures: _Figures) -> tuple[Activity, ...]:
    found = [_activity(figures.activity, kind) for kind in FEE_KINDS]
    fees = [
        row.amount_minor
        for row in run.adjustments
        if row.is_fee and figures.system in (None, row.system)
    ]
    if fees:
        found.append(Activity(CORRECTED, len(fees), 0, -sum(fees), 0, 0))
    return tuple(found)


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


def _counterparties(
    run: FrozenRun, exchanged: tuple[Exchange, ...], *, everybody: bool = False
) -> tuple[Counterparty, ...]:
    """Add up what was exchanged per counterparty, both kinds together; ``everybody`` lists those at nothing too."""
    by_code = {system.code: system for system in run.directory.systems.values()}
    rows: dict[str, dict[str, list[int]]] = {}
    if everybody:
        rows = {run.directory.systems[number].code: {} for number in run.positions}
    for part in exchanged:
        sums = rows.setdefault(part.code, {}).setdefault(part.direction, [0, 0])
        sums[0] += part.count
        sums[1] += part.amount_minor
    found = []
    for code in sorted(rows):
        (in_count, receivable), (out_count, payable) = (
            rows[code].get(direction, (0, 0)) for direction in (RECEIVABLE, PAYABLE)
        )
        other = by_code[code]
        found.append(
            Counterparty(
                code, other.name_zh, other.name_en, in_count, receivable, out_count, payable,
                receivable - payable,
            )
        )  # fmt: skip
    return tuple(found)
