"""Attempts that must fail: SQL, templates, control characters and header lines in every text that comes in."""

import json
import re
import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest

from clearinghouse.operations.batches import work_off
from clearinghouse.operations.prove import prove
from tests.api.attacking import BODIES, FILES, document, filled, operations
from tests.api.lived import TODAY, Lived
from tests.api.service import Caller
from tests.operations.night_audit import stated as line_of

NASTY = {
    "sql": "' OR '1'='1",
    "sql-drop": "'; DROP TABLE transactions; --",
    "sql-union": "1) UNION SELECT secret_hash::text FROM clients --",
    "sql-sleep": "\\'||(SELECT pg_sleep(9))||'",
    "sql-dollar": "$$;SELECT pg_sleep(9);$$",
    "copy": "a\tb\\N\\.",
    "array": '{1,2,"3"}',
    "percent": "%s%n%(code)s%d",
    "braces": "{0.__class__.__init__.__globals__}{{3733*1217}}${3733*1217}",
    "markup": "<script>alert(1)</script>&amp;",
    "header": "x\r\nSet-Cookie: stolen=1\r\n\r\nHTTP/1.1 200 OK",
    "path": "../../../../etc/passwd",
    "nul": "a\x00b",
    "surrogate": "a\ud800b",
    "backwards": "\u202etxt.exe\u2066",
    "invisible": "a\u200b\ufeff\u00adb",
    "astral": "\U0001f4b3" * 40,
    "combining": "e" + "\u0301" * 3000,
    "long": "9" * 100_000,
    "digits": "６２７７８１００００００００１３",
}
#: A refusal; for what may hold any text (a reason, a name) it may also be taken, and is kept as it is.
REFUSED = {400, 403, 404, 409, 414, 422, 429}


@pytest.fixture
def aur(lived: Lived) -> Caller:
    return lived.callers["AUR"]


def harmless(answer: Any, seconds: float) -> None:
    """An answer to something nasty is a problem, or takes it for the text that it is; nothing is carried out."""
    assert answer.status_code < 300 or answer.status_code in REFUSED, answer.text[:500]
    assert seconds < 8
    assert "Set-Cookie" not in answer.headers
    assert not [value for _, value in answer.headers if "\r" in value or "\n" in value]
    assert len(answer.data) < 20_000
    for word in ("4543061", "psycopg", "Traceback", "root:", "<Flask"):
        assert answer.status_code < 300 or word not in answer.text, answer.text[:500]


def texts(
    schema: dict[str, Any], schemas: dict[str, Any], inside: tuple[str, ...] = ()
) -> Iterator[tuple[str, ...]]:
    """The places of all texts in a body."""
    if "$ref" in schema:
        schema = schemas[schema["$ref"].rpartition("/")[2]]
    for part in (*schema.get("anyOf", ()), *schema.get("allOf", ())):
        if inside:
            yield from texts(part, schemas, inside)
    kinds = schema.get("type", ())
    if "string" in ([kinds] if isinstance(kinds, str) else kinds):
        yield inside
    for name, member in schema.get("properties", {}).items():
        yield from texts(member, schemas, (*inside, name))
    if "items" in schema:
        yield from texts(schema["items"], schemas, (*inside, "[]"))


def put(stated: dict[str, Any], place: tuple[str, ...], value: str) -> dict[str, Any]:
    """Put a text into a body at a place."""
    made: Any = value
    for name in reversed(place):
        made = [made] if name == "[]" else {name: made}
    first = place[0]
    inner = (
        {**stated.get(first, {}), **made[first]}
        if isinstance(made[first], dict) and stated.get(first)
        else made[first]
    )
    return {**stated, first: inner}


@pytest.mark.parametrize("nasty", NASTY)
def test_nasty_texts_in_every_member(lived: Lived, aur: Caller, nasty: str) -> None:
    found = document(lived)
    reached = set()
    for (method, path), stated in BODIES.items():
        schema = found["paths"][path][method]["requestBody"]["content"]["application/json"][
            "schema"
        ]
        for place in texts(schema, found["components"]["schemas"]):
            changed = put(stated, place, NASTY[nasty])
            if "card_id" in place:
                changed.pop("card_number", None)
            began = time.perf_counter()
            # As JSON escapes, so that NUL and half characters arrive.
            answer = aur.send(
                method.upper(), filled(path, lived), key=f"{nasty}{'.'.join(place)}",
                data=json.dumps(changed), content_type="application/json",
            )  # fmt: skip
            harmless(answer, time.perf_counter() - began)
            reached.add((path, place))
    assert ("/v1/transactions", ("amount", "currency")) in reached
    assert len(reached) > 40
    assert all(proof.holds for proof in prove(lived.service.context))


