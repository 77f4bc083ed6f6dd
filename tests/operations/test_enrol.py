"""Enrolment: a code to the phone, then the no-harm check, then the card; nobody learns who is a member."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Barrier
from typing import Any

import pytest
from stdnum import luhn

from clearinghouse.domain.errors import (
    AlreadyAllianceMember,
    CardNumberTaken,
    ClearinghouseError,
    CodeExpired,
    CodeNotSent,
    CodeWrong,
    EnrolmentUnknown,
    HotelNotYours,
    HotelUnknown,
    PersonalDataInvalid,
    TierUnknown,
    TooManyCodes,
)
from clearinghouse.domain.treatment import CardState
from clearinghouse.operations.card_changes import CardChange, change_card
from clearinghouse.operations.cards import look_up
from clearinghouse.operations.context import Context
from clearinghouse.operations.enrol import (
    Applicant,
    Begun,
    Enrolled,
    OneTimeCode,
    Outcome,
    begin,
    confirm,
)
from clearinghouse.operations.party import Party
from tests.alliances import CARDS, MiniAlliance
from tests.operations.parties import party

NEW = Applicant("AUR-BJ", "A1", "赵敏", "13900139000", "Zhao@Example.CN")
#: T2 of the alliance, who holds a card of CLD.
WANG = replace(NEW, name="王伟", phone="+8613800138001")
#: T1, who holds one of AUR.
LI = replace(NEW, name="李芳", phone="+8613800138000")


class Desk:
    """A front desk of a system, and a drawer with the codes that went to phones."""

    def __init__(self, alliance: MiniAlliance, system: str = "AUR") -> None:
        self.alliance = alliance
        self.context = alliance.context
        self.party: Party = party(alliance, system)
        self.sent: list[OneTimeCode] = []

    def begin(self, applicant: Applicant = NEW) -> Begun:
        return begin(self.context, self.party, applicant, self.sent.append)

    def confirm(self, begun: Begun, code: str | None = None, number: str | None = None) -> Enrolled:
        code = self.sent[-1].code if code is None else code
        return confirm(self.context, self.party, begun.enrolment_id, code, number)

    def enrol(self, applicant: Applicant = NEW) -> Enrolled:
        return self.confirm(self.begin(applicant))

    def wrong(self) -> str:
        return f"{(int(self.sent[-1].code) + 1) % 1_000_000:06}"


@pytest.fixture
def alliance(context: Context, tmp_path: Path) -> MiniAlliance:
    """It is noon of 2026-11-03."""
    found = MiniAlliance(context, tmp_path)
    found.clock.pass_to(datetime(2026, 11, 3, 4, tzinfo=UTC))
    return found


@pytest.fixture
def desk(alliance: MiniAlliance) -> Desk:
    return Desk(alliance)


def counted(alliance: MiniAlliance) -> tuple[int, int]:
    """How many travellers and cards there are."""
    travellers, cards = alliance.rows(
        "SELECT count(*) FROM travellers UNION ALL SELECT count(*) FROM cards"
    )
    return travellers[0], cards[0]


def test_a_new_person_gets_a_card(alliance: MiniAlliance, desk: Desk) -> None:
    begun = desk.begin()
    assert begun.enrolment_id.startswith("enr_")
    assert begun.expires_at - alliance.clock.now == pytest.approx(
        timedelta(minutes=10), abs=timedelta(seconds=1)
    )
    code = desk.sent[-1]
    assert (code.phone, code.minutes) == ("+8613900139000", 10)
    assert (code.hotel_zh, code.hotel_en) == ("金酒店北京", "Aurum Beijing")
    assert counted(alliance) == (2, 2)

    found = desk.confirm(begun)

    assert (found.outcome, found.card.status) == (Outcome.ISSUED, "active")
    own = found.card.own
    assert own is not None
    assert (own.issuer_hotel, own.holder_name) == ("AUR-BJ", "赵敏")
    assert [tier.tier_code for tier in own.tiers] == ["A1"]
    assert counted(alliance) == (3, 3)
    assert [(kind, payload.get("outcome")) for kind, payload in alliance.rows(
        "SELECT kind, payload FROM outbox WHERE kind IN ('enrolment.confirmed', 'card.issued')"
        " ORDER BY number")] == [("enrolment.confirmed", "issued"), ("card.issued", None)]  # fmt: skip


def test_the_card_works(alliance: MiniAlliance, desk: Desk) -> None:
    found = desk.confirm(desk.begin(), number=CARDS["T3"])
    assert found.card.card_masked == "627781******0039"
    assert alliance.accept(
        "spend", "AUR-SH", "1", "T3", "2026-11-03", amount=10_000,
        occurred_at=alliance.clock.now + timedelta(minutes=1),
    ).txn.points == 100  # fmt: skip


def test_a_number_of_ours_has_a_check_digit(
    alliance: MiniAlliance, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[str] = []
    index = type(alliance.context.vault).blind_index

    def watching(vault: Any, what: str, value: str) -> bytes:
        if what == "card":
            seen.append(value)
        return index(vault, what, value)

    monkeypatch.setattr(type(alliance.context.vault), "blind_index", watching)
    desk.enrol()
    assert [len(number) for number in seen] == [16]
    assert all(luhn.is_valid(number) and number.startswith("9156") for number in seen)


def test_a_number_that_is_taken_spends_no_code(desk: Desk) -> None:
    begun = desk.begin()
    with pytest.raises(CardNumberTaken):
        desk.confirm(begun, number=CARDS["T2"])
    assert desk.confirm(begun).outcome is Outcome.ISSUED


@pytest.mark.parametrize(
    "written",
    [
        "+8613800138001",
        "13800138001",
        " 138 0013 8001 ",
        "138-0013-8001",
        "008613800138001",
        "0086 138 0013 8001",
        "+86 (138) 0013-8001",
        "86 13800138001",
        "１３８００１３８００１",
        "＋８６ １３８ ００１３ ８００１",
        "13800138001 ext. 7",
    ],
)
def test_anothers_member_is_refused_however_the_phone_is_written(
    alliance: MiniAlliance, desk: Desk, written: str
) -> None:
    with pytest.raises(AlreadyAllianceMember) as refused:
        desk.enrol(replace(WANG, phone=written))
    assert "CLD" not in refused.value.message
    assert counted(alliance) == (2, 2)


def test_another_name_does_not_help(desk: Desk) -> None:
    with pytest.raises(AlreadyAllianceMember):
        desk.enrol(replace(WANG, name="王小伟"))


def test_who_is_a_member_already_gets_the_card_they_have(
    alliance: MiniAlliance, desk: Desk
) -> None:
    for name in ("李芳", " 李　芳 "):
        found = desk.enrol(replace(LI, name=name))
        assert found.outcome is Outcome.ALREADY_OWN_MEMBER
        assert found.card == look_up(alliance.context, desk.party, CARDS["T1"])
    assert counted(alliance) == (2, 2)


def test_two_people_of_one_phone_have_a_pool_each(alliance: MiniAlliance, desk: Desk) -> None:
    found = desk.enrol(replace(LI, name="李强"))
    assert found.outcome is Outcome.ISSUED
    assert counted(alliance) == (3, 3)


def test_who_holds_no_card_any_more_gets_one_on_the_same_pool(
    alliance: MiniAlliance, desk: Desk
) -> None:
    at = look_up(alliance.context, desk.party, CARDS["T1"]).card_id
    for status, outcome in (
        (CardState.SUSPENDED, Outcome.ALREADY_OWN_MEMBER),
        (CardState.CLOSED, Outcome.ISSUED),
    ):
        change_card(alliance.context, desk.party, at, CardChange(status=status))
        assert desk.enrol(LI).outcome is outcome
    assert counted(alliance) == (2, 3)
    assert alliance.value("SELECT count(DISTINCT traveller) FROM cards") == 2


def test_a_suspended_card_of_another_system_still_counts(
    alliance: MiniAlliance, desk: Desk
) -> None:
    cloud = Desk(alliance, "CLD")
    at = look_up(alliance.context, cloud.party, CARDS["T2"]).card_id
    change_card(alliance.context, cloud.party, at, CardChange(status=CardState.SUSPENDED))
    with pytest.raises(AlreadyAllianceMember):
        desk.enrol(WANG)
    change_card(alliance.context, cloud.party, at, CardChange(status=CardState.CLOSED))
    assert desk.enrol(WANG).outcome is Outcome.ISSUED


def test_a_card_moves_with_its_hotel(alliance: MiniAlliance, desk: Desk) -> None:
    moved = ("CLD-GZ", "AUR", "云酒店广州", "Cloud Guangzhou", "广州市", "2026-11-03")
    alliance.add({"hotels.csv": [moved]})
    assert desk.enrol(WANG).outcome is Outcome.ALREADY_OWN_MEMBER


@pytest.mark.parametrize("applicant", [NEW, WANG, LI])
def test_before_the_phone_confirms_all_are_answered_alike(
    alliance: MiniAlliance, desk: Desk, applicant: Applicant
) -> None:
    begun = desk.begin(applicant)
    assert len(desk.sent) == 1
    messages = []
    for _ in range(5):
        with pytest.raises(CodeWrong) as wrong:
            desk.confirm(begun, desk.wrong())
        messages.append(wrong.value.message)
    assert set(messages) == {"that is not the code that was sent"}
    with pytest.raises(CodeExpired):
        desk.confirm(begun)
    assert counted(alliance) == (2, 2)


@pytest.mark.parametrize("applicant", [NEW, WANG, LI])
def test_a_code_is_good_for_ten_minutes(
    alliance: MiniAlliance, desk: Desk, applicant: Applicant
) -> None:
    begun = desk.begin(applicant)
    alliance.clock.pass_to(begun.expires_at)
    with pytest.raises(CodeExpired):
        desk.confirm(begun)


@pytest.mark.parametrize("typed", ["", "0", "000000x", "' OR 1=1", "\x00", "é" * 6])
def test_what_is_no_code_is_wrong(desk: Desk, typed: str) -> None:
    begun = desk.begin()
    with pytest.raises(CodeWrong):
        desk.confirm(begun, typed)


def test_a_code_may_be_typed_full_width(desk: Desk) -> None:
    begun = desk.begin()
    wide = "".join(chr(ord(digit) + 0xFEE0) for digit in desk.sent[-1].code)
    assert desk.confirm(begun, f" {wide} ").outcome is Outcome.ISSUED


def test_confirming_again_says_the_same(alliance: MiniAlliance, desk: Desk) -> None:
    begun = desk.begin()
    first = desk.confirm(begun)
    assert desk.confirm(begun) == first
    with pytest.raises(CodeWrong):
        desk.confirm(begun, desk.wrong())
    assert counted(alliance) == (3, 3)
    refused = desk.begin(WANG)
    for _ in range(2):
        with pytest.raises(AlreadyAllianceMember):
            desk.confirm(refused)


def test_a_phone_gets_five_codes_an_hour_whoever_asks(alliance: MiniAlliance, desk: Desk) -> None:
    cloud = Desk(alliance, "CLD")
    theirs = replace(NEW, hotel_code="CLD-GZ", tier_code="C1", phone="+86 139 0013 9000")
    for _ in range(3):
        desk.begin()
    for _ in range(2):
        cloud.begin(theirs)
    for limited in (desk.begin, lambda: cloud.begin(theirs)):
        with pytest.raises(TooManyCodes):
            limited()
    desk.begin(replace(NEW, phone="13900139001"))
    assert (len(desk.sent), len(cloud.sent)) == (4, 2)
    alliance.clock.now += timedelta(hours=1)
    desk.begin()


def test_two_confirmations_at_once_issue_one_card(alliance: MiniAlliance, desk: Desk) -> None:
    many = 4
    begun = [desk.begin() for _ in range(many)]
    start = Barrier(2 * many)

    def go(n: int) -> Enrolled:
        start.wait()
        return desk.confirm(begun[n % many], desk.sent[n % many].code)

    with ThreadPoolExecutor(2 * many) as pool:
        found = list(pool.map(go, range(2 * many)))
    assert len({one.card.card_id for one in found}) == 1
    assert counted(alliance) == (3, 3)
    assert sum(one.outcome is Outcome.ISSUED for one in found) == 2  # told twice, issued once


def test_two_systems_at_once_issue_one_card(alliance: MiniAlliance, desk: Desk) -> None:
    cloud = Desk(alliance, "CLD")
    theirs = replace(NEW, hotel_code="CLD-GZ", tier_code="C1")
    pairs = [(desk, desk.begin()), (cloud, cloud.begin(theirs))]
    start = Barrier(2)

    def go(pair: tuple[Desk, Begun]) -> str:
        start.wait()
        try:
            return pair[0].confirm(pair[1]).outcome
        except AlreadyAllianceMember as refused:
            return refused.code

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(go, pairs)) == ["already_alliance_member", "issued"]
    assert counted(alliance) == (3, 3)


def test_another_systems_enrolment_is_unknown(alliance: MiniAlliance, desk: Desk) -> None:
    begun = desk.begin()
    code = desk.sent[-1].code
    strangers = [
        party(alliance, "CLD"),
        party(alliance, None),
        party(alliance, "AUR", ["AUR-SH"]),
    ]
    for stranger in strangers:
        with pytest.raises(EnrolmentUnknown):
            confirm(alliance.context, stranger, begun.enrolment_id, code)
    for wrong in ("", "enr_", begun.enrolment_id[4:], begun.enrolment_id.upper(), "enr_\x00"):
        with pytest.raises(EnrolmentUnknown):
            confirm(alliance.context, desk.party, wrong, code)
    assert alliance.value("SELECT tries FROM enrolments") == 0


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"hotel_code": "CLD-GZ"}, HotelNotYours),
        ({"hotel_code": "AUR-XX"}, HotelUnknown),
        ({"tier_code": "C1"}, TierUnknown),
        ({"name": "\u3000"}, PersonalDataInvalid),
        ({"name": "赵\x00敏"}, PersonalDataInvalid),
        ({"name": "x" * 201}, PersonalDataInvalid),
        ({"phone": "12345"}, PersonalDataInvalid),
        ({"phone": "not a number"}, PersonalDataInvalid),
        ({"email": "zhao"}, PersonalDataInvalid),
    ],
)
def test_what_does_not_fit_is_refused_and_not_repeated(
    alliance: MiniAlliance,
    desk: Desk,
    changes: dict[str, str],
    error: type[ClearinghouseError],
) -> None:
    with pytest.raises(error) as refused:
        desk.begin(replace(NEW, **changes))
    assert not any(value in refused.value.message for value in changes.values())
    assert desk.sent == []
    assert alliance.value("SELECT count(*) FROM enrolments") == 0


def test_the_operator_enrols_nobody(alliance: MiniAlliance, desk: Desk) -> None:
    with pytest.raises(HotelNotYours):
        begin(alliance.context, party(alliance, None), NEW, desk.sent.append)


def test_the_code_is_sent_once_the_enrolment_is_committed(
    alliance: MiniAlliance, desk: Desk
) -> None:
    seen = []

    def broken(_: OneTimeCode) -> None:
        seen.append(alliance.value("SELECT count(*) FROM enrolments"))
        raise CodeNotSent("the gateway is away")

    with pytest.raises(CodeNotSent):
        begin(alliance.context, desk.party, NEW, broken)
    assert seen == [1]


def test_no_personal_data_and_no_code_lies_open(alliance: MiniAlliance, desk: Desk) -> None:
    begun = desk.begin()
    code = desk.sent[-1].code
    stored = str(alliance.rows("SELECT enrolments::text FROM enrolments"))
    for secret in ("赵敏", "13900139000", "example.cn", code):
        assert secret not in stored
        assert secret.encode().hex() not in stored
    desk.confirm(begun)
    assert alliance.rows("SELECT person_key, personal FROM enrolments") == [(None, None)]
    told = str(alliance.rows("SELECT payload FROM outbox"))
    assert not any(secret in told for secret in ("赵敏", "1390013", "9156"))


def test_who_never_confirms_is_forgotten(alliance: MiniAlliance, desk: Desk) -> None:
    desk.begin()
    alliance.clock.now += timedelta(minutes=11)
    desk.begin(replace(NEW, phone="13900139001"))
    assert alliance.rows("SELECT personal IS NULL FROM enrolments ORDER BY begun_at") == [
        (True,),
        (False,),
    ]
