"""``/v1/disputes`` over HTTP: who may object to what, who may answer, and what nobody else gets to know."""

from typing import Any
from uuid import UUID

import pytest

from api.http.catalogue import CATALOGUE
from clearinghouse.domain.disputes import REASONS
from clearinghouse.operations.changing import Authority
from clearinghouse.operations.confirming import confirm, propose_decision
from tests.api.service import Caller, Service
from tests.operations.months import publish_without_files


@pytest.fixture
def october(service: Service) -> dict[str, str]:
    """October is published; ids of its transactions: points of AUR used at CLD and at AUR, cash at BAM."""
    do = service.alliance.accept
    do("spend", "AUR-SH", "1", "T1", "2026-10-02", amount=120_000)
    made = {
        "used": do("redeem", "CLD-GZ", "2", "T1", "2026-10-03", points=400),
        "cash": do("spend", "BAM-HZ", "3", "T1", "2026-10-04", amount=88_888),
        "own": do("redeem", "AUR-BJ", "4", "T1", "2026-10-05", points=100),
    }
    publish_without_files(service.alliance, "2026-10")
    made["later"] = do("redeem", "CLD-GZ", "5", "T1", "2026-11-05", points=50)
    return {name: f"txn_{accepted.txn.txn_id.hex}" for name, accepted in made.items()}


def claim(transaction: str, reason: str = "amount_wrong", **more: Any) -> dict[str, Any]:
    return {"transaction": transaction, "reason": reason, "text": "金额与我方记录不符", **more}


def opened(caller: Caller, body: dict[str, Any]) -> dict[str, Any]:
    answer = caller.post("/v1/disputes", json=body)
    assert answer.status_code == 201, answer.text
    return dict(answer.json)


def test_a_dispute_goes_its_way(service: Service, october: dict[str, str]) -> None:
    aur, cld = service.client("AUR"), service.client("CLD")
    made = opened(aur, claim(october["used"]))
    assert made["id"].startswith("dsp_")
    steps = made.pop("steps")
    assert [(step["state"], step["by"]) for step in steps] == [("open", "AUR")]
    assert made == {
        "id": made["id"], "transaction": october["used"], "leg_no": 1, "period": "2026-10",
        "opened_by": "AUR", "respondent": "CLD", "reason": "amount_wrong", "text": "金额与我方记录不符",
        "claimed": {"amount_minor": 400, "currency": "CNY"},
        "state": "open", "late": False, "opened_at": made["opened_at"], "answer_due_at": "2026-11-20T16:00:00Z",
        "overdue": False, "answer": None, "answer_text": None, "answered_at": None, "answer_late": False,
        "upheld": None, "decided_at": None, "escalate_until": None, "escalated_by": None, "escalated_at": None,
        "evidence": [],
    }  # fmt: skip
    path = f"/v1/disputes/{made['id']}"
    said = {"answer": "contest", "text": "发票为证"}
    answered = cld.post(f"{path}/answer", json=said)
    assert answered.status_code == 200, answered.text
    assert (answered.json["state"], answered.json["answer"]) == ("answered", "contest")
    assert cld.post(f"{path}/answer", json=said).json == answered.json
    again = cld.post(f"{path}/answer", json={**said, "answer": "accept"})
    assert (again.status_code, again.json["code"]) == (409, "dispute_answered")
    for caller in (aur, cld):
        assert caller.get(path).json == answered.json
        assert caller.get("/v1/disputes").json == {"data": [answered.json], "next_cursor": None}
        assert caller.get("/v1/disputes?state=open").json["data"] == []


def test_the_same_claim_again(service: Service, october: dict[str, str]) -> None:
    aur = service.client("AUR")
    made = opened(aur, claim(october["used"]))
    again = aur.post("/v1/disputes", json=claim(october["used"], text="又一次"), key="any")
    assert (again.status_code, again.json) == (200, made)
    other = aur.post("/v1/disputes", json=claim(october["used"], "duplicate"))
    assert (other.status_code, other.json["code"]) == (409, "dispute_exists")


def test_another_systems_dispute_is_not_there(service: Service, october: dict[str, str]) -> None:
    aur, bam, cld = (service.client(code) for code in ("AUR", "BAM", "CLD"))
    used, cash = opened(aur, claim(october["used"])), opened(bam, claim(october["cash"]))
    assert cash["respondent"] is None
    for stranger, found in ((bam, used), (aur, cash), (cld, cash)):
        path = f"/v1/disputes/{found['id']}"
        said = stranger.post(f"{path}/answer", json={"answer": "accept", "text": "x"})
        for answer in (stranger.get(path), said):
            assert (answer.status_code, answer.json["code"]) == (404, "not_found")
            assert found["opened_by"] not in answer.text
        assert found["id"] not in stranger.get("/v1/disputes").text
    for unknown in ("x", "dsp_", "dsp_" + "0" * 32, "dsp_" + "A" * 32, "%00", used["id"] + "%00"):
        assert aur.get(f"/v1/disputes/{unknown}").status_code == 404
    cursor = service.operator().get("/v1/disputes?limit=1").json["next_cursor"]
    assert aur.get(f"/v1/disputes?cursor={cursor}").json["code"] == "cursor_invalid"


