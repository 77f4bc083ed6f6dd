"""Sharing a line of the bank out over what a person says it is for, within what is open."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from clearinghouse.domain.calendar import format_period
from clearinghouse.domain.directory import Directory
from clearinghouse.domain.errors import NotFound, OperatorRefused
from clearinghouse.domain.matching import Item, Items, Part
from clearinghouse.domain.money import yuan
from clearinghouse.domain.payments import Direction
from clearinghouse.operations.packs.showing import shown
from clearinghouse.store.database import Session
from clearinghouse.store.payments import allocations, instructions
from clearinghouse.store.payments.lines import BankLine


@dataclass(frozen=True, slots=True)
class Target:
    """Whom a line, or a part of it, is said to be for.

    ``period`` names one instruction of the system; ``None``: its open ones, the oldest first, and what is left stands
    as its credit. ``as_credit``: all of it does; ``as_collateral``: it is the money of collateral that was recorded.
    ``amount_minor`` is in fen; ``None``: what is left of the line.
    """

    system: str
    period: int | None = None
    as_credit: bool = False
    as_collateral: bool = False
    amount_minor: int | None = None


class Sharing:
    """Shares what is left of a line out over what somebody says it is for."""

    def __init__(self, session: Session, directory: Directory, line: BankLine) -> None:
        self._directory = directory
        self._line = line
        self._items = instructions.items(session)
        self._recorded = allocations.collateral_without_line(session)
        self._rest = line.rest_minor
        self._parts: list[Part] = []

    def parts(self, targets: Sequence[Target]) -> tuple[Part, ...]:
        """Return the parts of what is left of the line; without targets, those that suggest themselves.

        Raises:
            NotFound: there is no such system or instruction.
            OperatorRefused: it does not fit the line or what is open, or nothing suggests itself.
        """
        if not targets:
            return self._suggested()
        for target in targets:
            system = self._directory.system_by_code.get(target.system)
            if system is None:
                raise NotFound(f"there is no system {shown(target.system)}")
            self._share(target, system.number)
        return tuple(self._parts)

    def _suggested(self) -> tuple[Part, ...]:
        systems = self._directory.systems.values()
        found = Items(self._items, [(system.number, system.bank_account) for system in systems])
        parts = found.match(self._line.money).parts
        if not parts:
            raise OperatorRefused(
                f"nothing suggests itself for line {self._line.number}; say which system it is for"
            )
        return parts

    def _share(self, target: Target, system: int) -> None:
        wanted = self._rest if target.amount_minor is None else target.amount_minor
        if wanted <= 0 or wanted > self._rest:
            raise OperatorRefused(
                f"only {yuan(self._rest)} of line {self._line.number} is left for {target.system}"
            )
        if target.period is not None:
            item = self._instruction(target, system)
            room = self._room(item)
            if target.amount_minor is not None and wanted > room:
                raise OperatorRefused(
                    f"only {yuan(room)} is open of {target.system} for {format_period(target.period)}"
                )
            self._take(system, target.period, min(wanted, room))
            return
        if target.as_collateral:
            self._collateral(target, system, wanted)
            return
        left = wanted
        for item in [] if target.as_credit else self._open(system):
            amount = min(left, self._room(item))
            self._take(system, item.period, amount)
            left -= amount
        self._take(system, None, left)

    def _collateral(self, target: Target, system: int, wanted: int) -> None:
        recorded = self._recorded.get(system, 0)
        amount = min(wanted, abs(recorded))
        if (
            not amount
            or (recorded > 0) != self._line.incoming
            or (amount < (target.amount_minor or 0))
        ):
            raise OperatorRefused(
                f"no such collateral of {target.system} is recorded without its money; record it first"
            )
        self._parts.append(Part(system, None, amount, collateral=True))
        self._recorded[system] = recorded - (amount if self._line.incoming else -amount)
        self._rest -= amount

    def _instruction(self, target: Target, system: int) -> Item:
        month = "" if target.period is None else format_period(target.period)
        for item in self._items:
            if (item.period, item.system) == (target.period, system):
                if not self._fits(item):
                    way = "pays" if item.direction is Direction.IN else "is paid"
                    raise OperatorRefused(
                        f"{target.system} {way} for {month}: line {self._line.number} goes the other way"
                    )
                if not self._room(item):
                    raise OperatorRefused(f"nothing is open of {target.system} for {month}")
                return item
        raise NotFound(f"{target.system} has no payment instruction for {month}")

    def _fits(self, item: Item) -> bool:
        paid_in = self._line.incoming != self._line.reversal
        return (item.direction is Direction.IN) == paid_in

    def _open(self, system: int) -> list[Item]:
        found = [item for item in self._items if item.system == system and self._room(item)]
        return sorted(found, key=lambda item: item.period)

    def _room(self, item: Item) -> int:
        taken = sum(
            part.amount_minor
            for part in self._parts
            if (part.system, part.period) == (item.system, item.period)
        )
        return item.open_to(self._line.money) - taken

    def _take(self, system: int, period: int | None, amount: int) -> None:
        if amount:
            self._parts.append(Part(system, period, amount))
            self._rest -= amount
