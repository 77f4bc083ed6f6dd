"""The traveller's pages: one total, plain words, the treatment at a hotel, missing stays, and nobody else's data."""

import json
from datetime import UTC, datetime
from urllib.parse import urlencode

import pytest

from clearinghouse.domain.errors import NotFound
from clearinghouse.domain.traveller_errors import MissingStayAnswered, MissingStayRefused
from clearinghouse.domain.treatment import CardState
from clearinghouse.operations.card_changes import CardChange, change_card
from clearinghouse.operations.cards import look_up
from clearinghouse.operations.enquire import pooled_balance
from clearinghouse.operations.events import Event, events_after
from clearinghouse.operations.missing_stays import StayState, answer_stay, stays
from clearinghouse.operations.prove import prove
from tests.alliances import CARDS
from tests.operations.parties import party
from tests.web.site import Site
from tests.web.travellers import traveller
from web.frame.staff import Role

PAGES = (
    "/pool", "/pool/code", "/pool/history", "/pool/hotels", "/pool/hotels?q=杭州", "/pool/hotels?stay=1",
    "/pool/hotels/BAM-HZ", "/pool/hotels/BAM-HZ/card", "/pool/card", "/pool/card/print", "/pool/stays",
    "/pool/stays/new/BAM-HZ", "/pool/me",
)  # fmt: skip


def story(site: Site) -> None:
    """The worked example's first lines, with a refund that leaves a debt."""
    alliance = site.alliance
    alliance.accept("spend", "AUR-SH", "S1", "T1", "2026-11-02", amount=120_000)
    alliance.accept("spend", "BAM-HZ", "S2", "T1", "2026-11-03", amount=88_888)
    alliance.accept("redeem", "CLD-GZ", "R1", "T1", "2026-11-04", points=2_000)
    alliance.accept("load", "AUR-BJ", "L1", "T1", "2026-11-05", amount=100_000)
    alliance.accept("stored_value_spend", "BAM-HZ", "V1", "T1", "2026-11-06", amount=30_050)
    alliance.accept("refund", "AUR-SH", "F1", "T1", "2026-11-07", amount=20_000, original="S1")


@pytest.mark.parametrize("language", ["zh", "en"])
def test_every_page_opens_with_and_without_anything_in_it(site: Site, language: str) -> None:
    browser = traveller(site)
    for told in (False, True):
        if told:
            story(site)
        for path in PAGES:
            browser.get(path, accept_language=language).follow()
            assert browser.status == 200, (path, browser.words())
            assert len(browser.page.xpath("//h1")) == 1, path
            assert len(browser.text.encode()) < 150_000
            assert " style=" not in browser.text
            assert "None" not in browser.words(), path


def test_the_total_is_that_of_the_command(site: Site) -> None:
    story(site)
    browser = traveller(site).get("/pool/")
    balance = pooled_balance(site.context, CARDS["T1"])
    shown = browser.words("//*[@data-test='points']").replace(",", "")
    assert int(shown) == balance.spendable_points
    assert f"¥{balance.worth_minor / 100:,.2f}" in browser.words()
    assert f"您欠 {balance.owed_points} 分" in browser.words()
    assert "¥699.50" in browser.words()
    rows = [" ".join(row.text_content().split()) for row in browser.page.xpath("//tbody/tr")]
    assert any(row.startswith("竹酒店杭州") and "533" in row for row in rows)


