"""Landing a pack's reference data: members, agreement, travellers and cards, as one transaction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from hashlib import sha256
from typing import NamedTuple

from clearinghouse.domain.calendar import format_period, period_of
from clearinghouse.domain.directory import Directory
from clearinghouse.domain.errors import PackFault
from clearinghouse.domain.rulebook import Rulebook
from clearinghouse.operations.packs import (
    CheckedPack,
    HotelFacts,
    Known,
    KnownCard,
    Pack,
    TierStanding,
)
from clearinghouse.operations.phones import normal_phone
from clearinghouse.store import imports, members, periods, travellers
from clearinghouse.store.database import Session
from clearinghouse.store.directory import directory_changed, read_directory
from clearinghouse.store.members import Membership, SystemProfile, TierVersion
from clearinghouse.store.travellers import NewCard, Person, TierGiven
from clearinghouse.store.vault import Vault


@dataclass(frozen=True, slots=True)
class Landed:
    """How many of each were new or brought up to date."""

    systems: int = 0
    hotels: int = 0
    tiers: int = 0
    travellers: int = 0
    cards: int = 0


def known(session: Session, vault: Vault, pack: Pack) -> Known:
    """Return what the books hold, as far as the pack must agree with it."""
    hotels: dict[str, dict[date | None, HotelFacts]] = {}
    for row in members.memberships(session):
        since = None if row.effective_from == members.BEGINNING else row.effective_from
        facts = HotelFacts(row.system_code, row.name_zh, row.name_en, row.city)
        hotels.setdefault(row.hotel_code, {})[since] = facts
    tiers: dict[str, dict[str, TierStanding]] = {}
    for (system, code), version in _tiers_on(session, pack.dated).items():
        tiers.setdefault(system, {})[code] = TierStanding(version.rank, version.alliance_level)
    refs = {row.ref for row in pack.travellers} | {row.traveller_ref for row in pack.cards}
    cards = travellers.known_cards(session, vault, [row.card_number for row in pack.cards])
    return Known(
        systems=frozenset(members.systems(session)),
        hotels=hotels,
        tiers=tiers,
        travellers=frozenset(travellers.known_travellers(session, sorted(refs))),
        cards={
            number: KnownCard(card.traveller_ref, card.issuer_hotel, card.tiers)
            for number, card in cards.items()
        },
        rulebooks=members.rulebooks(session),
        any_cards=travellers.any_cards(session),
    )


class PackDate(NamedTuple):
    """The date from which a pack's undated rows hold, and whether this very content was imported before."""

    day: date
    seen_before: bool


def pack_date(session: Session, pack: Pack, now: datetime) -> PackDate:
    """Return the date from which the pack's undated rows (systems, tiers, travellers) hold.

    That is the pack's own date, else the day on which this very content was first imported: so importing an
    older pack again never brings an older state back (docs/decisions/0003).
    """
    content = sha256()
    for name in sorted(pack.present):
        content.update(name.encode() + b"\0" + (pack.folder / name).read_bytes())
    digest = content.hexdigest()
    first_day = imports.first_imported_on(session, digest)
    if first_day is None:
        imports.register_file(
            session,
            sha256=digest,
            name=pack.folder.name,
            lines=0,
            today=now.date(),
            lanes=1,
            lines_each=1,
        )
    return PackDate(pack.dated or first_day or now.date(), first_day is not None)


def land(
    session: Session, vault: Vault, checked: CheckedPack, on: PackDate, now: datetime
) -> Landed:
    """Write a checked pack's reference data; what is on record already stays as it is.

    Raises:
        PackFault: a row contradicts one that is on record for the same date; the caller rolls back.
    """
    pack, dated = checked.pack, on.day
    systems = _land_systems(session, pack, dated)
    hotels = members.add_memberships(
        session,
        [
            Membership(
                row.code, row.effective_from or members.BEGINNING, row.system_code,
                row.name_zh, row.name_en, row.city,
            )
            for row in pack.hotels
        ],
        now,
    )  # fmt: skip
    tiers = _land_tiers(session, pack, dated)
    if pack.rulebook is not None and not on.seen_before:
        _land_rulebook(session, pack.rulebook.rulebook, now)
    people = _land_travellers(session, vault, pack, dated)
    directory = read_directory(session)
    cards = _land_cards(session, vault, pack, directory)
    directory_changed(session)
    return Landed(systems, hotels, tiers, people, cards)


