"""Attempts that must fail: finding a person, a card number or a secret in what the service says or keeps of a day."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from api.http.options import Options
from clearinghouse.operations.batches import work_off
from clearinghouse.operations.context import Context
from clearinghouse.operations.enrol import OneTimeCode
from tests.alliances import CARDS
from tests.api.lived import AT, HOOK, NOW, TODAY, body
from tests.api.service import URL, Caller, Service
from tests.operations.night_audit import as_csv, as_ndjson, stated

WHEN = {"business_date": TODAY, "occurred_at": AT}
NAME, PHONE, EMAIL = "欧阳娜娜", "139 0013 9777", "nana.ouyang@example.com"


class Day:
    """A day's traffic of three systems, good and bad, with all that was answered and what must not be found in it."""

    def __init__(self, service: Service, codes: list[OneTimeCode]) -> None:
        self.service = service
        self.answers: list[Any] = []
        service.alliance.clock.pass_to(NOW)
        self.callers = {code: service.client(code) for code in ("AUR", "BAM", "CLD")}
        self.secrets = [
            *CARDS.values(),
            "13900139777",
            "13800138000",
            "13800138001",
            EMAIL,
            "李芳",
            "王伟",
            NAME,
        ]
        for caller in self.callers.values():
            assert caller.issued
            self.secrets += [str(caller.token), str(caller.issued.secret)]
        aur, bam, cld = self.callers.values()
        for caller, host in ((aur, "AUR-BJ"), (bam, "BAM-HZ"), (cld, "CLD-GZ")):
            self._till(caller, host)
        self._desk(aur, codes)
        self._night(bam)
        self._nonsense(cld)

    def _ask(
        self, caller: Caller, path: str, stated_body: Any, key: str = "", method: str = "POST"
    ) -> Any:
        answer = caller.send(
            method, path, json=stated_body, key=key or f"{path}{len(self.answers)}"
        )
        self.answers.append(answer)
        return answer

    def _till(self, caller: Caller, host: str) -> None:
        for card in ("T1", "T2"):
            spent = self._ask(
                caller, "/v1/transactions", body("spend", host, f"s{card}", card, amount=50_000)
            ).json
            self._ask(
                caller, "/v1/transactions", body("redeem", host, f"r{card}", card, points=99_999)
            )
            held = self._ask(
                caller, "/v1/authorizations", body("redeem", host, f"h{card}", card, points=20)
            ).json
            self._ask(caller, f"/v1/authorizations/{held['id']}/capture", {**WHEN, "points": 10})
            refund = {**WHEN, "txn_ref": f"b{card}", "amount": {"amount_minor": 10_000}}
            self._ask(caller, f"/v1/transactions/{spent['id']}/refund", refund)
        self._ask(caller, "/v1/transactions", body("spend", host, "unknown", "T3", amount=5))
        hook = self._ask(caller, "/v1/webhooks", {"url": HOOK}).json
        self.secrets.append(hook["secret"])
        self._ask(caller, f"/v1/webhooks/{hook['id']}/test", None)

    def _desk(self, caller: Caller, codes: list[OneTimeCode]) -> None:
        found = self._ask(caller, "/v1/cards/lookup", {"card_number": CARDS["T1"]}).json
        self._ask(caller, f"/v1/cards/{found['card_id']}", {"tier_code": "A1"}, method="PATCH")
        for name, phone in (
            (NAME, PHONE),
            ("王伟", "+86 138 0013 8001"),
            ("李芳", "13800138000"),
            ("x", "1380013800x"),
        ):
            person = {
                "hotel": "AUR-BJ",
                "tier_code": "A1",
                "name": name,
                "phone": phone,
                "email": EMAIL,
            }
            begun = self._ask(caller, "/v1/enrolments", person).json
            if "enrolment_id" in begun:
                confirm = f"/v1/enrolments/{begun['enrolment_id']}/confirm"
                self._ask(caller, confirm, {"code": "x", "card_number": CARDS["T3"]})
                self._ask(caller, confirm, {"code": codes[-1].code})
        self._ask(
            caller,
            f"/v1/cards/{found['card_id']}/replace",
            {"reason": "lost", "card_number": CARDS["T3"]},
        )

    def _night(self, caller: Caller) -> None:
        lines = [stated("BAM-HZ", "n1", amount=5_000), stated("AUR-BJ", "n2"), f"BAM-HZ,{CARDS['T1']},{NAME}",
                 stated("BAM-HZ", "n3", card="6277810000000099"), stated("BAM-HZ", "n4", kind=CARDS["T1"])]  # fmt: skip
        for kind, night in (
            ("text/csv", as_csv(lines)),
            ("application/x-ndjson", as_ndjson(lines)),
        ):
            sent = caller.post("/v1/batches", key=kind, data=night, content_type=kind)
            while work_off(self.service.context, lanes=1):
                pass
            self.answers += [sent, caller.get(f"/v1/batches/{sent.json['batch_id']}/results")]

    def _nonsense(self, caller: Caller) -> None:
        number = CARDS["T1"]
        for method, path, sent in (
            ("GET", f"/v1/cards/{number}", None),
            ("GET", f"/v1/transactions/{number}", None),
            ("GET", f"/v1/transactions?txn_ref={number}x&card={number}", None),
            ("GET", f"/{number}/{NAME}", None),
            ("POST", "/v1/cards/lookup", {"card_number": number, "name": NAME}),
            ("POST", "/v1/cards/lookup", {"card_number": f"{number}1"}),
            ("POST", "/v1/transactions", {"kind": number, "card_number": NAME, "phone": PHONE}),
        ):
            answer = self._ask(caller, path, sent, key="nonsense", method=method)
            assert answer.status_code >= 400


