"""A card holder goes over to another system: only with the operator's approval, and with the pool (domain.md §1)."""

from pathlib import Path

import pytest

from clearinghouse.domain.errors import (
    CardStateConflict,
    CardUnknown,
    HotelUnknown,
    OperatorRefused,
    TierUnknown,
)
from clearinghouse.domain.transactions import card_key
from clearinghouse.domain.treatment import CardState
from clearinghouse.operations.card_changes import CardChange, change_card
from clearinghouse.operations.card_transfers import Transfer, find_card, transfer
from clearinghouse.operations.cards import card, look_up
from clearinghouse.operations.changing import Authority
from clearinghouse.operations.context import Context
from clearinghouse.operations.prove import prove
from tests.alliances import CARDS, MiniAlliance
from tests.operations.parties import party

TWO = Authority("li.ming", "letter 7", "wang.fang")
DAY = "2026-11-03"


@pytest.fixture
def alliance(founded: object, context: Context, tmp_path: Path) -> MiniAlliance:
    made = MiniAlliance(context, tmp_path)
    made.accept("spend", "BAM-HZ", "1", "T1", DAY, amount=100_000)
    return made


def number_of(alliance: MiniAlliance) -> int:
    return find_card(alliance.context, CARDS["T1"]).card


def test_the_pool_goes_with_the_holder(alliance: MiniAlliance) -> None:
    aur, bam = party(alliance, "AUR"), party(alliance, "BAM")
    old = look_up(alliance.context, aur, CARDS["T1"]).card_id
    done = transfer(alliance.context, Transfer(number_of(alliance), "BAM-HZ"), TWO)
    assert (done.from_system, done.to_system, done.tier) == ("AUR", "BAM", "B2")
    number = alliance.value("SELECT max(number) FROM cards")
    new = card(alliance.context, bam, alliance.context.vault.card_id(number, bam.system))
    assert new.own is not None
    assert new.status is CardState.ACTIVE
    assert (new.own.holder_name, new.own.issuer_hotel) == ("李芳", "BAM-HZ")
    seen = card(alliance.context, aur, old)
    assert seen.own is not None
    assert seen.status is CardState.REPLACED
    # Of where its holder went the old system hears nothing.
    assert "letter" not in (seen.own.status_reason or "")
    told = alliance.rows("SELECT payload::text FROM outbox WHERE kind = 'card.closed'")
    assert "BAM" not in told[0][0]
    travellers = alliance.rows(
        "SELECT count(DISTINCT traveller), count(*) FROM cards WHERE number IN (%s, %s)",
        number,
        number_of(alliance),
    )
    assert travellers == [(1, 2)]
    assert [proof.detail for proof in prove(alliance.context) if not proof.holds] == []


def test_what_was_bought_with_the_old_card_is_refunded_to_the_new_one(
    alliance: MiniAlliance,
) -> None:
    transfer(alliance.context, Transfer(number_of(alliance), "BAM-HZ"), TWO)
    key = card_key(alliance.value("SELECT max(number) FROM cards"))
    alliance.accept("refund", "BAM-HZ", "2", key, "2026-11-04", amount=100_000, original="1")


@pytest.mark.parametrize(
    ("wanted", "error"),
    [
        ({"hotel": "AUR-SH"}, OperatorRefused),
        ({"hotel": "NONE"}, HotelUnknown),
        ({"hotel": "BAM-HZ", "tier": "A2"}, TierUnknown),
        ({"hotel": "BAM-HZ", "card": 999_999}, CardUnknown),
    ],
)
def test_what_does_not_fit_is_refused_and_changes_nothing(
    alliance: MiniAlliance, wanted: dict[str, object], error: type[Exception]
) -> None:
    values = {"card": number_of(alliance), **wanted}
    with pytest.raises(error):
        transfer(alliance.context, Transfer(**values), TWO)  # type: ignore[arg-type]  # wrong on purpose, or of many types
    assert alliance.rows("SELECT 1 FROM card_states") == []


def test_one_person_is_not_enough_and_a_card_must_be_active(alliance: MiniAlliance) -> None:
    wanted = Transfer(number_of(alliance), "BAM-HZ")
    with pytest.raises(OperatorRefused, match="second person"):
        transfer(alliance.context, wanted, Authority("li.ming", "letter 7"))
    aur = party(alliance, "AUR")
    old = look_up(alliance.context, aur, CARDS["T1"]).card_id
    change_card(alliance.context, aur, old, CardChange(status=CardState.SUSPENDED, reason="x"))
    with pytest.raises(CardStateConflict):
        transfer(alliance.context, wanted, TWO)