def _land_rulebook(session: Session, rulebook: Rulebook, now: datetime) -> None:
    """Record a version, which every system known by then accepts; a repeat accepts for nobody who joined since."""
    if rulebook.version not in members.rulebooks(session):
        closed = periods.hold_closed_through(session)
        if period_of(rulebook.effective_from) <= closed:
            raise PackFault(
                f"version {rulebook.version} can't take effect on {rulebook.effective_from}:"
                f" {format_period(closed)} is closed and nothing rewrites it",
                "rulebook.json",
            )
        members.add_rulebook(session, rulebook, now)
    members.accept_rulebook(session, rulebook.version, "import", now)


def _land_systems(session: Session, pack: Pack, dated: date) -> int:
    on_record = members.systems(session)
    profiles = {}
    for row in pack.systems:
        profile = SystemProfile(
            row.name_zh, row.name_en, row.uscc, row.bank_account, row.net_debit_cap_minor,
            row.collateral_minor or 0,
        )  # fmt: skip
        recorded, as_of = on_record.get(row.code, (None, date.min))
        if recorded == profile:
            continue
        if as_of == dated:
            raise PackFault(
                f"system {row.code} is on record for {dated} with other content",
                "systems.csv",
                row.line,
            )
        profiles[row.code] = profile
    return members.put_systems(session, profiles, dated)


def _tiers_on(session: Session, dated: date | None) -> dict[tuple[str, str], TierVersion]:
    """Return every tier as it stands on a date; before its first version, that one."""
    found: dict[tuple[str, str], TierVersion] = {}
    for version in members.tiers(session):
        key = (version.system_code, version.code)
        if key not in found or version.effective_from <= (dated or date.max):
            found[key] = version
    return found


def _land_tiers(session: Session, pack: Pack, dated: date) -> int:
    on_record = _tiers_on(session, dated)
    versions = []
    for row in pack.tiers:
        version = TierVersion(
            row.system_code, row.tier_code, dated, row.name_zh, row.name_en, row.rank,
            row.alliance_level, row.earn_ppm, row.discount_percent, row.benefits,
        )  # fmt: skip
        recorded = on_record.get((row.system_code, row.tier_code))
        if recorded is None or recorded.effective_from > dated:
            versions.append(version)
        elif recorded._replace(effective_from=dated) != version:
            if recorded.effective_from == dated:
                raise PackFault(
                    f"tier {row.tier_code} of system {row.system_code} is on record for {dated}"
                    " with other content",
                    "tiers.csv",
                    row.line,
                )
            versions.append(version)
    return members.add_tiers(session, versions)


def _land_travellers(session: Session, vault: Vault, pack: Pack, dated: date) -> int:
    refs = [row.ref for row in pack.travellers]
    on_record = travellers.known_travellers(session, refs)
    new: list[Person] = []
    old: list[Person] = []
    for row in pack.travellers:
        person = Person(
            row.ref, row.name, normal_phone(row.phone) or row.phone, row.email.strip().lower()
        )
        (old if row.ref in on_record else new).append(person)
    added = travellers.add_travellers(session, vault, new, dated)
    contradictions = travellers.update_travellers(session, vault, old, dated)
    if contradictions:
        line = next(row.line for row in pack.travellers if row.ref == contradictions[0])
        raise PackFault(
            f"traveller {contradictions[0]} is on record for {dated} with other content",
            "travellers.csv",
            line,
        )
    return added


def _land_cards(session: Session, vault: Vault, pack: Pack, directory: Directory) -> int:
    numbers = [row.card_number for row in pack.cards]
    on_record = travellers.known_cards(session, vault, numbers)
    new = {
        row.card_number: NewCard(row.card_number, row.traveller_ref, row.issuer_hotel)
        for row in pack.cards
        if row.card_number not in on_record
    }
    given = []
    for row in pack.cards:
        card = on_record.get(row.card_number)
        if card is not None and row.issued_on in card.tiers:
            continue
        system = directory.system_of(
            directory.hotel_by_code[row.issuer_hotel].number, row.issued_on
        )
        tier = system and directory.tier_on(system, row.tier_code, row.issued_on)
        if not system or not tier:
            raise PackFault("the card's tier is not on record", "cards.csv", row.line)
        given.append(
            TierGiven(
                row.card_number, row.issued_on, directory.systems[system].code, row.tier_code,
                tier.alliance_level,
            )
        )  # fmt: skip
    travellers.add_cards(session, vault, list(new.values()))
    return travellers.give_tiers(session, vault, given)


__all__: Sequence[str] = ("Landed", "known", "land", "pack_date")
