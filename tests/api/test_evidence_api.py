"""Evidence over HTTP: who may bring and see it, and what is no evidence."""

from urllib.parse import quote

import pytest
from werkzeug.test import TestResponse

from clearinghouse.domain.evidence import BYTES_MAX, FILES_MAX
from tests.api.service import Caller, Service
from tests.domain.test_evidence import HTML, PDF, PNG
from tests.operations.months import publish_without_files


class Case:
    """A dispute of AUR with CLD about points used, over HTTP."""

    def __init__(self, service: Service) -> None:
        do = service.alliance.accept
        do("spend", "AUR-SH", "1", "T1", "2026-10-02", amount=120_000)
        used = do("redeem", "CLD-GZ", "2", "T1", "2026-10-03", points=400).txn.txn_id
        publish_without_files(service.alliance, "2026-10")
        self.service = service
        self.aur, self.bam, self.cld = (service.client(code) for code in ("AUR", "BAM", "CLD"))
        claim = {"transaction": f"txn_{used.hex}", "reason": "amount_wrong", "text": "金额不符"}
        made = self.aur.post("/v1/disputes", json=claim)
        assert made.status_code == 201, made.text
        self.path = f"/v1/disputes/{made.json['id']}"

    def bring(
        self, who: Caller, content: bytes, kind: str = "application/pdf", name: str = "发票.pdf"
    ) -> TestResponse:
        return who.post(
            f"{self.path}/evidence?name={quote(name, safe='')}", data=content, content_type=kind
        )


@pytest.fixture
def case(service: Service) -> Case:
    return Case(service)


def test_both_parties_and_the_operator_see_what_one_brings(case: Case) -> None:
    kind = "image/png"
    brought = case.bring(case.cld, PNG, kind)
    assert brought.status_code == 201, brought.text
    assert (brought.json["by"], brought.json["media_type"]) == ("CLD", kind)
    operator = case.service.operator()
    for who in (case.aur, case.cld, operator):
        assert who.get(case.path).json["evidence"] == [brought.json]
        file = who.get(f"{case.path}/evidence/{brought.json['id']}")
        assert (file.status_code, file.data) == (200, PNG)
        assert file.headers["Content-Type"] == "application/octet-stream"
        assert file.headers["Content-Disposition"].startswith("attachment")
        assert file.headers["X-Content-Type-Options"] == "nosniff"
        assert "sandbox" in file.headers["Content-Security-Policy"]


def test_the_same_again_is_the_same_file(case: Case) -> None:
    first, again = case.bring(case.cld, PDF), case.bring(case.cld, PDF, name="other.pdf")
    assert (again.status_code, again.json) == (200, first.json)
    other = case.bring(case.aur, PDF)
    assert other.status_code == 201
    assert other.json["id"] != first.json["id"]


def test_another_system_learns_nothing(case: Case) -> None:
    brought = case.bring(case.cld, PDF).json
    path = f"{case.path}/evidence/{brought['id']}"
    for answer in (case.bam.get(path), case.bring(case.bam, PDF)):
        assert (answer.status_code, answer.json["code"]) == (404, "not_found")
    elsewhere = path.replace("dsp_", "dsp_0", 1)[: len(path)]
    assert case.aur.get(elsewhere).status_code == 404
    assert case.aur.get(path.replace("evi_", "evi_f", 1)).status_code == 404
    with case.service.alliance.database.reading(
        case.service.alliance.value("SELECT number FROM systems WHERE code = 'BAM'")
    ) as session:
        assert session.rows("SELECT 1 FROM dispute_evidence") == []
        assert session.rows("SELECT 1 FROM dispute_evidence_chunks") == []


def test_what_pretends_is_refused(case: Case) -> None:
    for content, kind in ((HTML, "image/png"), (PNG + HTML, "image/png"), (HTML, "text/plain")):
        answer = case.bring(case.cld, content, kind)
        assert (answer.status_code, answer.json["code"]) == (422, "evidence_refused"), answer.text
    for kind in ("text/html", "image/svg+xml", "application/octet-stream", ""):
        answer = case.bring(case.cld, HTML, kind)
        assert (answer.status_code, answer.json["code"]) == (415, "content_type_unsupported")
    for name in ("../../etc/passwd", "a\\b.pdf", "..", "a\r\nX: y", 'a".pdf', "x" * 121, ""):
        answer = case.bring(case.cld, PDF, name=name)
        assert (answer.status_code, answer.json["code"]) == (422, "request_invalid")
    assert case.aur.get(case.path).json["evidence"] == []


def test_how_much_is_too_much(case: Case) -> None:
    whole = b"%PDF-1.7" + b"0" * (BYTES_MAX - 13) + b"%%EOF"
    assert len(whole) == BYTES_MAX
    most = case.bring(case.cld, whole)
    assert most.status_code == 201, most.text
    assert case.aur.get(f"{case.path}/evidence/{most.json['id']}").data == whole
    more = case.bring(case.cld, whole + b"\n")
    assert (more.status_code, more.json["code"]) == (413, "evidence_too_large")
    for number in range(1, FILES_MAX):
        assert case.bring(case.cld, b"%d" % number, "text/plain").status_code == 201
    over = case.bring(case.cld, b"over", "text/plain")
    assert (over.status_code, over.json["code"]) == (409, "evidence_limit_reached")
    assert case.bring(case.aur, b"over", "text/plain").status_code == 201


def test_what_is_decided_is_decided_on_what_was_there(case: Case) -> None:
    case.cld.post(f"{case.path}/answer", json={"answer": "accept", "text": "是"})
    late = case.bring(case.aur, PDF)
    assert (late.status_code, late.json["code"]) == (409, "dispute_closed")


def test_a_client_of_some_hotels_brings_nothing(case: Case) -> None:
    desk = case.service.client("CLD", hotels=["CLD-GZ"])
    answer = case.bring(desk, PDF)
    assert (answer.status_code, answer.json["code"]) == (403, "system_client_needed")
    reader = case.service.client("CLD", scopes=["disputes:read"])
    assert case.bring(reader, PDF).json["code"] == "insufficient_scope"
