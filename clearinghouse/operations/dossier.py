"""A member's file on the operator's desk: how far its membership is, its history, what it accepted, what it owes.

The core knows no state "application": a system is on record or it is not. How far a member is follows from what is
recorded (docs/decisions/0031).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from clearinghouse.domain.business_day import business_day
from clearinghouse.domain.errors import NotFound
from clearinghouse.domain.money import points_value_minor
from clearinghouse.operations.clients import ClientEntry, list_clients
from clearinghouse.operations.context import Context
from clearinghouse.operations.exposure_report import Exposure, exposures
from clearinghouse.operations.packs.showing import shown
from clearinghouse.operations.packs.tiers import LOWEST_LEVEL
from clearinghouse.operations.registry import SystemEntry, systems
from clearinghouse.store import desk, members, run_off
from clearinghouse.store.desk import Acceptance, StandingStep
from clearinghouse.store.members import Membership
from clearinghouse.store.run_off import Outstanding
from clearinghouse.store.snapshot import hold_still


class MemberState(StrEnum):
    """How far a membership is; the later ones outweigh the earlier."""

    APPLICATION = "application"
    ACCEPTED = "accepted"
    ACTIVE = "active"
    BEHIND = "behind"
    SUSPENDED = "suspended"
    LEAVING = "leaving"
    GONE = "gone"


@dataclass(frozen=True, slots=True)
class Member:
    """A system as it is today, how far its membership is, and whether its tiers cover the lowest alliance level."""

    entry: SystemEntry
    state: MemberState
    covers_lowest: bool


@dataclass(frozen=True, slots=True)
class Dossier:
    """Everything about one member; ``outstanding`` and its worth in fen only where it leaves or is asked to."""

    member: Member
    histories: dict[str, list[Membership]]
    acceptances: list[Acceptance]
    not_accepted: tuple[str, ...]
    steps: list[StandingStep]
    clients: list[ClientEntry]
    exposure: Exposure | None


@dataclass(frozen=True, slots=True)
class LeavingForecast:
    """What a system that would leave has outstanding, what that may cost it, and its collateral; fen."""

    outstanding: Outstanding
    worth_minor: int
    collateral_minor: int
    run_off_months: int


def state_of(entry: SystemEntry, in_force: str | None, today: date) -> MemberState:
    """Tell how far a membership is.

    An application is a system that has accepted no version of the rulebook; one that accepted an earlier version but
    not the one in force is behind: it hosts nobody until it accepts.
    """
    if entry.withdrawn_on is not None:
        over = entry.run_off_until is not None and today > entry.run_off_until
        return MemberState.GONE if over else MemberState.LEAVING
    if entry.suspended:
        return MemberState.SUSPENDED
    if not entry.accepted:
        return MemberState.APPLICATION
    if in_force is not None and in_force not in entry.accepted:
        return MemberState.BEHIND
    return MemberState.ACTIVE if entry.hotels else MemberState.ACCEPTED


def member_list(context: Context) -> list[Member]:
    """Return all members as they are today, by code."""
    directory = context.current_directory()
    today = business_day(directory, context.clock())
    version = directory.rulebook_on(today)
    in_force = None if version is None else version.rulebook.version
    return [
        Member(entry, state_of(entry, in_force, today), _covers(entry))
        for entry in systems(context)
    ]


def dossier(context: Context, code: str) -> Dossier:
    """Return everything about one member.

    Raises:
        NotFound: there is no such system.
    """
    member = next((row for row in member_list(context) if row.entry.code == code), None)
    if member is None:
        raise NotFound(f"there is no system {shown(code)}")
    directory = context.current_directory()
    with context.database.office() as session:
        hold_still(session)
        histories: dict[str, list[Membership]] = {}
        for row in desk.hotel_histories(session, code):
            histories.setdefault(row.hotel_code, []).append(row)
        accepted = desk.acceptances(session, code)
        steps = desk.standing_steps(session, code)
    versions = [version.rulebook.version for version in directory.rulebooks]
    return Dossier(
        member,
        histories,
        accepted,
        tuple(version for version in reversed(versions) if version not in member.entry.accepted),
        steps,
        list_clients(context, code),
        next((row for row in exposures(context).systems if row.system_code == code), None),
    )


def leaving_forecast(context: Context, code: str) -> LeavingForecast:
    """Return what a withdrawal today would be judged by, short of the running debit.

    Raises:
        NotFound: there is no such system.
    """
    directory = context.current_directory()
    system = directory.system_by_code.get(code)
    if system is None:
        raise NotFound(f"there is no system {shown(code)}")
    today = business_day(directory, context.clock())
    version = directory.rulebook_on(today)
    value = version.rulebook.point_value_minor_per_100 if version else 0
    exposure = next(row for row in exposures(context).systems if row.system_code == code)
    with context.database.office() as session:
        left = run_off.outstanding(session, system.number, today)
    worth = points_value_minor(left.points, value) + left.stored_value_minor
    return LeavingForecast(
        left,
        worth + exposure.debit_minor,
        exposure.collateral_minor,
        version.rulebook.run_off_months if version else 0,
    )


def since(membership: Membership) -> date | None:
    """Return the first day of a membership; ``None``: from the beginning."""
    first = membership.effective_from
    return None if first == members.BEGINNING else first


def _covers(entry: SystemEntry) -> bool:
    return any(tier.alliance_level == LOWEST_LEVEL for tier in entry.tiers)
