"""The model against published figures: domain.md §6, netting cases, and the life of a lot."""

from collections.abc import Iterable
from datetime import date
from typing import Any

import pytest

from . import Lot, Model
from .wallet import NEVER, Wallet, draw

CARD = "6277810000000013"
NO_FEES = {kind: {"rate_ppm": 0} for kind in ("spend", "redeem", "stored_value")}
LICENCE = {"number": "N", "holder": "H", "custody_bank": "B", "valid_until": "2030-12-31"}


def alliance(hotels: dict[str, str], rate: dict[str, str] | None = None, **fields: Any) -> Model:
    """Systems and hotels (`hotel: system`), one tier each, one rulebook from 2016."""
    model = Model()
    for system in dict.fromkeys(hotels.values()):
        model.add_system({"system_code": system})
        tier = {"system_code": system, "tier_code": "T", "rank": "1", "alliance_level": "1"}
        model.add_tier(tier | {"earn_points_per_yuan": (rate or {}).get(system, "1")})
    for hotel, system in hotels.items():
        model.add_hotel({"hotel_code": hotel, "system_code": system, "effective_from": ""})
    document = {"version": "1", "effective_from": "2016-01-01", "stored_value_licence": LICENCE}
    model.add_rulebook(document | fields)
    return model


def card(model: Model, number: str, hotel: str) -> str:
    """A traveller named like the card's number."""
    model.add_traveller({"traveller_ref": number})
    row = {"card_number": number, "traveller_ref": number, "issuer_hotel": hotel}
    model.add_card(row | {"tier_code": "T", "issued_on": "2016-01-01"})
    return number


def do(model: Model, host: str, ref: str, kind: str, day: str, quantity: int, **more: str) -> str:
    """Apply one row; the quantity is fen or points as the kind (or `of`, for a refund) wants."""
    of = more.pop("of", kind)
    column = "points" if of in ("redeem", "award") else "amount_minor"
    row: dict[str, str | int | None] = {
        "host_hotel": host,
        "txn_ref": ref,
        "original_txn_ref": "",
        "kind": kind,
        "card_number": CARD,
        "business_date": day,
        "occurred_at": f"{day}T12:00:00+08:00",
        column: quantity,
    }
    return model.apply(row | more)


def refund(model: Model, host: str, ref: str, of: str, day: str, quantity: int, kind: str) -> str:
    """Refund so much of `of`, a transaction of that kind at the same host."""
    return do(model, host, ref, "refund", day, quantity, original_txn_ref=of, of=kind)


def worked_example() -> Model:
    """The six events of domain.md §6, with the lots of #6 given as awards."""
    hotels = {"AUR-BJ": "AUR", "AUR-SH": "AUR", "BAM-HZ": "BAM", "CLD-GZ": "CLD"}
    model = alliance(hotels, {"BAM": "1.5"})
    card(model, CARD, "AUR-BJ")
    two = {"card_number": card(model, "2", "CLD-GZ")}
    events = [
        do(model, "AUR-SH", "1", "spend", "2026-11-02", 120_000),
        do(model, "BAM-HZ", "2", "spend", "2026-11-03", 88_888),
        do(model, "CLD-GZ", "3", "redeem", "2026-11-04", 2_000),
        do(model, "BAM-HZ", "4", "redeem", "2026-11-05", 500),
        do(model, "AUR-BJ", "5a", "load", "2026-11-06", 100_000),
        do(model, "BAM-HZ", "5b", "stored_value_spend", "2026-11-06", 30_050),
        do(model, "AUR-SH", "6a", "award", "2026-10-31", 300, **two),
        do(model, "CLD-GZ", "6b", "award", "2026-11-01", 700, **two),
        do(model, "AUR-BJ", "6c", "redeem", "2026-11-07", 900, **two),
    ]
    assert events == ["accepted"] * 9
    return model