def test_history_in_plain_words(site: Site) -> None:
    story(site)
    alliance = site.alliance
    alliance.accept("award", "BAM-HZ", "A1", "T1", "2026-11-08", points=50)
    alliance.accept("refund", "CLD-GZ", "F2", "T1", "2026-11-09", points=500, original="R1")
    alliance.accept("refund", "BAM-HZ", "F3", "T1", "2026-11-09", amount=50, original="V1")
    alliance.accept("refund", "AUR-BJ", "F4", "T1", "2026-11-10", amount=1_000, original="L1")
    alliance.accept("refund", "BAM-HZ", "F5", "T1", "2026-11-11", points=20, original="A1")
    alliance.accept("spend", "AUR-SH", "S3", "T1", "2026-11-12", amount=30_000)
    browser = traveller(site).get("/pool/history")
    rows = [" ".join(row.text_content().split()) for row in browser.page.xpath("//ol/li")]
    for row, wanted in zip(
        rows,
        (
            ("在金酒店上海消费 300.00 元，得 300 分", "其中 200 分抵还欠额", "+100 分"),
            ("竹酒店杭州收回赠送的 20 分", "−20 分"),
            ("金酒店北京退还储值 10.00 元", "−10.00 元储值"),
            ("竹酒店杭州退回储值付款 0.50 元", "+0.50 元储值"),
            ("云酒店广州退回兑换的 500 分", "+500 分"),
            ("竹酒店杭州赠送 50 分", "+50 分"),
            ("金酒店上海退款 200.00 元，收回 200 分", "其中 200 分已经用掉，记为欠额", "欠 200 分"),
            ("在竹酒店杭州用储值付 300.50 元", "−300.50 元储值"),
            ("在金酒店北京储值 1,000.00 元", "+1,000.00 元储值"),
            ("在云酒店广州用 2,000 分抵 20.00 元", "−2,000 分"),
            ("在竹酒店杭州消费 888.88 元，得 1,333 分", "+1,333 分"),
            ("在金酒店上海消费 1,200.00 元，得 1,200 分", "+1,200 分"),
        ),
        strict=True,
    ):
        assert all(part in row for part in wanted), (row, wanted)
    browser.get(browser.page.xpath("//ol/li[10]//a/@href")[0])
    assert "R1" in browser.words()
    assert [" ".join(row.text_content().split()) for row in browser.page.xpath("//tbody/tr")] == [
        "金酒店上海 有效至 2027年11月30日 −1,200 分",
        "竹酒店杭州 有效至 2027年11月30日 −800 分",
    ]


def test_a_long_history_has_pages(site: Site) -> None:
    for number in range(23):
        site.alliance.accept("award", "BAM-HZ", f"A{number}", "T1", "2026-11-02", points=number + 1)
    browser = traveller(site).get("/pool/history")
    assert len(browser.page.xpath("//ol/li")) == 20
    browser.get(browser.page.xpath("//a[@rel='next']/@href")[0])
    rows = [" ".join(row.text_content().split()) for row in browser.page.xpath("//ol/li")]
    assert [row.rpartition("+")[2] for row in rows] == ["3 分", "2 分", "1 分"]
    assert not browser.page.xpath("//a[@rel='next']")
    for wrong in ("x", "W10", "WyJ0eG5fIl0", "WzFd"):
        assert browser.get(f"/pool/history?after={wrong}").status == 400


def test_anothers_things_are_not_there(site: Site) -> None:
    story(site)
    mine, theirs = traveller(site), traveller(site, "T2")
    found = mine.get("/pool/history").page.xpath("//ol/li//a/@href")
    assert theirs.get("/pool/history").page.xpath("//ol/li//a/@href") == []
    for path in found:
        assert theirs.get(path).status == 404
    mine.post("/pool/stays/new/BAM-HZ", STAY)
    form = mine.get("/pool/stays").page.xpath("//form[contains(@action, 'withdraw')]/@action")[0]
    assert theirs.post(form).status == 404
    assert "等待酒店答复" in mine.get("/pool/stays").words()
    for path in (
        "/pool/history/txn_" + "0" * 32, "/pool/history/txn_" + "f" * 32, "/pool/history/x", "/pool/history/%00",
        "/pool/code?card=2", "/pool/code?card=0", "/pool/code?card=x", "/pool/code/picture?card=9",
        "/pool/card/print?card=2",
        "/pool/hotels/NO-SUCH", "/pool/hotels/%00", "/pool/stays/new/NO-SUCH", "/pool/hotels/BAM-HZ?card=7",
    ):  # fmt: skip
        assert mine.get(path).status == 404, path
    assert mine.post("/pool/stays/stay_x/withdraw").status == 404


def last_event(site: Site, system: str) -> Event:
    return events_after(site.context, party(site.alliance, system), None, 100).events[-1]


STAY = {
    "arrived_on": "2026-01-02", "left_on": "2026-01-04", "amount": "1,288.5", "bill": "A-77", "note": "前台离线",
}  # fmt: skip


