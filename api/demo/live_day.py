"""A day of live traffic over HTTP, on the demo's books: what the hotels' tills asked, and what they were answered."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any

import urllib3

from api.demo.facts import LiveSetting
from api.demo.live_service import Answer, Client, ToldClock, served
from api.demo.months import ALLIANCE_TIME, moment
from clearinghouse.domain.errors import ClearinghouseError
from clearinghouse.domain.money import yuan
from clearinghouse.operations.changing import Authority
from clearinghouse.operations.clients import create_client
from clearinghouse.operations.context import Context

_AUTHORITY = Authority("demo", "the live day")
#: Every system that has a till in this play.
_SYSTEMS = ("BIRCH", "LILAC", "CAMELLIA", "GINKGO", "MAPLE", "REED", "WILLOW")


@dataclass(frozen=True, slots=True)
class Entry:
    """What happened at a till, and the answer; a refusal has its `code`, a transaction its `txn_ref`."""

    at: datetime
    hotel: str
    zh: str
    en: str
    status: int
    answer_zh: str
    answer_en: str
    code: str = ""
    txn_ref: str = ""


def play_live_day(context: Context, setting: LiveSetting) -> tuple[Entry, ...]:
    """Serve the API on these books by a clock of the past, and live a day through it.

    Raises:
        ClearinghouseError: the service answers otherwise than the rules say.
    """
    clock = ToldClock(moment(setting.day, 8 * 60))
    then = replace(context, clock=clock)
    issued = {code: create_client(then, code, "live day", _AUTHORITY) for code in _SYSTEMS}
    with served(then) as url, urllib3.PoolManager(retries=False) as http:
        clients = {code: Client(http, url, found) for code, found in issued.items()}
        day = _Day(setting, clock, clients)
        _morning(day)
        _afternoon(day)
        _evening(day)
    return tuple(day.entries)


class _Day:
    """The day under way: its clock, its tills, and what has been told of it."""

    def __init__(
        self, setting: LiveSetting, clock: ToldClock, clients: Mapping[str, Client]
    ) -> None:
        self.setting = setting
        self.entries: list[Entry] = []
        self._clock = clock
        self._clients = clients
        self._hotel = ""
        self._what = ("", "")
        self._count = 0

    def scene(self, clock: str, hotel: str, zh: str, en: str, days_later: int = 0) -> None:
        """Go to a till at a time `HH:MM`, and say what happens there."""
        hour, minute = map(int, clock.split(":"))
        day = self.setting.day + timedelta(days=days_later)
        self._clock.now = moment(day, hour * 60 + minute)
        self._hotel, self._what = hotel, (zh, en)

    def ask(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Ask what moves nothing."""
        return self._expect(self._client.call(method, path, body), 200).document

    def move(self, path: str, expected: int, repeated: str = "", **body: Any) -> Answer:
        """Send what moves value, under a key of its own or once more under that of a `repeated` reference."""
        key = repeated or self._next_ref()
        happened = self._clock.now
        stated = {} if path.endswith("/void") else _stated(happened, body)
        if path in {"/v1/transactions", "/v1/authorizations"}:
            stated |= {"host_hotel": self._hotel, "txn_ref": key}
        elif path.endswith("/refund"):
            stated["txn_ref"] = key
        return self._expect(self._client.call("POST", path, stated, f"live-{key}"), expected)

    def tell(self, status: int, zh: str, en: str, *, code: str = "", txn_ref: str = "") -> None:
        """Write down what the service answered."""
        at, hotel = self._clock.now, self._hotel
        self.entries.append(Entry(at, hotel, *self._what, status, zh, en, code, txn_ref))

    def tell_moved(self, answer: Answer, zh: str = "", en: str = "") -> None:
        """Write down a transaction or a hold by the sentence that the till shows, and more words."""
        document = answer.document
        posted = "posted_at" in document
        if posted and not zh:
            zh, en = _fee(document)
        till = document["till"]
        ref = document["txn_ref"] if posted else ""
        self.tell(
            answer.status, f"{till['zh']}；{zh}" if zh else till["zh"],
            f"{till['en']}; {en}" if en else till["en"], txn_ref=ref,
        )  # fmt: skip

    def tell_refused(self, answer: Answer) -> None:
        """Write down a refusal with its code and the sentence that the till shows."""
        code, till = answer.document["code"], answer.document["till"]
        self.tell(answer.status, f"拒绝：{till['zh']}", f"{code}: {till['en']}", code=code)

    @property
    def _client(self) -> Client:
        return self._clients[self._hotel.partition("-")[0]]

    def _next_ref(self) -> str:
        self._count += 1
        return f"{self.setting.day:%y%m%d}-L{self._count:02}"

    @staticmethod
    def _expect(answer: Answer, status: int) -> Answer:
        if answer.status != status:
            found = answer.document.get("code", "")
            raise ClearinghouseError(
                f"the live day does not go as the rules say: {answer.status} {found} in place of {status}"
            )
        return answer


