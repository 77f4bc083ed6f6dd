"""The sandbox: its test cards do what their table says, its clock goes forward for all, a dry run changes nothing."""

import json
import os
import re
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import urllib3
from click.testing import CliRunner
from flask import Flask
from openapi_spec_validator import validate
from stdnum import luhn

from api.app import create_app
from api.cli.serve import serve
from api.http.options import Options
from api.sandbox import filling
from api.sandbox.cards import TEST_CARDS
from api.sandbox.filling import Credentials, prepare, sandbox_settings
from clearinghouse.config import Settings
from clearinghouse.domain.calendar import format_period, period_of
from clearinghouse.operations.changing import Authority
from clearinghouse.operations.clients import create_client
from clearinghouse.operations.context import Context
from clearinghouse.operations.prove import prove
from clearinghouse.operations.sandbox_clock import SandboxClock, opened_sandbox, sandbox_clock
from clearinghouse.store import embedded
from settlement.run import read_file, settle
from tests.api.service import URL, Caller, Service

ROUTES = {"/v1/sandbox/clock", "/v1/sandbox/periods/{period}/preview"}
NUMBER = {card.name: card.number for card in TEST_CARDS}


@dataclass
class Sandbox:
    """A sandbox as ``serve --sandbox`` makes it, with the application on it."""

    settings: Settings
    context: Context
    app: Flask
    credentials: list[Credentials]
    count: list[int] = field(default_factory=lambda: [0])

    def caller(self, system: str | None) -> Caller:
        """A caller with a fresh token."""
        found = next(one for one in self.credentials if one.system == system)
        return self.with_token(found.client_id, found.client_secret)

    def with_token(self, client_id: str, secret: str) -> Caller:
        http = self.app.test_client()
        form = {"grant_type": "client_credentials", "client_id": client_id, "client_secret": secret}
        answer = http.post("/oauth/token", data=form)
        assert answer.status_code == 200, answer.text
        return Caller(http, answer.json["access_token"])

    @property
    def clock(self) -> SandboxClock:
        found = self.context.clock
        assert isinstance(found, SandboxClock)
        return found

    def line(self, kind: str, card: str, **more: Any) -> dict[str, Any]:
        """A request of Birch's till, now."""
        self.count[0] += 1
        now = self.clock()
        return {
            "host_hotel": "BIRCH-BJ",
            "txn_ref": f"S-{self.count[0]}",
            "kind": kind,
            "card_number": NUMBER[card],
            "business_date": (now + timedelta(hours=8)).date().isoformat(),
            "occurred_at": now.isoformat(),
            **more,
        }

    def post(self, kind: str, card: str, path: str = "/v1/transactions", **more: Any) -> Any:
        line = self.line(kind, card, **more)
        return self.caller("BIRCH").post(path, json=line, key=line["txn_ref"])

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        with self.context.database.office() as session:
            return session.rows(sql)


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    own = sandbox_settings(Settings(tmp_path_factory.mktemp("data")))
    credentials = prepare(own)
    with opened_sandbox(own) as context:
        app = create_app(context, Options(public_url=URL, sandbox=True))
        yield Sandbox(own, context, app, credentials)
    embedded.stop(own)


def code(answer: Any) -> tuple[int, str]:
    return answer.status_code, (answer.json or {}).get("code", "")


def money(fen: int) -> dict[str, Any]:
    return {"amount": {"amount_minor": fen, "currency": "CNY"}}


def test_the_table_of_cards_is_in_the_documentation() -> None:
    text = (Path(__file__).parents[2] / "docs/sandbox.md").read_text(encoding="utf-8")
    told = dict(re.findall(r"^\| `(\d{16})` \| `(\w+)` \|", text, re.MULTILINE))
    assert told == {card.number: card.name for card in TEST_CARDS}
    assert {"approved", "insufficient", "suspended", "unknown", "slow"} <= NUMBER.keys()
    assert all(luhn.is_valid(number) for number in NUMBER.values())


