"""A dry run of a month's close: what a party's statement would say if the month closed now; nothing is changed."""

from __future__ import annotations

from dataclasses import dataclass

from clearinghouse.domain.calendar import format_period
from clearinghouse.domain.errors import SystemClientNeeded
from clearinghouse.operations.close import rulebook_of_period
from clearinghouse.operations.context import Context
from clearinghouse.operations.party import Party
from clearinghouse.store import (
    adjustments,
    frozen,
    movements,
    periods,
    statement_lines,
)
from clearinghouse.store.database import Session
from clearinghouse.store.snapshot import hold_still
from settlement.building import operator_statement, system_statement
from settlement.frozen_run import HISTORY_MONTHS, FrozenRun, opening_balances
from settlement.netting import figures
from settlement.statements.statement import Statement


@dataclass(frozen=True, slots=True)
class Preview:
    """A party's statement as it would be; ``state`` is the month's own, ``None`` before anything is posted to it.

    ``open_before`` are earlier months that have to be closed first. What they come to is not in the opening balance.
    """

    statement: Statement
    state: str | None
    open_before: tuple[str, ...]


def preview_close(context: Context, party: Party, period: int) -> Preview:
    """Net a month as the books stand now, in a transaction that can only read.

    The points that expire with the month owe nobody anything, so they are not in it. The statement's lines are
    counted, not made.

    Raises:
        SystemClientNeeded: the client is bound to some hotels of its system.
        PeriodNotReady: no rulebook is in force at the end of the month.
    """
    if party.hotels is not None:
        raise SystemClientNeeded(
            "a statement is of the whole system, and this client of some hotels"
        )
    with context.database.office() as session:
        hold_still(session)
        known = {row.period: row.state for row in periods.periods(session)}
        run = _run(
            context, session, period, netted=known.get(period) not in (None, "open", "closing")
        )
    statement = (
        operator_statement(context, run)
        if party.system is None
        else system_statement(context, run, party.system)
    )
    earlier = [month for month, state in known.items() if month < period and state == "open"]
    return Preview(statement, known.get(period), tuple(map(format_period, sorted(earlier))))


def _run(context: Context, session: Session, period: int, *, netted: bool) -> FrozenRun:
    """Return what the figures of a run would be; of a month that is netted they are what they were."""
    directory = context.directory.current(session)
    in_force = rulebook_of_period(directory, period)
    pairs, positions, _ = figures(context, session, period)
    history = frozen.net_history(session, period, HISTORY_MONTHS)
    for position in () if netted else positions:
        history.setdefault(position.system, []).append((period, position.net_minor))
    used = {*statement_lines.rulebooks_used(session, period), in_force.number}
    return FrozenRun(
        period=period,
        directory=directory,
        rulebook=in_force.rulebook,
        positions={position.system: position for position in positions},
        obligations=[pair for pair in pairs if pair.amount_minor != 0],
        activity=statement_lines.activity(session, period),
        line_counts=statement_lines.line_counts(session, period),
        opening=opening_balances(session, period),
        history=history,
        rulebook_versions=tuple(
            version.rulebook.version for version in directory.rulebooks if version.number in used
        ),
        liability=[],
        adjustments=adjustments.adjustments_of(session, period),
        movements=movements.movements_of(session, period),
        operator=context.operator,
        hotel_systems={},
        redeemed_across={},
        transfers={},
        securities={},
    )
