"""What a card can spend at one host: the total, the host's own part, and why not more; never the split by issuer."""

from dataclasses import asdict
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from clearinghouse.domain.deciding import Refused
from clearinghouse.domain.errors import HotelNotYours, NotFound, RefusalCode
from clearinghouse.domain.treatment import CardState
from clearinghouse.operations.balance import HostBalance, balance_for
from clearinghouse.operations.card_changes import CardChange, change_card
from clearinghouse.operations.cards import look_up
from clearinghouse.operations.context import Context
from tests.alliances import CARDS, RULEBOOK, MiniAlliance
from tests.founding import founding
from tests.operations.parties import party

TERMS = {"points_pending_days": 3, "point_value_minor_per_100": 250}

founded = founding(rulebook=TERMS)


@pytest.fixture
def alliance(founded: object, context: Context, tmp_path: Path) -> MiniAlliance:
    """Points of spends are usable three days later; a point is worth 2.5 fen."""
    return MiniAlliance(context, tmp_path, rulebook=TERMS)


def at(alliance: MiniAlliance, hotel: str, name: str = "T1") -> HostBalance:
    who = party(alliance, hotel.partition("-")[0])
    found = look_up(alliance.context, who, CARDS[name])
    return balance_for(alliance.context, who, found.card_id, hotel)


def reasons(balance: HostBalance) -> list[tuple[str, str, int]]:
    return [(reason.asset, reason.code, reason.amount) for reason in balance.why_not]


def live(alliance: MiniAlliance) -> None:
    """600 points of BAM and 300 of AUR, 100 of CLD to come, and stored value of AUR."""
    alliance.accept("award", "BAM-HZ", "1", "T1", "2026-10-30", points=600)
    alliance.accept("award", "AUR-SH", "2", "T1", "2026-11-02", points=300)
    alliance.accept("spend", "CLD-GZ", "3", "T1", "2026-11-03", amount=10_000)
    alliance.accept("load", "AUR-BJ", "4", "T1", "2026-11-03", amount=50_000)


def test_total_own_part_and_what_expires_when(alliance: MiniAlliance) -> None:
    live(alliance)
    here = at(alliance, "BAM-HZ")

    assert (here.business_date, here.rulebook_version) == (date(2026, 11, 3), "v1")
    assert (here.usable_points, here.own_system_points, here.worth_minor) == (900, 600, 2_250)
    assert (here.pending_points, here.held_points, here.owed_points) == (100, 0, 0)
    assert here.pending == ((date(2026, 11, 6), 100),)
    assert here.expiring == ((date(2027, 10, 31), 600), (date(2027, 11, 30), 400))
    assert (here.usable_minor, here.own_system_minor, here.held_minor) == (50_000, 0, 0)
    assert reasons(here) == [("points", "points_pending", 100)]
    assert (at(alliance, "AUR-BJ").own_system_points, at(alliance, "CLD-GZ").own_system_points) == (
        300,
        0,
    )
    assert at(alliance, "AUR-BJ").own_system_minor == 50_000


def test_the_split_by_issuer_is_not_in_it(alliance: MiniAlliance) -> None:
    live(alliance)
    told = str(asdict(at(alliance, "CLD-GZ")))
    assert not any(issuer in told for issuer in ("AUR", "BAM", "300", "600, 'own"))


def test_what_is_told_can_be_redeemed_and_no_point_more(alliance: MiniAlliance) -> None:
    live(alliance)
    usable = at(alliance, "CLD-GZ").usable_points
    assert alliance.post("redeem", "CLD-GZ", "9", "T1", "2026-11-03", points=usable + 1) == Refused(
        RefusalCode.INSUFFICIENT_POINTS
    )
    alliance.accept("redeem", "CLD-GZ", "9", "T1", "2026-11-03", points=usable)
    assert at(alliance, "CLD-GZ").usable_points == 0


def test_debts_come_off_first(alliance: MiniAlliance) -> None:
    alliance.accept("award", "BAM-HZ", "1", "T1", "2026-11-01", points=500)
    alliance.accept("redeem", "BAM-HZ", "2", "T1", "2026-11-01", points=400)
    alliance.accept("refund", "BAM-HZ", "3", "T1", "2026-11-01", points=500, original="1")
    alliance.accept("award", "AUR-BJ", "4", "T1", "2026-11-02", points=1_000)
    here = at(alliance, "AUR-BJ")
    assert (here.usable_points, here.own_system_points, here.owed_points) == (600, 600, 400)
    assert ("points", "points_owed", 400) in reasons(here)