def test_only_a_sandbox_has_its_routes(service: Service, sandbox: Sandbox) -> None:
    operator = service.operator()
    for method, path in (("GET", "clock"), ("PUT", "clock"), ("POST", "periods/2026-01/preview")):
        assert code(operator.send(method, f"/v1/sandbox/{path}")) == (404, "not_found")
    assert not [
        path for path in service.http.get("/openapi.json").json["paths"] if "sandbox" in path
    ]
    found = sandbox.app.test_client().get("/openapi.json").json
    validate(found)
    assert {path for path in found["paths"] if "sandbox" in path} == ROUTES
    for rule in sandbox.app.url_map.iter_rules():
        if "/sandbox/" in rule.rule:
            assert sandbox.app.view_functions[rule.endpoint].needs
            for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}:
                path = rule.rule.replace("<period>", "2026-01")
                answer = sandbox.app.test_client().open(path, method=method)
                assert code(answer) == (401, "token_missing")


def test_its_credentials_are_made_once_and_for_one_account(sandbox: Sandbox) -> None:
    file = sandbox.settings.data_dir / filling.CREDENTIALS
    assert file.stat().st_mode & 0o777 == 0o600
    assert [one.system for one in sandbox.credentials] == ["SPRUCE", "BIRCH", None]
    assert prepare(sandbox.settings) == sandbox.credentials


def test_an_approved_card_has_always_enough(sandbox: Sandbox) -> None:
    for _ in range(2):
        assert code(sandbox.post("redeem", "approved", points=30_000_000)) == (201, "")
    answer = sandbox.post("stored_value_spend", "approved", **money(900_000_000))
    assert code(answer) == (201, "")
    held = sandbox.post("redeem", "approved", "/v1/authorizations", points=50_000_000)
    assert code(held) == (201, "")
    by_id = sandbox.caller("BIRCH").post(
        "/v1/cards/lookup", json={"card_number": NUMBER["approved"]}
    )
    line = sandbox.line("redeem", "approved", points=90_000_000) | {
        "card_id": by_id.json["card_id"]
    }
    del line["card_number"]
    answer = sandbox.caller("BIRCH").post("/v1/transactions", json=line, key="by-id")
    assert code(answer) == (201, "")
    filled = dict(
        sandbox.rows(
            "SELECT kind, count(*) FROM transactions WHERE txn_ref LIKE 'SANDBOX-%' GROUP BY kind"
        )
    )
    assert filled["award"] >= 3
    assert filled["load"] >= 1


def test_an_insufficient_card_has_never_enough(sandbox: Sandbox) -> None:
    assert code(sandbox.post("award", "insufficient", points=500)) == (201, "")
    for points in (1, 500, 501):
        answer = sandbox.post("redeem", "insufficient", points=points)
        assert code(answer) == (422, "insufficient_points")
    answer = sandbox.post("stored_value_spend", "insufficient", **money(1))
    assert code(answer) == (422, "insufficient_stored_value")
    answer = sandbox.post("redeem", "insufficient", "/v1/authorizations", points=1)
    assert code(answer) == (422, "insufficient_points")


@pytest.mark.parametrize(
    ("card", "refused"), [("suspended", "card_not_active"), ("unknown", "card_unknown")]
)
def test_a_card_that_is_not_good(sandbox: Sandbox, card: str, refused: str) -> None:
    assert code(sandbox.post("redeem", card, points=1)) == (422, refused)
    assert code(sandbox.post("spend", card, **money(100))) == (422, refused)


def test_a_slow_card_is_answered_late_and_holds_nobody_up(sandbox: Sandbox) -> None:
    answers: dict[str, tuple[tuple[int, str], float]] = {}

    def ask(card: str) -> None:
        began = time.monotonic()
        answer = sandbox.post("redeem", card, points=10)
        answers[card] = (code(answer), time.monotonic() - began)

    slow = threading.Thread(target=ask, args=("slow",))
    slow.start()
    time.sleep(0.3)
    ask("approved")
    assert slow.is_alive()
    slow.join()
    assert answers["slow"][0] == answers["approved"][0] == (201, "")
    assert answers["slow"][1] >= 3


