"""What guards enrolment: codes, limits, turns, and that nobody learns who is a member or what is kept."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Barrier

import pytest

from clearinghouse.domain.errors import (
    AlreadyAllianceMember,
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
from clearinghouse.operations import enrol
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
from tests.alliances import MiniAlliance
from tests.operations.enrolling import LI, NEW, WANG, Desk, counted
from tests.operations.parties import party


@pytest.fixture
def alliance(founded: object, context: Context, tmp_path: Path) -> MiniAlliance:
    """It is noon of 2026-11-03."""
    found = MiniAlliance(context, tmp_path)
    found.clock.pass_to(datetime(2026, 11, 3, 4, tzinfo=UTC))
    return found


@pytest.fixture
def desk(alliance: MiniAlliance) -> Desk:
    return Desk(alliance)


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


def test_a_system_has_no_more_codes_sent_than_it_may(
    desk: Desk, alliance: MiniAlliance, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(enrol, "_SYSTEM_AN_HOUR", 2)
    for number in range(2):
        desk.begin(replace(NEW, phone=f"1390013901{number}"))
    with pytest.raises(TooManyCodes):
        desk.begin(replace(NEW, phone="13900139019"))
    other = replace(NEW, hotel_code="CLD-GZ", tier_code="C1", phone="13900139018")
    Desk(alliance, "CLD").begin(other)


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
