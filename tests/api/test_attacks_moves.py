"""A hotel changes system: what was stays with the old one, what comes is the new one's, and nobody gains more."""

from datetime import UTC, datetime
from typing import Any

import pytest

from clearinghouse.operations.prove import prove
from tests.alliances import CARDS
from tests.api.lived import NOW, body
from tests.api.service import Caller, Service

BEFORE = {"business_date": "2026-11-10", "occurred_at": "2026-11-10T11:30:00+08:00"}
AFTER = {"business_date": "2026-11-12", "occurred_at": "2026-11-12T11:30:00+08:00"}
MOVED = ("AUR-SH", "BAM", "金酒店上海", "Aurum Shanghai", "上海市", "2026-11-11")


def post(caller: Caller, path: str, stated: dict[str, Any], key: str = "") -> Any:
    return caller.post(
        path, json=stated, key=key or f"{path}{stated.get('txn_ref')}{stated['business_date']}"
    )


class Moved:
    """AUR-SH has moved from AUR to BAM on 11 November; it is the twelfth. ``old`` and ``held`` are from the tenth."""

    def __init__(self, service: Service) -> None:
        self.service = service
        service.alliance.accept("award", "CLD-GZ", "seed", "T2", "2026-11-09", points=5_000)
        service.alliance.clock.pass_to(NOW)
        before = service.client("AUR")
        self.old = post(
            before, "/v1/transactions", body("redeem", "AUR-SH", "old", "T2", points=100)
        ).json
        self.held = post(
            before, "/v1/authorizations", body("redeem", "AUR-SH", "held", "T2", points=50)
        ).json
        self.bound = service.issue("AUR", hotels=["AUR-SH"])
        service.alliance.add({"hotels.csv": (MOVED,)})
        service.alliance.clock.pass_to(datetime(2026, 11, 12, 4, tzinfo=UTC))
        self.aur, self.bam = service.client("AUR"), service.client("BAM")
        answer = service.token_request(self.bound)
        self.shanghai = Caller(service.http, answer.json["access_token"])


@pytest.fixture
def moved(service: Service) -> Moved:
    return Moved(service)


def test_what_was_stays_with_the_system_of_its_day(moved: Moved) -> None:
    path = f"/v1/transactions/{moved.old['id']}"
    assert moved.aur.get(path).json == moved.old
    assert moved.shanghai.get(path).status_code == 200
    assert moved.bam.get(path).status_code == 404
    assert moved.bam.get("/v1/transactions?host_hotel=AUR-SH").json["data"] == []
    assert moved.bam.get(f"/v1/authorizations/{moved.held['id']}").status_code == 404
    assert moved.bam.post(f"/v1/authorizations/{moved.held['id']}/void", key="v").status_code == 404


def test_what_comes_is_the_new_systems(moved: Moved) -> None:
    stated = {**body("redeem", "AUR-SH", "new", "T2", points=10), **AFTER}
    for stranger in (moved.aur, moved.shanghai):
        answer = post(stranger, "/v1/transactions", stated)
        assert (answer.status_code, answer.json["code"]) == (422, "hotel_not_yours")
    told = post(moved.bam, "/v1/transactions", stated)
    assert (told.status_code, told.json["host_system"]) == (201, "BAM")
    assert [leg["host_system"] for leg in told.json["legs"]] == ["BAM"]
    path = f"/v1/transactions/{told.json['id']}"
    assert moved.bam.get(path).status_code == 200
    for stranger in (moved.aur, moved.shanghai):
        assert stranger.get(path).status_code == 404


def test_each_speaks_for_its_own_days(moved: Moved) -> None:
    late = {**body("award", "AUR-SH", "late", "T2", points=10), **BEFORE}
    assert post(moved.bam, "/v1/transactions", late).json["code"] == "hotel_not_yours"
    told = post(moved.aur, "/v1/transactions", late)
    assert (told.status_code, told.json["host_system"]) == (201, "AUR")
    # Not even a repeat of what another system posted at this hotel is answered with its transaction.
    again = {**body("redeem", "AUR-SH", "old", "T2", points=100), **BEFORE}
    assert post(moved.bam, "/v1/transactions", again).json["code"] == "hotel_not_yours"
    reused = post(moved.bam, "/v1/transactions", {**again, **AFTER})
    assert (reused.status_code, reused.json["code"]) == (409, "txn_ref_reused")


def test_the_hotel_refunds_what_it_sold_before(moved: Moved) -> None:
    stated = {**AFTER, "txn_ref": "back", "points": 40}
    refund = f"/v1/transactions/{moved.old['id']}/refund"
    assert post(moved.aur, refund, stated).json["code"] == "hotel_not_yours"
    assert post(moved.bam, refund, stated).status_code == 404
    by_line = {
        **body("refund", "AUR-SH", "back", "T2", points=40),
        **AFTER,
        "original_txn_ref": "old",
    }
    told = post(moved.bam, "/v1/transactions", by_line)
    assert told.status_code == 201, told.json
    # A leg is undone between those whom it was between.
    assert [leg["host_system"] for leg in told.json["legs"]] == ["AUR"]
    assert moved.bam.get(f"/v1/transactions/{moved.old['id']}").status_code == 404
    assert all(proof.holds for proof in prove(moved.service.context))


def test_a_hold_of_before_is_captured_by_its_day_or_let_go(moved: Moved) -> None:
    capture = f"/v1/authorizations/{moved.held['id']}/capture"
    assert post(moved.aur, capture, {**AFTER, "points": 10}).json["code"] == "hotel_not_yours"
    assert post(moved.bam, capture, {**AFTER, "points": 10}).status_code == 404
    told = post(moved.aur, capture, {**BEFORE, "points": 10})
    assert (told.status_code, told.json["host_system"]) == (201, "AUR")
    assert all(proof.holds for proof in prove(moved.service.context))


def test_its_cards_go_with_the_hotel(service: Service) -> None:
    """The new system sees whose they are, the old one no longer does."""
    service.alliance.clock.pass_to(NOW)
    aur = service.client("AUR")
    known = aur.post("/v1/cards/lookup", json={"card_number": CARDS["T1"]}).json
    assert known["own"]["holder_name"] == "李芳"
    service.alliance.add({"hotels.csv": (("AUR-BJ", *MOVED[1:]),)})
    service.alliance.clock.pass_to(datetime(2026, 11, 12, 4, tzinfo=UTC))
    aur, bam = service.client("AUR"), service.client("BAM")
    gone = aur.get(f"/v1/cards/{known['card_id']}").json
    assert (gone["own"], gone["is_own_system"]) == (None, False)
    assert (
        aur.patch(f"/v1/cards/{known['card_id']}", json={"status": "suspended"}).status_code == 404
    )
    assert (
        bam.post("/v1/cards/lookup", json={"card_number": CARDS["T1"]}).json["own"]["holder_name"]
        == "李芳"
    )