def test_a_missing_stay_goes_to_the_host_and_comes_back(site: Site) -> None:
    browser = traveller(site).post("/pool/stays/new/BAM-HZ", STAY)
    assert browser.location == "/pool/stays"
    browser.post("/pool/stays/new/BAM-HZ", STAY)
    bam, cld = party(site.alliance, "BAM"), party(site.alliance, "CLD")
    (stay,) = stays(site.context, bam)
    assert (stay.hotel.code, stay.amount_minor, stay.bill, stay.note) == (
        "BAM-HZ", 128_850, "A-77", "前台离线",
    )  # fmt: skip
    assert stay.card_id == look_up(site.context, bam, CARDS["T1"]).card_id
    assert stays(site.context, cld) == []
    assert [s.card_masked for s in stays(site.context, party(site.alliance, None))]
    told = last_event(site, "BAM")
    assert told.kind == "missing_stay.reported"
    assert "李芳" not in json.dumps(told.data, ensure_ascii=False)
    for state, answer, ref in (
        (StayState.OPEN, "x", "x"), (StayState.DECLINED, "", ""), (StayState.CREDITED, "x", ""),
    ):  # fmt: skip
        with pytest.raises(MissingStayRefused):
            answer_stay(site.context, bam, stay.report_id, state, answer, ref)
    with pytest.raises(NotFound):
        answer_stay(site.context, cld, stay.report_id, StayState.DECLINED, "不是我们")
    answer_stay(site.context, bam, stay.report_id, StayState.CREDITED, "已核对", "LATE-1")
    with pytest.raises(MissingStayAnswered):
        answer_stay(site.context, bam, stay.report_id, StayState.DECLINED, "又不是")
    text = browser.get("/pool/stays").words()
    assert "已补记" in text
    assert "LATE-1" in text
    assert last_event(site, "BAM").data["outcome"] == "credited"
    assert stays(site.context, bam, state=StayState.OPEN) == []


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"arrived_on": ""}, "arrived_on"),
        ({"left_on": "2026-13-01"}, "left_on"),
        ({"left_on": "2026-01-01"}, "left_on"),
        ({"left_on": "2026-02-01"}, "left_on"),
        ({"arrived_on": "2024-01-01", "left_on": "2024-01-02"}, "left_on"),
        ({"arrived_on": "2025-01-04"}, "arrived_on"),
        ({"amount": "0"}, "amount"),
        ({"amount": "-5"}, "amount"),
        ({"amount": "1.005"}, "amount"),
        ({"amount": "999999999"}, "amount"),
        ({"bill": "x" * 65}, "bill"),
        ({"note": "x" * 501}, "note"),
        ({"note": "a\x00b"}, "note"),
    ],
)
def test_what_does_not_fit_is_told_beside_the_field(
    site: Site, changed: dict[str, str], field: str
) -> None:
    browser = traveller(site).post("/pool/stays/new/BAM-HZ", {**STAY, **changed})
    assert browser.status == 422
    wrong = browser.page.xpath(
        "//div[contains(@class, 'wrong')]//*[self::input or self::textarea]/@name"
    )
    assert wrong == [field]
    assert browser.page.xpath("string(//input[@name='bill']/@value)") == {**STAY, **changed}["bill"]
    assert stays(site.context, party(site.alliance, "BAM")) == []


def test_hotels_are_found_by_city_and_name(site: Site) -> None:
    browser = traveller(site)
    for text, codes in (
        ("杭州", ["BAM-HZ"]), ("aurum", ["AUR-BJ", "AUR-SH"]), ("北京 ", ["AUR-BJ"]), ("CLD-G", ["CLD-GZ"]),
        ("竹酒店", ["BAM-HZ"]), ("无此店", []), ("%", []), ("\x00杭", ["BAM-HZ"]),
    ):  # fmt: skip
        browser.get("/pool/hotels?" + urlencode({"q": text}))
        found = browser.page.xpath("//ul[contains(@class, 'rows')]//a/@href")
        assert [path.rpartition("/")[2] for path in found] == codes, text


def test_how_a_card_is_treated_is_said_in_words(site: Site) -> None:
    story(site)
    browser = traveller(site).get("/pool/hotels/BAM-HZ")
    words = browser.words()
    for wanted in (
        "金卡",
        "联盟级别 2",
        "每消费 1 元得 1.5 分",
        "优惠 5%",
        "退款后欠下的积分须先抵扣 · 200 分",
    ):
        assert wanted in words
    assert "按自己的等级" in browser.get("/pool/hotels/AUR-SH").words()
    suspend(site, "T1")
    assert "没有待遇" in browser.get("/pool/hotels/BAM-HZ").words()
    assert "不能使用" in browser.get("/pool/code").words()


