"""``/v1/hotels``: where the card is honoured."""

from datetime import UTC, datetime

import pytest

from tests.api.service import Service


def test_hotels_are_listed_a_page_at_a_time(service: Service) -> None:
    aur = service.client("AUR")
    first = aur.get("/v1/hotels?limit=3")
    assert first.status_code == 200, first.text
    assert [row["code"] for row in first.json["data"]] == ["AUR-BJ", "AUR-SH", "BAM-HZ"]
    rest = aur.get(f"/v1/hotels?limit=3&cursor={first.json['next_cursor']}")
    assert [row["code"] for row in rest.json["data"]] == ["CLD-GZ"]
    assert rest.json["next_cursor"] is None
    assert rest.json["data"][0] == {
        "code": "CLD-GZ",
        "name_zh": "云酒店广州",
        "name_en": "Cloud Guangzhou",
        "city": "广州市",
        "system": {"code": "CLD", "name_zh": "云酒店", "name_en": "Cloud"},
        "since": None,
    }


def test_hotels_are_found_by_city_and_system(service: Service) -> None:
    aur = service.client("AUR", scopes=["hotels:read"])

    def codes(query: str) -> list[str]:
        answer = aur.get(f"/v1/hotels?{query}")
        assert answer.status_code == 200, answer.text
        return [row["code"] for row in answer.json["data"]]

    assert codes("city=杭州市") == ["BAM-HZ"]
    assert codes("city=无") == []
    assert codes("system=AUR") == ["AUR-BJ", "AUR-SH"]
    assert codes("system=AUR&city=上海市") == ["AUR-SH"]
    assert codes("city=' OR 1=1 --") == []
    assert codes("limit=100") == ["AUR-BJ", "AUR-SH", "BAM-HZ", "CLD-GZ"]


def test_a_hotel_is_as_it_is_today(service: Service) -> None:
    moved = ("AUR-SH", "BAM", "竹酒店上海", "Bamboo Shanghai", "上海市", "2026-02-01")
    coming = ("CLD-SZ", "CLD", "云酒店深圳", "Cloud Shenzhen", "深圳市", "2026-02-01")
    service.alliance.add({"hotels.csv": (moved, coming)})
    before = service.client("AUR")
    assert before.get("/v1/hotels/AUR-SH").json["system"]["code"] == "AUR"
    assert before.get("/v1/hotels/CLD-SZ").status_code == 404
    service.alliance.clock.pass_to(datetime(2026, 1, 31, 16, tzinfo=UTC))
    after = service.client("AUR")
    shown = after.get("/v1/hotels/AUR-SH").json
    assert (shown["system"]["code"], shown["name_en"]) == ("BAM", "Bamboo Shanghai")
    assert shown["since"] == "2026-02-01"
    assert after.get("/v1/hotels/CLD-SZ").json["city"] == "深圳市"


def test_hotels_that_are_not_there(service: Service) -> None:
    operator = service.operator()
    for code in ("NONE", "aur-bj", "%00", "AUR-BJ%00", "' OR 1=1 --", "x" * 500, "酒店"):
        answer = operator.get(f"/v1/hotels/{code}")
        assert (answer.status_code, answer.json["code"]) == (404, "not_found"), code


@pytest.mark.parametrize(
    "query",
    ["limit=0", "limit=101", "limit=x", "limit=1.5", "limit=-1", "cursor=", "cursor=*", "city=%00",
     "city=", "system=a b", "offset=3", "limit=１", "limit=99999999999999999999"],
)  # fmt: skip
def test_queries_that_do_not_fit(service: Service, query: str) -> None:
    answer = service.client("AUR").get(f"/v1/hotels?{query}")
    assert (answer.status_code, answer.json["code"]) == (422, "request_invalid"), answer.text


@pytest.mark.parametrize("cursor", ["abc", "A" * 400, "_-_-", "MA"])
def test_cursors_that_nobody_gave(service: Service, cursor: str) -> None:
    answer = service.client("AUR").get(f"/v1/hotels?cursor={cursor}")
    assert (answer.status_code, answer.json["code"]) == (400, "cursor_invalid"), answer.text