@pytest.mark.parametrize(
    ("system", "name", "status", "code"),
    [
        ("AUR", "own", 422, "leg_not_disputable"),
        ("AUR", "later", 409, "statement_not_published"),
        ("AUR", "cash", 404, "not_found"),
        ("BAM", "used", 404, "not_found"),
        ("BAM", "later", 404, "not_found"),
        (None, "used", 404, "not_found"),
    ],
)
def test_what_is_refused(
    service: Service, october: dict[str, str], system: str | None, name: str, status: int, code: str
) -> None:
    answer = service.client(system).post("/v1/disputes", json=claim(october[name]))
    assert (answer.status_code, answer.json["code"]) == (status, code), answer.text
    assert answer.json["title"] == CATALOGUE[code].zh
    assert service.alliance.value("SELECT count(*) FROM disputes") == 0


def test_the_opener_does_not_answer_itself(service: Service, october: dict[str, str]) -> None:
    aur = service.client("AUR")
    path = f"/v1/disputes/{opened(aur, claim(october['used']))['id']}/answer"
    answer = aur.post(path, json={"answer": "accept", "text": "x"})
    assert (answer.status_code, answer.json["code"]) == (403, "respondent_only")


def test_late_ones_are_flagged(service: Service, october: dict[str, str]) -> None:
    clock = service.alliance.clock
    clock.pass_to(clock.now.replace(month=12, day=20))
    assert opened(service.client("AUR"), claim(october["used"]))["late"]


def test_the_operator_answers_for_fees(service: Service, october: dict[str, str]) -> None:
    bam, operator = service.client("BAM"), service.operator()
    made = opened(bam, claim(october["cash"], "fee_wrong"))
    path = f"/v1/disputes/{made['id']}"
    answer = operator.post(f"{path}/answer", json={"answer": "accept", "text": "已更正"})
    assert answer.status_code == 200, answer.text
    assert [step["by"] for step in answer.json["steps"]] == ["BAM", None]
    assert bam.get(path).json == operator.get(path).json == answer.json


@pytest.mark.parametrize(
    ("member", "value"),
    [
        ("state", "upheld"), ("opened_by", "CLD"), ("respondent", "BAM"), ("late", False), ("id", "x"),
        ("answer", "accept"), ("period", "2026-10"), ("opened_at", "2026-01-01T00:00:00Z"),
        ("leg_no", 0), ("leg_no", "1"), ("leg_no", 2**31), ("reason", "because"), ("text", ""),
        ("text", "x" * 2001), ("text", "a\nb"), ("transaction", "txn_x"), ("transaction", None),
    ],
)  # fmt: skip
def test_nothing_else_is_taken(
    service: Service, october: dict[str, str], member: str, value: object
) -> None:
    answer = service.client("AUR").post(
        "/v1/disputes", json={**claim(october["used"]), member: value}
    )
    assert (answer.status_code, answer.json["code"]) == (422, "request_invalid")
    assert {wrong["pointer"] for wrong in answer.json["errors"]} == {f"/{member}"}


def test_who_may(service: Service, october: dict[str, str]) -> None:
    aur = service.client("AUR")
    path = f"/v1/disputes/{opened(aur, claim(october['used']))['id']}"
    desk = service.client("AUR", hotels=["AUR-BJ"])
    said = {"answer": "accept", "text": "x"}
    for answer in (
        desk.get("/v1/disputes"),
        desk.get(path),
        desk.post("/v1/disputes", json=claim(october["used"])),
        desk.post(f"{path}/answer", json=said),
    ):
        assert (answer.status_code, answer.json["code"]) == (403, "system_client_needed")
    reader = service.client("CLD", scopes=["disputes:read"])
    assert reader.get(path).status_code == 200
    assert reader.post(f"{path}/answer", json=said).json["code"] == "insufficient_scope"


def test_pages_go_on_where_they_ended(service: Service, october: dict[str, str]) -> None:
    cld, aur = service.client("CLD"), service.client("AUR")
    made = [opened(caller, claim(october["used"]))["id"] for caller in (aur, cld)]
    first = aur.get("/v1/disputes?limit=1").json
    rest = aur.get(f"/v1/disputes?limit=1&cursor={first['next_cursor']}").json
    assert [row["id"] for row in first["data"] + rest["data"]] == made[::-1]
    assert rest["next_cursor"] is None