def test_ordinary_cards_follow_the_rules(sandbox: Sandbox) -> None:
    assert code(sandbox.post("redeem", "birch", points=5_001)) == (422, "insufficient_points")
    answer = sandbox.post("redeem", "birch", points=100)
    assert answer.json["fee"]["amount_minor"] == 0
    assert code(sandbox.post("load", "spruce", **money(100)))[1] == "load_only_at_issuer_system"


def test_a_dry_run_is_what_closing_then_gives_and_changes_nothing(sandbox: Sandbox) -> None:
    last_month = period_of(sandbox.context.clock().date()) - 1
    path = f"/v1/sandbox/periods/{format_period(last_month)}/preview"
    before = everything(sandbox)
    told = {}
    for party in ("SPRUCE", "BIRCH", None):
        answer = sandbox.caller(party).post(path)
        assert answer.status_code == 200, answer.text
        told[party or "OPERATOR"] = answer.json
    assert everything(sandbox) == before
    assert {one["state"] for one in told.values()} == {"open"}
    assert told["SPRUCE"]["open_before"] == []
    assert told["SPRUCE"]["position"]["net"]["amount_minor"] != 0

    # The clock stands after the cut-off, or is put there: last month closes on the fourth day of this one.
    cut_off = datetime.fromisoformat(told["SPRUCE"]["cut_off_at"])
    later = replace(sandbox.context, clock=lambda: max(sandbox.clock(), cut_off))
    settle(later, last_month)
    for party, preview in told.items():
        name = f"statements/{party}.json"
        published = json.loads(b"".join(read_file(sandbox.context, last_month, name)))
        summary = published["summary"]
        for ours, theirs in (
            ("receivable", "receivable_minor"), ("payable", "payable_minor"),
            ("fees", "fees_minor"), ("vat", "vat_minor"), ("net", "net_minor"),
        ):  # fmt: skip
            assert preview["position"][ours]["amount_minor"] == summary[theirs], (party, ours)
        assert preview["opening"]["amount_minor"] == summary["opening_minor"]
        assert preview["closing"]["amount_minor"] == summary["closing_minor"]
        assert preview["line_count"] == len(published["lines"])
        assert len(preview["counterparties"]) == len(published["counterparties"])
    again = sandbox.caller("SPRUCE").post(path).json
    assert again == {**told["SPRUCE"], "state": "published"}


def everything(sandbox: Sandbox) -> list[tuple[Any, ...]]:
    """What a close would change."""
    return [
        *sandbox.rows("SELECT period, state FROM periods ORDER BY 1"),
        *sandbox.rows("SELECT count(*), sum(remaining), sum(expired) FROM lots"),
        *sandbox.rows("SELECT count(*) FROM rollup_increments"),
        *sandbox.rows("SELECT count(*) FROM postings"),
        *sandbox.rows("SELECT count(*) FROM period_files"),
    ]


def test_who_may_ask_for_a_dry_run(sandbox: Sandbox) -> None:
    authority = Authority("tests", "a hotel's own client")
    issued = create_client(sandbox.context, "BIRCH", "till", authority, hotels=["BIRCH-BJ"])
    till = sandbox.with_token(issued.client_id, issued.secret or "")
    this_month = format_period(period_of(sandbox.context.clock().date()))
    answer = till.post(f"/v1/sandbox/periods/{this_month}/preview")
    assert code(answer) == (403, "system_client_needed")
    birch = sandbox.caller("BIRCH")
    assert code(birch.post("/v1/sandbox/periods/2026-13/preview")) == (404, "not_found")
    assert code(birch.post("/v1/sandbox/periods/1999-01/preview")) == (409, "period_not_ready")