def test_worked_example() -> None:
    """§6: points, obligations, fees, VAT and nets."""
    model = worked_example()
    rows = {
        code: (row.receivable, row.payable, row.fees, row.vat, row.net)
        for code, row in model.positions("2026-11").items()
    }
    assert rows == {
        "AUR": (600, 31_250, 12, 1, -30_662),
        "BAM": (30_050, 800, 1_039, 59, 28_211),
        "CLD": (2_000, 600, 40, 2, 1_360),
    }
    owed = {key: (row.count, row.amount) for key, row in model.obligations("2026-11").items()}
    assert owed == {
        ("AUR", "BAM", "stored_value"): (1, 30_050),
        ("AUR", "CLD", "redeem"): (1, 1_200),
        ("BAM", "CLD", "redeem"): (1, 800),
        ("CLD", "AUR", "redeem"): (1, 600),
    }
    assert [(lot.issuer, lot.remaining) for lot in model.lots(CARD)] == [("BAM-HZ", 33)]
    assert model.lots(CARD)[0].expires_on == date(2027, 11, 30)
    assert model.stored_value(CARD) == {"AUR-BJ": 69_950}
    assert [(lot.issuer, lot.remaining) for lot in model.lots("2")] == [("CLD-GZ", 100)]


def test_worked_refund() -> None:
    """§6: refund of #3 by 500 goes back to BAM-HZ first; CLD's fees become 24 + 6."""
    model = worked_example()
    assert refund(model, "CLD-GZ", "3r", "3", "2026-11-08", 500, "redeem") == "accepted"
    row = model.obligations("2026-11")["BAM", "CLD", "redeem"]
    assert (row.count, row.amount) == (2, 300)
    assert [leg.fee for leg in model.transactions["CLD-GZ", "3"].legs] == [24, 6]
    assert [(lot.issuer, lot.remaining) for lot in model.lots(CARD)] == [("BAM-HZ", 533)]


NETTING = [
    (
        [
            ("A", "B", 25),
            ("A", "C", 7),
            ("B", "A", 17),
            ("B", "C", 9),
            ("C", "A", 11),
            ("C", "B", 14),
        ],
        {"A": -4, "B": 13, "C": -9},
    ),
    (
        [
            ("A", "B", 1_000_000),
            ("B", "C", 500_000),
            ("C", "A", 750_000),
            ("A", "D", 300_000),
            ("D", "B", 200_000),
            ("B", "A", 100_000),
        ],
        {"A": -450_000, "B": 600_000, "C": -250_000, "D": 100_000},
    ),
    ([("1", "2", 10), ("2", "3", 20), ("3", "1", 50)], {"1": 40, "2": -10, "3": -30}),
    ([("F", "M", 6), ("M", "F", 4)], {"F": -2, "M": 2}),
]


@pytest.mark.parametrize(("owed", "nets"), NETTING)
def test_netting(owed: Iterable[tuple[str, str, int]], nets: dict[str, int]) -> None:
    """§6 end: published nets, each obligation made by an award and its redemption."""
    model = alliance({system: system for system in nets}, fees=NO_FEES)
    for number, (debtor, creditor, amount) in enumerate(owed):
        own = {"card_number": card(model, str(number), debtor)}
        do(model, debtor, f"a{number}", "award", "2017-01-01", amount, **own)
        do(model, creditor, f"r{number}", "redeem", "2017-01-02", amount, **own)
    assert {code: row.net for code, row in model.positions("2017-01").items()} == nets


def test_points_cases() -> None:
    """Published: 80 of 100 (until day 30) and 50 leave 70; on day 31 20 are lost; never below 0."""
    first, second = date(2017, 1, 1), date(2017, 1, 15)
    lots = [Lot("I", 50, second, NEVER), Lot("I", 100, first, date(2017, 1, 30))]
    wallet = Wallet(lots)
    drawn = draw(
        wallet.draw_order(date(2017, 1, 20), lambda _: True, own_first=False), 80, wallet.source_of
    )
    assert [(one.lot, one.quantity) for one in drawn] == [(lots[1], 80)]
    assert wallet.available(date(2017, 1, 20)) == 70
    assert wallet.available(date(2017, 1, 31)) == 50

    model = lone()
    do(model, "I", "a", "award", "2017-01-01", 100)
    assert do(model, "H", "r1", "redeem", "2017-01-01", 10) == "accepted"
    assert do(model, "H", "r2", "redeem", "2017-01-01", 100) == "insufficient_points"
    assert model.available_points(CARD, date(2017, 1, 1)) == 90


