"""``/v1/batches``: sending a night audit, how far it is, and what became of each line."""

import csv
import gzip
import io
from datetime import UTC, datetime
from typing import Any

import pytest
from werkzeug.test import TestResponse

from api.http.bodies import MAX_BODY_BYTES
from clearinghouse.operations.batches import BYTES_MAX, work_off
from tests.api.service import Caller, Service
from tests.operations.night_audit import HEADER, as_csv, as_ndjson, stated

NIGHT = [
    stated("BAM-HZ", "R1", amount=88_888),
    stated("BAM-HZ", "R2", "redeem", amount=None, points=99_999),
    stated("BAM-HZ", "R1", amount=88_888),
    stated("AUR-SH", "R3"),
    "BAM-HZ,R4,,spend",
]
CSV = {"content_type": "text/csv"}


@pytest.fixture
def bam(service: Service) -> Caller:
    """A client of BAM, on the morning of 5 November."""
    service.alliance.clock.pass_to(datetime(2026, 11, 5, 2, tzinfo=UTC))
    return service.client("BAM")


def sent(caller: Caller, key: str = "k", body: bytes = as_csv(NIGHT), **how: Any) -> TestResponse:
    """Send a batch."""
    return caller.post("/v1/batches", key=key, data=body, **{**CSV, **how})


def test_a_night_is_sent_worked_off_and_answered(service: Service, bam: Caller) -> None:
    answer = sent(bam)
    assert answer.status_code == 202, answer.text
    batch_id = answer.json["batch_id"]
    assert answer.headers["Location"] == f"/v1/batches/{batch_id}"
    nothing = {"accepted": 0, "repeated": 0, "refused": 0, "invalid": 0}
    assert answer.json == {
        "batch_id": batch_id,
        "state": "waiting",
        "format": "csv",
        "received_at": answer.json["received_at"],
        "finished_at": None,
        "size_bytes": len(as_csv(NIGHT)),
        "lines": 5,
        "answered": 0,
        "totals": nothing,
    }
    shown = bam.get(answer.headers["Location"])
    assert shown.json == answer.json
    assert work_off(service.context, lanes=1)
    shown = bam.get(answer.headers["Location"])
    assert (shown.json["state"], shown.json["answered"]) == ("finished", 5)
    assert shown.json["totals"] == {"accepted": 1, "repeated": 1, "refused": 2, "invalid": 1}
    assert shown.json["finished_at"] > shown.json["received_at"]
    assert bam.get("/v1/batches").json == {"data": [shown.json], "next_cursor": None}


def test_every_line_has_its_result(service: Service, bam: Caller) -> None:
    batch_id = sent(bam).json["batch_id"]
    work_off(service.context, lanes=1)
    answer = bam.get(f"/v1/batches/{batch_id}/results")
    assert answer.status_code == 200, answer.text
    txn_id = f"txn_{service.alliance.value('SELECT txn_id FROM transactions').hex}"
    empty = {"code": None, "till": None, "detail": None, "txn_id": None}
    at_bam = {"host_hotel": "BAM-HZ", **empty}
    too_few = {
        "zh": "可用积分不足",
        "en": "Not enough points are available",
    }
    not_yours = answer.json["data"][3]["till"]
    assert answer.json == {
        "state": "finished",
        "data": [
            {**at_bam, "line": 2, "txn_ref": "R1", "outcome": "accepted", "txn_id": txn_id},
            {**at_bam, "line": 3, "txn_ref": "R2", "outcome": "refused",
             "code": "insufficient_points", "till": too_few},
            {**at_bam, "line": 4, "txn_ref": "R1", "outcome": "repeated", "txn_id": txn_id},
            {**empty, "host_hotel": "AUR-SH", "line": 5, "txn_ref": "R3", "outcome": "refused",
             "code": "hotel_not_yours", "till": not_yours},
            {**empty, "line": 6, "host_hotel": None, "txn_ref": None, "outcome": "invalid", "code": "line_invalid",
             "detail": "the line has 4 values where the header has 9"},
        ],
        "next_cursor": None,
    }  # fmt: skip
    assert not_yours["en"]


def test_results_and_batches_come_in_pages(service: Service, bam: Caller) -> None:
    body = as_ndjson([stated("BAM-HZ", f"R{n}", amount=100) for n in range(25)])
    ids = [
        sent(bam, f"k{n}", body, content_type="application/x-ndjson").json["batch_id"]
        for n in range(3)
    ]
    path = f"/v1/batches/{ids[0]}/results"
    waiting = bam.get(f"{path}?limit=10")
    assert (waiting.json["state"], waiting.json["data"]) == ("waiting", [])
    work_off(service.context, lanes=1)
    seen, cursor = [], waiting.json["next_cursor"]
    while cursor:
        page = bam.get(f"{path}?limit=10&cursor={cursor}").json
        seen += [row["line"] for row in page["data"]]
        cursor = page["next_cursor"]
    assert seen == list(range(1, 26))
    first = bam.get("/v1/batches?limit=2").json
    rest = bam.get(f"/v1/batches?limit=2&cursor={first['next_cursor']}").json
    assert [row["batch_id"] for row in first["data"] + rest["data"]] == ids[::-1]
    assert rest["next_cursor"] is None
    # A cursor leads on in its own list only.
    for wrong in (
        f"{path}?cursor={first['next_cursor']}",
        f"{path}?cursor=AAAA",
        f"/v1/batches?cursor={waiting.json['next_cursor']}",
    ):
        assert bam.get(wrong).json["code"] == "cursor_invalid"
    for limit in ("0", "1001", "x"):
        assert bam.get(f"{path}?limit={limit}").status_code == 422


