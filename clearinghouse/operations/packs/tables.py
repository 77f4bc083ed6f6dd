"""The reference files of a pack, column by column, read into rows."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from clearinghouse.domain.errors import PackFault
from clearinghouse.operations.packs import fields
from clearinghouse.operations.packs.reading import open_regular, records
from clearinghouse.operations.packs.rows import CardRow, HotelRow, SystemRow, TierRow, TravellerRow
from clearinghouse.operations.packs.showing import shown

SYSTEMS = "systems.csv"
HOTELS = "hotels.csv"
TIERS = "tiers.csv"
TRAVELLERS = "travellers.csv"
CARDS = "cards.csv"

#: Reference rows are compared and so kept in memory; a larger alliance comes in several packs.
ROWS_MAX = 2_000_000

R = TypeVar("R")


class Column(NamedTuple):
    """A column's name and grammar; the values of a ``secret`` one are never shown."""

    name: str
    parse: Callable[[str], Any]
    secret: bool = False


_NAMES = (Column("name_zh", fields.prose()), Column("name_en", fields.prose()))
_MONEY = fields.optional(fields.whole(0, fields.AMOUNT_MAX))

_SYSTEM_COLUMNS = (
    Column("system_code", fields.code),
    *_NAMES,
    Column("uscc", fields.optional(fields.reference)),
    Column("bank_account", fields.optional(fields.bank_account), secret=True),
    Column("net_debit_cap_minor", _MONEY),
    Column("collateral_minor", _MONEY),
)
_HOTEL_COLUMNS = (
    Column("hotel_code", fields.code),
    Column("system_code", fields.code),
    *_NAMES,
    Column("city", fields.prose()),
    Column("effective_from", fields.optional(fields.day())),
)
_TIER_COLUMNS = (
    Column("system_code", fields.code),
    Column("tier_code", fields.reference),
    *_NAMES,
    Column("rank", fields.whole(0, fields.RANK_MAX)),
    Column("alliance_level", fields.whole(1, fields.LEVEL_MAX)),
    Column("earn_points_per_yuan", fields.earn_rate),
    Column("discount_percent", fields.whole(0, 100)),
    Column("benefits", fields.benefits),
)
_TRAVELLER_COLUMNS = (
    Column("traveller_ref", fields.reference),
    Column("name", fields.prose(), secret=True),
    Column("phone", fields.phone, secret=True),
    Column("email", fields.email, secret=True),
)
_CARD_COLUMNS = (
    Column("card_number", fields.card_number, secret=True),
    Column("traveller_ref", fields.reference),
    Column("issuer_hotel", fields.code),
    Column("tier_code", fields.reference),
    Column("issued_on", fields.day()),
)


def read_systems(folder: Path) -> tuple[SystemRow, ...]:
    """Read ``systems.csv``.

    Raises:
        PackFault: a structural fault; also a system without any name.
    """
    return _named(_read(folder / SYSTEMS, _SYSTEM_COLUMNS, SystemRow), SYSTEMS)


def read_hotels(folder: Path) -> tuple[HotelRow, ...]:
    """Read ``hotels.csv``.

    Raises:
        PackFault: a structural fault; also a hotel without any name.
    """
    return _named(_read(folder / HOTELS, _HOTEL_COLUMNS, HotelRow), HOTELS)


def read_tiers(folder: Path) -> tuple[TierRow, ...]:
    """Read ``tiers.csv``.

    Raises:
        PackFault: a structural fault; also a tier without any name.
    """
    return _named(_read(folder / TIERS, _TIER_COLUMNS, TierRow), TIERS)


def read_travellers(folder: Path) -> tuple[TravellerRow, ...]:
    """Read ``travellers.csv``.

    Raises:
        PackFault: a structural fault.
    """
    return tuple(_read(folder / TRAVELLERS, _TRAVELLER_COLUMNS, TravellerRow))


def read_cards(folder: Path) -> tuple[CardRow, ...]:
    """Read ``cards.csv``.

    Raises:
        PackFault: a structural fault.
    """
    return tuple(_read(folder / CARDS, _CARD_COLUMNS, CardRow))


def unfit(columns: Sequence[Column], values: Sequence[str], file: str, line: int) -> PackFault:
    """Make the fault of a record with a value that does not fit its column.

    Raises:
        AssertionError: all of them fit.
    """
    return PackFault(misfit(columns, values), file, line)


def misfit(columns: Sequence[Column], values: Sequence[str]) -> str:
    """Say which value of a record does not fit its column, and why.

    Raises:
        AssertionError: all of them fit.
    """
    for column, text in zip(columns, values, strict=True):
        try:
            column.parse(text)
        except fields.Unfit as reason:
            value = "" if column.secret or not text.strip() else f" {shown(text)}"
            return f"{column.name}{value} {reason}"
    raise AssertionError("a record was refused for no reason")


def _read(path: Path, columns: Sequence[Column], make: Callable[..., R]) -> Iterator[R]:
    file = path.name
    parsers = [column.parse for column in columns]
    with open_regular(path) as handle:
        found = records(handle, file, [column.name for column in columns])
        for count, (line, values) in enumerate(found, 1):
            if count > ROWS_MAX:
                raise PackFault(
                    f"has more than {ROWS_MAX:,} rows; split it over several packs", file, line
                )
            try:
                row = make(line, *[parse(v) for parse, v in zip(parsers, values, strict=True)])
            except fields.Unfit:
                raise unfit(columns, values, file, line) from None
            yield row


N = TypeVar("N", SystemRow, HotelRow, TierRow)


def _named(rows: Iterator[N], file: str) -> tuple[N, ...]:
    checked = []
    for row in rows:
        if not (row.name_zh or row.name_en):
            raise PackFault("name_zh and name_en are both empty", file, row.line)
        checked.append(row)
    return tuple(checked)
