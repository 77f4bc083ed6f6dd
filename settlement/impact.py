"""The impact of a draft rulebook: what the last published month would have cost under it (docs/decisions/0031).

A month with few lines is priced leg by leg and exactly, a large one by the sums of its published statements, which
takes no longer however large it is; :func:`impact` leg by leg takes as long as the month is large.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from clearinghouse.domain.calendar import format_period
from clearinghouse.domain.directory import Directory
from clearinghouse.domain.errors import PeriodNotReady
from clearinghouse.domain.impact import Key, KindSum, Repriced, reprice_legs, reprice_sums
from clearinghouse.domain.netting import Position, net
from clearinghouse.domain.rulebook import FEE_KINDS, Rulebook
from clearinghouse.operations.context import Context
from clearinghouse.store import adjustments, desk, frozen, periods, repricing
from clearinghouse.store.database import Session
from clearinghouse.store.periods import PUBLISHED
from settlement.paths import statement_path
from settlement.statements.statement import OPERATOR

#: A month with so many lines is priced leg by leg while a page waits.
_FEW_LINES = 20_000
#: Of a statement so much is read; its activities are among the first of its header.
_HEAD_BYTES = 1 << 15


@dataclass(frozen=True, slots=True)
class SystemImpact:
    """What a system's month was and would have been under the draft; fen.

    ``fees`` are by kind: as they were and as they would be. ``within_minor`` says by how much the draft's figures can
    be off, 0: exact, ``None``: not known.
    """

    code: str
    before: Position
    after: Position
    fees: dict[str, tuple[int, int]]
    within_minor: int | None

    @property
    def fee_change_minor(self) -> int:
        """How much more it would have paid in fees."""
        return self.after.fees_minor - self.before.fees_minor

    @property
    def net_change_minor(self) -> int:
        """How much more it would have received, or less paid."""
        return self.after.net_minor - self.before.net_minor


@dataclass(frozen=True, slots=True)
class Impact:
    """The impact on a month, by system code; ``by_leg`` tells that every leg was priced."""

    period: int
    by_leg: bool
    systems: tuple[SystemImpact, ...]

    @property
    def fees_before_minor(self) -> int:
        """The clearing house's fees as they were."""
        return sum(row.before.fees_minor for row in self.systems)

    @property
    def fees_after_minor(self) -> int:
        """The clearing house's fees as they would be."""
        return sum(row.after.fees_minor for row in self.systems)

    @property
    def within_minor(self) -> int | None:
        """By how much the fees of all can be off; ``None``: not known."""
        bounds = [row.within_minor for row in self.systems]
        return None if None in bounds else sum(bound or 0 for bound in bounds)


def last_published(context: Context) -> int | None:
    """Return the newest published period."""
    with context.database.office() as session:
        found = [row.period for row in desk.period_dates(session, 24) if row.state in PUBLISHED]
    return found[0] if found else None


def impact(context: Context, draft: Rulebook, period: int, *, by_leg: bool | None = None) -> Impact:
    """Price a published month by a draft; without ``by_leg`` leg by leg only where there are few lines.

    Raises:
        PeriodNotReady: it is not published.
    """
    with context.database.office() as session:
        if periods.state_of(session, period) not in PUBLISHED:
            raise PeriodNotReady(f"{format_period(period)} is not published yet")
        directory = context.directory.current(session)
        before = {row.system: row for row in frozen.positions(session, period)}
        adjusted = adjustments.sums(session, period)
        lines = desk.lines_of_period(session, period, statement_path(OPERATOR, "csv"))
        exactly = (lines is not None and lines <= _FEW_LINES) if by_leg is None else by_leg
        was, versions = _activities(session, directory, period, before)
        if exactly:
            priced = reprice_legs(repricing.alike_legs(session, period), draft)
        else:
            known = (version.rulebook for version in directory.rulebooks)
            judged = [rulebook for rulebook in known if rulebook.version in versions]
            priced = reprice_sums(was, frozen.obligations(session, period), judged, draft)
    fees: dict[int, int] = {}
    for (system, _), amount in priced.fees.items():
        fees[system] = fees.get(system, 0) + amount
    after = net(
        list(before),
        priced.obligations,
        fees,
        vat_ppm=draft.vat_ppm,
        fees_include_vat=draft.fees_include_vat,
        adjusted=adjusted,
    )
    rows = [
        SystemImpact(
            directory.systems[position.system].code,
            before[position.system],
            position,
            _by_kind(was, priced, position.system),
            _within(priced, position.system),
        )
        for position in after
    ]
    return Impact(period, exactly, tuple(rows))


def _by_kind(was: dict[Key, KindSum], priced: Repriced, system: int) -> dict[str, tuple[int, int]]:
    found = {}
    for kind in FEE_KINDS:
        key = (system, kind)
        had = was[key].fee_minor if key in was else 0
        found[kind] = (had, priced.fees.get(key, 0))
    return found


def _within(priced: Repriced, system: int) -> int | None:
    return None if system in priced.unbounded else priced.within_minor.get(system, 0)


def _activities(
    session: Session, directory: Directory, period: int, systems: Iterable[int]
) -> tuple[dict[Key, KindSum], set[str]]:
    """Return what every system hosted across systems, by kind, and the versions that judged the month.

    They are read out of the heads of the published statements, a member of which is a line.
    """
    found: dict[Key, KindSum] = {}
    versions: set[str] = set()
    paths = {statement_path(directory.systems[n].code, "json"): n for n in systems}
    for path, head in frozen.file_heads(session, period, list(paths), _HEAD_BYTES):
        members = _members(head, ("rulebook_versions", "activities"))
        versions.update(members["rulebook_versions"])
        for row in members["activities"]:
            sums = row["cross_count"], row["cross_base_minor"], row["fee_minor"]
            if row["kind"] in FEE_KINDS:
                found[paths[path], row["kind"]] = KindSum(*sums)
    return found, versions


def _members(head: bytes, names: Iterable[str]) -> dict[str, Any]:
    lines = head.split(b"\n")
    found = {}
    for name in names:
        start = f'"{name}": '.encode()
        line = next(line for line in lines if line.startswith(start))
        found[name] = json.loads(line.removeprefix(start).rstrip(b","))
    return found
