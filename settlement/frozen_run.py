"""The frozen figures of a run, from which everything published is made (domain.md §4)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import cached_property

from clearinghouse.domain.accounts import AccountKind
from clearinghouse.domain.calendar import cut_off, format_period, local_date
from clearinghouse.domain.directory import Directory
from clearinghouse.domain.movements import Movement
from clearinghouse.domain.netting import Obligations, Position
from clearinghouse.domain.operator_profile import OperatorProfile
from clearinghouse.domain.payments import Transfer
from clearinghouse.domain.rulebook import Rulebook
from clearinghouse.domain.signing import SigningKey
from clearinghouse.operations.context import Context
from clearinghouse.operations.signing_keys import signing_key
from clearinghouse.store import (
    adjustments,
    frozen,
    issued_points,
    movements,
    periods,
    statement_lines,
)
from clearinghouse.store.adjustments import AdjustmentRow
from clearinghouse.store.database import Session
from clearinghouse.store.payments import instructions
from clearinghouse.store.payments.instructions import Debt
from clearinghouse.store.securities import securities
from clearinghouse.store.statement_lines import ActivitySum
from settlement.transfers import Settled, settled

VERSION = 1
HISTORY_MONTHS = 12


@dataclass(frozen=True)
class FrozenRun:
    """The frozen figures of one netted period, read once for all of its statements."""

    period: int
    directory: Directory
    rulebook: Rulebook
    positions: dict[int, Position]
    obligations: list[Obligations]
    activity: list[ActivitySum]
    line_counts: dict[int, int]
    opening: dict[int, int]
    history: dict[int, list[tuple[int, int]]]
    rulebook_versions: tuple[str, ...]
    liability: list[frozen.Liability]
    adjustments: list[AdjustmentRow]
    movements: dict[int, list[Movement]]
    operator: OperatorProfile
    hotel_systems: dict[int, int]
    redeemed_across: dict[int, int]
    transfers: dict[int, Transfer]
    securities: dict[tuple[AccountKind, int], int]
    #: Signs the files of the period; ``None`` before it is closing.
    key: SigningKey | None = None
    #: When the period was marked closing, which never changes; ``None`` before it is.
    closing_at: datetime | None = None
    #: What each system had not paid of earlier periods at the period's end, the oldest first.
    debts: dict[int, list[Debt]] = field(default_factory=dict)

    @cached_property
    def settled(self) -> dict[int, Settled]:
        """How each system that has something to settle settles it, in the order of their codes."""
        found = [
            settled(self.period, VERSION, self.directory.systems[number], transfer)
            for number, transfer in self.transfers.items()
        ]
        return {row.system.number: row for row in sorted(found, key=lambda row: row.system.code)}

    @property
    def cut_off_at(self) -> datetime:
        """The scheduled cut-off, which every file carries as the moment of its making."""
        return cut_off(self.period, self.rulebook.cutoff_days, self.rulebook.timezone)

    @property
    def due_date(self) -> date:
        """The day until which everybody pays: so many days as the rulebook gives after the day of the closing.

        A month that is settled late costs nobody days, and one that could close early is due by the schedule.
        """
        since = max(self.cut_off_at, self.closing_at or self.cut_off_at)
        return local_date(since, self.rulebook.timezone) + timedelta(
            days=self.rulebook.payment_days
        )

    @property
    def total(self) -> Position:
        """The sum of all positions."""
        return _sum(self.positions.values())

    @property
    def vat_on_top(self) -> bool:
        """Whether VAT is added to the fees."""
        return not self.rulebook.fees_include_vat


def read_run(context: Context, period: int) -> FrozenRun:
    """Read the frozen figures of a netted period."""
    with context.database.office() as session:
        now = context.directory.current(session)
        terms = frozen.run_terms(session, period)
        # The members as they were when the period was netted: a resumed run prints no other names.
        directory = Directory(terms.systems, now.hotels.values(), (), now.rulebooks)
        in_force = directory.rulebook_by_number[terms.rulebook]
        used = {*statement_lines.rulebooks_used(session, period), in_force.number}
        versions = [version for version in directory.rulebooks if version.number in used]
        return FrozenRun(
            period=period,
            directory=directory,
            rulebook=in_force.rulebook,
            positions={p.system: p for p in frozen.positions(session, period)},
            obligations=frozen.obligations(session, period),
            activity=statement_lines.activity(session, period),
            line_counts=statement_lines.line_counts(session, period),
            opening=opening_balances(session, period),
            history=frozen.net_history(session, period, HISTORY_MONTHS),
            rulebook_versions=tuple(version.rulebook.version for version in versions),
            liability=frozen.liability(session, period),
            adjustments=adjustments.adjustments_of(session, period),
            movements=movements.movements_of(session, period),
            operator=terms.operator,
            hotel_systems=terms.hotels,
            redeemed_across=issued_points.redeemed_across(session, period),
            transfers=instructions.transfers(session, period),
            debts=instructions.debts(session, period),
            securities=securities(session, period),
            key=signing_key(session, period),
            closing_at=periods.closing_at(session, period),
        )


def opening_balances(session: Session, period: int) -> dict[int, int]:
    """Return what every system's account with the clearing house stands at before a period, in fen."""
    balances = frozen.net_before(session, period)
    for system, moved in movements.movements_before(session, period).items():
        balances[system] = balances.get(system, 0) + moved
    return balances


def statement_no(run: FrozenRun, code: str) -> str:
    """Return the number of a party's statement: derived from period, party and version, never counted."""
    return f"ST-{format_period(run.period).replace('-', '')}-{code}-{VERSION}"


def _sum(positions: Iterable[Position]) -> Position:
    rows = list(positions)
    return Position(
        system=0,
        receivable_minor=sum(p.receivable_minor for p in rows),
        payable_minor=sum(p.payable_minor for p in rows),
        fees_minor=sum(p.fees_minor for p in rows),
        vat_minor=sum(p.vat_minor for p in rows),
        adjustments_minor=sum(p.adjustments_minor for p in rows),
        net_minor=sum(p.net_minor for p in rows),
    )
