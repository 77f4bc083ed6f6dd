"""Systems, hotels, tiers and rulebooks: what is on record, and adding to it. Nothing dated is overwritten."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import NamedTuple

from clearinghouse.domain.rulebook import Rulebook, rulebook_document, rulebook_sha256
from clearinghouse.store.bulk import array, arrays, table
from clearinghouse.store.database import Session

#: How a membership "from the beginning" is stored.
BEGINNING = date.min


class SystemProfile(NamedTuple):
    """What is on record of a system besides its code; money in fen."""

    name_zh: str
    name_en: str
    uscc: str | None
    bank_account: str | None
    net_debit_cap_minor: int | None
    collateral_minor: int


class Membership(NamedTuple):
    """Whose a hotel is from a date on, and what it is called then."""

    hotel_code: str
    effective_from: date
    system_code: str
    name_zh: str
    name_en: str
    city: str


class TierVersion(NamedTuple):
    """A tier as it stands from a date on."""

    system_code: str
    code: str
    effective_from: date
    name_zh: str
    name_en: str
    rank: int
    alliance_level: int
    earn_ppm: int
    discount_percent: int
    benefits: tuple[str, ...]


SYSTEMS = table(
    "systems",
    "code text, name_zh text, name_en text, uscc text, bank_account text, net_debit_cap_minor bigint,"
    " collateral_minor bigint, profile_on date",
)
MEMBERSHIP_ROWS = table(
    "memberships",
    "hotel_code text, effective_from date, system_code text, name_zh text, name_en text, city text",
)
TIER_ROWS = table(
    "tiers",
    "system_code text, code text, effective_from date, name_zh text, name_en text, rank int,"
    " alliance_level int, earn_ppm bigint, discount_percent int, benefits text",
)
#: Separates benefits inside one text; it can't occur in a CSV field that passed the pack's checks.
_SEPARATOR = "\x1f"


def systems(session: Session) -> dict[str, tuple[SystemProfile, date]]:
    """Return all systems by code, with the date their profile is as of."""
    return {
        row[0]: (SystemProfile(*row[1:7]), row[7])
        for row in session.rows(
            "SELECT code, name_zh, name_en, uscc, bank_account, net_debit_cap_minor,"
            " collateral_minor, profile_on FROM systems"
        )
    }


def put_systems(session: Session, profiles: Mapping[str, SystemProfile], as_of: date) -> int:
    """Add systems, or bring them up to date where what is on record is not newer; return how many."""
    rows = [(code, *profile, as_of) for code, profile in sorted(profiles.items())]
    if not rows:
        return 0
    return session.run(
        SYSTEMS.insert() + " ON CONFLICT (code) DO UPDATE SET name_zh = excluded.name_zh,"
        " name_en = excluded.name_en, uscc = excluded.uscc, bank_account = excluded.bank_account,"
        " net_debit_cap_minor = excluded.net_debit_cap_minor,"
        " collateral_minor = excluded.collateral_minor, profile_on = excluded.profile_on"
        " WHERE systems.profile_on < excluded.profile_on",
        arrays(rows),
    )


def memberships(session: Session) -> list[Membership]:
    """Return every membership on record, oldest first."""
    return [
        Membership(*row)
        for row in session.rows(
            "SELECT h.code, m.effective_from, s.code, m.name_zh, m.name_en, m.city FROM memberships m"
            " JOIN hotels h ON h.number = m.hotel JOIN systems s ON s.number = m.system"
            " ORDER BY h.code, m.effective_from"
        )
    ]


class HotelOnDay(NamedTuple):
    """A hotel on a date, with the system that it belongs to then."""

    code: str
    name_zh: str
    name_en: str
    city: str
    since: date
    system_code: str
    system_zh: str
    system_en: str


def hotels_on(
    session: Session,
    day: date,
    *,
    most: int,
    after: str | None,
    city: str | None,
    system: str | None,
    code: str | None,
    text: str | None = None,
) -> list[HotelOnDay]:
    """Return up to ``most`` hotels that are in the alliance on a date, by code from behind ``after`` on.

    Given a ``text``, only those with it in a name, their city, their system's name or their code.
    """
    return [
        HotelOnDay(*row)
        for row in session.rows(
            "SELECT h.code, m.name_zh, m.name_en, m.city, m.effective_from, s.code, s.name_zh, s.name_en"
            " FROM hotels h CROSS JOIN LATERAL (SELECT * FROM memberships m WHERE m.hotel = h.number"
            "  AND m.effective_from <= %s ORDER BY m.effective_from DESC LIMIT 1) m"
            " JOIN systems s ON s.number = m.system"
            " WHERE (%s::text IS NULL OR h.code > %s) AND (%s::text IS NULL OR h.code = %s)"
            " AND (%s::text IS NULL OR m.city = %s) AND (%s::text IS NULL OR s.code = %s)"
            " AND (%s::text IS NULL OR strpos(lower(concat_ws(E'\\n', m.name_zh, m.name_en, m.city, h.code,"
            "  s.name_zh, s.name_en)), lower(%s)) > 0) ORDER BY h.code LIMIT %s",
            [day, after, after, code, code, city, city, system, system, text, text, most],
        )
    ]


def cities_on(session: Session, day: date, most: int) -> list[tuple[str, int]]:
    """Return the cities with most hotels on a date, and how many each has."""
    rows = session.rows(
        "SELECT m.city, count(*) FROM hotels h CROSS JOIN LATERAL (SELECT city FROM memberships m"
        " WHERE m.hotel = h.number AND m.effective_from <= %s ORDER BY m.effective_from DESC LIMIT 1) m"
        " WHERE m.city <> '' GROUP BY m.city ORDER BY count(*) DESC, m.city LIMIT %s",
        [day, most],
    )
    return [(city, int(count)) for city, count in rows]


def add_memberships(session: Session, rows: Sequence[Membership], at: datetime) -> int:
    """Add memberships that are not on record; return how many were new."""
    if not rows:
        return 0
    session.run(
        "INSERT INTO hotels (code) SELECT DISTINCT code FROM unnest(%s::text[]) AS code"
        " WHERE NOT EXISTS (SELECT FROM hotels h WHERE h.code = code.code) ORDER BY code",
        [array(row.hotel_code for row in rows)],
    )
    names = "hotel_code, effective_from, system_code, name_zh, name_en, city"
    return session.run(
        "INSERT INTO memberships (hotel, effective_from, system, name_zh, name_en, city, recorded_at)"
        " SELECT h.number, r.effective_from, s.number, r.name_zh, r.name_en, r.city, %s"
        f" FROM {MEMBERSHIP_ROWS.unnest()} AS r ({names})"
        " JOIN hotels h ON h.code = r.hotel_code JOIN systems s ON s.code = r.system_code"
        " ON CONFLICT DO NOTHING",
        [at, *arrays(rows)],
    )


def tiers(session: Session) -> list[TierVersion]:
    """Return every version of every tier, oldest first."""
    return [
        TierVersion(*(*row[:-1], tuple(row[-1])))
        for row in session.rows(
            "SELECT s.code, t.code, t.effective_from, t.name_zh, t.name_en, t.rank, t.alliance_level,"
            " t.earn_ppm, t.discount_percent, t.benefits FROM tiers t"
            " JOIN systems s ON s.number = t.system ORDER BY s.code, t.code, t.effective_from"
        )
    ]


def add_tiers(session: Session, versions: Sequence[TierVersion]) -> int:
    """Add versions of tiers; return how many."""
    if not versions:
        return 0
    rows = [(*version[:-1], _SEPARATOR.join(version.benefits)) for version in versions]
    names = ", ".join(name for name, _ in TIER_ROWS.columns)
    return session.run(
        "INSERT INTO tiers (system, code, effective_from, name_zh, name_en, rank, alliance_level,"
        " earn_ppm, discount_percent, benefits)"
        " SELECT s.number, r.code, r.effective_from, r.name_zh, r.name_en, r.rank, r.alliance_level,"
        " r.earn_ppm, r.discount_percent, string_to_array(r.benefits, %s)"
        f" FROM {TIER_ROWS.unnest()} AS r ({names})"
        " JOIN systems s ON s.code = r.system_code",
        [_SEPARATOR, *arrays(rows)],
    )


def rulebooks(session: Session) -> dict[str, tuple[date, str]]:
    """Return the effective date and the hash of every rulebook version."""
    rows = session.rows("SELECT version, effective_from, sha256 FROM rulebooks")
    return {version: (effective_from, sha256) for version, effective_from, sha256 in rows}


def add_rulebook(session: Session, rulebook: Rulebook, recorded_at: datetime) -> None:
    """Record a rulebook version, unless that very version is on record."""
    session.run(
        "INSERT INTO rulebooks (version, effective_from, document, sha256, recorded_at)"
        " VALUES (%s, %s, %s, %s, %s) ON CONFLICT (version) DO NOTHING",
        [
            rulebook.version,
            rulebook.effective_from,
            json.dumps(rulebook_document(rulebook), ensure_ascii=False),
            rulebook_sha256(rulebook),
            recorded_at,
        ],
    )


def accept_rulebook(
    session: Session,
    version: str,
    accepted_by: str,
    at: datetime,
    codes: Iterable[str] | None = None,
) -> int:
    """Record that systems (all known ones if none are named) accept a version; return how many are new."""
    wanted = None if codes is None else array(codes)
    return session.run(
        "INSERT INTO acceptances (rulebook, system, accepted_at, accepted_by)"
        " SELECT r.number, s.number, %s, %s FROM rulebooks r CROSS JOIN systems s"
        " WHERE r.version = %s AND (%s::text[] IS NULL OR s.code = ANY (%s::text[]))"
        " ON CONFLICT DO NOTHING",
        [at, accepted_by, version, wanted, wanted],
    )
