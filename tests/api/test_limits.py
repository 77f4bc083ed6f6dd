"""Rate limits: each client has its own, and is told what is left."""

import re
import time
from pathlib import Path

import pytest

from api.http.options import Options
from clearinghouse.operations.context import Context
from tests.api.service import URL, Service


@pytest.fixture
def narrow(founded: object, context: Context, tmp_path: Path) -> Service:
    options = Options(public_url=URL, requests_per_second=5, tokens_per_minute=3)
    return Service(context, tmp_path / "narrow", options)


def wait_for_a_new_second() -> None:
    time.sleep(1.1)


def test_a_client_that_asks_too_often_waits(narrow: Service) -> None:
    aur, bam = narrow.client("AUR"), narrow.client("BAM")
    wait_for_a_new_second()
    answers = [aur.get("/v1/hotels") for _ in range(7)]
    assert [answer.status_code for answer in answers] == [200] * 5 + [429] * 2
    left = [re.search(r"r=(\d+)", answer.headers["RateLimit"]) for answer in answers]
    assert [int(found[1]) for found in left if found] == [4, 3, 2, 1, 0, 0, 0]
    assert answers[0].headers["RateLimit-Policy"] == '"requests";q=5;w=1'
    refused = answers[-1]
    assert refused.json["code"] == "rate_limited"
    assert refused.content_type == "application/problem+json"
    assert int(refused.headers["Retry-After"]) >= 1
    assert bam.get("/v1/hotels").status_code == 200
    wait_for_a_new_second()
    assert aur.get("/v1/hotels").status_code == 200


def test_tokens_can_not_be_asked_for_without_end(narrow: Service) -> None:
    issued = narrow.issue("AUR")
    answers = [narrow.token_request(issued, client_secret="x") for _ in range(4)]  # noqa: S106  a wrong one, on purpose
    assert [answer.status_code for answer in answers] == [401] * 3 + [429]
    assert answers[0].headers["RateLimit-Policy"] == '"tokens";q=3;w=60'
    assert 1 <= int(answers[-1].headers["Retry-After"]) <= 60
    assert narrow.token_request(issued).status_code == 429


def test_workers_share_a_limit(context: Context, tmp_path: Path) -> None:
    options = Options(public_url=URL, requests_per_second=10, workers=4)
    service = Service(context, tmp_path / "workers", options)
    assert "q=3;" in service.client("AUR").get("/v1/hotels").headers["RateLimit-Policy"]


def test_nobody_uses_up_what_others_are_given(narrow: Service) -> None:
    """Assertions need not name their client: strangers elsewhere must not keep such a client out."""
    form = {
        "grant_type": "client_credentials",
        "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
        "client_assertion": "x.y.z",
    }

    def ask(address: str) -> int:
        came_from = {"REMOTE_ADDR": address}
        return narrow.http.post("/oauth/token", data=form, environ_overrides=came_from).status_code

    assert [ask("192.0.2.1") for _ in range(4)] == [401, 401, 401, 429]
    assert ask("192.0.2.2") == 401


def test_a_clients_name_said_elsewhere_takes_nothing_from_the_client(narrow: Service) -> None:
    """A client id is no secret: it stands in every token, and logs and people know it."""
    issued = narrow.issue("AUR")

    def ask(address: str, secret: str) -> int:
        form = {"grant_type": "client_credentials", "client_id": issued.client_id}
        came_from = {"REMOTE_ADDR": address}
        sent = {**form, "client_secret": secret}
        return narrow.http.post("/oauth/token", data=sent, environ_overrides=came_from).status_code

    assert [ask("192.0.2.1", "x") for _ in range(4)] == [401, 401, 401, 429]
    assert ask("192.0.2.2", issued.secret) == 200


@pytest.mark.parametrize(("proxies", "told_apart"), [(0, False), (1, True)])
def test_an_address_is_believed_of_the_proxies_that_are_there_and_of_nobody_else(
    context: Context, tmp_path: Path, proxies: int, told_apart: bool
) -> None:
    options = Options(public_url=URL, tokens_per_minute=1, proxies=proxies)
    service = Service(context, tmp_path / "proxied", options)

    def ask(forwarded: str) -> int:
        form = {"grant_type": "client_credentials", "client_id": "c", "client_secret": "x"}
        headers = {"X-Forwarded-For": forwarded}
        return service.http.post("/oauth/token", data=form, headers=headers).status_code

    assert ask("192.0.2.1") == 401
    assert ask("192.0.2.2") == (401 if told_apart else 429)
    # What a client wrote into the header itself stands before what the proxy added.
    assert ask("192.0.2.9, 192.0.2.1") == 429
