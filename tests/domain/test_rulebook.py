"""The rulebook's document: defaults, faults, one hash however it is spelled (domain.md §2)."""

from datetime import date
from typing import Any

import pytest

from clearinghouse.domain.directory import Directory, RulebookInForce
from clearinghouse.domain.errors import RulebookFault
from clearinghouse.domain.rulebook import (
    FeeRule,
    Rulebook,
    rulebook_document,
    rulebook_from_document,
    rulebook_sha256,
)

LEAST: dict[str, Any] = {"version": "v1", "effective_from": "2026-01-01"}
LICENCE = {"number": "L", "holder": "H", "custody_bank": "B", "valid_until": "2030-12-31"}


def test_missing_fields_take_their_defaults() -> None:
    found = rulebook_from_document(LEAST)
    assert rulebook_document(found) == {
        **LEAST,
        "currency": "CNY",
        "timezone": "Asia/Shanghai",
        "point_value_minor_per_100": 100,
        "points_expiry_months": 12,
        "points_pending_days": 0,
        "restore_grace_days": 30,
        "refund_days_max": 180,
        "draw_order": "earliest_expiry",
        "fees": {
            kind: {"rate_ppm": ppm, "fixed_minor": 0, "min_minor": 0, "max_minor": None}
            for kind, ppm in (("spend", 10_000), ("redeem", 20_000), ("stored_value", 5_000))
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
    assert found == Rulebook("v1", date(2026, 1, 1))


def test_a_complete_document_reads_back_as_itself() -> None:
    document = {
        **LEAST,
        "timezone": "America/New_York",
        "draw_order": "own_system_first",
        "fees": {"redeem": {"rate_ppm": 1, "fixed_minor": 2, "min_minor": 3, "max_minor": 4}},
        "fees_include_vat": False,
        "stored_value_licence": LICENCE,
    }
    found = rulebook_from_document(document)
    assert found.fee_redeem == FeeRule(1, 2, 3, 4)
    assert rulebook_from_document(rulebook_document(found)) == found


@pytest.mark.parametrize(
    "document",
    [
        {"fees": {}},
        {"fees": {"spend": {}}},
        {"fees": {"spend": {"rate_ppm": 10_000}}},
        {"fees": {"redeem": {"max_minor": None}}},
        {"vat_ppm": 60_000},
        {"stored_value_licence": None},
    ],
)
def test_spelling_a_default_out_is_the_same_rulebook(document: dict[str, Any]) -> None:
    least = rulebook_sha256(rulebook_from_document(LEAST))
    assert rulebook_sha256(rulebook_from_document({**document, **LEAST})) == least


@pytest.mark.parametrize(
    "change",
    [
        {"version": "v2"},
        {"effective_from": "2026-01-02"},
        {"vat_ppm": 60_001},
        {"fees": {"spend": {"max_minor": 0}}},
        {"stored_value_licence": LICENCE},
        {"draw_order": "own_system_first"},
    ],
)
def test_any_change_is_another_rulebook(change: dict[str, Any]) -> None:
    changed = rulebook_from_document({**LEAST, **change})
    assert rulebook_sha256(changed) != rulebook_sha256(rulebook_from_document(LEAST))


FAULTS = [
    # change, the field named, words of the sentence
    ({"version": None}, "version", "version must be given"),
    ({"version": ""}, "version", "version must be given"),
    ({"version": 1}, "version", "version must be given"),
    ({"version": "../v1"}, "version", "version must be given"),
    ({"version": "v" * 65}, "version", "version must be given"),
    ({"effective_from": None}, "effective_from", "YYYY-MM-DD"),
    ({"effective_from": "2026-13-01"}, "effective_from", "YYYY-MM-DD"),
    ({"effective_from": "2026-02-29"}, "effective_from", "YYYY-MM-DD"),
    ({"effective_from": "20260101"}, "effective_from", "YYYY-MM-DD"),
    ({"effective_from": "2026-W01-1"}, "effective_from", "YYYY-MM-DD"),
    ({"colour": "red"}, "colour", "not a rulebook field"),
    ({"Version": "v1"}, "Version", "not a rulebook field"),
    ({"currency": "USD"}, "currency", "must be CNY"),
    ({"timezone": "Asia/Nowhere"}, "timezone", "time zone"),
    ({"timezone": ""}, "timezone", "time zone"),
    ({"timezone": "../../etc/passwd"}, "timezone", "time zone"),
    ({"timezone": 8}, "timezone", "time zone"),
    ({"draw_order": "newest"}, "draw_order", "earliest_expiry or own_system_first"),
    ({"draw_order": None}, "draw_order", "earliest_expiry or own_system_first"),
    ({"fees_include_vat": 1}, "fees_include_vat", "true or false"),
    ({"fees_include_vat": "true"}, "fees_include_vat", "true or false"),
    ({"vat_ppm": -1}, "vat_ppm", "between 0 and 1000000"),
    ({"vat_ppm": 1_000_001}, "vat_ppm", "between"),
    ({"vat_ppm": 6.0}, "vat_ppm", "whole number"),
    ({"vat_ppm": "60000"}, "vat_ppm", "whole number"),
    ({"vat_ppm": True}, "vat_ppm", "whole number"),
    ({"vat_ppm": None}, "vat_ppm", "whole number"),
    ({"points_expiry_months": -1}, "points_expiry_months", "between"),
    ({"points_expiry_months": 10**9}, "points_expiry_months", "between"),
    ({"points_pending_days": -1}, "points_pending_days", "between"),
    ({"restore_grace_days": -1}, "restore_grace_days", "between"),
    ({"refund_days_max": -1}, "refund_days_max", "between"),
    ({"point_value_minor_per_100": -100}, "point_value_minor_per_100", "between"),
    ({"hold_minutes": 0}, "hold_minutes", "between"),
    ({"cutoff_days": -1}, "cutoff_days", "between"),
    ({"fees": []}, "fees", "must be an object"),
    ({"fees": None}, "fees", "must be an object"),
    ({"fees": {"award": {}}}, "award", "not a rulebook field in fees"),
    ({"fees": {"spend": 1}}, "fees.spend", "must be an object"),
    ({"fees": {"spend": {"rate": 1}}}, "rate", "not a rulebook field in fees.spend"),
    ({"fees": {"spend": {"rate_ppm": -1}}}, "fees.spend.rate_ppm", "between"),
    ({"fees": {"spend": {"rate_ppm": 1_000_001}}}, "fees.spend.rate_ppm", "between"),
    ({"fees": {"spend": {"rate_ppm": None}}}, "fees.spend.rate_ppm", "whole number"),
    ({"fees": {"redeem": {"fixed_minor": -1}}}, "fees.redeem.fixed_minor", "between"),
    ({"fees": {"redeem": {"min_minor": -1}}}, "fees.redeem.min_minor", "between"),
    ({"fees": {"redeem": {"max_minor": -1}}}, "fees.redeem.max_minor", "between"),
    ({"fees": {"redeem": {"min_minor": 5, "max_minor": 4}}}, "fees.redeem", "below min_minor"),
    ({"stored_value_licence": "L-1"}, "stored_value_licence", "must be an object"),
    ({"stored_value_licence": {}}, "number", "must be given"),
    ({"stored_value_licence": {**LICENCE, "number": " "}}, "number", "must be given"),
    ({"stored_value_licence": {**LICENCE, "holder": 1}}, "holder", "must be given"),
    ({"stored_value_licence": {**LICENCE, "custody_bank": None}}, "custody_bank", "must be given"),
    ({"stored_value_licence": {**LICENCE, "valid_until": "soon"}}, "valid_until", "YYYY-MM-DD"),
    ({"stored_value_licence": {**LICENCE, "fax": "1"}}, "fax", "not a rulebook field"),
]


@pytest.mark.parametrize(("change", "field", "words"), FAULTS)
def test_a_fault_is_one_sentence_and_names_its_field(
    change: dict[str, Any], field: str, words: str
) -> None:
    with pytest.raises(RulebookFault, match=words) as found:
        rulebook_from_document({**LEAST, **change})
    assert found.value.field == field
    assert "\n" not in found.value.message


@pytest.mark.parametrize("document", [None, [], "v1", 1])
def test_a_rulebook_is_an_object(document: object) -> None:
    with pytest.raises(RulebookFault, match="a rulebook must be an object"):
        rulebook_from_document(document)  # type: ignore[arg-type]  # wrong on purpose, or of many types


@pytest.mark.parametrize(
    ("change", "value"),
    [
        ({"fees": {"spend": {"min_minor": 4, "max_minor": 4}}}, 4),
        ({"fees": {"spend": {"max_minor": 0}}}, 0),
        ({"fees": {"spend": {"rate_ppm": 0}}}, 0),
        ({"fees": {"spend": {"rate_ppm": 1_000_000}}}, 100),
    ],
)
def test_limits_that_are_allowed(change: dict[str, Any], value: int) -> None:
    assert rulebook_from_document({**LEAST, **change}).fee_rule("spend").fee_minor(100) == value


@pytest.mark.parametrize(
    ("licence", "day", "licensed"),
    [
        (None, date(2026, 11, 1), False),
        (LICENCE, date(2026, 11, 1), True),
        (LICENCE, date(2030, 12, 31), True),  # its last good business date
        (LICENCE, date(2031, 1, 1), False),
    ],
)
def test_stored_value_needs_a_licence_on_the_business_date(
    licence: dict[str, str] | None, day: date, licensed: bool
) -> None:
    found = rulebook_from_document({**LEAST, "stored_value_licence": licence})
    assert found.licensed_on(day) is licensed


def test_the_version_in_force_is_that_of_the_business_date() -> None:
    versions = [
        RulebookInForce(n, Rulebook(f"v{n}", day), frozenset())
        for n, day in ((3, date(2026, 11, 15)), (1, date(2026, 1, 1)), (2, date(2026, 11, 1)))
    ]
    found = Directory([], [], [], versions)
    days = {
        date(2025, 12, 31): None,
        date(2026, 1, 1): 1,
        date(2026, 10, 31): 1,
        date(2026, 11, 1): 2,
        date(2026, 11, 14): 2,
        date(2026, 11, 15): 3,
        date(2199, 1, 1): 3,
    }
    for day, number in days.items():
        version = found.rulebook_on(day)
        assert (version and version.number) == number, day