def test_results_come_as_one_csv_file(service: Service, bam: Caller) -> None:
    batch_id = sent(bam).json["batch_id"]
    path = f"/v1/batches/{batch_id}/results"
    as_file = {"Accept": "text/csv"}
    early = bam.get(path, headers=as_file)
    assert (early.status_code, early.json["code"]) == (409, "batch_not_finished")
    work_off(service.context, lanes=1)
    answer = bam.get(path, headers=as_file)
    assert (answer.status_code, answer.content_type) == (200, "text/csv; charset=utf-8")
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    told = bam.get(path).json["data"]
    assert [row["outcome"] for row in rows] == [row["outcome"] for row in told]
    assert [row["txn_id"] for row in rows] == [row["txn_id"] or "" for row in told]
    assert rows[1]["till_en"] == "Not enough points are available"
    assert rows[4]["detail"] == "the line has 4 values where the header has 9"


def test_the_same_key_gets_the_first_answer_again(service: Service, bam: Caller) -> None:
    first = sent(bam)
    work_off(service.context, lanes=1)
    again = sent(bam)
    assert (again.status_code, again.data) == (202, first.data)
    assert (first.headers.get("Idempotent-Replayed"), again.headers["Idempotent-Replayed"]) == (
        None,
        "true",
    )
    other = sent(bam, body=as_csv(NIGHT[:1]))
    assert (other.status_code, other.json["code"]) == (422, "idempotency_key_reused")
    assert sent(bam, "other").json["batch_id"] != first.json["batch_id"]


@pytest.mark.parametrize("key", [None, "", "x" * 256, "a b", "键"])
def test_a_key_is_needed(bam: Caller, key: str | None) -> None:
    answer = sent(bam, key)  # type: ignore[arg-type]  # wrong on purpose, or of many types
    assert answer.status_code == 400
    assert answer.json["code"].startswith("idempotency_key_")


WRONG: dict[str, tuple[dict[str, Any], int, str]] = {
    "another type": ({"content_type": "application/json"}, 415, "content_type_unsupported"),
    "no type": ({"content_type": ""}, 415, "content_type_unsupported"),
    "a form": (
        {"content_type": "multipart/form-data; boundary=x"},
        415,
        "content_type_unsupported",
    ),
    "another charset": (
        {"content_type": "text/csv; charset=gb18030"},
        415,
        "content_type_unsupported",
    ),
    "gzip": (
        {"body": gzip.compress(as_csv(NIGHT)), "headers": {"Content-Encoding": "gzip"}},
        415,
        "content_type_unsupported",
    ),
    "nothing": ({"body": b""}, 400, "batch_unreadable"),
    "another header": ({"body": HEADER.replace("points", "p").encode()}, 400, "batch_unreadable"),
    "gzip unannounced": ({"body": gzip.compress(as_csv(NIGHT))}, 400, "batch_unreadable"),
}


@pytest.mark.parametrize("case", WRONG)
def test_an_upload_that_is_wrong_as_a_whole_leaves_nothing(
    service: Service, bam: Caller, case: str
) -> None:
    how, status, code = WRONG[case]
    answer = sent(bam, **how)
    assert (answer.status_code, answer.json["code"]) == (status, code)
    assert service.alliance.value("SELECT count(*) FROM batches") == 0
    assert sent(bam, body=as_csv(NIGHT)).status_code == 202


def test_an_upload_that_breaks_off_leaves_nothing(service: Service, bam: Caller) -> None:
    """A server that loses its client ends the body early, without a word."""
    body = as_csv(NIGHT)
    server = {"wsgi.input_terminated": True, "CONTENT_LENGTH": str(len(body) + 1)}
    answer = sent(bam, body=body, environ_overrides=server)
    assert (answer.status_code, answer.json["code"]) == (400, "batch_incomplete")
    assert service.alliance.value("SELECT count(*) FROM batches") == 0


def test_an_upload_that_is_announced_too_large_is_not_even_read(bam: Caller) -> None:
    announced = {"CONTENT_LENGTH": str(BYTES_MAX + 1)}
    answer = sent(bam, environ_overrides=announced)
    assert (answer.status_code, answer.json["code"]) == (413, "batch_too_large")


