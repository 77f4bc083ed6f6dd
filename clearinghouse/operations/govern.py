"""Governing the alliance: systems, hotels and the rulebook, as the operator changes them (domain.md §1, §2).

Each change is one transaction with its line in the audit log. The rules are those of a pack
(``operations.packs``): a change is put as the row that it would be there, checked against the record and
landed the same way. Beyond that nothing takes effect in a month that is closed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from clearinghouse.domain.errors import NotFound, OperatorRefused, PackFault
from clearinghouse.domain.rulebook import Rulebook
from clearinghouse.operations.booking import must_be_two
from clearinghouse.operations.changing import Authority, changing, fit, without_place
from clearinghouse.operations.context import Context
from clearinghouse.operations.packs import Pack, fields, tables
from clearinghouse.operations.packs.agreement import RULEBOOK, AgreedRulebook, read_rulebook_file
from clearinghouse.operations.packs.rows import HotelRow, SystemRow
from clearinghouse.operations.packs.showing import shown
from clearinghouse.operations.profiles import (
    TERMS,
    compared,
    fit_profile,
    must_be_named,
    put,
    told,
)
from clearinghouse.store import governance, members
from clearinghouse.store.database import Session
from clearinghouse.store.members import Membership, SystemProfile

_FILES = frozenset({RULEBOOK, tables.SYSTEMS, tables.HOTELS, tables.TIERS})


@dataclass(frozen=True, slots=True)
class Moved:
    """A move that is recorded; ``legs_kept`` legs since its date keep the systems they were cleared with."""

    from_system: str
    effective_from: date
    legs_kept: int


def add_system(context: Context, code: str, profile: SystemProfile, authority: Authority) -> None:
    """Record a new member. It needs tiers before it can have hotels, and to accept the rulebook to host others.

    Its first account and cap are part of its application: nothing is paid to it, and it owes nothing, before all that.

    Raises:
        OperatorRefused: it is on record already, or a value does not fit.
    """
    code, profile = fit("system code", fields.code, code), fit_profile(profile)
    with changing(context, authority) as change:
        if code in members.systems(change.session):
            raise OperatorRefused(f'system "{code}" is on record already; change it instead')
        change.land(as_pack(systems=(SystemRow(1, code, *profile),)))
        change.record("system.add", f"system {code}", {"after": told(profile._asdict())})


def change_system(
    context: Context,
    code: str,
    changes: Mapping[str, Any],
    authority: Authority,
    *,
    seen: Mapping[str, Any] | None = None,
) -> None:
    """Change the profile of a member; ``changes`` has new values by the names of ``SystemProfile``.

    ``seen``, if given, is what the changes are to replace. What is among ``profiles.TERMS`` takes two people.

    Raises:
        NotFound: there is no such system.
        OperatorRefused: nothing changes, a value does not fit, a settlement that would show it is under way, what is
            replaced is not what was seen, or only one person changes terms.
    """
    with changing(context, authority) as change:
        before, after = compared(change, code, changes)
        if any(getattr(before, name) != value for name, value in (seen or {}).items()):
            raise OperatorRefused(
                f"what is on record of {code} has changed since this was proposed; withdraw it and propose it anew"
            )
        if after == before:
            raise OperatorRefused(f'system "{code}" is like that already')
        names = [name for name in changes if getattr(before, name) != getattr(after, name)]
        if TERMS.intersection(names):
            must_be_two(change)
        put(change, code, before, {name: getattr(after, name) for name in names})


def add_hotel(context: Context, hotel: Membership, authority: Authority) -> None:
    """Record a hotel that was not in the alliance before.

    Raises:
        OperatorRefused: it is on record, its system is unknown or without tiers that cover the lowest level, a
            value does not fit, or its first day lies in or before a closed month.
    """
    row = _hotel_row(hotel)
    with changing(context, authority) as change:
        if row.code in {known.hotel_code for known in members.memberships(change.session)}:
            raise OperatorRefused(f'hotel "{row.code}" is on record already; move it instead')
        change.must_be_open(f'hotel "{row.code}"', hotel.effective_from)
        change.land(as_pack(hotels=(row,)))
        change.record("hotel.add", f"hotel {row.code}", {"after": hotel._asdict()})


def move_hotel(
    context: Context,
    code: str,
    system: str,
    effective_from: date,
    authority: Authority,
) -> Moved:
    """Let a hotel belong to another system from a business date on; its points and cards move with it.

    Raises:
        NotFound: there is no such hotel.
        OperatorRefused: it belongs to that system then, the date lies in or before a closed month or before its
            first day, another move is on record for the date, or the system can't have hotels.
    """
    with changing(context, authority) as change:
        history = [row for row in members.memberships(change.session) if row.hotel_code == code]
        if not history:
            raise NotFound(f"there is no hotel {shown(code)}")
        before = next(
            (r for r in reversed(history) if r.effective_from <= effective_from), history[0]
        )
        if before.system_code == system and before.effective_from <= effective_from:
            raise OperatorRefused(
                f'hotel "{code}" belongs to "{system}" on {effective_from} already'
            )
        change.must_be_open(f'the move of hotel "{code}"', effective_from)
        after = before._replace(system_code=system, effective_from=effective_from)
        change.land(as_pack(hotels=(_hotel_row(after),)))
        kept = governance.legs_since(change.session, code, effective_from)
        moved = {"from": before.system_code, "to": system, "effective_from": effective_from}
        change.record("hotel.move", f"hotel {code}", {**moved, "legs_kept": kept})
        return Moved(before.system_code, effective_from, kept)


def add_rulebook(context: Context, path: Path, authority: Authority) -> Rulebook:
    """Record a new version of the rulebook from a file. Nobody has accepted it by that.

    Raises:
        PackFault: the file is no sound rulebook.
        OperatorRefused: the version is on record, another takes effect on the same day, or it would take
            effect in or before a closed month.
    """
    return adopt_rulebook(context, _read_rulebook(path), authority)


def adopt_rulebook(context: Context, agreed: AgreedRulebook, authority: Authority) -> Rulebook:
    """Record a new version of the rulebook that is read already; see :func:`add_rulebook`.

    Raises:
        OperatorRefused: as there.
    """
    rulebook = agreed.rulebook
    with changing(context, authority) as change:
        must_be_new(change.session, agreed)
        change.must_be_open(f'version "{rulebook.version}"', rulebook.effective_from)
        change.check(as_pack(rulebook=agreed))
        members.add_rulebook(change.session, rulebook, change.now)
        added = {"effective_from": rulebook.effective_from, "sha256": agreed.sha256}
        change.record("rulebook.add", f"rulebook {rulebook.version}", added)
    return rulebook


def must_be_new(session: Session, agreed: AgreedRulebook) -> None:
    """Refuse a version of the rulebook that is on record as it is.

    Raises:
        OperatorRefused: it is.
    """
    rulebook = agreed.rulebook
    if members.rulebooks(session).get(rulebook.version) == (
        rulebook.effective_from,
        agreed.sha256,
    ):
        raise OperatorRefused(f'version "{rulebook.version}" is on record already')


def accept_rulebook(
    context: Context, version: str, codes: Sequence[str] | None, authority: Authority
) -> list[str]:
    """Record that systems accept a version; ``None`` for all there are, which is recorded as such.

    Returns the codes of those that had not accepted it before.

    Raises:
        NotFound: there is no such version, or no such system; then none is recorded.
    """
    with changing(context, authority) as change:
        directory = context.directory.current(change.session)
        found = next((v for v in directory.rulebooks if v.rulebook.version == version), None)
        if found is None:
            raise NotFound(f"there is no rulebook version {shown(version)}")
        by_code = directory.system_by_code
        for code in codes or ():
            if code not in by_code:
                raise NotFound(f"there is no system {shown(code)}")
        new = sorted(
            code
            for code in set(by_code if codes is None else codes)
            if by_code[code].number not in found.accepted_by
        )
        if not new:
            return []
        actor = change.authority.actor
        accepted_by = actor if codes is not None else f"{actor} (operator, for all systems)"
        members.accept_rulebook(change.session, version, accepted_by, change.now, new)
        accepted = {"systems": new, "for_all": codes is None}
        change.record("rulebook.accept", f"rulebook {version}", accepted)
        return new


def as_pack(
    *,
    systems: tuple[SystemRow, ...] = (),
    hotels: tuple[HotelRow, ...] = (),
    rulebook: AgreedRulebook | None = None,
) -> Pack:
    """Put a change as the pack that would bring it."""
    return Pack(
        folder=Path(),
        present=_FILES,
        rulebook=rulebook,
        systems=systems,
        hotels=hotels,
        tiers=(),
        travellers=(),
        cards=(),
        transactions_names=(),
    )


def _read_rulebook(path: Path) -> AgreedRulebook:
    try:
        return read_rulebook_file(path)
    except PackFault as fault:
        raise PackFault(without_place(fault), path.name, fault.line) from None


def _hotel_row(hotel: Membership) -> HotelRow:
    prose = fields.prose()
    row = HotelRow(
        line=1,
        code=fit("hotel code", fields.code, hotel.hotel_code),
        system_code=fit("system code", fields.code, hotel.system_code),
        name_zh=fit("name", prose, hotel.name_zh),
        name_en=fit("name", prose, hotel.name_en),
        city=fit("city", prose, hotel.city),
        effective_from=fit("date", fields.day(), hotel.effective_from.isoformat()),
    )
    must_be_named(row.name_zh, row.name_en)
    return row
