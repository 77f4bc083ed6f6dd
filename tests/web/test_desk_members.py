"""Members on the desk: each action lands as the command does, with the login in the audit log."""

import pytest

from clearinghouse.domain.standing import Step
from clearinghouse.operations import registry
from tests.alliances import CARDS, MiniAlliance
from tests.web.site import Browser, Site
from web.frame.staff import Role


def audit(alliance: MiniAlliance, action: str) -> tuple[str, str, dict[str, object]]:
    """The newest line of the audit log for an action: who, about what, and more."""
    found = alliance.rows(
        "SELECT actor, subject, details FROM audit_log WHERE action = %s ORDER BY number DESC LIMIT 1",
        action,
    )
    assert found, action
    return found[0]


@pytest.fixture
def finance(site: Site) -> Browser:
    return site.staff(None, Role.FINANCE, "operator.one")


@pytest.fixture
def second(site: Site) -> Browser:
    return site.staff(None, Role.ADMIN, "operator.two")


def test_the_list_says_how_far_each_membership_is(site: Site, finance: Browser) -> None:
    finance.post(
        "/desk/members/new", {"code": "HRN", "name_zh": "鹭酒店", "reason": "contract 7"}
    ).follow()
    words = finance.get("/desk/members/").words()
    assert "鹭酒店HRN 申请中" in words
    assert "金酒店AUR 正常参与" in words
    assert "申请中 1" in words
    only = finance.get("/desk/members/?state=application").words("//tbody")
    assert "HRN" in only
    assert "AUR" not in only


def test_a_member_is_added_and_changed_as_by_command(site: Site, finance: Browser) -> None:
    sent = {
        "code": "HRN",
        "name_zh": "鹭酒店",
        "name_en": "Heron",
        "bank_account": "6222000047109087287",
        "cap": "50,000",
        "collateral": "1234.50",
        "reason": "contract 7",
    }
    assert finance.post("/desk/members/new", sent).location == "/desk/members/HRN"
    page = finance.follow().words()
    assert "…7287" in page
    assert "6222000047109087287" not in finance.text
    entry = registry.system(site.context, "HRN")
    assert entry.profile.net_debit_cap_minor == 5_000_000
    assert entry.profile.collateral_minor == 123_450
    actor, subject, details = audit(site.alliance, "system.add")
    assert (actor, subject, details["reason"]) == (finance.login, "system HRN", "contract 7")

    changed = {"name_zh": "鹭酒店", "name_en": "Heron Hotels", "cap": "50000", "collateral": "9"}
    words = finance.post("/desk/members/HRN/change", {**changed, "reason": "renamed"}).follow()
    assert "资料已更改" in words.words()
    assert "待复核" not in words.words()
    after = registry.system(site.context, "HRN").profile
    assert (after.name_en, after.net_debit_cap_minor) == ("Heron Hotels", 5_000_000)
    assert (after.bank_account, after.collateral_minor) == ("…7287", 900)
    assert audit(site.alliance, "system.change")[0] == finance.login
    assert site.alliance.value("SELECT count(*) FROM proposals") == 0


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"code": "AUR"}, "is on record already"),
        ({"name_zh": ""}, "a name is needed"),
        ({"cap": "a lot"}, "金额请写成元"),
        ({"reason": ""}, "the reason is missing"),
    ],
)
def test_a_refusal_is_a_sentence_and_keeps_what_was_typed(
    site: Site, finance: Browser, wrong: dict[str, str], sentence: str
) -> None:
    sent = {"code": "HRN", "name_zh": "鹭酒店", "uscc": "91310000MA1FL00004", "reason": "because"}
    page = finance.post("/desk/members/new", {**sent, **wrong})
    assert page.status == 200
    assert sentence in page.words("//div[@role='alert']")
    assert page.page.xpath("//input[@name='uscc']/@value") == ["91310000MA1FL00004"]
    assert "HRN" not in {row.code for row in registry.systems(site.context)}