def lone() -> Model:
    """One card, an issuing hotel I and a host H of two systems; lots last one month."""
    model = alliance({"I": "S1", "H": "S2"}, points_expiry_months=1, fees=NO_FEES)
    card(model, CARD, "I")
    return model


def test_expired_part_of_a_redemption_comes_back_once() -> None:
    """§3: onto an expired lot for the days of grace, once; after that it is gone."""
    model = lone()
    do(model, "I", "s", "spend", "2017-01-10", 10_000)
    do(model, "H", "r", "redeem", "2017-02-01", 80)
    for period in ("2017-01", "2017-02"):
        model.close(period)
    row = model.points_liability("2017-02")["I"]
    assert (row.opening, row.redeemed, row.expired, row.closing) == (100, 80, 20, 0)
    assert refund(model, "H", "x1", "r", "2017-03-05", 50, "redeem") == "accepted"
    (lot,) = model.lots(CARD)
    assert (lot.issuer, lot.remaining, lot.expires_on) == ("I", 50, date(2017, 4, 4))
    do(model, "H", "r2", "redeem", "2017-04-04", 50)
    assert refund(model, "H", "x2", "r2", "2017-04-05", 50, "redeem") == "accepted"
    assert model.lots(CARD) == []
    assert model.obligations("2017-04") == {}, "drawn and reversed in one period"
    assert model.points_liability("2017-04")["I"].closing == 0


def test_debt_is_repaid_by_new_and_by_returned_points_and_ends() -> None:
    """§3: taken-back points that are spent become a debt, lowering what is available."""
    model = lone()
    do(model, "I", "s", "spend", "2017-01-10", 10_000)
    do(model, "H", "r", "redeem", "2017-01-11", 90)
    assert refund(model, "I", "x", "s", "2017-01-12", 10_000, "spend") == "accepted"
    assert [debt.outstanding for debt in model.debts(CARD, date(2017, 2, 28))] == [90]
    assert model.debts(CARD, date(2017, 3, 1)) == []
    do(model, "I", "s2", "spend", "2017-01-13", 3_000)
    do(model, "H", "s3", "spend", "2017-01-13", 3_000)
    assert model.available_points(CARD, date(2017, 1, 13)) == 30 - 60
    assert do(model, "H", "r2", "redeem", "2017-01-13", 1) == "insufficient_points"
    assert refund(model, "H", "y", "r", "2017-01-14", 70, "redeem") == "accepted"
    assert sorted((lot.issuer, lot.remaining) for lot in model.lots(CARD)) == [("H", 30), ("I", 10)]
    assert model.debts(CARD, date(2017, 1, 14)) == []
    row = model.points_liability("2017-01")["I"]
    assert (row.issued, row.redeemed, row.reversed, row.closing, row.debts) == (130, 90, -30, 10, 0)


