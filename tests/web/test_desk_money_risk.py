"""Risk at the desk: what is looked at is what is posted, by two people, with the code typed."""

import re

from clearinghouse.domain.accounts import AccountKind, account
from clearinghouse.operations import two_people
from clearinghouse.operations.foreseeing import foresee_default
from tests.web.money_story import AUR, OCTOBER, Story
from web.desk.deeds import DEEDS

PLEDGE = "/desk/risk/collateral/AUR"
DEFAULT = "/desk/risk/defaults/AUR/2026-10"
RECOVERY = "/desk/risk/recoveries/AUR/2026-10"


def balance(story: Story, kind: AccountKind, owner: int = 0) -> int:
    number = account(kind, owner)
    return int(
        story.value(
            "SELECT coalesce(sum(CASE WHEN credit = %s THEN amount ELSE -amount END), 0)::bigint"
            " FROM postings WHERE %s IN (debit, credit)",
            number,
            number,
        )
    )


def proposed(story: Story) -> int:
    """The number of the newest proposal."""
    return int(story.value("SELECT max(number) FROM proposals"))


def confirm(story: Story, typed: str) -> int:
    """Let the checker confirm the newest proposal; the status of the answer."""
    path = f"/desk/risk/proposals/{proposed(story)}"
    return story.checker.post(f"{path}/confirm", {"confirmation": typed}).status


def pledge(story: Story, amount: str, deed: str = "collateral.post", typed: str = "AUR") -> int:
    form = {
        "deed": deed, "amount": amount, "reference": "custody 1", "reason": "合同 12",
        "confirmation": typed,
    }  # fmt: skip
    return story.maker.post(PLEDGE, form).status


def bring_money(story: Story, fen: int) -> None:
    """Let the bank bring the money of collateral, matched to it by two people."""
    story.bank(story.booked("PLEDGE", fen), name="pledge.xml")
    path = f"/desk/payments/lines/{story.line('PLEDGE')}"
    form = {"system_1": "AUR", "purpose_1": "collateral", "reason": "保证金"}
    assert story.maker.post(f"{path}/propose", form).status == 302
    done = story.checker.post(f"{path}/confirm", story.seen(path))
    assert done.status == 302, done.words()


def shares(words: list[list[str]]) -> dict[str, int]:
    """The split that a page shows, in fen by who bears it."""
    found: dict[str, int] = {}
    for step, who, amount in words:
        name = who if step == "按比例分摊" else step
        found[name] = int(re.sub(r"[^0-9]", "", amount))
    return found


def split_on(story: Story, path: str) -> dict[str, int]:
    page = story.viewer.get(path).page
    rows = page.xpath("//section[1]//tbody/tr")
    return shares(
        [
            [
                cell.xpath("string(text())").strip() or cell.text_content()
                for cell in row.xpath("td")
            ]
            for row in rows
        ]
    )


def test_collateral_is_taken_in_and_given_back_by_two_people(story: Story) -> None:
    assert pledge(story, "50.00", typed="aur") == 422
    assert pledge(story, "0") == 422
    assert pledge(story, "50.00", deed="risk.default") == 422
    assert story.value("SELECT count(*) FROM proposals") == 0
    assert pledge(story, "50.00") == 302
    listed = story.viewer.get("/desk/proposals/").words()
    assert "收取保证金" in listed
    assert all(fact in listed for fact in ("50.00", "custody 1"))
    assert balance(story, AccountKind.COLLATERAL, 1) == 0
    own = story.maker.post(
        f"/desk/risk/proposals/{proposed(story)}/confirm", {"confirmation": "AUR"}
    )
    assert (own.status, "another person" in own.words()) == (422, True)
    assert confirm(story, "BAM") == 422
    assert confirm(story, "AUR") == 302
    assert balance(story, AccountKind.COLLATERAL, 1) == 5_000
    actor, told = story.audited("collateral.post")[0]
    assert (actor, told["approved_by"], told["reason"], told["amount_minor"]) == (
        story.maker.login, story.checker.login, "合同 12", 5_000,
    )  # fmt: skip
    assert confirm(story, "AUR") == 404
    # What covers a debit can't be given back.
    too_much = story.maker.post(
        PLEDGE,
        {
            "deed": "collateral.release", "amount": "50", "reference": "r", "reason": "r",
            "confirmation": "AUR",
        },
    )  # fmt: skip
    assert (too_much.status, "超过了现在可以退还的部分" in too_much.words()) == (422, True)
    story.bank(story.booked("B1", 31_250, AUR, account="AUR"))
    assert pledge(story, "20", deed="collateral.release") == 302
    assert confirm(story, "AUR") == 302
    assert balance(story, AccountKind.COLLATERAL, 1) == 3_000
    story.must_hold()