def _morning(day: _Day) -> None:
    guest, payer = day.setting.points_card, day.setting.purse_card
    day.scene("08:30", "BIRCH-BJ", "前台：这张云杉的卡在白桦享受什么待遇？",
              "Front desk: how is this Spruce card treated at Birch?")  # fmt: skip
    card_id = day.ask("POST", "/v1/cards/lookup", {"card_number": guest})["card_id"]
    treated = day.ask("GET", f"/v1/cards/{card_id}/treatment?hotel=BIRCH-BJ")
    benefits = treated["benefits"]
    day.tell(
        200,
        f"{treated['sentence']}：{'、'.join(b['zh'] for b in benefits)}",
        f"as {treated['name_en']}: {', '.join(b['en'] for b in benefits)};"
        f" {treated['earn_points_per_yuan']} points per yuan",
    )

    day.scene("09:10", "BIRCH-BJ", "入住押金：冻结 2,000 分", "A deposit: 2,000 points are held")
    deposit = day.move("/v1/authorizations", 201, kind="redeem", card_id=card_id, points=2_000)
    day.tell_moved(deposit)

    day.scene("09:40", "LILAC-XM", "银杏的卡，冻结储值 ¥400.00",
              "A Ginkgo card: ¥400.00 of its stored value is held")  # fmt: skip
    purse = day.move(
        "/v1/authorizations", 201, kind="stored_value_spend", card_number=payer, amount=40_000
    )
    day.tell_moved(purse)

    day.scene(
        "10:05", "BIRCH-BJ", "退房：冻结的积分全部请款", "Check-out: all that is held is captured"
    )
    auth = deposit.document["id"]
    day.tell_moved(day.move(f"/v1/authorizations/{auth}/capture", 201, points=2_000))

    day.scene("11:20", "CAMELLIA-KM", "冻结 500 分……", "500 points are held ...")
    hold = day.move("/v1/authorizations", 201, kind="redeem", card_number=guest, points=500)
    day.tell_moved(hold)
    day.scene(
        "11:45", "CAMELLIA-KM", "……客人改主意：撤销冻结", "... the guest changes plans: voided"
    )
    day.tell_moved(day.move(f"/v1/authorizations/{hold.document['id']}/void", 200))

    day.scene("14:00", "LILAC-XM", "晚餐只花了 ¥300.50：部分请款，其余解冻",
              "Dinner is ¥300.50 only: captured in part, the rest is free")  # fmt: skip
    auth = purse.document["id"]
    day.tell_moved(day.move(f"/v1/authorizations/{auth}/capture", 201, amount=30_050))