@pytest.fixture
def codes() -> list[OneTimeCode]:
    return []


@pytest.fixture
def day(context: Context, tmp_path: Path, codes: list[OneTimeCode]) -> Day:
    options = Options(public_url=URL, webhook_private=True, send=codes.append)
    return Day(Service(context, tmp_path / "service", options), codes)


def found(secrets: list[str], text: str) -> list[str]:
    return [secret for secret in secrets if secret in text]


def test_nothing_of_a_day_is_told_to_those_who_may_not_know(
    capsys: pytest.CaptureFixture[str], day: Day, codes: list[OneTimeCode]
) -> None:
    logged = capsys.readouterr()
    assert logged.err.count('"event": "request"') > 40
    sealed = [*day.secrets, *(code.code for code in codes)]
    log = "\n".join(
        json.dumps(
            {
                name: value
                for name, value in json.loads(line).items()
                if name not in ("timestamp", "request_id")
            },
            ensure_ascii=False,
        )
        for line in logged.err.splitlines()
    )
    assert found(sealed, log + logged.out) == []
    metrics = day.service.http.get("/metrics").text
    assert found(day.secrets, metrics) == []
    assert "AUR" not in metrics
    refused = [answer for answer in day.answers if answer.status_code >= 400]
    assert len({answer.json["code"] for answer in refused}) >= 7
    for answer in refused:
        text = re.sub(r'"request_id":"[^"]+"', "", answer.text)
        assert found(day.secrets, text) == [], text
    whole = [answer for answer in day.answers if answer.status_code < 400]
    own = {"李芳", NAME, *(secret for secret in day.secrets if secret.startswith("whsec_"))}
    for answer in whole:
        # The own card's holder is shown to the desk, a webhook's secret once to who made it.
        assert set(found(day.secrets, answer.text)) <= own, answer.text
    for caller in day.callers.values():
        events = caller.get("/v1/events?limit=100")
        assert len(events.json["data"]) > 5
        assert found(day.secrets, events.text) == []
        deliveries = [
            caller.get(f"/v1/webhooks/{hook['id']}/deliveries").text
            for hook in caller.get("/v1/webhooks").json["data"]
        ]
        assert found(day.secrets, "".join(deliveries)) == []


def test_a_method_of_ones_own_making_is_kept_nowhere(
    service: Service, capsys: pytest.CaptureFixture[str]
) -> None:
    """Anybody can send any word for a method: as a label of a metric each would stay in memory for ever."""
    for n in range(20):
        answer = service.http.open("/v1/hotels", method=f"M{CARDS['T1']}{n}")
        assert answer.status_code == 405
    assert CARDS["T1"] not in service.http.get("/metrics").text
    assert CARDS["T1"] not in capsys.readouterr().err


def test_nothing_of_a_day_lies_open_in_the_books(day: Day, codes: list[OneTimeCode]) -> None:
    """Names, phones and card numbers are sealed, secrets are hashed: whoever reads a copy of the tables finds none."""
    needles = [needle for secret in day.secrets for needle in (secret, secret.encode().hex())]
    tables = day.service.alliance.rows(
        "SELECT relname FROM pg_class WHERE relkind IN ('r', 'p') AND NOT relispartition"
        " AND relnamespace = 'public'::regnamespace"
    )
    assert len(tables) > 20
    for (table,) in tables:
        for (row,) in day.service.alliance.rows(f'SELECT t::text FROM "{table}" t'):
            assert found(needles, row) == [], (table, row[:300])
    assert len(codes) == 3
