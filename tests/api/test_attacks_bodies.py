"""Attempts that must fail: bodies that set what is not theirs to set, and bodies that are meant to hurt."""

import gzip
import io
import json
import zipfile

import pytest

from api.http.bodies import MAX_BODY_BYTES
from clearinghouse.operations.batches import work_off
from tests.api.attacking import BODIES, filled, operations
from tests.api.lived import AT, Lived
from tests.api.service import Caller
from tests.operations.night_audit import HEADER

#: Fifty megabytes in fifty kilobytes, and an object of fifty thousand members.
BOMB = gzip.compress(bytes(50 << 20))
MANY = json.dumps({f"m{n}": n for n in range(50_000)}).encode()


@pytest.fixture
def aur(lived: Lived) -> Caller:
    return lived.callers["AUR"]


EXTRA = {
    "id": "txn_" + "0" * 32, "system": "BAM", "host_system": "BAM", "fee_minor": 0, "fee": {"amount_minor": 0},
    "legs": [], "lots": [], "posted_at": AT, "period": "2026-10", "late": True, "earn_ppm": 9_000_000,
    "rulebook_version": "v0", "client": 1, "traveller": 1, "state": "captured", "alliance_level": 99,
    "issuer_system": "BAM", "secret": "x", "scopes": ["operator"], "__proto__": {}, "__class__": "x", "": "x",
}  # fmt: skip


def test_no_body_takes_what_it_does_not_name(lived: Lived, aur: Caller) -> None:
    described = {
        (method, path)
        for method, path, stated in operations(lived)
        if "application/json" in stated.get("requestBody", {}).get("content", {})
    }
    assert described == set(BODIES)
    for (method, path), stated in BODIES.items():
        for name, value in EXTRA.items():
            answer = aur.send(
                method.upper(), filled(path, lived), json={**stated, name: value}, key=f"x{name}"
            )
            assert (answer.status_code, answer.json["code"]) == (422, "request_invalid"), (
                path,
                name,
                answer.text,
            )
    for name, value in EXTRA.items():
        answer = lived.service.token_request(aur.issued, **{name: str(value)})  # type: ignore[arg-type]  # wrong on purpose, or of many types
        assert answer.status_code == 422, name


def test_bodies_of_all_sizes_and_depths(lived: Lived, aur: Caller) -> None:
    for (method, path), stated in BODIES.items():
        address = filled(path, lived)
        text = json.dumps(stated)
        most = text + " " * (MAX_BODY_BYTES + 1 - len(text))
        hurtful: list[tuple[bytes, dict[str, str], tuple[int, ...]]] = [
            (most.encode(), {}, (413,)),
            (b'{"a":' * 17 + b"1" + b"}" * 17, {}, (400,)),
            (b"[" * 100_000, {}, (400,)),
            (b'{"a":1' + b',"a":1' * 1000 + b"}", {}, (400,)),
            (b'{"points":' + b"9" * 100_000 + b"}", {}, (400,)),
            (b'{"points":1e999999}', {}, (400, 422)),
            (MANY, {}, (413, 422)),
            (gzip.compress(text.encode()), {"Content-Encoding": "gzip"}, (400, 415)),
            (BOMB, {"Content-Encoding": "gzip"}, (400, 415)),
            (zipped(bytes(5 << 20)), {}, (400,)),
            (text.encode("utf-16"), {}, (400,)),
            (b"\xef\xbb\xbf" + text.encode(), {}, (400,)),
        ]
        for raw, headers, statuses in hurtful:
            answer = aur.send(
                method.upper(),
                address,
                data=raw,
                content_type="application/json",
                headers=headers,
                key="big",
            )
            assert answer.status_code in statuses, (
                path,
                raw[:30],
                answer.status_code,
                answer.text[:300],
            )
            assert len(answer.data) < 20_000


def zipped(content: bytes) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("x", content)
    return file.getvalue()


@pytest.mark.parametrize(
    "night",
    [
        gzip.compress(bytes(1 << 20)),
        zipped(HEADER.encode()),
        b"\xef\xbb\xbf" + HEADER.encode() + b"\n" + b'"' * 3_000_000,
        HEADER.encode() + b"\n" + b"," * 2_000_000 + b"\n",
        HEADER.encode() + b"\n" + b'"' + b"a\n" * 50_000,
        HEADER.encode()
        + b"\n"
        + b"AUR-BJ,"
        + b"9" * 1_000_000
        + b",,spend,6277810000000013,2026-11-10,x,1,\n",
        HEADER.encode()
        + b"\nAUR-BJ,=cmd|'/c calc'!A1,,spend,6277810000000013,2026-11-10,2026-11-10T11:30:00+08:00,1,\n",
        b"," * 1_000_000,
        HEADER.replace(",", "," * 500).encode(),
    ],
    ids=["gzip", "zip", "quotes", "commas", "open", "digits", "formula", "columns", "header"],
)
def test_a_night_audit_that_is_a_bomb(lived: Lived, aur: Caller, night: bytes) -> None:
    answer = aur.post("/v1/batches", data=night, content_type="text/csv", key=f"bomb{hash(night)}")
    assert answer.status_code in (202, 400), answer.text
    if answer.status_code == 202:
        while work_off(lived.service.context, lanes=1):
            pass
        job = aur.get(f"/v1/batches/{answer.json['batch_id']}").json
        assert job["state"] == "finished"
        results = aur.get(f"/v1/batches/{answer.json['batch_id']}/results")
        assert len(results.data) < 100_000