def test_the_document_tells_the_reasons(service: Service) -> None:
    found = service.http.get("/openapi.json").json["components"]["schemas"]["NewDispute"]
    described = found["properties"]["reason"]
    assert described["enum"] == [reason.code for reason in REASONS]
    assert all(reason.zh in described["description"] for reason in REASONS)


def test_a_decision_is_escalated_once_by_a_party(service: Service, october: dict[str, str]) -> None:
    aur, bam, cld = (service.client(code) for code in ("AUR", "BAM", "CLD"))
    made = opened(aur, claim(october["used"], claim={"amount_minor": 150}))
    assert made["claimed"] == {"amount_minor": 150, "currency": "CNY"}
    path, why = f"/v1/disputes/{made['id']}", {"text": "不服"}
    cld.post(f"{path}/answer", json={"answer": "contest", "text": "否"})
    early = aur.post(f"{path}/escalate", json=why)
    assert (early.status_code, early.json["code"]) == (409, "dispute_not_decided")
    maker, checker = Authority("示例甲", "凭证不符"), Authority("示例乙", "同意")
    number = propose_decision(service.context, UUID(made["id"][4:]), 100, maker).number
    assert "示例甲" not in aur.get(path).text
    confirm(service.context, number, checker)
    decided = cld.get(path).json
    assert (decided["state"], decided["upheld"]["amount_minor"]) == ("upheld", 100)
    assert decided["steps"][-1]["text"] == "凭证不符"
    assert "示例" not in str(decided)
    stranger = bam.post(f"{path}/escalate", json=why)
    assert (stranger.status_code, stranger.json["code"]) == (404, "not_found")
    ours = service.operator().post(f"{path}/escalate", json=why)
    assert (ours.status_code, ours.json["code"]) == (403, "parties_only")
    escalated = cld.post(f"{path}/escalate", json=why)
    assert (escalated.json["state"], escalated.json["escalated_by"]) == ("escalated", "CLD")
    assert cld.post(f"{path}/escalate", json=why).json == escalated.json
    other = aur.post(f"{path}/escalate", json=why)
    assert (other.status_code, other.json["code"]) == (409, "escalation_closed")
    kinds = [event["type"] for event in aur.get("/v1/events?limit=100").json["data"]]
    assert [kind for kind in kinds if kind.startswith("dispute.")] == [
        "dispute.opened", "dispute.answered", "dispute.decided", "dispute.escalated",
    ]  # fmt: skip


def test_nobody_decides_over_http(service: Service, october: dict[str, str]) -> None:
    aur = service.client("AUR")
    path = f"/v1/disputes/{opened(aur, claim(october['used']))['id']}"
    for who in (aur, service.client("CLD"), service.operator()):
        for deed in ("decide", "decision", "confirm", "uphold", "reject"):
            assert who.post(f"{path}/{deed}", json={"state": "upheld"}).status_code == 404
        assert who.patch(path, json={"state": "upheld"}).status_code == 405
        assert who.delete(path).status_code == 405
    assert aur.get(path).json["state"] == "open"


def test_a_line_of_several_is_named(service: Service, october: dict[str, str]) -> None:
    """A redemption that drew on two hotels of AUR has two lines for it, and a statement tells no number of a leg."""
    assert october
    do = service.alliance.accept
    do("spend", "AUR-BJ", "6", "T1", "2026-11-06", amount=30_000)
    drawn = do("redeem", "CLD-GZ", "7", "T1", "2026-11-07", points=2_100).txn
    assert len(drawn.legs) == 3
    publish_without_files(service.alliance, "2026-11")
    aur, both = service.client("AUR"), claim(f"txn_{drawn.txn_id.hex}")
    answer = aur.post("/v1/disputes", json=both)
    assert (answer.status_code, answer.json["code"]) == (422, "leg_ambiguous")
    by_hotel = opened(aur, {**both, "issuer_hotel": "AUR-BJ"})
    assert aur.post("/v1/disputes", json={**both, "leg_no": by_hotel["leg_no"]}).json == by_hotel
    for wrong in ({"issuer_hotel": "BAM-HZ"}, {"leg_no": 4}):
        assert aur.post("/v1/disputes", json={**both, **wrong}).status_code == 404


@pytest.mark.parametrize(
    ("amount", "status"), [(401, 422), (10**12 + 1, 422), (0, 422), (-1, 422), (400, 201)]
)
def test_a_claim_has_its_bounds(
    service: Service, october: dict[str, str], amount: int, status: int
) -> None:
    body = claim(october["used"], claim={"amount_minor": amount})
    assert service.client("AUR").post("/v1/disputes", json=body).status_code == status
