"""The rulebook on the desk: words, differences, drafts and what they would have cost."""

import json
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest

from clearinghouse.domain.calendar import parse_period
from clearinghouse.domain.rulebook import rulebook_from_document
from clearinghouse.operations import registry
from clearinghouse.operations.context import Context
from settlement.impact import impact
from tests.alliances import RULEBOOK, MiniAlliance, live_a_while
from tests.web.site import Browser, Site
from web.frame.staff import Role

OCTOBER = parse_period("2026-10")
DEARER = {
    **RULEBOOK,
    "version": "v9",
    "effective_from": "2027-06-01",
    "fees": {"spend": {"rate_ppm": 15_000}, "redeem": {"rate_ppm": 20_000, "min_minor": 50}},
}


@pytest.fixture
def finance(site: Site) -> Browser:
    return site.staff(None, Role.FINANCE)


def draft(**members: Any) -> dict[str, Any]:
    return {"document": json.dumps({**DEARER, **members}, ensure_ascii=False)}


def test_a_version_is_read_in_words_in_both_languages(finance: Browser) -> None:
    words = finance.get("/desk/rulebooks/v1").words()
    assert "每 100 积分抵 1.00 元" in words
    assert "跨系统时由接待方支付金额的 2% · 本系统内不收费" in words
    assert "有效期至 2030-12-31" in words
    english = finance.get("/desk/rulebooks/v1?lang=en").words()
    assert "100 points are worth ¥1.00" in english
    assert "每" not in english


def test_two_versions_differ_in_words(site: Site, finance: Browser) -> None:
    path = "/desk/rulebooks/draft/adopt"
    finance.post(path, {**draft(), "reason": "agreed", "sure": "on"}).follow()
    assert "v9 已登记" in finance.words()
    page = finance.get("/desk/rulebooks/compare?from=v1&to=v9")
    rows = [" | ".join(c.text_content() for c in row) for row in page.page.xpath("//tbody/tr")]
    assert len(rows) == 2
    assert "2% · 本系统内不收费 | " in rows[1]
    assert "每笔至少 0.50 元" in rows[1]
    differing = registry.rulebook_difference(site.context, "v1", "v9")
    assert {n.split(".")[1] for n in differing if n.startswith("fees.")} == {"spend", "redeem"}
    actor = site.alliance.value("SELECT actor FROM audit_log WHERE action = 'rulebook.add'")
    assert actor == finance.login


def test_a_draft_is_checked_and_lands_nowhere(site: Site, finance: Browser) -> None:
    page = finance.post("/desk/rulebooks/draft/", draft())
    assert page.status == 200
    words = page.words()
    assert "内容有效，可以登记" in words
    assert "改动了 2 条规则" in words
    assert "还没有已发布的月份" in words
    uploaded = {"file": (BytesIO(json.dumps(DEARER).encode()), "rulebook.json"), "document": "x"}
    assert "内容有效" in finance.post("/desk/rulebooks/draft/", uploaded).words()
    assert [row.version for row in registry.rulebooks(site.context)] == ["v1"]


@pytest.mark.parametrize(
    ("sent", "sentence"),
    [
        ({"document": ""}, "请粘贴或上传"),
        ({"document": "{"}, "is not JSON"),
        (draft(vat_ppm=-1), "vat_ppm must be between"),
        (draft(nonsense=1), "nonsense"),
        ({"file": (BytesIO(b"\xff\xfe\x00"), "a.json")}, "不是 UTF-8"),
        ({"document": "x" * 70_000}, "太长"),
    ],
)
def test_a_draft_that_is_none_is_told_why(
    finance: Browser, sent: dict[str, Any], sentence: str
) -> None:
    page = finance.post("/desk/rulebooks/draft/", sent)
    assert page.status == 200
    assert sentence in page.words("//div[@role='alert']")


def test_a_sound_draft_that_does_not_fit_the_record_says_so(finance: Browser) -> None:
    words = finance.post("/desk/rulebooks/draft/", draft(effective_from="2026-01-01")).words()
    assert "内容有效，但还不能登记" in words
    unsure = finance.post("/desk/rulebooks/draft/adopt", {**draft(), "reason": "agreed"})
    assert "请勾选确认" in unsure.words("//div[@role='alert']")


