"""Attempts that must fail: doing more than a token allows, and turning pages that were given to somebody else."""

from typing import Any

import pytest

from clearinghouse.domain.scopes import scopes_for
from tests.api.attacking import BODIES, PERSON, filled, operations
from tests.api.lived import Lived, body
from tests.api.service import Caller
from tests.operations.night_audit import HEADER


@pytest.fixture
def aur(lived: Lived) -> Caller:
    return lived.callers["AUR"]


def test_every_operation_checks_its_own_scope(lived: Lived) -> None:
    """With all scopes but the one that is needed, nothing is done; the other scopes don't make up for it."""
    for method, path, stated in operations(lived):
        scopes = {scope for way in stated["security"] for names in way.values() for scope in names}
        if not scopes:
            continue
        rest = sorted(scopes_for(operator=False) - scopes)
        caller = _with(lived, rest)
        answer = caller.send(
            method.upper(), filled(path, lived), key="k", json=BODIES.get((method, path))
        )
        assert (answer.status_code, answer.json["code"]) == (403, "insufficient_scope"), path


_CALLERS: dict[tuple[int, tuple[str, ...]], Caller] = {}


def _with(lived: Lived, scopes: list[str]) -> Caller:
    key = (id(lived), tuple(scopes))
    if key not in _CALLERS:
        _CALLERS[key] = lived.service.client("AUR", scopes=scopes)
    return _CALLERS[key]


def test_a_token_is_not_widened_where_it_is_asked_for(lived: Lived) -> None:
    issued = lived.service.issue("AUR", scopes=["cards:read"])
    for scope in (
        "cards:write",
        "cards:read cards:write",
        "operator",
        "*",
        "cards:*",
        "CARDS:WRITE",
        "cards:read\ncards:write",
    ):
        answer = lived.service.token_request(issued, scope=scope)
        assert answer.status_code in (400, 422), scope
    narrowed = lived.service.token_request(lived.service.issue("AUR"), scope="hotels:read").json
    caller = Caller(lived.service.http, narrowed["access_token"])
    assert caller.get("/v1/hotels").status_code == 200
    assert caller.get("/v1/events").status_code == 403


@pytest.mark.parametrize("where", ["query", "cookie", "basic", "twice"])
def test_a_token_counts_in_its_header_only(lived: Lived, aur: Caller, where: str) -> None:
    token = aur.token
    sent: dict[str, Any] = {
        "query": {"query_string": {"access_token": token}},
        "cookie": {"headers": {"Cookie": f"access_token={token}; Authorization=Bearer {token}"}},
        "basic": {"headers": {"Authorization": f"Basic {token}"}},
        "twice": {"headers": {"Authorization": f"Bearer {token}, Bearer {token}"}},
    }[where]
    answer = lived.service.http.get("/v1/hotels", **sent)
    assert answer.status_code == 401


def test_the_operator_moves_no_value_and_enrols_nobody(lived: Lived) -> None:
    operator = lived.operator
    for path, stated in (
        ("/v1/transactions", body("award", "AUR-BJ", "op", points=1)),
        ("/v1/authorizations", body("redeem", "AUR-BJ", "op", points=1)),
    ):
        assert operator.post(path, json=stated, key="op").status_code == 403
    assert operator.post("/v1/enrolments", json=PERSON).json["code"] == "hotel_not_yours"
    night = f"{HEADER}\n".encode()
    assert (
        operator.post("/v1/batches", data=night, content_type="text/csv", key="op").status_code
        == 403
    )


def test_a_cursor_is_good_where_it_was_given(lived: Lived, aur: Caller) -> None:
    """On every route with pages: turned, shortened, another route's, another system's, another client's own is fine."""
    for n in range(3):
        aur.post(
            "/v1/transactions", json=body("award", "AUR-BJ", f"page{n}", points=1), key=f"page{n}"
        )
        aur.post(
            "/v1/batches", data=f"{HEADER}\nx\n".encode(), content_type="text/csv", key=f"page{n}"
        )
    hook = filled("/v1/webhooks/{webhook_id}/deliveries", lived)
    for event in aur.get("/v1/events?limit=2").json["data"]:
        assert aur.post(f"{hook}/{event['id']}/resend").status_code == 202
    found = {}
    for method, path, stated in operations(lived):
        names = {
            parameter["name"] for parameter in stated.get("parameters", ()) if "name" in parameter
        }
        if method == "get" and "cursor" in names:
            address = filled(path, lived)
            found[address] = aur.get(f"{address}?limit=1").json["next_cursor"]
    turning = {path: cursor for path, cursor in found.items() if cursor}
    assert turning.keys() >= {"/v1/transactions", "/v1/batches", "/v1/hotels", "/v1/periods", hook}
    for path, cursor in turning.items():
        assert aur.get(f"{path}?limit=1&cursor={cursor}").status_code == 200
        other = "A" if cursor[9] != "A" else "B"
        turned = [
            cursor[:9] + other + cursor[10:],
            cursor[:-1],
            cursor + "A",
            cursor[::-1],
            "A" * len(cursor),
        ]
        elsewhere = [value for place, value in turning.items() if place != path]
        for wrong in (*turned, *elsewhere):
            answer = aur.get(f"{path}?cursor={wrong}")
            assert (answer.status_code, answer.json["code"]) == (400, "cursor_invalid"), (
                path,
                wrong,
            )
        for stranger in (lived.callers["BAM"], lived.operator):
            assert stranger.get(f"{path}?cursor={cursor}").status_code in (400, 403, 404), path