def test_refusal_order_and_repeats() -> None:
    """§3: the first refusal that applies; values, not spelling, make the same content."""
    model = lone()
    assert do(model, "X", "1", "nothing", "2017-01-01", 0) == "hotel_unknown"
    assert do(model, "H", "1", "nothing", "2017-01-01", 0, card_number="0") == "kind_unknown"
    assert do(model, "H", "1", "spend", "2017-01-01", 0, card_number="0") == "card_unknown"
    late = {"occurred_at": "2017-01-02T20:00:00Z"}  # the 3rd in Shanghai
    assert do(model, "H", "1", "spend", "2017-01-01", 0, **late) == "business_date_mismatch"
    assert do(model, "H", "1", "spend", "2017-01-02", 5, **late) == "accepted"
    same = {"occurred_at": "2017-01-03T04:00:00+08:00", "amount_minor": "005"}
    assert do(model, "H", "1", "spend", "2017-01-02", 5, **same) == "repeated"
    assert do(model, "H", "1", "nothing", "2017-01-02", 5) == "txn_ref_reused"
    assert do(model, "H", "2", "spend", "2015-12-31", 0) == "card_not_active"
    assert refund(model, "H", "2", "0", "2017-01-02", 0, "spend") == "original_unknown"
    assert refund(model, "H", "2", "1", "2017-01-01", 0, "spend") == "refund_before_original"
    assert refund(model, "H", "2", "1", "2017-07-02", 0, "spend") == "refund_too_late"
    assert refund(model, "H", "2", "1", "2017-07-01", 0, "spend") == "amount_not_positive"
    assert refund(model, "H", "2", "1", "2017-07-01", 6, "spend") == "exceeds_original"
    assert refund(model, "H", "2", "1", "2017-07-01", 5, "spend") == "accepted"
    assert refund(model, "H", "3", "2", "2017-07-01", 5, "spend") == "original_not_refundable"
    assert do(model, "H", "3", "load", "2017-01-02", 5) == "load_only_at_issuer_system"
    assert do(model, "I", "3", "load", "2031-01-01", 5) == "stored_value_not_licensed"
    assert do(model, "I", "3", "load", "2030-12-31", 5) == "accepted"
    assert do(model, "H", "4", "stored_value_spend", "2030-12-31", 6) == "insufficient_stored_value"


def test_a_hotel_moves_with_its_points() -> None:
    """§1: a new leg uses the membership on its business date; a refund keeps its leg's systems."""
    model = lone()
    do(model, "I", "a", "award", "2017-01-01", 100)
    do(model, "H", "r1", "redeem", "2017-01-10", 40)
    model.add_hotel({"hotel_code": "I", "system_code": "S2", "effective_from": "2017-01-15"})
    do(model, "H", "r2", "redeem", "2017-01-15", 40)
    refund(model, "H", "x", "r1", "2017-01-16", 10, "redeem")
    assert model.transactions["H", "r2"].legs[0].reason == "own_system"
    owed = {key: row.amount for key, row in model.obligations("2017-01").items()}
    assert owed == {("S1", "S2", "redeem"): 30}


def test_late_line_and_closed_periods() -> None:
    """§4: a closed month's line enters the earliest open period; periods close in order."""
    model = lone()
    do(model, "I", "a", "award", "2017-01-01", 100)
    with pytest.raises(ValueError, match="earlier"):
        model.close("2017-02")
    model.close("2017-01")
    do(model, "H", "r", "redeem", "2017-01-10", 40)
    assert model.transactions["H", "r"].late
    assert model.obligations("2017-01") == {}
    assert model.points_liability("2017-02")["I"].redeemed == 40


def test_a_cap_skips_an_issuer_altogether() -> None:
    """§4: its lots are usable only inside its own system; other issuers' lots are drawn instead."""
    model = alliance({"I": "S1", "J": "S2", "H": "S3"}, fees=NO_FEES)
    model.caps["S1"] = 100
    card(model, CARD, "I")
    do(model, "I", "a", "award", "2017-01-01", 150)
    do(model, "J", "b", "award", "2017-01-01", 90)
    assert do(model, "H", "r", "redeem", "2017-01-02", 241) == "insufficient_points"
    assert do(model, "H", "r", "redeem", "2017-01-02", 240) == "net_debit_cap_exceeded"
    assert do(model, "H", "r1", "redeem", "2017-01-02", 100) == "accepted"
    assert do(model, "H", "r2", "redeem", "2017-01-02", 90) == "accepted"
    drawn = [leg.other_hotel for leg in model.transactions["H", "r2"].legs]
    assert drawn == ["J"]
    assert do(model, "I", "r3", "redeem", "2017-01-02", 50) == "accepted"