def test_the_clock_goes_forward_for_all_and_never_back(sandbox: Sandbox) -> None:
    birch, operator = sandbox.caller("BIRCH"), sandbox.caller(None)
    held = sandbox.post("redeem", "approved", "/v1/authorizations", points=10).json
    began = birch.get("/v1/sandbox/clock").json
    target = sandbox.clock() + timedelta(days=8)
    body = {"now": target.isoformat()}
    assert code(birch.send("PUT", "/v1/sandbox/clock", json=body)) == (403, "insufficient_scope")
    answer = operator.send("PUT", "/v1/sandbox/clock", json=body)
    assert answer.status_code == 200, answer.text
    assert answer.json["ahead_seconds"] >= began["ahead_seconds"] + 8 * 86_400 - 60
    assert code(birch.get("/v1/sandbox/clock")) == (401, "token_invalid")

    birch, operator = sandbox.caller("BIRCH"), sandbox.caller(None)
    assert datetime.fromisoformat(birch.get("/v1/sandbox/clock").json["now"]) >= target
    assert birch.get(f"/v1/authorizations/{held['id']}").json["state"] == "expired"
    assert code(sandbox.post("spend", "approved", **money(10_000))) == (201, "")
    with sandbox_clock(sandbox.context) as elsewhere:
        assert elsewhere() >= target
    for refused in (target - timedelta(days=1), target + timedelta(days=5 * 366)):
        answer = operator.send("PUT", "/v1/sandbox/clock", json={"now": refused.isoformat()})
        assert code(answer) == (422, "sandbox_clock_refused")


def test_its_books_prove(sandbox: Sandbox) -> None:
    assert [proof.detail for proof in prove(sandbox.context) if not proof.holds] == []


def test_it_is_served_by_several_processes_with_one_clock(sandbox: Sandbox) -> None:
    with served(sandbox) as url, ExitStack() as stack:
        http = stack.enter_context(urllib3.PoolManager(retries=False))

        def token() -> dict[str, str]:
            found = sandbox.credentials[-1]
            form = {
                "grant_type": "client_credentials",
                "client_id": found.client_id,
                "client_secret": found.client_secret,
            }
            answer = http.request("POST", f"{url}/oauth/token", fields=form, encode_multipart=False)
            assert answer.status == 200, answer.data
            return {"Authorization": f"Bearer {answer.json()['access_token']}"}

        target = sandbox.clock() + timedelta(days=2)
        answer = http.request(
            "PUT", f"{url}/v1/sandbox/clock", json={"now": target.isoformat()}, headers=token()
        )
        assert answer.status == 200, answer.data
        headers = token()
        for _ in range(20):
            # A connection each: whichever process takes it up.
            close = {**headers, "Connection": "close"}
            answer = http.request("GET", f"{url}/v1/sandbox/clock", headers=close)
            assert datetime.fromisoformat(answer.json()["now"]) >= target


@contextmanager
def served(sandbox: Sandbox) -> Iterator[str]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment = {
        **{
            name: value
            for name, value in os.environ.items()
            if not name.startswith("CLEARINGHOUSE_")
        },
        "CLEARINGHOUSE_DATA_DIR": str(sandbox.settings.data_dir.parent),
    }
    process = subprocess.Popen(
        [sys.executable, "-m", "api.cli", "serve", "--sandbox", "--port", str(port)],
        env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
    )  # fmt: skip
    try:
        wait_for(port, process)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        said, _ = process.communicate(timeout=60)
    for one in sandbox.credentials:
        assert one.client_id in said
    for number in NUMBER.values():
        assert number in said


def wait_for(port: int, process: "subprocess.Popen[str]") -> None:
    for _ in range(600):
        assert process.poll() is None, process.communicate()
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    raise AssertionError("the sandbox does not answer")


def test_a_reset_begins_with_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What fills the sandbox is tested above; here it only says that it was asked, and finds empty books."""
    own = sandbox_settings(Settings(tmp_path))
    found: list[int] = []

    def fill(context: Context) -> list[Credentials]:
        with context.database.office() as session:
            found.append(len(session.rows("SELECT * FROM clients")))
        issued = create_client(context, None, "x", Authority("tests", "reset"), scopes=["operator"])
        return [Credentials(None, issued.client_id, issued.secret or "")]

    monkeypatch.setattr(filling, "fill", fill)
    try:
        first = prepare(own)
        assert prepare(own) == first
        assert prepare(own, reset=True) != first
    finally:
        embedded.stop(own)
    assert found == [0, 0]


def test_reset_is_for_the_sandbox(tmp_path: Path) -> None:
    result = CliRunner().invoke(serve, ["--reset"], obj=Settings(tmp_path))
    assert result.exit_code == 2
    assert "--sandbox" in result.output
