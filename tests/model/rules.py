"""The rulebook and its arithmetic (domain.md §2). Integers and fractions only, never a float."""

from calendar import monthrange
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from typing import Any


class PackError(ValueError):
    """Input that is structurally wrong; nothing of it is to be believed."""


# §2: "a missing field takes its default, an unknown one is refused" (interfaces.md).
DEFAULTS: dict[str, Any] = {
    "currency": "CNY",
    "timezone": "Asia/Shanghai",
    "point_value_minor_per_100": 100,
    "points_expiry_months": 12,
    "points_pending_days": 0,
    "restore_grace_days": 30,
    "refund_days_max": 180,
    "draw_order": "earliest_expiry",
    "fees": {},
    "vat_ppm": 60_000,
    "fees_include_vat": True,
    "hold_minutes": 10_080,
    "presentment_days_max": 90,
    "cutoff_days": 3,
    "dispute_days": 30,
    "answer_days": 15,
    "payment_days": 10,
    "run_off_months": 12,
    "offline_floor_minor": 0,
    "guarantee_fund_ppm": 0,
    "stored_value_licence": None,
}
FEE_RATES_PPM = {"spend": 10_000, "redeem": 20_000, "stored_value": 5_000}


@dataclass(frozen=True)
class Fee:
    """One fee of the rulebook; all amounts in fen."""

    rate_ppm: int
    fixed_minor: int = 0
    min_minor: int = 0
    max_minor: int | None = None
    payer: str = "host"

    def on(self, value: int) -> int:
        """§2: clamp(round(amount × rate) + fixed, min, max), only on a value above 0."""
        if value <= 0:
            return 0
        fee = round_half_up(value * self.rate_ppm, 1_000_000) + self.fixed_minor
        fee = max(fee, self.min_minor or 0)
        return fee if self.max_minor is None else min(fee, self.max_minor)


@dataclass(frozen=True)
class Rulebook:
    """One version of the agreement (§2)."""

    version: str
    effective_from: date
    timezone: str
    point_value_minor_per_100: int
    points_expiry_months: int
    points_pending_days: int
    restore_grace_days: int
    refund_days_max: int
    own_system_first: bool
    fees: Mapping[str, Fee]
    vat_ppm: int
    fees_include_vat: bool
    licence_until: date | None

    @classmethod
    def read(cls, document: Mapping[str, Any]) -> "Rulebook":
        """Read rulebook.json. Raises PackError on a field the contract does not have."""
        unknown = set(document) - set(DEFAULTS) - {"version", "effective_from"}
        if unknown:
            raise PackError(f"unknown rulebook field {min(unknown)}")
        if document.get("draw_order", "earliest_expiry") not in (
            "earliest_expiry",
            "own_system_first",
        ):
            raise PackError("unknown draw_order")
        full = DEFAULTS | dict(document)
        licence = full["stored_value_licence"]
        return cls(
            version=str(full["version"]),
            effective_from=date.fromisoformat(full["effective_from"]),
            timezone=full["timezone"],
            point_value_minor_per_100=full["point_value_minor_per_100"],
            points_expiry_months=full["points_expiry_months"],
            points_pending_days=full["points_pending_days"],
            restore_grace_days=full["restore_grace_days"],
            refund_days_max=full["refund_days_max"],
            own_system_first=full["draw_order"] == "own_system_first",
            fees={
                kind: Fee(**({"rate_ppm": ppm} | full["fees"].get(kind, {})))
                for kind, ppm in FEE_RATES_PPM.items()
            },
            vat_ppm=full["vat_ppm"],
            fees_include_vat=full["fees_include_vat"],
            licence_until=date.fromisoformat(licence["valid_until"]) if licence else None,
        )

    def points_value(self, points: int) -> int:
        """§2: round(points × point value / 100), in fen."""
        return round_half_up(points * self.point_value_minor_per_100, 100)

    def lot_end(self, business_date: date) -> date:
        """§2: the end of the month `points_expiry_months` after the month of issue."""
        return last_day(later_month(month_of(business_date), self.points_expiry_months))

    def vat(self, fees: int) -> int:
        """§2: the VAT within, or on top of, a statement's fees. Rounded once, sign kept."""
        if self.fees_include_vat:
            return round_half_up(fees * self.vat_ppm, 1_000_000 + self.vat_ppm)
        return round_half_up(fees * self.vat_ppm, 1_000_000)


def round_half_up(numerator: int, denominator: int) -> int:
    """§2: half up, away from zero for negatives."""
    magnitude = (2 * abs(numerator) + denominator) // (2 * denominator)
    return magnitude if numerator >= 0 else -magnitude


def earned_points(cash_minor: int, points_per_yuan: Fraction) -> int:
    """§3: floor(yuan × earn rate)."""
    return int(Fraction(cash_minor, 100) * points_per_yuan)


def month_of(day: date) -> str:
    """The period a date falls in, `YYYY-MM`."""
    return f"{day.year:04d}-{day.month:02d}"


def later_month(period: str, months: int) -> str:
    """The period so many months after this one."""
    number = int(period[:4]) * 12 + int(period[5:]) - 1 + months
    return f"{number // 12:04d}-{number % 12 + 1:02d}"


def last_day(period: str) -> date:
    """The last calendar day of a period."""
    year, month = int(period[:4]), int(period[5:])
    return date(year, month, monthrange(year, month)[1])
