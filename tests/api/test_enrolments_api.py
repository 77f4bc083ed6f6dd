"""``/v1/enrolments`` over HTTP: the same answer for everybody until the phone has confirmed."""

from pathlib import Path
from typing import Any

import pytest

from api.http.options import Options
from clearinghouse.operations.context import Context
from clearinghouse.operations.enrol import OneTimeCode
from tests.api.service import URL, Caller, Service

NEW = {"hotel": "AUR-BJ", "tier_code": "A1", "name": "赵敏", "phone": "139 0013 9000"}
WANG = {**NEW, "name": "王伟", "phone": "0086 138-0013-8001"}
LI = {**NEW, "name": "李芳", "phone": "１３８００１３８０００"}


@pytest.fixture
def sent() -> list[OneTimeCode]:
    """The codes that went to phones."""
    return []


@pytest.fixture
def service(founded: object, context: Context, tmp_path: Path, sent: list[OneTimeCode]) -> Service:
    return Service(context, tmp_path / "service", Options(public_url=URL, send=sent.append))


@pytest.fixture
def aur(service: Service) -> Caller:
    return service.client("AUR")


def confirm(caller: Caller, enrolment: str, code: str, **more: Any) -> Any:
    return caller.post(f"/v1/enrolments/{enrolment}/confirm", json={"code": code, **more})


def enrol(caller: Caller, sent: list[OneTimeCode], person: dict[str, str]) -> Any:
    begun = caller.post("/v1/enrolments", json=person)
    assert begun.status_code == 201, begun.text
    return confirm(caller, begun.json["enrolment_id"], sent[-1].code)


def test_a_new_person_gets_a_card(aur: Caller, sent: list[OneTimeCode]) -> None:
    answer = enrol(aur, sent, NEW)
    assert answer.status_code == 201, answer.text
    assert answer.json["outcome"] == "issued"
    card = answer.json["card"]
    assert (card["status"], card["own"]["holder_name"]) == ("active", "赵敏")
    assert aur.get(f"/v1/cards/{card['card_id']}").json == card


def test_who_has_a_card_of_the_system_gets_that_one(aur: Caller, sent: list[OneTimeCode]) -> None:
    answer = enrol(aur, sent, LI)
    assert (answer.status_code, answer.json["outcome"]) == (200, "already_own_member")
    assert answer.json["card"]["card_masked"] == "627781******0013"


def test_anothers_member_is_refused_and_nobody_learns_whose(
    aur: Caller, sent: list[OneTimeCode]
) -> None:
    answer = enrol(aur, sent, WANG)
    assert (answer.status_code, answer.json["code"]) == (409, "already_alliance_member")
    assert not any(word in answer.text for word in ("CLD", "云", "8001", "王伟"))


def test_nobody_learns_who_is_a_member(aur: Caller, sent: list[OneTimeCode]) -> None:
    seen = set()
    for person in (NEW, WANG, LI):
        begun = aur.post("/v1/enrolments", json=person)
        wrong = f"{(int(sent[-1].code) + 1) % 1_000_000:06}"
        answers = [confirm(aur, begun.json["enrolment_id"], wrong) for _ in range(6)]
        seen.add(
            (
                begun.status_code,
                tuple(sorted(begun.json)),
                tuple((answer.status_code, answer.json["code"]) for answer in answers),
            )
        )
    assert seen == {
        (
            201,
            ("enrolment_id", "expires_at"),
            (*[(422, "code_wrong")] * 5, (409, "code_expired")),
        )
    }


def test_codes_are_limited(aur: Caller, sent: list[OneTimeCode]) -> None:
    for _ in range(5):
        assert aur.post("/v1/enrolments", json=NEW).status_code == 201
    answer = aur.post("/v1/enrolments", json={**NEW, "phone": "+8613900139000"})
    assert (answer.status_code, answer.json["code"]) == (429, "too_many_codes")
    assert answer.headers["Retry-After"] == "3600"
    assert len(sent) == 5


@pytest.mark.parametrize(
    ("changes", "code", "pointer"),
    [
        ({"phone": "12345678"}, "personal_data_invalid", "/phone"),
        ({"email": "nobody"}, "personal_data_invalid", "/email"),
        ({"name": ""}, "request_invalid", "/name"),
        ({"name": "赵\u202e敏"}, "request_invalid", "/name"),
        ({"traveller": 1}, "request_invalid", "/traveller"),
        ({"alliance_level": 9}, "request_invalid", "/alliance_level"),
        ({"code": "000000"}, "request_invalid", "/code"),
    ],
)
def test_what_does_not_fit(
    aur: Caller, sent: list[OneTimeCode], changes: dict[str, Any], code: str, pointer: str
) -> None:
    answer = aur.post("/v1/enrolments", json={**NEW, **changes})
    assert (answer.status_code, answer.json["code"]) == (422, code)
    assert [error["pointer"] for error in answer.json["errors"]] == [pointer]
    assert sent == []
    assert "13900139000" not in answer.text


def test_another_systems_enrolment(service: Service, aur: Caller, sent: list[OneTimeCode]) -> None:
    begun = aur.post("/v1/enrolments", json=NEW).json["enrolment_id"]
    stranger = confirm(service.client("BAM"), begun, sent[-1].code)
    assert (stranger.status_code, stranger.json["code"]) == (404, "enrolment_unknown")
    for wrong in ("enr_", "x", "%00"):
        assert confirm(aur, wrong, "000000").status_code == 404


def test_a_hotel_of_ones_own_and_a_scope(
    service: Service, aur: Caller, sent: list[OneTimeCode]
) -> None:
    for hotel, code in (("BAM-HZ", "hotel_not_yours"), ("NO-NE", "hotel_unknown")):
        assert aur.post("/v1/enrolments", json={**NEW, "hotel": hotel}).json["code"] == code
    reader = service.client("AUR", scopes=["cards:read"])
    assert reader.post("/v1/enrolments", json=NEW).status_code == 403
    assert sent == []


def test_a_printed_card(aur: Caller, sent: list[OneTimeCode]) -> None:
    begun = aur.post("/v1/enrolments", json=NEW).json["enrolment_id"]
    bad = confirm(aur, begun, sent[-1].code, card_number="6277810000000014")
    assert (bad.status_code, bad.json["code"]) == (422, "card_number_invalid")
    good = confirm(aur, begun, sent[-1].code, card_number="6277810000000039")
    assert good.json["card"]["card_masked"] == "627781******0039"