def test_a_hotel_is_added_and_moved(site: Site, finance: Browser) -> None:
    new = {"hotel": "AUR-XM", "city": "厦门市", "name_zh": "金酒店厦门", "from": "2026-02-01"}
    finance.post("/desk/members/AUR/hotels/new", {**new, "reason": "opened"}).follow()
    assert "金酒店厦门" in finance.words()
    moved = {"to": "BAM", "from": "2026-03-01", "reason": "sold", "sure": "on"}
    finance.post("/desk/members/AUR/hotels/AUR-SH/move", moved)
    assert finance.location == "/desk/members/AUR"
    assert "自 2026年3月1日 起 BAM" in finance.follow().words()
    assert audit(site.alliance, "hotel.move")[0] == finance.login
    assert finance.get("/desk/members/BAM/hotels/AUR-BJ/move").status == 404
    again = finance.post("/desk/members/AUR/hotels/AUR-BJ/move", {**moved, "sure": ""})
    assert "请勾选确认" in again.words("//div[@role='alert']")


def test_acceptance_is_recorded_on_a_members_behalf(site: Site, finance: Browser) -> None:
    finance.post("/desk/members/new", {"code": "HRN", "name_zh": "鹭", "reason": "new"})
    sent = {"version": "v1", "reason": "signed on paper", "sure": "on"}
    finance.post("/desk/members/HRN/accept", sent).follow()
    words = finance.words()
    assert "已接受规则" in words
    assert finance.login in words
    assert registry.system(site.context, "HRN").accepted == ("v1",)
    assert audit(site.alliance, "rulebook.accept")[0] == finance.login


def test_two_people_suspend_and_reinstate(site: Site, finance: Browser, second: Browser) -> None:
    finance.post("/desk/members/BAM/suspend", {"reason": "does not pay", "sure": "on"}).follow()
    assert "待复核" in finance.words()
    assert "须由另一位同事复核" in finance.words()
    assert not registry.system(site.context, "BAM").suspended

    number = site.alliance.value("SELECT max(number) FROM proposals")
    own = finance.post(f"/desk/proposals/{number}/confirm").follow()
    assert "another person than the one who has proposed it" in own.words("//div[@role='alert']")
    second.post(f"/desk/proposals/{number}/confirm").follow()
    assert "已执行" in second.words()
    assert registry.system(site.context, "BAM").suspended
    actor, subject, details = audit(site.alliance, "system.suspend")
    assert (actor, details["approved_by"]) == (finance.login, second.login)
    assert subject == "system BAM"
    state = site.alliance.rows("SELECT state, ended_by FROM proposals WHERE number = %s", number)
    assert state == [("confirmed", second.login)]
    again = second.post(f"/desk/proposals/{number}/confirm").follow()
    assert "confirmed already" in again.words("//div[@role='alert']")

    second.post("/desk/members/BAM/reinstate", {"reason": "has paid", "sure": "on"})
    number = site.alliance.value("SELECT max(number) FROM proposals")
    finance.post(f"/desk/proposals/{number}/confirm")
    assert not registry.system(site.context, "BAM").suspended


def test_a_proposal_that_the_operation_refuses_waits_on_and_can_be_withdrawn(
    site: Site, finance: Browser, second: Browser
) -> None:
    finance.post("/desk/members/BAM/reinstate", {"reason": "a mistake", "sure": "on"})
    number = site.alliance.value("SELECT max(number) FROM proposals")
    words = second.post(f"/desk/proposals/{number}/confirm").follow().words()
    assert "BAM is not suspended" in words
    assert "待复核" in words
    finance.post(f"/desk/proposals/{number}/withdraw").follow()
    assert "已撤回" in finance.words()
    assert site.alliance.value("SELECT state FROM proposals") == "withdrawn"


def test_a_member_leaves_with_a_run_off(site: Site, finance: Browser, second: Browser) -> None:
    assert "未偿积分" not in finance.get("/desk/members/CLD/withdraw").words()
    page = finance.get("/desk/members/CLD/withdraw?counted=1").words()
    assert "12 个月" in page
    today = site.context.clock().date().isoformat()
    finance.post(
        "/desk/members/CLD/withdraw", {"withdrawn_on": today, "reason": "leaves", "sure": "on"}
    )
    number = site.alliance.value("SELECT max(number) FROM proposals")
    assert second.post(f"/desk/proposals/{number}/confirm").status == 302
    entry = registry.system(site.context, "CLD")
    assert entry.withdrawn_on is not None
    assert "退出中" in second.follow().words()
    steps = site.alliance.rows("SELECT step FROM standings")
    assert steps == [(Step.WITHDRAWN.value,)]