def test_the_same_letter_is_posted_once(story: Story) -> None:
    assert pledge(story, "50.00") == 302
    first = proposed(story)
    assert pledge(story, "60.00") == 302
    assert confirm(story, "AUR") == 302
    # The first was proposed for the same letter, before anything was posted for it.
    late = story.checker.post(f"/desk/risk/proposals/{first}/confirm", {"confirmation": "AUR"})
    assert (late.status, "reference of its own" in late.words()) == (422, True)
    assert pledge(story, "50.00") == 422
    assert balance(story, AccountKind.COLLATERAL, 1) == 6_000
    assert story.value("SELECT count(*) FROM proposals WHERE state = 'waiting'") == 1


def test_a_proposal_can_be_taken_back_and_the_general_list_leads_to_its_page(story: Story) -> None:
    pledge(story, "50.00")
    number = proposed(story)
    general = story.checker.get("/desk/proposals")
    assert f"/desk/risk/proposals/{number}" in general.text
    # The general list has no way around what is to be typed.
    around = story.checker.post(f"/desk/proposals/{number}/confirm")
    assert around.location == f"/desk/risk/proposals/{number}"
    assert balance(story, AccountKind.COLLATERAL, 1) == 0
    assert story.viewer.post(f"/desk/risk/proposals/{number}/withdraw").status == 403
    assert story.maker.post(f"/desk/risk/proposals/{number}/withdraw").status == 302
    assert story.value("SELECT state FROM proposals") == "withdrawn"
    assert "没有待复核的操作" in story.viewer.get("/desk/risk/proposals/").words()


def test_a_default_posts_what_was_looked_at(story: Story) -> None:
    early = story.viewer.get(DEFAULT)
    assert "not yet overdue" in early.words()
    assert early.page.xpath("//main//form") == []
    pledge(story, "50.00")
    confirm(story, "AUR")
    bring_money(story, 5_000)
    story.wait_past_due()
    assert "预览违约处置" in story.viewer.get("/desk/risk/").words()
    looked = split_on(story, DEFAULT)
    assert looked.pop("保证金") == 5_000
    assert sum(looked.values()) == 31_250 - 5_000
    assert story.value("SELECT count(*) FROM defaults") == 0
    assert story.maker.post(DEFAULT, {"reason": "委员会 3", "confirmation": "BAM"}).status == 422
    assert story.maker.post(DEFAULT, {"reason": "", "confirmation": "AUR"}).status == 422
    assert story.maker.post(DEFAULT, {"reason": "委员会 3", "confirmation": "AUR"}).status == 302
    assert story.value("SELECT count(*) FROM defaults") == 0
    path = f"/desk/risk/proposals/{proposed(story)}"
    assert split_on(story, path) == {"保证金": 5_000, **looked}
    foreseen = foresee_default(story.site.context, "AUR", OCTOBER)
    assert confirm(story, "AUR") == 302
    posted = story.site.alliance.rows(
        "SELECT s.code, c.amount_minor FROM claims c JOIN systems s ON s.number = c.claimant"
    )
    borne = {"清算所承担": foreseen.loss.borne_minor} if foreseen.loss.borne_minor else {}
    assert {**dict(posted), **borne} == looked
    assert balance(story, AccountKind.COLLATERAL, 1) == 0
    actor, told = story.audited("risk.default")[0]
    assert (actor, told["approved_by"]) == (story.maker.login, story.checker.login)
    assert {name: told[name] for name in foreseen.figures} == foreseen.figures
    assert "in default" in story.viewer.get(DEFAULT).words()
    story.must_hold()


def test_other_figures_than_those_looked_at_are_not_posted(story: Story) -> None:
    story.wait_past_due()
    story.maker.post(DEFAULT, {"reason": "委员会 3", "confirmation": "AUR"})
    story.bank(story.booked("B1", 10_000, AUR, account="AUR"))
    path = f"/desk/risk/proposals/{proposed(story)}"
    answer = story.checker.post(f"{path}/confirm", {"confirmation": "AUR"})
    assert (answer.status, "figures have changed" in answer.words()) == (422, True)
    assert story.value("SELECT count(*) FROM defaults") == 0
    assert story.value("SELECT state FROM proposals") == "waiting"
    assert story.value("SELECT count(*) FROM standings") == 0
    story.must_hold()