def test_a_host_that_did_not_accept_uses_its_own_as_far_as_they_come_first(
    alliance: MiniAlliance,
) -> None:
    live(alliance)
    newer = ("NEW", "新酒店", "New")
    hotel = ("NEW-1", "NEW", "新酒店", "New", "北京市", "2026-01-01")
    tier = ("NEW", "N1", "普通", "Member", 1, 1, "1.0", 0)
    alliance.add({"systems.csv": [newer], "hotels.csv": [hotel], "tiers.csv": [tier]})
    here = at(alliance, "NEW-1")
    assert (here.usable_points, here.usable_minor) == (0, 0)
    assert reasons(here) == [
        ("points", "rulebook_not_accepted", 900),
        ("points", "points_pending", 100),
        ("stored_value", "rulebook_not_accepted", 50_000),
    ]
    alliance.accept("award", "NEW-1", "5", "T1", "2026-09-15", points=70)
    here = at(alliance, "NEW-1")
    assert (here.usable_points, here.own_system_points) == (70, 70)
    assert reasons(here)[0] == ("points", "rulebook_not_accepted", 900)
    refused = alliance.post("redeem", "NEW-1", "6", "T1", "2026-11-03", points=71)
    assert refused == Refused(RefusalCode.RULEBOOK_NOT_ACCEPTED)
    alliance.accept("redeem", "NEW-1", "6", "T1", "2026-11-03", points=70)


def test_stored_value_without_a_licence(context: Context, tmp_path: Path) -> None:
    licence = {**RULEBOOK["stored_value_licence"], "valid_until": "2026-11-03"}
    alliance = MiniAlliance(context, tmp_path, rulebook={"stored_value_licence": licence})
    alliance.accept("load", "AUR-BJ", "1", "T1", "2026-11-03", amount=50_000)
    assert at(alliance, "AUR-BJ").usable_minor == 50_000
    alliance.clock.pass_to(datetime(2026, 11, 4, 4, tzinfo=UTC))
    here = at(alliance, "AUR-BJ")
    assert (here.usable_minor, here.own_system_minor) == (0, 0)
    assert reasons(here) == [("stored_value", "stored_value_not_licensed", 50_000)]
    assert here.why_not[0].zh == "联盟在此营业日没有有效的储值牌照"


def test_a_card_that_is_not_active_can_spend_nothing(alliance: MiniAlliance) -> None:
    live(alliance)
    aur = party(alliance, "AUR")
    card_id = look_up(alliance.context, aur, CARDS["T1"]).card_id
    change_card(alliance.context, aur, card_id, CardChange(status=CardState.SUSPENDED))
    here = at(alliance, "BAM-HZ")
    assert (here.status, here.usable_points, here.usable_minor) == ("suspended", 0, 0)
    assert reasons(here)[0] == ("points", "card_not_active", 900)
    assert ("stored_value", "card_not_active", 50_000) in reasons(here)


def test_only_for_ones_own_hotel_and_with_ones_own_id(alliance: MiniAlliance) -> None:
    aur, bam = party(alliance, "AUR"), party(alliance, "BAM")
    card_id = look_up(alliance.context, aur, CARDS["T1"]).card_id
    with pytest.raises(HotelNotYours):
        balance_for(alliance.context, aur, card_id, "BAM-HZ")
    with pytest.raises(NotFound):
        balance_for(alliance.context, bam, card_id, "BAM-HZ")


def test_what_is_held_until_its_time_is_over(alliance: MiniAlliance) -> None:
    live(alliance)
    alliance.hold("redeem", "CLD-GZ", "H1", "T1", "2026-11-03", points=250)
    alliance.hold("stored_value_spend", "CLD-GZ", "H2", "T1", "2026-11-03", amount=20_000)
    here = at(alliance, "BAM-HZ")
    assert (here.usable_points, here.own_system_points, here.held_points) == (650, 350, 250)
    assert (here.usable_minor, here.held_minor) == (30_000, 20_000)
    assert reasons(here)[1:] == [
        ("points", "points_held", 250),
        ("stored_value", "stored_value_held", 20_000),
    ]
    assert here.expiring[0] == (date(2027, 10, 31), 350)

    # Nobody has swept the holds yet.
    alliance.clock.now += timedelta(minutes=10_081)
    here = at(alliance, "BAM-HZ")
    assert (here.usable_points, here.held_points) == (1_000, 0)
    assert (here.usable_minor, here.held_minor, reasons(here)) == (50_000, 0, [])
