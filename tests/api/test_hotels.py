"""``/v1/hotels``: where the card is honoured."""

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
