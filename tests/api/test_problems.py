"""Every error is a problem with a stable code, in the caller's language, and tells nothing it should not."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask, abort

from api.http.catalogue import CATALOGUE
from api.http.problems import ProblemError, handle_problems, refusal
from clearinghouse.domain import dispute_errors, errors, traveller_errors
from clearinghouse.domain.errors import TILL_SENTENCES, ClearinghouseError, NotFound, RefusalCode
from tests.api.service import Service

ENGLISH = {"Accept-Language": "en-GB,en;q=0.9"}


def subclasses(base: type[ClearinghouseError]) -> Iterator[type[ClearinghouseError]]:
    yield base
    for below in base.__subclasses__():
        yield from subclasses(below)


#: All but those that one module keeps to itself.
ALL = sorted(
    {c for c in subclasses(ClearinghouseError) if not c.__name__.startswith("_")},
    key=lambda c: c.__qualname__,
)


@pytest.mark.parametrize("error", ALL, ids=lambda c: c.__qualname__)
def test_every_error_of_the_core_has_a_status_and_a_meaning(
    error: type[ClearinghouseError],
) -> None:
    kind = CATALOGUE[error.code]
    assert 400 <= kind.status < 600
    assert kind.zh
    assert kind.en
    homes = (errors.__name__, dispute_errors.__name__, traveller_errors.__name__)
    assert error.__module__ in homes, "errors live together"


@pytest.mark.parametrize("code", RefusalCode)
def test_every_refusal_has_sentences_for_the_till(service: Service, code: RefusalCode) -> None:
    with service.app.test_request_context(headers=ENGLISH):
        answer = refusal(code)
    document = json.loads(answer.get_data())
    assert answer.status_code == CATALOGUE[code].status in (409, 422)
    assert document["till"] == dict(zip(("zh", "en"), TILL_SENTENCES[code], strict=True))
    assert document["title"] == document["till"]["en"]
    assert document["code"] == code


@pytest.fixture
def failing(service: Service) -> Flask:
    """The application, with an address that fails as it is told."""
    app = Flask("failing")
    reasons: dict[str, Exception] = {
        "core": ClearinghouseError("card 6277810000000013 of 李芳"),
        "ours": ProblemError("json_invalid", "here", errors=[("/a/0", "wrong")]),
        "missing": NotFound('there is no hotel "X"'),
        "bug": RuntimeError("card 6277810000000013 of 李芳"),
        "away": errors.DatabaseUnavailable("host db.internal does not answer"),
        "unknown code": type("Odd", (ClearinghouseError,), {"code": "odd"})("x"),
    }

    @app.get("/<reason>")
    def fail(reason: str) -> Any:
        if reason.isdigit():
            abort(int(reason))
        raise reasons[reason]

    handle_problems(app)
    assert service
    return app


@pytest.mark.parametrize(
    ("reason", "status", "code"),
    [
        ("core", 500, "failed"),
        ("ours", 400, "json_invalid"),
        ("missing", 404, "not_found"),
        ("bug", 500, "failed"),
        ("away", 503, "database_unavailable"),
        ("unknown code", 500, "failed"),
        ("400", 400, "request_malformed"),
        ("404", 404, "not_found"),
        ("405", 405, "method_not_allowed"),
        ("406", 406, "not_acceptable"),
        ("410", 400, "request_malformed"),
        ("413", 413, "body_too_large"),
        ("414", 414, "address_too_long"),
        ("415", 415, "content_type_unsupported"),
        ("500", 500, "failed"),
        ("501", 500, "failed"),
    ],
)
def test_whatever_happens_the_answer_is_a_problem(
    failing: Flask, capsys: pytest.CaptureFixture[str], reason: str, status: int, code: str
) -> None:
    answer = failing.test_client().get(f"/{reason}", headers=ENGLISH)
    assert answer.status_code == status
    assert answer.content_type == "application/problem+json"
    document = answer.json
    assert document
    assert (document["code"], document["status"]) == (code, status)
    assert document["type"] == f"/docs/problems#{code}"
    assert set(document) >= {"type", "title", "status", "detail", "code", "errors", "request_id"}
    both = answer.text + capsys.readouterr().err
    assert "6277810000000013" not in both
    assert "李芳" not in both
    assert "db.internal" not in both
    assert "Traceback" not in both


def test_the_language_is_the_callers(service: Service) -> None:
    def title(language: str | None) -> tuple[str, str]:
        headers = {} if language is None else {"Accept-Language": language}
        answer = service.http.get("/nothing", headers=headers)
        assert "Accept-Language" in answer.headers["Vary"]
        return answer.json["title"], answer.headers["Content-Language"]

    kind = CATALOGUE["not_found"]
    for language in (None, "zh-CN", "zh-Hans-CN, en;q=0.5", "fr", "*", "x" * 500):
        assert title(language) == (kind.zh, "zh")
    for language in ("en", "en-US,zh;q=0.1", "fr, en;q=0.3"):
        assert title(language) == (kind.en, "en")


def test_what_is_wrong_has_its_place(service: Service) -> None:
    answer = service.client("AUR").get("/v1/hotels?limit=101&x~/y=1", headers=ENGLISH)
    assert answer.status_code == 422
    found = {wrong["pointer"]: wrong["detail"] for wrong in answer.json["errors"]}
    assert set(found) == {"/query/limit", "/query/x~0~1y"}