def test_a_batch_may_be_larger_than_other_bodies(bam: Caller) -> None:
    night = as_csv([stated("BAM-HZ", f"R{n}") for n in range(15_000)])
    assert len(night) > MAX_BODY_BYTES
    assert sent(bam, body=night).json["lines"] == 15_000
    again = sent(bam, "chunked", body=night, environ_overrides={"wsgi.input_terminated": True})
    assert again.json["lines"] == 15_000


def test_an_upload_of_unknown_length_is_taken(bam: Caller) -> None:
    chunked = {"wsgi.input_terminated": True, "HTTP_TRANSFER_ENCODING": "chunked"}
    answer = sent(bam, body=None, input_stream=io.BytesIO(as_csv(NIGHT)), environ_overrides=chunked)  # type: ignore[arg-type]  # wrong on purpose, or of many types
    assert (answer.status_code, answer.json["lines"]) == (202, 5)


def test_a_bad_upload_says_where_and_why(bam: Caller) -> None:
    answer = sent(bam, body=as_csv(NIGHT) + b"\xff", headers={"Accept-Language": "en"})
    assert answer.json["detail"] == "line 7: the batch is not UTF-8 text; send it as UTF-8"


def test_nobody_else_finds_it(service: Service, bam: Caller) -> None:
    batch_id = sent(bam).json["batch_id"]
    work_off(service.context, lanes=1)
    paths = [f"/v1/batches/{batch_id}", f"/v1/batches/{batch_id}/results"]
    aur = service.client("AUR")
    for path in paths:
        assert aur.get(path).status_code == 404
        assert aur.get(path, headers={"Accept": "text/csv"}).status_code == 404
        assert service.anyone().get(path).status_code == 401
        assert service.client("BAM", scopes=["transactions:write"]).get(path).status_code == 403
    assert aur.get("/v1/batches").json["data"] == []
    assert sent(service.client("BAM", scopes=["transactions:write"])).status_code == 403
    for made_up in ("bat_" + "0" * 32, "bat_x", "%00", batch_id[4:], batch_id.upper()):
        assert bam.get(f"/v1/batches/{made_up}").status_code == 404


def test_a_client_of_one_hotel_sees_what_it_sent_itself(service: Service, bam: Caller) -> None:
    shanghai, beijing = (service.client("AUR", hotels=[code]) for code in ("AUR-SH", "AUR-BJ"))
    batch_id = sent(shanghai, body=as_csv([stated("AUR-SH", "R"), stated("AUR-BJ", "R")])).json[
        "batch_id"
    ]
    work_off(service.context, lanes=1)
    answered = shanghai.get(f"/v1/batches/{batch_id}/results").json["data"]
    assert [row["code"] for row in answered] == [None, "hotel_not_yours"]
    assert beijing.get(f"/v1/batches/{batch_id}").status_code == 404
    assert service.client("AUR").get(f"/v1/batches/{batch_id}").status_code == 200


def test_the_document_tells_of_both_formats(service: Service) -> None:
    paths = service.anyone().get("/openapi.json").json["paths"]
    body = paths["/v1/batches"]["post"]["requestBody"]
    assert list(body["content"]) == ["text/csv", "application/x-ndjson"]
    answers = paths["/v1/batches/{batch_id}/results"]["get"]["responses"]["200"]
    assert set(answers["content"]) == {"application/json", "text/csv"}


def test_a_batch_may_have_the_key_of_a_transaction_and_a_line_is_posted_once_all_the_same(
    service: Service, bam: Caller
) -> None:
    """Two sets of keys for one client (docs/integrating.md §6): what guards the books is the reference."""
    line = stated("BAM-HZ", "R1", amount=88_888)
    spend = {
        "kind": "spend",
        "host_hotel": "BAM-HZ",
        "txn_ref": "R1",
        "card_number": line["card_number"],
        "business_date": line["business_date"],
        "occurred_at": line["occurred_at"],
        "amount": {"amount_minor": 88_888},
    }
    posted = bam.post("/v1/transactions", json=spend, key="same")
    assert posted.status_code == 201, posted.text
    batch_id = sent(bam, "same", as_csv([line])).json["batch_id"]
    work_off(service.context, lanes=1)
    results = bam.get(f"/v1/batches/{batch_id}/results").json["data"]
    assert [(row["outcome"], row["txn_id"]) for row in results] == [("repeated", posted.json["id"])]


@pytest.mark.parametrize("ref", ["=1+2", "+1", "-1", "@SUM(A1)", "=cmd|' /C calc'!A0"])
def test_results_for_programmes_hold_a_reference_as_it_was_sent(
    service: Service, bam: Caller, ref: str
) -> None:
    """A mark put before it for spreadsheets would make it another reference; the document warns of them instead."""
    batch_id = sent(bam, body=as_csv([stated("BAM-HZ", ref)])).json["batch_id"]
    work_off(service.context, lanes=1)
    answer = bam.get(f"/v1/batches/{batch_id}/results", headers={"Accept": "text/csv"})
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert [row["txn_ref"] for row in csv.DictReader(io.StringIO(answer.text))] == [ref]