def test_what_a_defaulter_pays_is_handed_on(story: Story) -> None:
    story.wait_past_due()
    story.maker.post(DEFAULT, {"reason": "委员会 3", "confirmation": "AUR"})
    confirm(story, "AUR")
    story.bank(story.booked("B1", 31_250, AUR, account="AUR"))
    home = story.viewer.get("/desk/risk/").words()
    assert "分配收款 312.50 元" in home
    page = story.viewer.get(RECOVERY).words()
    assert "按相反的次序分给垫付的各方" in page
    assert story.maker.post(RECOVERY, {"reason": "到账", "confirmation": "AUR"}).status == 302
    assert confirm(story, "AUR") == 302
    assert story.value("SELECT paid_minor FROM recoveries") == 31_250
    assert story.audited("risk.recover")[0][0] == story.maker.login
    assert "has paid nothing more" in story.viewer.get(RECOVERY).words()
    story.must_hold()


def test_contributions_are_previewed_and_asked_for_once(story: Story) -> None:
    path = "/desk/risk/fund/2026-10"
    page = story.viewer.get(path)
    assert "缴存是存款，不是费用" in page.words()
    shown = {
        row.xpath("string(td[1]/span/text())").strip(): row.xpath("string(td[4])").strip()
        for row in page.page.xpath("//tbody/tr")
    }
    assert shown == {"AUR": "31.25", "BAM": "0.80"}
    assert story.maker.post(path, {"reason": "月度", "confirmation": "2026-11"}).status == 422
    assert story.maker.post(path, {"reason": "月度", "confirmation": "2026-10"}).status == 302
    assert confirm(story, "2026-10") == 302
    assert balance(story, AccountKind.GUARANTEE_FUND) == 3_205
    actor, told = story.audited("risk.contributions")[0]
    assert (actor, told["amounts"]) == (story.maker.login, {"AUR": 3_125, "BAM": 80})
    assert "posted already" in story.viewer.get(path).words()
    assert "31.25" in story.viewer.get("/desk/risk/fund").words()
    story.must_hold()


def test_systems_without_a_cap_are_a_warning_and_limits_have_words(story: Story) -> None:
    page = story.viewer.get("/desk/risk/")
    assert "3 个成员没有设净欠上限" in page.words()
    assert "没有上限" in page.words()
    story.site.alliance.add(
        {
            "systems.csv": (
                (
                    "AUR", "金酒店", "Aurum", "91310000MA1FL00001", "6222000047109087253", 40_000,
                    0,
                ),
            )
        }
    )  # fmt: skip
    page = story.viewer.get("/desk/risk/")
    assert "78%" in page.words()
    assert page.page.xpath("//*[local-name()='rect'][@class='used']/@width") == ["78"]


def test_who_only_looks_proposes_nothing(story: Story) -> None:
    story.wait_past_due()
    for path in (PLEDGE, DEFAULT, RECOVERY, "/desk/risk/fund/2026-10"):
        assert story.viewer.post(path, {"reason": "r", "confirmation": "AUR"}).status == 403
    assert story.value("SELECT count(*) FROM proposals") == 0


def test_every_deed_of_risk_has_words_and_takes_what_its_page_gives() -> None:

    assert set(DEEDS) == {
        what for what in two_people.DEEDS if what.startswith(("risk.", "collateral."))
    }


def test_exposures_of_many_members_are_paged(story: Story) -> None:
    rows = [
        (f"M{number:03d}", f"示例酒店{number}", f"Sample {number}", "", f"62220000{number:08d}")
        for number in range(120)
    ]
    story.site.alliance.add({"systems.csv": rows})
    seen: list[str] = []
    path = "/desk/risk/"
    while path:
        page = story.viewer.get(path)
        assert len(page.text.encode()) < 150_000
        seen += page.page.xpath("//section[last()]//tbody/tr/td[1]/a/text()")
        path = next(iter(page.page.xpath("//a[@rel='next']/@href")), "")
    assert len(seen) == len(set(seen)) == 123
