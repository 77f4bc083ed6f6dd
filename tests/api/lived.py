"""An alliance that was lived in, over HTTP: of everything that has an address there is one, of AUR, BAM and CLD."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from api.http.options import Options
from clearinghouse.operations.batches import work_off
from clearinghouse.operations.context import Context
from clearinghouse.operations.enrol import OneTimeCode
from tests.alliances import CARDS
from tests.api.service import URL, Caller, Service
from tests.operations.night_audit import as_csv, stated

#: Tuesday 10 November 2026, a little before one in the afternoon at the hotels.
NOW = datetime(2026, 11, 10, 4, 45, tzinfo=UTC)
TODAY = "2026-11-10"
AT = "2026-11-10T11:30:00+08:00"
HOOK = "http://127.0.0.1:9/hooks"


def body(kind: str, host: str, ref: str, card: str = "T1", **more: Any) -> dict[str, Any]:
    """State a transaction of today; ``amount`` is in fen."""
    amount = more.pop("amount", None)
    money = {} if amount is None else {"amount": {"amount_minor": amount}}
    return {
        "kind": kind, "host_hotel": host, "txn_ref": ref, "card_number": CARDS.get(card, card),
        "business_date": TODAY, "occurred_at": AT, **money, **more,
    }  # fmt: skip


@dataclass(frozen=True)
class Ids:
    """What one system has, by the ids that it knows."""

    txn_id: str
    auth_id: str
    card_id: str
    batch_id: str
    webhook_id: str
    event_id: str
    enrolment_id: str
    dispute_id: str
    evidence_id: str
    period: str = "2026-10"


class Lived:
    """October is settled; today each system has done a bit of everything. ``codes`` are those sent to phones."""

    def __init__(self, context: Context, folder: Path) -> None:
        self.codes: list[OneTimeCode] = []
        # The tests of one second ask more than a client may.
        options = Options(
            public_url=URL,
            requests_per_second=100_000,
            webhook_private=True,
            access_log=False,
            send=self.codes.append,
        )
        self.service = Service(context, folder, options)
        self._october()
        self.service.alliance.clock.pass_to(NOW)
        self.callers = {code: self.service.client(code) for code in ("AUR", "BAM", "CLD")}
        self.operator = self.service.operator()
        #: What each disputes of October: AUR a use of its stored value at BAM, BAM and CLD their fees.
        self.disputed = {"AUR": "o7", "BAM": "o2", "CLD": "o9"}
        self.ids = {
            "AUR": self._live("AUR", "AUR-BJ", "T1", "A1"),
            "BAM": self._live("BAM", "BAM-HZ", "T1", "B1"),
            "CLD": self._live("CLD", "CLD-GZ", "T2", "C1"),
        }
        work_off(self.service.context, lanes=1)
        self.service.alliance.clock.pass_to(NOW + timedelta(minutes=5))

    def _october(self) -> None:
        do = self.service.alliance.accept
        do("spend", "AUR-SH", "o1", "T1", "2026-10-02", amount=1_200_000)
        do("spend", "BAM-HZ", "o2", "T1", "2026-10-03", amount=888_888)
        do("redeem", "CLD-GZ", "o3", "T1", "2026-10-04", points=2_000)
        do("load", "AUR-BJ", "o4", "T1", "2026-10-05", amount=10_000_000)
        do("load", "CLD-GZ", "o5", "T2", "2026-10-05", amount=10_000_000)
        do("award", "CLD-GZ", "o6", "T2", "2026-10-06", points=10_000)
        do("stored_value_spend", "BAM-HZ", "o7", "T1", "2026-10-07", amount=30_050)
        do("refund", "BAM-HZ", "o8", "T1", "2026-10-08", amount=10_025, original="o7")
        do("spend", "CLD-GZ", "o9", "T1", "2026-10-09", amount=50_000)
        self.service.alliance.settle("2026-10")

    def _live(self, system: str, host: str, card: str, tier: str) -> Ids:
        caller = self.callers[system]
        redeemed = _made(caller, "/v1/transactions", body("redeem", host, "n1", card, points=200))
        held = _made(caller, "/v1/authorizations", body("redeem", host, "n2", card, points=100))
        hook = _made(caller, "/v1/webhooks", {"url": HOOK})
        night = as_csv([stated(host, "n3", amount=5_000), "x", stated(host, "n4", "award")])
        batch = caller.post("/v1/batches", key="n", data=night, content_type="text/csv")
        person = {
            "hotel": host, "tier_code": tier, "name": f"孙莉{system}", "phone": f"139 0013 90{len(self.codes):02}",
        }  # fmt: skip
        enrolment = _made(caller, "/v1/enrolments", person)
        line = self.service.alliance.value(
            "SELECT txn_id FROM transactions WHERE txn_ref = %s", self.disputed[system]
        )
        claim = {"transaction": f"txn_{line.hex}", "reason": "other", "text": "费率不符"}
        dispute = _made(caller, "/v1/disputes", claim)
        evidence = caller.post(
            f"/v1/disputes/{dispute['id']}/evidence?name=slip.txt",
            data="小票 slip",
            content_type="text/plain",
        )
        events = caller.get("/v1/events").json["data"]
        return Ids(
            redeemed["id"],
            held["id"],
            redeemed["card_id"],
            batch.json["batch_id"],
            hook["id"],
            events[0]["id"],
            enrolment["enrolment_id"],
            dispute["id"],
            evidence.json["id"],
        )


def _made(caller: Caller, path: str, stated_body: dict[str, Any]) -> dict[str, Any]:
    answer = caller.post(path, json=stated_body, key=f"lived-{stated_body.get('txn_ref')}")
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json
    return made
