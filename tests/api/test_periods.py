"""``/v1/periods``: own figures and own statements, as they were published."""

import hashlib
from base64 import b64encode

import pytest

from settlement.run import read_file
from tests.api.service import Service

PERIOD = 2026 * 12 + 9


@pytest.fixture
def settled(service: Service) -> Service:
    """October is published, November has legs."""
    accept = service.alliance.accept
    accept("spend", "BAM-HZ", "1", "T1", "2026-10-03", amount=88_888)
    accept("redeem", "CLD-GZ", "2", "T1", "2026-10-04", points=500)
    service.alliance.settle("2026-10")
    accept("spend", "BAM-HZ", "3", "T1", "2026-11-04", amount=10_000)
    return service


def test_periods_show_the_own_position(settled: Service) -> None:
    bam = settled.client("BAM")
    answer = bam.get("/v1/periods")
    assert answer.status_code == 200, answer.text
    november, october = answer.json["data"]
    assert november == {
        "period": "2026-11",
        "state": "open",
        "published_at": None,
        "position": None,
        "statements": [],
    }
    assert (october["period"], october["state"]) == ("2026-10", "published")
    assert october["published_at"].endswith("Z")
    assert october["statements"] == ["csv", "json", "pdf", "xlsx", "xml"]
    figures = {name: value["amount_minor"] for name, value in october["position"].items()}
    assert figures == {
        "receivable": 0, "payable": 500, "fees": 889, "vat": 50, "adjustments": 0, "net": -1389,
    }  # fmt: skip
    first = bam.get("/v1/periods?limit=1").json
    assert [row["period"] for row in first["data"]] == ["2026-11"]
    rest = bam.get(f"/v1/periods?limit=1&cursor={first['next_cursor']}").json
    assert [row["period"] for row in rest["data"]] == ["2026-10"]
    assert rest["next_cursor"] is None


@pytest.mark.parametrize(
    ("suffix", "ending", "content_type"),
    [
        ("pdf", "pdf", "application/pdf"),
        ("csv", "csv", "text/csv; charset=utf-8"),
        ("json", "json", "application/json"),
        ("xlsx", "xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
        ("xml", "camt053.xml", "application/xml"),
    ],
)
def test_a_statement_is_what_was_published(
    settled: Service, suffix: str, ending: str, content_type: str
) -> None:
    bam = settled.client("BAM")
    path = f"/v1/periods/2026-10/statement.{suffix}"
    answer = bam.get(path)
    assert answer.status_code == 200, answer.text
    stored = b"".join(read_file(settled.context, PERIOD, f"statements/BAM.{ending}"))
    assert answer.get_data() == stored
    assert answer.content_type == content_type
    assert answer.content_length == len(stored)
    assert answer.headers["Content-Disposition"] == f"attachment; filename=BAM-2026-10.{ending}"
    digest = hashlib.sha256(stored)
    assert answer.headers["ETag"] == f'"{digest.hexdigest()}"'
    assert b64encode(digest.digest()).decode() in answer.headers["Repr-Digest"]
    again = bam.get(path, headers={"If-None-Match": answer.headers["ETag"]})
    assert (again.status_code, again.get_data()) == (304, b"")
    assert bam.send("HEAD", path).content_length == len(stored)


def test_who_has_to_pay_gets_a_debit_note_and_nobody_else(settled: Service) -> None:
    path = "/v1/periods/2026-10/debit-note.pdf"
    answer = settled.client("BAM").get(path)
    assert (answer.status_code, answer.content_type) == (200, "application/pdf")
    stored = b"".join(read_file(settled.context, PERIOD, "debit_notes/BAM.pdf"))
    assert answer.get_data() == stored
    name = "BAM-2026-10-debit-note.pdf"
    assert answer.headers["Content-Disposition"] == f"attachment; filename={name}"
    for other in (
        settled.client("AUR").get(path),
        settled.client("BAM").get("/v1/periods/2026-11/debit-note.pdf"),
        settled.client("BAM").get("/v1/periods/x/debit-note.pdf"),
    ):
        assert (other.status_code, other.json["code"]) == (404, "not_found")


def test_what_is_not_there_or_not_ones_own(settled: Service) -> None:
    aur = settled.client("AUR")
    for unknown in (
        "2026-11/statement.pdf",
        "2026-09/statement.pdf",
        "2026-13/statement.pdf",
        "0000-01/statement.pdf",
        "x/statement.pdf",
        "%00/statement.pdf",
        "2026-10/statement.exe",
        "2026-10/statement.",
        "2026-10/statement.pdf%00",
        "2026-10/BAM.pdf",
        "2026-10/statement.camt053",
    ):
        answer = aur.get(f"/v1/periods/{unknown}")
        assert (answer.status_code, answer.json["code"]) == (404, "not_found"), unknown


def test_nobody_gets_anothers(settled: Service) -> None:
    aur, bam = settled.client("AUR"), settled.client("BAM")
    path = "/v1/periods/2026-10/statement.csv"
    own, others = aur.get(path), bam.get(path)
    assert own.headers["ETag"] != others.headers["ETag"]
    assert "AUR" in own.headers["Content-Disposition"]
    cursor = aur.get("/v1/periods?limit=1").json["next_cursor"]
    assert bam.get(f"/v1/periods?limit=1&cursor={cursor}").json["code"] == "cursor_invalid"
    assert aur.get(f"/v1/hotels?cursor={cursor}").json["code"] == "cursor_invalid"
    tampered = cursor[:-2] + ("AA" if cursor[-2:] != "AA" else "BB")
    assert aur.get(f"/v1/periods?cursor={tampered}").json["code"] == "cursor_invalid"


def test_the_database_itself_hides_what_is_anothers(settled: Service) -> None:
    """Without any WHERE of ours: row-level security shows a system its own rows and no other."""
    aur = settled.alliance.value("SELECT number FROM systems WHERE code = 'AUR'")
    with settled.context.database.reading(aur) as session:
        for sql in (
            "SELECT DISTINCT system FROM positions",
            "SELECT DISTINCT system FROM period_files",
        ):
            assert session.rows(sql) == [(aur,)]
        paths = session.rows("SELECT DISTINCT path FROM period_file_chunks")
        assert {path.split(".")[0] for (path,) in paths} == {"statements/AUR"}


def test_a_period_is_not_seen_before_it_is_published(
    settled: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("settlement.published.PUBLISHED", ("settled",))
    bam = settled.client("BAM")
    assert bam.get("/v1/periods").json["data"][1]["position"] is None
    assert bam.get("/v1/periods/2026-10/statement.pdf").status_code == 404


def test_a_client_of_some_hotels_gets_no_statement_of_all(settled: Service) -> None:
    desk = settled.client("AUR", hotels=["AUR-BJ"])
    for path in ("/v1/periods", "/v1/periods/2026-10/statement.pdf"):
        answer = desk.get(path)
        assert (answer.status_code, answer.json["code"]) == (403, "system_client_needed")


def test_the_operator_gets_its_own(settled: Service) -> None:
    operator = settled.operator()
    answer = operator.get("/v1/periods/2026-10/statement.csv")
    assert answer.headers["Content-Disposition"] == "attachment; filename=OPERATOR-2026-10.csv"
    assert answer.get_data() == b"".join(
        read_file(settled.context, PERIOD, "statements/OPERATOR.csv")
    )
    october = operator.get("/v1/periods").json["data"][1]
    assert (october["position"], october["statements"]) == (
        None,
        ["csv", "json", "pdf", "xlsx", "xml"],
    )