def test_a_card_holder_goes_over_with_two_approvals(site: Site) -> None:
    alliance = site.alliance
    alliance.accept("spend", "AUR-BJ", "1", "T1", "2026-01-05", amount=120_000)
    finance, second = site.staff(None, Role.FINANCE), site.staff(None, Role.FINANCE)
    sent = {"card": "6277 8100 0000 0013", "hotel": "BAM-HZ", "reason": "letter 12", "sure": "on"}
    finance.post("/desk/transfers/", sent)
    assert finance.status == 302, finance.words()
    assert "627781******0013" in finance.follow().words()
    assert "6277810000000013" not in alliance.value("SELECT document::text FROM proposals")
    number = alliance.value("SELECT max(number) FROM proposals")
    second.post(f"/desk/proposals/{number}/confirm").follow()
    assert "已执行" in second.words()

    states = alliance.rows("SELECT state, replaced_by IS NOT NULL FROM card_states")
    assert states == [("replaced", True)]
    new = alliance.rows(
        "SELECT h.code, t.tier_code, c.traveller = o.traveller FROM card_states s"
        " JOIN cards o ON o.number = s.card JOIN cards c ON c.number = s.replaced_by"
        " JOIN hotels h ON h.number = c.issuer_hotel JOIN card_tiers t ON t.card = c.number"
    )
    assert new == [("BAM-HZ", "B2", True)]
    kinds = alliance.rows("SELECT kind, system FROM outbox WHERE kind LIKE 'card.%%' ORDER BY kind")
    assert [kind for kind, _ in kinds] == ["card.closed", "card.issued"]
    assert audit(alliance, "card.transfer")[0] == finance.login
    refused = alliance.post("spend", "AUR-BJ", "2", "T1", "2026-01-06", amount=1_000)
    assert str(getattr(refused, "code", "")) == "card_not_active"


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/desk/members/new", 403),
        ("/desk/members/AUR/change", 403),
        ("/desk/members/AUR/suspend", 403),
        ("/desk/transfers/", 403),
        ("/desk/rulebooks/draft", 403),
        ("/desk/members/AUR", 200),
        ("/desk/members/NONE", 404),
    ],
)
def test_a_viewer_looks_and_does_nothing(site: Site, path: str, status: int) -> None:
    viewer = site.staff(None, Role.VIEWER)
    viewer.get(path)
    if viewer.status == 308:
        viewer.follow()
    assert viewer.status == status
    assert not viewer.page.xpath("//main//form")


def test_a_members_own_people_have_no_desk(site: Site) -> None:
    member = site.staff("AUR", Role.ADMIN)
    for path in ("/desk/", "/desk/members/AUR", "/desk/periods/", "/desk/proposals/"):
        assert member.get(path).status in (302, 308)


@pytest.mark.parametrize(
    "path",
    [
        "/desk/members/A%00R",
        "/desk/members/AUR/hotels/%00/move",
        "/desk/rulebooks/%00",
        "/desk/rulebooks/compare?from=v1&to=%00",
        "/desk/periods/9999-12",
        "/desk/periods/2026-1%00",
        "/desk/members/AUR/dissolve",
    ],
)
def test_addresses_that_are_made_up_lead_nowhere(finance: Browser, path: str) -> None:
    assert finance.get(path).status == 404


def test_forms_with_what_nobody_types_are_refused_and_not_failed(
    site: Site, finance: Browser
) -> None:
    bad = {"code": "H\x00N", "name_zh": "\x00", "reason": "x\x00", "cap": "9" * 30}
    assert "alert" in finance.post("/desk/members/new", bad).text
    sent = {"card": CARDS["T1"], "hotel": "x\x00", "tier": "\x00", "reason": "x", "sure": "on"}
    assert "请选择新发卡酒店" in finance.post("/desk/transfers/", sent).words()
    unknown = {**sent, "card": "6277810000000047", "hotel": "BAM-HZ"}
    assert "there is no such card" in finance.post("/desk/transfers/", unknown).words()
    assert finance.post("/desk/proposals/99999999999/confirm").status == 404
    assert finance.post("/desk/proposals/77/confirm").status in (302, 404)
    assert site.alliance.value("SELECT count(*) FROM proposals") == 0
