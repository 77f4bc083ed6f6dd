"""What happens around every request: ids, sizes, depths, headers, logs and figures."""

import json
import re
from typing import Any

import pytest

from api.http.bodies import MAX_BODY_BYTES, MAX_DEPTH, read_json
from api.http.options import Options
from api.http.problems import ProblemError
from clearinghouse.operations.context import Context
from clearinghouse.store.database import Database
from tests.api.service import Service

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
#: Any route that takes a JSON body.
POST = "/v1/transactions"


def logged(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    lines = [json.loads(line) for line in capsys.readouterr().err.splitlines() if line]
    return [line for line in lines if line["event"] == "request"]


def test_a_request_id_is_echoed_or_made(service: Service) -> None:
    def request_id(**headers: str) -> str:
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        answer = service.http.get("/nothing", headers=sent)
        assert answer.json["request_id"] == answer.headers["X-Request-Id"]
        return str(answer.headers["X-Request-Id"])

    assert request_id(X_Request_Id="till-7.42") == "till-7.42"
    made = request_id()
    assert re.fullmatch("[0-9a-f]{32}", made)
    assert request_id() != made
    for unfit in ("a b", "x" * 65, "", "é", "<script>"):
        assert re.fullmatch("[0-9a-f]{32}", request_id(X_Request_Id=unfit))
    assert request_id(traceparent=f"00-{TRACE}-00f067aa0ba902b7-01") == TRACE
    for unfit in (f"00-{'0' * 32}-00f067aa0ba902b7-01", f"ff-{TRACE}-00f067aa0ba902b7-01", "x"):
        assert request_id(traceparent=unfit) != TRACE


def test_every_answer_has_the_headers_that_protect(service: Service) -> None:
    for path in ("/", "/nothing", "/v1/hotels", "/openapi.json"):
        headers = service.http.get(path).headers
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Referrer-Policy"] == "no-referrer"
        assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
        assert "default-src 'none'" in headers["Content-Security-Policy"]
        assert "Strict-Transport-Security" not in headers
    assert service.http.get("/v1/hotels").headers["Cache-Control"] == "no-store"
    service.options = Options(public_url="https://clearing.test")
    https = service.beside()
    assert "max-age" in https.http.get("/").headers["Strict-Transport-Security"]


def test_a_body_that_is_too_large_is_refused(service: Service) -> None:
    aur = service.client("AUR")
    large = b'{"a":"' + b"x" * MAX_BODY_BYTES + b'"}'
    answer = aur.post(POST, data=large, content_type="application/json", key="k")
    assert (answer.status_code, answer.json["code"]) == (413, "body_too_large")


@pytest.mark.parametrize(
    ("body", "content_type", "status", "code"),
    [
        ("{", "application/json", 400, "json_invalid"),
        ("[1,]", "application/json", 400, "json_invalid"),
        ('{"a":NaN}', "application/json", 400, "json_invalid"),
        ('{"a":1,"a":2}', "application/json", 400, "json_invalid"),
        (b'{"a":"\xff"}', "application/json", 400, "json_invalid"),
        ('{"a":"\\u0000"}', "application/json", 400, "json_invalid"),
        ('{"a":"\\ud800"}', "application/json", 400, "json_invalid"),
        ("[" * 5000 + "]" * 5000, "application/json", 400, "json_invalid"),
        ("[" * 500_000, "application/json", 400, "json_invalid"),
        ('{"a":' * 20 + "1" + "}" * 20, "application/json", 400, "json_invalid"),
        ('{"a":' + "9" * 5000 + "}", "application/json", 400, "json_invalid"),
        ("null", "application/json", 422, "request_invalid"),
        ("[]", "application/json", 422, "request_invalid"),
        ('"x"', "application/json", 422, "request_invalid"),
        ("{}", "application/json", 422, "request_invalid"),
        ("", "application/json", 422, "request_invalid"),
        ("a=1", "application/x-www-form-urlencoded", 415, "content_type_unsupported"),
        ("<a/>", "application/xml", 415, "content_type_unsupported"),
        ("{}", None, 415, "content_type_unsupported"),
    ],
)
def test_bodies_that_are_not_json(
    service: Service, body: str | bytes, content_type: str | None, status: int, code: str
) -> None:
    answer = service.client("AUR").post(POST, data=body, content_type=content_type, key="k")
    assert (answer.status_code, answer.json["code"]) == (status, code), answer.text


def test_json_is_read_to_its_depth() -> None:
    deep = "[" * MAX_DEPTH + "]" * MAX_DEPTH
    assert read_json(deep.encode())
    with pytest.raises(ProblemError):
        read_json(f"[{deep}]".encode())
    wide = json.dumps({"a": ["{" * 100, [{}] * 100], "表情": "😀\u2028"})
    assert read_json(wide.encode()) == json.loads(wide)


def test_the_log_tells_of_requests_and_nothing_in_them(
    service: Service, capsys: pytest.CaptureFixture[str]
) -> None:
    aur = service.client("AUR")
    capsys.readouterr()
    headers = {"X-Request-Id": "r-1", "traceparent": f"00-{TRACE}-00f067aa0ba902b7-01"}
    aur.get("/v1/hotels/AUR-BJ", headers=headers)
    body = {"card_number": "6277810000000013", "name": "李芳"}
    aur.post("/v1/cards/lookup", json=body, headers={"User-Agent": "6277810000000013"})
    aur.get("/v1/hotels?city=6277810000000013")
    aur.get("/6277810000000013")
    service.http.get("/livez")
    text = capsys.readouterr().err
    first, *_, last = [json.loads(line) for line in text.splitlines()]
    assert first.pop("timestamp")
    assert first.pop("ms") > 0
    assert isinstance(first.pop("client"), int)
    assert first == {
        "event": "request",
        "request_id": "r-1",
        "trace_id": TRACE,
        "method": "GET",
        "route": "/v1/hotels/<code>",
        "status": 200,
    }
    assert (last["route"], last["status"]) == ("unmatched", 404)
    assert "6277810000000013" not in text
    assert "李芳" not in text
    assert aur.token
    assert aur.token not in text


def test_metrics_count_by_route_template(service: Service) -> None:
    aur = service.client("AUR")

    def counted() -> float:
        text = service.http.get("/metrics").text
        found = re.search(
            r'^clearinghouse_request_seconds_count{method="GET",route="/v1/hotels/<code>",status="4xx"} (.+)$',
            text,
            re.MULTILINE,
        )
        return float(found[1]) if found else 0.0

    before = counted()
    aur.get("/v1/hotels/NOT-A-HOTEL")
    assert counted() == before + 1
    assert "NOT-A-HOTEL" not in service.http.get("/metrics").text


def test_it_is_ready_when_its_database_is(service: Service, context: Context) -> None:
    assert service.http.get("/readyz").json == {"status": "ok", "database": "ok"}
    gone = context.database.owner_url.replace("clearinghouse_test_", "not_there_")
    object.__setattr__(service.context, "database", Database(gone))
    answer = service.beside().http.get("/readyz")
    assert (answer.status_code, answer.json["status"]) == (503, "unavailable")
    assert service.beside().http.get("/livez").status_code == 200


def test_the_page_at_the_root_says_where_to_go(service: Service) -> None:
    home = service.http.get("/").json
    for path in (home["documentation"], home["openapi"], home["health"], home["readiness"]):
        assert service.http.get(path).status_code == 200
