"""Where a system stands in months that are not netted yet: its running position, from roll-ups alone (domain.md §4)."""

from __future__ import annotations

from dataclasses import dataclass

from clearinghouse.domain.calendar import last_day
from clearinghouse.domain.netting import Obligations, Position, net
from clearinghouse.operations.context import Context
from clearinghouse.store import adjustments, periods, rollups

_NOT_NETTED = ("open", "closing")


@dataclass(frozen=True, slots=True)
class Running:
    """A month as it stands now, and what it is made of, by the other system and kind."""

    period: int
    state: str
    position: Position
    obligations: tuple[Obligations, ...]


def running_positions(context: Context, system: int, most: int) -> list[Running]:
    """Return a system's positions in up to ``most`` months that are not netted, the newest first.

    No leg is read, however many there are. What is posted now is in it a moment later.
    """
    found = []
    with context.database.office() as session:
        directory = context.directory.current(session)
        for row in periods.newest(session, before=None, most=most):
            if row.state not in _NOT_NETTED:
                continue
            in_force = directory.rulebook_on(last_day(row.period))
            rules = in_force.rulebook if in_force else None
            pairs, fees = rollups.of_system(session, row.period, system)
            (position,) = net(
                [system],
                pairs,
                {system: fees},
                vat_ppm=rules.vat_ppm if rules else 0,
                fees_include_vat=rules.fees_include_vat if rules else True,
                adjusted=adjustments.sums(session, row.period),
            )
            found.append(Running(row.period, row.state, position, tuple(pairs)))
    return found
