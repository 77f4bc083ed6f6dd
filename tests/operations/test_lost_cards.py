"""A card that was lost: another one in its place, on the same pool, and what was bought with the old one."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from clearinghouse.domain.deciding import Refused
from clearinghouse.domain.errors import (
    CardNumberInvalid,
    CardNumberTaken,
    CardStateConflict,
    RefusalCode,
)
from clearinghouse.domain.transactions import Capture, card_key
from clearinghouse.domain.treatment import CardState
from clearinghouse.operations.card_changes import CardChange, change_card, replace_card
from clearinghouse.operations.cards import card, look_up
from clearinghouse.operations.context import Context
from clearinghouse.operations.party import Party
from clearinghouse.operations.post import post
from clearinghouse.operations.prove import prove
from tests.alliances import CARDS, MiniAlliance
from tests.operations.parties import party

DAY = "2026-11-03"
NOON = datetime(2026, 11, 3, 4, tzinfo=UTC)


@pytest.fixture
def alliance(founded: object, context: Context, tmp_path: Path) -> MiniAlliance:
    """It is noon of 2026-11-03."""
    found = MiniAlliance(context, tmp_path)
    found.clock.pass_to(NOON)
    return found


@pytest.fixture
def aur(alliance: MiniAlliance) -> Party:
    return party(alliance, "AUR")


def id_of(alliance: MiniAlliance, who: Party) -> str:
    return look_up(alliance.context, who, CARDS["T1"]).card_id


def test_a_lost_card_keeps_its_pool(alliance: MiniAlliance, aur: Party) -> None:
    alliance.accept("spend", "BAM-HZ", "1", "T1", DAY, amount=10_000)
    old = id_of(alliance, aur)
    suspended = CardChange(status=CardState.SUSPENDED, reason="lost in a taxi")
    change_card(alliance.context, aur, old, suspended)
    new = replace_card(alliance.context, aur, old, CARDS["T3"], "stolen")

    assert (new.status, new.card_masked) == ("active", "627781******0039")
    assert new.own is not None
    assert (new.own.issuer_hotel, new.own.issued_on) == ("AUR-BJ", date(2026, 11, 3))
    assert [(t.tier_code, t.alliance_level) for t in new.own.tiers] == [("A2", 2)]
    gone = card(alliance.context, aur, old)
    assert gone.own is not None
    assert (gone.status, gone.own.replaced_by) == ("replaced", new.card_id)
    refused = alliance.post(
        "redeem", "BAM-HZ", "2", "T1", DAY, points=100, occurred_at=NOON + timedelta(hours=1)
    )
    assert refused == Refused(RefusalCode.CARD_NOT_ACTIVE)
    alliance.accept("redeem", "BAM-HZ", "2", "T3", DAY, points=100)
    (told,) = alliance.rows("SELECT payload FROM outbox WHERE kind = 'card.replaced'")
    assert told[0].items() >= {"reason": "stolen", "replaced_by": new.card_id}.items()
    assert [(proof.name_en, proof) for proof in prove(alliance.context) if not proof.holds] == []


def test_what_was_bought_with_a_lost_card_can_be_refunded(
    alliance: MiniAlliance, aur: Party
) -> None:
    alliance.accept("spend", "BAM-HZ", "1", "T1", DAY, amount=10_000)
    second = replace_card(alliance.context, aur, id_of(alliance, aur), CARDS["T3"], "lost")
    third = replace_card(alliance.context, aur, second.card_id, "6277810000000047", "lost again")
    alliance.accept("spend", "BAM-HZ", "2", "6277810000000047", DAY, amount=10_000)
    later = {"occurred_at": NOON + timedelta(hours=1)}
    alliance.accept(
        "refund", "BAM-HZ", "3", "6277810000000047", DAY, amount=4_000, original="1", **later
    )
    stranger = alliance.post("refund", "BAM-HZ", "4", "T2", DAY, amount=1, original="1", **later)
    assert stranger == Refused(RefusalCode.CARD_MISMATCH)
    assert third.status == "active"


def test_replacing_twice_gives_one_card(alliance: MiniAlliance, aur: Party) -> None:
    old = id_of(alliance, aur)
    new = replace_card(alliance.context, aur, old, None, "lost")
    assert replace_card(alliance.context, aur, old, None, "lost") == new
    with pytest.raises(CardStateConflict):
        replace_card(alliance.context, aur, old, CARDS["T3"], "lost")
    assert alliance.value("SELECT count(*) FROM cards") == 3


def test_a_number_of_ours_is_a_card_number(alliance: MiniAlliance, aur: Party) -> None:
    new = replace_card(alliance.context, aur, id_of(alliance, aur), None, "lost")
    assert new.card_masked.startswith("9156")


def test_a_number_that_does_not_fit(alliance: MiniAlliance, aur: Party) -> None:
    old = id_of(alliance, aur)
    with pytest.raises(CardNumberTaken):
        replace_card(alliance.context, aur, old, CARDS["T2"], "lost")
    with pytest.raises(CardNumberInvalid):
        replace_card(alliance.context, aur, old, "6277810000000014", "lost")
    assert look_up(alliance.context, aur, CARDS["T1"]).status == "active"


def test_what_goes_on_with_an_earlier_line_finds_the_card_in_its_place(
    alliance: MiniAlliance, aur: Party
) -> None:
    """A refund and a capture name the card by its own number; the holder has another one since, twice."""
    alliance.accept("award", "BAM-HZ", "1", "T1", DAY, points=500)
    outcome = alliance.hold("redeem", "BAM-HZ", "H1", "T1", DAY, points=200)
    old = alliance.value("SELECT min(number) FROM cards")
    alliance.clock.now += timedelta(minutes=1)
    second = replace_card(alliance.context, aur, id_of(alliance, aur), None, "lost")
    replace_card(alliance.context, aur, second.card_id, CARDS["T3"], "lost again")
    later = alliance.clock.now + timedelta(minutes=1)
    alliance.clock.pass_to(later)

    refund = alliance.line(
        "refund", "BAM-HZ", "2", card_key(old), DAY, points=100, original="1", occurred_at=later
    )
    capture = Capture(
        outcome.hold.auth_id, 0, "BAM-HZ", "H1", None, "redeem", card_key(old), refund.business_date,
        later, None, 150,
    )  # fmt: skip
    for line in (refund, capture):
        assert not isinstance(post(alliance.context, [line])[0], Refused)
    newest = alliance.value("SELECT max(number) FROM cards")
    assert alliance.rows("SELECT card FROM transactions WHERE kind <> 'award'") == [(newest,)] * 2
    assert [(proof.name_en, proof) for proof in prove(alliance.context) if not proof.holds] == []
