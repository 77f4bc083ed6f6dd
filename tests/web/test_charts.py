"""Bar charts: whatever the amounts, every bar stays in its picture, and nothing of it is style or script."""

import pytest
from flask import Flask
from hypothesis import given
from hypothesis import strategies as some
from lxml import html

from tests.web.site import Site
from web.frame.charts import Bar, bar_chart, compact


@pytest.fixture(scope="module")
def app() -> Flask:
    made = Flask("charts")
    made.config["SECRET_KEY"] = "x" * 32
    return made


@given(some.lists(some.integers(-(10**15), 10**15), max_size=12))
def test_bars_stay_in_the_picture(app: Flask, amounts: list[int]) -> None:
    with app.test_request_context("/"):
        picture = bar_chart(
            "net",
            "a title",
            "<b>&",
            [Bar(str(n), amount, "said") for n, amount in enumerate(amounts)],
        )
    found = html.fromstring(picture)
    assert found.xpath("string(//desc)") == "<b>&"
    bars = found.xpath("//rect")
    assert len(bars) == len(amounts)
    for bar, amount in zip(bars, amounts, strict=True):
        top, height = float(bar.get("y")), float(bar.get("height"))
        assert 0 <= top <= top + height <= 240
        assert ("negative" in bar.get("class")) == (amount < 0)
    lines = found.xpath("//line")
    assert 2 <= len(lines) <= 7
    assert found.xpath("count(//line[@class='axis'])") == 1
    assert "style" not in picture


def test_marks_are_short(site: Site) -> None:
    with site.app.test_request_context("/", headers={"Accept-Language": "zh"}):
        assert [compact(n) for n in (0, 50, 10_000, 1_500_000, -20_000_000_000)] == [
            "0", "0.5", "100", "1.5万", "−2亿",
        ]  # fmt: skip
    with site.app.test_request_context("/", headers={"Accept-Language": "en"}):
        assert [compact(n) for n in (10_000, 150_000, -200_000_000)] == ["100", "1.5K", "−2M"]
