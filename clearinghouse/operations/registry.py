"""Looking up the alliance: who is a member, whose the hotels are, which rulebooks there are (domain.md §1, §2)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from clearinghouse.domain.business_day import business_day
from clearinghouse.domain.directory import Directory, RulebookInForce
from clearinghouse.domain.errors import NotFound
from clearinghouse.domain.rulebook import rulebook_document, rulebook_sha256
from clearinghouse.operations.context import Context
from clearinghouse.operations.packs.showing import shown
from clearinghouse.store import members
from clearinghouse.store.database import Session
from clearinghouse.store.members import Membership, SystemProfile
from clearinghouse.store.snapshot import hold_still


@dataclass(frozen=True, slots=True)
class HotelEntry:
    """A hotel on a date: ``system_code`` is ``None`` before its first one; ``moves_on`` is its next move."""

    code: str
    system_code: str | None
    name_zh: str
    name_en: str
    city: str
    since: date | None
    moves_on: date | None
    moves_to: str | None


@dataclass(frozen=True, slots=True)
class TierEntry:
    """A tier of a system on a date; ``earn_ppm`` is points per yuan × 1,000,000."""

    code: str
    name_zh: str
    name_en: str
    rank: int
    alliance_level: int
    earn_ppm: int
    discount_percent: int
    benefits: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SystemEntry:
    """A member on a date; ``accepted`` are the rulebook versions that it has accepted, oldest first.

    Of its bank account only the end is there. ``may_host_others`` tells whether it has accepted the version in
    force and is neither suspended nor gone (domain.md §2, §4); a system that leaves has ``withdrawn_on``.
    """

    code: str
    profile: SystemProfile
    profile_on: date
    hotels: tuple[HotelEntry, ...]
    tiers: tuple[TierEntry, ...]
    accepted: tuple[str, ...]
    may_host_others: bool
    suspended: bool
    withdrawn_on: date | None
    run_off_until: date | None


@dataclass(frozen=True, slots=True)
class RulebookEntry:
    """A version of the rulebook; ``missing`` are the systems that have not accepted it."""

    version: str
    effective_from: date
    sha256: str
    in_force: bool
    accepted: tuple[str, ...]
    missing: tuple[str, ...]
    document: Mapping[str, Any]


def systems(context: Context, on: date | None = None) -> list[SystemEntry]:
    """Return all members as they are on a business date (today, if none is given), by code."""
    with context.database.office() as session:
        hold_still(session)
        directory = context.directory.current(session)
        day = on or business_day(directory, context.clock())
        hotels = _hotels(session, day)
        return [
            _system(directory, code, profile, profile_on, hotels, day)
            for code, (profile, profile_on) in sorted(members.systems(session).items())
        ]


def system(context: Context, code: str, on: date | None = None) -> SystemEntry:
    """Return one member.

    Raises:
        NotFound: there is no such system.
    """
    for entry in systems(context, on):
        if entry.code == code:
            return entry
    raise NotFound(f"there is no system {shown(code)}")


def hotels(
    context: Context, on: date | None = None, system_code: str | None = None
) -> list[HotelEntry]:
    """Return all hotels, or those of one system, as they are on a business date, by code.

    Raises:
        NotFound: there is no such system.
    """
    with context.database.office() as session:
        hold_still(session)
        directory = context.directory.current(session)
        if system_code is not None and system_code not in directory.system_by_code:
            raise NotFound(f"there is no system {shown(system_code)}")
        found = _hotels(session, on or business_day(directory, context.clock()))
        return [row for row in found if system_code in (None, row.system_code)]


def rulebooks(context: Context) -> list[RulebookEntry]:
    """Return all versions of the rulebook, oldest first."""
    with context.database.office() as session:
        hold_still(session)
        directory = context.directory.current(session)
        in_force = directory.rulebook_on(business_day(directory, context.clock()))
        return [_rulebook(directory, version, in_force) for version in directory.rulebooks]


def rulebook(context: Context, version: str) -> RulebookEntry:
    """Return one version of the rulebook.

    Raises:
        NotFound: there is no such version.
    """
    for entry in rulebooks(context):
        if entry.version == version:
            return entry
    raise NotFound(f"there is no rulebook version {shown(version)}")


def rulebook_difference(context: Context, one: str, other: str) -> dict[str, tuple[Any, Any]]:
    """Return the fields in which two versions differ, nested ones by dotted name, with both values.

    Raises:
        NotFound: there is no such version.
    """
    left = _flat(rulebook(context, one).document)
    right = _flat(rulebook(context, other).document)
    return {
        name: (left.get(name), right.get(name))
        for name in sorted({*left, *right})
        if left.get(name) != right.get(name)
    }


def _hotels(session: Session, day: date) -> list[HotelEntry]:
    histories: dict[str, list[Membership]] = {}
    for row in members.memberships(session):
        histories.setdefault(row.hotel_code, []).append(row)
    return [_hotel(code, histories[code], day) for code in sorted(histories)]


def _hotel(code: str, history: list[Membership], day: date) -> HotelEntry:
    past = [row for row in history if row.effective_from <= day]
    coming = next((row for row in history if row.effective_from > day), None)
    current = past[-1] if past else history[0]
    since = current.effective_from
    return HotelEntry(
        code=code,
        system_code=current.system_code if past else None,
        name_zh=current.name_zh,
        name_en=current.name_en,
        city=current.city,
        since=None if not past or since == members.BEGINNING else since,
        moves_on=coming.effective_from if coming else None,
        moves_to=coming.system_code if coming else None,
    )


def _system(
    directory: Directory,
    code: str,
    profile: SystemProfile,
    profile_on: date,
    hotels: list[HotelEntry],
    day: date,
) -> SystemEntry:
    number = directory.system_by_code[code].number
    in_force = directory.rulebook_on(day)
    standing = directory.standing(number)
    accepted = in_force is not None and number in in_force.accepted_by
    return SystemEntry(
        code=code,
        profile=profile._replace(bank_account=end_of(profile.bank_account)),
        profile_on=profile_on,
        hotels=tuple(row for row in hotels if row.system_code == code),
        tiers=tuple(
            TierEntry(
                tier.code, tier.name_zh, tier.name_en, tier.rank, tier.alliance_level,
                tier.earn_ppm, tier.discount_percent, tier.benefits,
            )
            for tier in directory.tiers_on(number, day)
        ),
        accepted=tuple(v.rulebook.version for v in directory.rulebooks if number in v.accepted_by),
        may_host_others=accepted and standing.may_cross(day),
        suspended=standing.suspended,
        withdrawn_on=standing.withdrawn_on,
        run_off_until=standing.run_off_until,
    )  # fmt: skip


def _rulebook(
    directory: Directory, version: RulebookInForce, in_force: RulebookInForce | None
) -> RulebookEntry:
    numbers = directory.system_by_code
    return RulebookEntry(
        version=version.rulebook.version,
        effective_from=version.rulebook.effective_from,
        sha256=rulebook_sha256(version.rulebook),
        in_force=in_force is not None and version.number == in_force.number,
        accepted=tuple(c for c in sorted(numbers) if numbers[c].number in version.accepted_by),
        missing=tuple(c for c in sorted(numbers) if numbers[c].number not in version.accepted_by),
        document=rulebook_document(version.rulebook),
    )


def end_of(bank_account: str | None) -> str | None:
    """Show only the end of an account number, and nothing of a short one."""
    return bank_account and f"…{bank_account[-4:] if len(bank_account) > 8 else ''}"


def _flat(document: Mapping[str, Any], inside: str = "") -> dict[str, Any]:
    values: dict[str, Any] = {}
    for name, value in document.items():
        if isinstance(value, Mapping):
            values.update(_flat(value, f"{inside}{name}."))
        else:
            values[f"{inside}{name}"] = value
    return values
