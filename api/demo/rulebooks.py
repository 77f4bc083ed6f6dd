"""Three rulebook versions: the founding one, stored value licensed, and lower fees mid-month."""

from api.demo.months import PREVIOUS, YEAR_AGO, Months

Fee = dict[str, int | None]

PENDING_DAYS_AFTER_CHANGE = 1


def _fee(rate_ppm: int, fixed: int = 0, least: int = 0, most: int | None = None) -> Fee:
    return {"rate_ppm": rate_ppm, "fixed_minor": fixed, "min_minor": least, "max_minor": most}


def founding_rulebook(months: Months) -> dict[str, object]:
    """Version 1, in force before the first line; stored value is not licensed yet."""
    return {
        "version": "sample-1",
        "effective_from": months.day(1, YEAR_AGO - 1).isoformat(),
        "currency": "CNY",
        "timezone": "Asia/Shanghai",
        "point_value_minor_per_100": 100,
        "points_expiry_months": 12,
        "points_pending_days": 0,
        "restore_grace_days": 30,
        "refund_days_max": 180,
        "draw_order": "earliest_expiry",
        "fees": {
            "spend": _fee(10_000, most=20_000),
            "redeem": _fee(20_000, least=1),
            "stored_value": _fee(5_000),
        },
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


def licensed_rulebook(months: Months) -> dict[str, object]:
    """Version 2, from the previous month on: stored value may be issued and used."""
    year = months.day(1).year
    return founding_rulebook(months) | {
        "version": "sample-2",
        "effective_from": months.day(1, PREVIOUS).isoformat(),
        "stored_value_licence": {
            "number": "SAMPLE-0001",
            "holder": "示例清算所 Sample Clearing House",
            "custody_bank": "示例银行 Sample Bank",
            "valid_until": f"{year + 4}-12-31",
        },
    }


def changed_rulebook(months: Months) -> dict[str, object]:
    """Version 3, in the middle of the shown month: other fees, points of a spend pend one day."""
    return licensed_rulebook(months) | {
        "version": "sample-3",
        "effective_from": months.rule_change.isoformat(),
        "points_pending_days": PENDING_DAYS_AFTER_CHANGE,
        "fees": {
            "spend": _fee(9_000, most=20_000),
            "redeem": _fee(15_000, least=1),
            "stored_value": _fee(4_000, fixed=10),
        },
    }