@pytest.mark.parametrize("nasty", NASTY)
def test_nasty_texts_in_every_address(lived: Lived, aur: Caller, nasty: str) -> None:
    """In place of every id and every value of a query, and in the headers that we read."""
    value = quote(NASTY[nasty].encode("utf-8", "surrogatepass"), safe="")
    for method, path, stated in operations(lived):
        body = BODIES.get((method, path))
        sent = FILES.get((method, path), {}) if body is None else {"json": body}
        addresses = [
            filled(path[: name.start()] + value + path[name.end() :], lived)
            for name in re.finditer(r"{\w+}", path)
        ] + [
            f"{filled(path, lived)}?{parameter['name']}={value}"
            for parameter in stated.get("parameters", ())
            if parameter.get("in") == "query"
        ]
        for address in addresses:
            began = time.perf_counter()
            answer = aur.send(
                method.upper(), address, key=f"{nasty}{address}"[:80].replace("%", ""), **sent
            )
            assert (
                answer.status_code >= 400
                or "city" in address
                or "txn_ref" in address
                or "system" in address
                or "host_hotel" in address
                or "/evidence?name=" in address
            ), address
            harmless(answer, time.perf_counter() - began)


@pytest.mark.parametrize(
    "nasty", ["sql", "percent", "braces", "markup", "path", "backwards", "long"]
)
def test_nasty_texts_in_headers(lived: Lived, aur: Caller, nasty: str) -> None:
    value = NASTY[nasty].encode().decode("latin-1")
    names = (
        "X-Request-Id",
        "traceparent",
        "Accept-Language",
        "If-None-Match",
        "Accept",
        "User-Agent",
        "Host",
        "X-Forwarded-For",
        "Idempotency-Key",
    )
    for name in names:
        for path in ("/v1/hotels", "/docs", "/v1/periods/2026-10/statement.json", "/nothing"):
            answer = aur.get(path, headers={name: value})
            assert answer.status_code in (200, 400, 404, 406), (name, path, answer.status_code)
            assert answer.status_code == 200 or NASTY[nasty] not in answer.text
            assert value not in answer.headers.values()
    form = {
        "grant_type": "client_credentials",
        "client_id": NASTY[nasty],
        "client_secret": NASTY[nasty],
    }
    for extra in ({}, {"scope": NASTY[nasty]}, {"client_assertion": NASTY[nasty]}):
        answer = lived.service.http.post("/oauth/token", data={**form, **extra})
        assert answer.status_code in (400, 401, 413, 422), answer.text


def test_nasty_texts_in_every_column_of_a_night_audit(lived: Lived, aur: Caller) -> None:
    """Each costs its own line and no other."""
    good = line_of("AUR-BJ", "night", "award", "T2", TODAY, None, 5)
    lines = [
        {**good, "txn_ref": f"night{n}", name: text}
        for name in good
        for n, text in enumerate(NASTY.values())
    ]
    night = "\n".join(json.dumps(line) for line in [*lines, good]).encode()
    sent = aur.post("/v1/batches", data=night, content_type="application/x-ndjson", key="nasty")
    assert sent.status_code == 202, sent.text
    while work_off(lived.service.context, lanes=1):
        pass
    path = f"/v1/batches/{sent.json['batch_id']}"
    assert aur.get(path).json["totals"]["accepted"] >= 1
    results = aur.get(f"{path}/results?limit=1000")
    assert len(results.json["data"]) == len(lines) + 1
    assert results.json["data"][-1]["outcome"] == "accepted"
    assert aur.get(f"{path}/results", headers={"Accept": "text/csv"}).status_code == 200
    assert all(proof.holds for proof in prove(lived.service.context))