def _afternoon(day: _Day) -> None:
    guest, payer = day.setting.points_card, day.setting.purse_card
    day.scene(
        "14:20", "GINKGO-SZ", "银杏的卡在银杏消费 ¥680.00", "A Ginkgo card spends ¥680.00 at Ginkgo"
    )
    day.tell_moved(
        day.move("/v1/transactions", 201, kind="spend", card_number=payer, amount=68_000)
    )

    day.scene(
        "15:15", "MAPLE-SH", "云杉的卡在红枫消费 ¥888.88", "A Spruce card spends ¥888.88 at Maple"
    )
    stay = day.move("/v1/transactions", 201, kind="spend", card_number=guest, amount=88_888)
    day.tell_moved(stay)

    day.scene("15:40", "MAPLE-BJ", "用 800 分，收银机没等到应答……",
              "800 points used; the till never sees the answer ...")  # fmt: skip
    wanted: dict[str, Any] = {"kind": "redeem", "card_number": guest, "points": 800}
    first = day.move("/v1/transactions", 201, **wanted)
    day.tell_moved(first)

    day.scene("15:40", "MAPLE-BJ", "……同一幂等键重发", "... and sends it again with the same key")
    again = day.move("/v1/transactions", 201, repeated=first.document["txn_ref"], **wanted)
    if not again.replayed or again.document != first.document:
        raise ClearinghouseError("a repeated request has another answer than the first")
    day.tell(201, "首次的应答原样返回，只入账一次", "the first answer again; it is booked once")

    day.scene("16:30", "MAPLE-SH", "退回消费中的 ¥200.00", "¥200.00 of the spend is refunded")
    original = stay.document["id"]
    day.tell_moved(day.move(f"/v1/transactions/{original}/refund", 201, amount=20_000))


def _evening(day: _Day) -> None:
    guest = day.setting.points_card
    day.scene("17:45", "WILLOW-YZ", "要用 99,999 分", "99,999 points are asked for")
    day.tell_refused(
        day.move("/v1/transactions", 422, kind="redeem", card_number=guest, points=99_999)
    )

    day.scene(
        "18:30", "REED-WH", "冻结 300 分，此后无人过问", "300 points are held and then forgotten"
    )
    left = day.move("/v1/authorizations", 201, kind="redeem", card_number=guest, points=300)
    day.tell_moved(left)

    day.scene("18:31", "REED-WH", "一周后才来请款：冻结已过期，积分早已可用",
              "Captured only a week later: the hold is over, the points are free", days_later=7)  # fmt: skip
    auth = left.document["id"]
    if day.ask("GET", f"/v1/authorizations/{auth}")["state"] != "expired":
        raise ClearinghouseError("a hold outlives its time")
    day.tell_refused(day.move(f"/v1/authorizations/{auth}/capture", 422, points=300))


def _stated(happened: datetime, body: Mapping[str, Any]) -> dict[str, Any]:
    """Write a request as of the moment at the till."""
    stated = {
        **body,
        "business_date": _local_day(happened).isoformat(),
        "occurred_at": happened.isoformat(),
    }
    if "amount" in stated:
        stated["amount"] = {"amount_minor": stated["amount"], "currency": "CNY"}
    return stated


def _local_day(happened: datetime) -> date:
    return happened.astimezone(ALLIANCE_TIME).date()


def _fee(document: Mapping[str, Any]) -> tuple[str, str]:
    """Say what a transaction costs its host, and which issuers owe it something."""
    fee = document["fee"]["amount_minor"]
    owing = sorted(
        {leg["issuer_system"] for leg in document["legs"] if leg["obligation"]["amount_minor"] > 0}
    )
    if not any(leg["is_cross_system"] for leg in document["legs"]):
        return "本系统内，非交换不收费", "inside one system: no fee"
    zh, en = f"手续费 {yuan(fee)} 元", f"fee ¥{yuan(fee)}"
    if owing:
        zh, en = f"{'、'.join(owing)} 付款，{zh}", f"{' and '.join(owing)} will pay, {en}"
    return zh, en