@pytest.fixture
def lived(context: Context, tmp_path: Path) -> MiniAlliance:
    rules = {"points_expiry_months": 1, "restore_grace_days": 5}
    made = MiniAlliance(context, tmp_path, rulebook=rules)
    live_a_while(made)
    return made


def test_the_rules_of_a_month_cost_what_they_cost(lived: MiniAlliance) -> None:
    """Priced by its own rulebook every leg and every sum comes out as it was."""
    own = lived.context.current_directory().rulebooks[0].rulebook
    for by_leg in (True, False):
        found = impact(lived.context, own, OCTOBER, by_leg=by_leg)
        assert found.within_minor == 0
        for row in found.systems:
            assert row.after == row.before, (by_leg, row.code)
            assert all(was == would for was, would in row.fees.values())


def test_a_draft_costs_what_its_legs_cost_one_by_one(lived: MiniAlliance) -> None:
    """Recounted here from the legs, those that the month's refunds have changed as they stand at its end."""
    rules = rulebook_from_document(DEARER)
    standing = lived.rows(
        "SELECT host_system, fee_kind, sum(base_minor)::bigint FROM legs WHERE period = %s"
        " AND host_system <> issuer_system GROUP BY host_system, fee_kind,"
        " coalesce(reverses_txn, txn_id), coalesce(reverses_leg, leg_no)",
        OCTOBER,
    )
    expected: dict[int, int] = {}
    for system, kind, base in standing:
        expected[system] = expected.get(system, 0) + rules.fee_rule(kind).fee_minor(base)
    found = impact(lived.context, rules, OCTOBER, by_leg=True)
    assert {row.after.system: row.after.fees_minor for row in found.systems} == {
        row.after.system: expected.get(row.after.system, 0) for row in found.systems
    }
    assert found.fees_after_minor > found.fees_before_minor
    # The fees are the clearing house's: what it would earn more the members would get less.
    assert sum(row.net_change_minor for row in found.systems) == -(
        found.fees_after_minor - found.fees_before_minor
    )


@pytest.mark.parametrize(
    "members",
    [
        {"fees": {"spend": {"rate_ppm": 17_300}}},
        {"fees": {"redeem": {"rate_ppm": 33_333}, "stored_value": {"rate_ppm": 1}}},
        {"point_value_minor_per_100": 87},
    ],
)
def test_sums_are_right_within_what_they_say(lived: MiniAlliance, members: dict[str, Any]) -> None:
    rules = rulebook_from_document({**RULEBOOK, **members, "version": "v8"})
    exact = impact(lived.context, rules, OCTOBER, by_leg=True)
    sums = impact(lived.context, rules, OCTOBER, by_leg=False)
    for one, other in zip(exact.systems, sums.systems, strict=True):
        assert other.within_minor is not None
        assert abs(one.after.fees_minor - other.after.fees_minor) <= other.within_minor
        assert abs(one.after.net_minor - other.after.net_minor) <= other.within_minor


def test_sums_say_what_they_can_not_tell(lived: MiniAlliance) -> None:
    rules = rulebook_from_document(DEARER)
    assert impact(lived.context, rules, OCTOBER, by_leg=False).within_minor is None


def test_the_preview_shows_the_last_published_month(site: Site) -> None:
    site.alliance.accept("spend", "BAM-HZ", "1", "T1", "2026-10-03", amount=88_888)
    site.alliance.settle("2026-10")
    finance = site.staff(None, Role.FINANCE)
    words = finance.post("/desk/rulebooks/draft/", draft()).words()
    assert "假如 2026年10月 按草案计算" in words
    # 1 % and 1.5 % of 888.88 yuan.
    assert "8.89" in words
    assert "13.33" in words
    assert "+4.44" in words
    assert "精确到分" in words


def test_a_large_month_is_reckoned_by_sums_and_the_page_says_so(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("settlement.impact._FEW_LINES", 0)
    site.alliance.accept("spend", "BAM-HZ", "1", "T1", "2026-10-03", amount=88_888)
    site.alliance.settle("2026-10")
    finance = site.staff(None, Role.FINANCE)
    rate = draft(fees={"spend": {"rate_ppm": 15_000}})
    words = finance.post("/desk/rulebooks/draft/", rate).words()
    assert "13.33" in words
    assert "误差合计不超过 0.01 元" in words
    assert "只能按平均一笔推算" in finance.post("/desk/rulebooks/draft/", draft()).words()
