"""The rulebook: the one versioned agreement that every system accepts (domain.md §2)."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from hashlib import sha256
from typing import Any
from zoneinfo import ZoneInfo

from clearinghouse.domain.calendar import parse_day
from clearinghouse.domain.errors import RulebookFault
from clearinghouse.domain.money import PPM, divide_half_up

DRAW_ORDERS = ("earliest_expiry", "own_system_first")
FEE_KINDS = ("spend", "redeem", "stored_value")
DEFAULT_RATES_PPM = {"spend": 10_000, "redeem": 20_000, "stored_value": 5_000}

_MAX_MINOR = 10**12
_VERSION = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]{0,63}")


@dataclass(frozen=True, slots=True)
class FeeRule:
    """The fee on one kind of leg: ``clamp(round(amount × rate) + fixed, min, max)``; fen and ppm."""

    rate_ppm: int
    fixed_minor: int = 0
    min_minor: int = 0
    max_minor: int | None = None

    def fee_minor(self, value_minor: int) -> int:
        """Return the fee on a cross-system leg of this value; a value of 0 or less costs nothing (§2)."""
        if value_minor <= 0:
            return 0
        fee = divide_half_up(value_minor * self.rate_ppm, PPM) + self.fixed_minor
        fee = max(fee, self.min_minor)
        return fee if self.max_minor is None else min(fee, self.max_minor)


@dataclass(frozen=True, slots=True)
class StoredValueLicence:
    """The licence without which stored value is refused; ``valid_until`` is its last good business date."""

    number: str
    holder: str
    custody_bank: str
    valid_until: date


@dataclass(frozen=True, slots=True)
class Rulebook:
    """One version of the rulebook, never edited; the fields are those of domain.md §2."""

    version: str
    effective_from: date
    currency: str = "CNY"
    timezone: str = "Asia/Shanghai"
    point_value_minor_per_100: int = 100
    points_expiry_months: int = 12
    points_pending_days: int = 0
    restore_grace_days: int = 30
    refund_days_max: int = 180
    draw_order: str = "earliest_expiry"
    fee_spend: FeeRule = FeeRule(DEFAULT_RATES_PPM["spend"])
    fee_redeem: FeeRule = FeeRule(DEFAULT_RATES_PPM["redeem"])
    fee_stored_value: FeeRule = FeeRule(DEFAULT_RATES_PPM["stored_value"])
    vat_ppm: int = 60_000
    fees_include_vat: bool = True
    hold_minutes: int = 10_080
    presentment_days_max: int = 90
    cutoff_days: int = 3
    dispute_days: int = 30
    answer_days: int = 15
    payment_days: int = 10
    run_off_months: int = 12
    offline_floor_minor: int = 0
    guarantee_fund_ppm: int = 0
    stored_value_licence: StoredValueLicence | None = None

    def fee_rule(self, fee_kind: str) -> FeeRule:
        """Return the fee rule of ``spend``, ``redeem`` or ``stored_value``."""
        if fee_kind == "spend":
            return self.fee_spend
        return self.fee_redeem if fee_kind == "redeem" else self.fee_stored_value

    def licensed_on(self, business_date: date) -> bool:
        """Tell whether stored value may be loaded and used on this business date (§2)."""
        licence = self.stored_value_licence
        return licence is not None and business_date <= licence.valid_until


#: Whole-number members with the least and the greatest value that makes sense.
_NUMBERS: dict[str, tuple[int, int]] = {
    "point_value_minor_per_100": (0, 1_000_000),
    "points_expiry_months": (0, 1200),
    "points_pending_days": (0, 3660),
    "restore_grace_days": (0, 3660),
    "refund_days_max": (0, 36600),
    "vat_ppm": (0, PPM),
    "hold_minutes": (1, 5_256_000),
    "presentment_days_max": (0, 36600),
    "cutoff_days": (0, 366),
    "dispute_days": (0, 3660),
    "answer_days": (0, 3660),
    "payment_days": (0, 3660),
    "run_off_months": (0, 1200),
    "offline_floor_minor": (0, _MAX_MINOR),
    "guarantee_fund_ppm": (0, PPM),
}
_FEE_NUMBERS: dict[str, tuple[int, int]] = {
    "rate_ppm": (0, PPM),
    "fixed_minor": (0, _MAX_MINOR),
    "min_minor": (0, _MAX_MINOR),
    "max_minor": (0, _MAX_MINOR),
}
_KNOWN = {
    "version", "effective_from", "currency", "timezone", "draw_order", "fees", "fees_include_vat",
    "stored_value_licence", *_NUMBERS,
}  # fmt: skip


def rulebook_from_document(document: Mapping[str, Any]) -> Rulebook:
    """Read a rulebook document; a missing field takes its default, an unknown one is refused (interfaces.md).

    Raises:
        RulebookFault: a member is missing, unknown, of the wrong type or out of range.
    """
    document = _members(document, _KNOWN, "")
    values: dict[str, Any] = {
        "version": _version(document),
        "effective_from": _day(document, "effective_from", ""),
    }
    if "currency" in document:
        values["currency"] = _one_of(document, "currency", ("CNY",))
    if "timezone" in document:
        values["timezone"] = _timezone(document["timezone"])
    if "draw_order" in document:
        values["draw_order"] = _one_of(document, "draw_order", DRAW_ORDERS)
    if "fees_include_vat" in document:
        if not isinstance(document["fees_include_vat"], bool):
            raise RulebookFault("fees_include_vat must be true or false", "fees_include_vat")
        values["fees_include_vat"] = document["fees_include_vat"]
    for name, (least, most) in _NUMBERS.items():
        if name in document:
            values[name] = _whole(document[name], name, least, most)
    values.update(_fees(document.get("fees", {})))
    licence = document.get("stored_value_licence")
    values["stored_value_licence"] = None if licence is None else _licence(licence)
    return Rulebook(**values)


def rulebook_document(rulebook: Rulebook) -> dict[str, Any]:
    """Write a rulebook as a complete document, every field spelled out."""
    document: dict[str, Any] = {
        "version": rulebook.version,
        "effective_from": rulebook.effective_from.isoformat(),
        "currency": rulebook.currency,
        "timezone": rulebook.timezone,
        "draw_order": rulebook.draw_order,
        "fees_include_vat": rulebook.fees_include_vat,
        "fees": {
            kind: {name: getattr(rulebook.fee_rule(kind), name) for name in _FEE_NUMBERS}
            for kind in FEE_KINDS
        },
        "stored_value_licence": None,
    }
    document.update({name: getattr(rulebook, name) for name in _NUMBERS})
    licence = rulebook.stored_value_licence
    if licence is not None:
        document["stored_value_licence"] = {
            "number": licence.number,
            "holder": licence.holder,
            "custody_bank": licence.custody_bank,
            "valid_until": licence.valid_until.isoformat(),
        }
    return document


def rulebook_sha256(rulebook: Rulebook) -> str:
    """Hash the complete document: two spellings of one rulebook have one hash."""
    text = json.dumps(rulebook_document(rulebook), sort_keys=True, ensure_ascii=False)
    return sha256(text.encode()).hexdigest()


def _members(document: object, known: set[str], inside: str) -> Mapping[str, Any]:
    """Return the members of an object that may have only the known ones."""
    if not isinstance(document, Mapping):
        raise RulebookFault(f"{inside or 'a rulebook'} must be an object", inside or None)
    for name in document:
        if name not in known:
            where = f" in {inside}" if inside else ""
            raise RulebookFault(f'"{str(name)[:40]}" is not a rulebook field{where}', str(name))
    return document


def _version(document: Mapping[str, Any]) -> str:
    version = document.get("version")
    if not isinstance(version, str) or not _VERSION.fullmatch(version):
        raise RulebookFault(
            "version must be given: up to 64 letters, digits, dots, hyphens or underscores",
            "version",
        )
    return version


def _whole(value: object, name: str, least: int, most: int) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise RulebookFault(f"{name} must be a whole number", name)
    if not least <= value <= most:
        raise RulebookFault(f"{name} must be between {least} and {most}", name)
    return value


def _day(document: Mapping[str, Any], name: str, inside: str) -> date:
    value = document.get(name)
    try:
        return parse_day(str(value))
    except ValueError:
        raise RulebookFault(f"{inside}{name} must be a date written YYYY-MM-DD", name) from None


def _one_of(document: Mapping[str, Any], name: str, allowed: tuple[str, ...]) -> str:
    value = document[name]
    if value not in allowed:
        raise RulebookFault(f"{name} must be {' or '.join(allowed)}", name)
    return str(value)


def _timezone(value: object) -> str:
    try:
        return ZoneInfo(str(value)).key
    except (ValueError, OSError, KeyError):
        raise RulebookFault("timezone must be a known time zone name", "timezone") from None


def _fees(fees: object) -> dict[str, FeeRule]:
    rules: dict[str, FeeRule] = {}
    for kind, rule_document in _members(fees, set(FEE_KINDS), "fees").items():
        document = dict(_members(rule_document, {"payer", *_FEE_NUMBERS}, f"fees.{kind}"))
        if document.pop("payer", "host") != "host":
            raise RulebookFault(f"fees.{kind}.payer must be host", f"fees.{kind}.payer")
        numbers = {
            name: _whole(value, f"fees.{kind}.{name}", *_FEE_NUMBERS[name])
            for name, value in document.items()
            if not (name == "max_minor" and value is None)
        }
        rule = FeeRule(**{"rate_ppm": DEFAULT_RATES_PPM[kind], **numbers})
        if rule.max_minor is not None and rule.max_minor < rule.min_minor:
            raise RulebookFault(f"fees.{kind}.max_minor is below min_minor", f"fees.{kind}")
        rules[f"fee_{kind}"] = rule
    return rules


def _licence(licence: object) -> StoredValueLicence:
    names = {"number", "holder", "custody_bank", "valid_until"}
    members = _members(licence, names, "stored_value_licence")
    for name in ("number", "holder", "custody_bank"):
        value = members.get(name)
        if not isinstance(value, str) or not value.strip():
            raise RulebookFault(f"stored_value_licence.{name} must be given", name)
    return StoredValueLicence(
        number=members["number"],
        holder=members["holder"],
        custody_bank=members["custody_bank"],
        valid_until=_day(members, "valid_until", "stored_value_licence."),
    )