def suspend(site: Site, who: str) -> None:
    aur = party(site.alliance, "AUR")
    card = look_up(site.context, aur, CARDS[who]).card_id
    change_card(site.context, aur, card, CardChange(status=CardState.SUSPENDED, reason="lost"))


def test_a_card_of_another_system_is_for_whoever_asks_by_themselves(site: Site) -> None:
    story(site)
    browser = traveller(site)
    path = "/pool/hotels/BAM-HZ/card"
    assert browser.post(path, {}).status == 422
    browser.post(path, {"own_wish": "yes"})
    assert browser.location == "/pool/hotels/BAM-HZ?card=2"
    assert "本系统会员" in browser.follow().words()
    assert browser.post(path, {"own_wish": "yes"}).location == "/pool/hotels/BAM-HZ"
    assert len(browser.get("/pool/card").page.xpath("//*[@class='face']")) == 2
    issued = last_event(site, "BAM")
    assert (issued.kind, issued.data["tier_code"]) == ("card.issued", "B1")
    assert issued.data["asked_for_by_traveller"] is True
    assert site.alliance.rows(
        "SELECT h.code FROM asked_cards a JOIN hotels h ON h.number = a.hotel"
    ) == [("BAM-HZ",)]
    # The pool is the one it was.
    number = "".join(browser.page.xpath("//*[@class='digits']/text()")[1].split())
    assert (
        pooled_balance(site.context, number).points
        == pooled_balance(site.context, CARDS["T1"]).points
    )
    assert all(proof.holds for proof in prove(site.context))


def test_all_my_data_and_nobody_elses(site: Site) -> None:
    story(site)
    browser = traveller(site)
    browser.post("/pool/stays/new/BAM-HZ", STAY)
    browser.get("/pool/me/data.json")
    assert "attachment" in browser.headers["Content-Disposition"]
    assert browser.headers["Cache-Control"] == "no-store"
    found = json.loads(browser.text)
    assert found["person"]["name"] == "李芳"
    assert [card["card_number"] for card in found["cards"]] == [CARDS["T1"]]
    assert len(found["history"]) == 6
    assert found["missing_stays"][0]["bill"] == "A-77"
    assert (
        found["balance"]["spendable_points"]
        == pooled_balance(site.context, CARDS["T1"]).spendable_points
    )
    assert "王伟" not in browser.text
    assert len(found["sessions"]) == 1


def test_what_ends_soon(site: Site) -> None:
    site.alliance.accept("spend", "BAM-HZ", "O1", "T1", "2026-01-10", amount=10_000)
    site.alliance.accept("spend", "BAM-HZ", "O2", "T1", "2026-02-10", amount=20_000)
    site.alliance.clock.pass_to(datetime(2027, 1, 1, 4, tzinfo=UTC))
    words = traveller(site).get("/pool").words("//dl").replace(" ", "")
    assert "30天内到期150分最早2027年1月31日" in words
    assert "90天内到期450分" in words


def test_the_hosts_people_answer_in_their_console(site: Site) -> None:
    browser = traveller(site).post("/pool/stays/new/BAM-HZ", STAY)
    finance, viewer = site.staff("BAM", Role.FINANCE), site.staff("BAM", Role.VIEWER)
    other = site.staff("CLD", Role.FINANCE)
    form = finance.get("/console/stays").page.xpath("//form[contains(@action, 'stay_')]/@action")[0]
    assert "A-77" in finance.words()
    assert "李芳" not in finance.text
    assert not viewer.get("/console/stays").page.xpath("//form[contains(@action, 'stay_')]")
    assert "A-77" not in other.get("/console/stays?all=1").text
    assert viewer.post(form, {"outcome": "declined", "answer": "x"}).status == 403
    assert other.post(form, {"outcome": "declined", "answer": "x"}).status == 404
    finance.post(form, {"outcome": "declined", "answer": ""}).follow()
    assert "等待酒店答复" in browser.get("/pool/stays").words()
    finance.post(form, {"outcome": "declined", "answer": "账单已由其他会员积分"}).follow()
    assert "A-77" not in finance.words()
    assert "未通过" in finance.get("/console/stays?all=1").words()
    assert "账单已由其他会员积分" in browser.get("/pool/stays").words()
    assert site.alliance.value("SELECT by_user FROM missing_stays") == finance.user
