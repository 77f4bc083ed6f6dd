"""The same form sent from several tabs in one moment: whatever it does is done once, and no limit is passed by."""

from collections.abc import Callable
from functools import partial
from threading import Barrier, Thread
from typing import Any

import pytest

from clearinghouse.domain.accounts import AccountKind, account
from clearinghouse.operations import sign_in as signing_in
from clearinghouse.operations.passwords import verify_password
from tests.web.money_story import Story
from tests.web.signing import PASSWORD, person
from tests.web.site import URL, Browser, Site
from tests.web.travellers import PEOPLE, all_sent, ask
from web.frame.staff import Role

TABS = 6


def tab(site: Site, browser: Browser) -> Browser:
    """Another tab of a browser: it has the same cookies."""
    made = site.stranger()
    with browser.http.session_transaction(base_url=URL) as kept:
        had = dict(kept)
    with made.http.session_transaction(base_url=URL) as kept:
        kept.update(had)
    return made


def at_once(acts: list[Callable[[], Browser]]) -> list[Browser]:
    """Do all of them in one moment; what each answered."""
    ready, answers = Barrier(len(acts)), list[Browser]()

    def do(act: Callable[[], Browser]) -> None:
        ready.wait(60)
        answers.append(act())

    threads = [Thread(target=do, args=(act,)) for act in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    assert len(answers) == len(acts)
    return answers


def in_tabs(site: Site, browser: Browser, path: str, form: dict[str, str]) -> list[int]:
    """Send a form from several tabs; the statuses of the answers."""
    tabs = [tab(site, browser) for _ in range(TABS)]
    answers = at_once([partial(each.post, path, form) for each in tabs])
    return [answer.status for answer in answers]


def collateral(story: Story) -> int:
    number = account(
        AccountKind.COLLATERAL, story.value("SELECT number FROM systems WHERE code = 'AUR'")
    )
    return int(
        story.value(
            "SELECT coalesce(sum(CASE WHEN credit = %s THEN amount ELSE -amount END), 0)::bigint"
            " FROM postings WHERE %s IN (debit, credit)",
            number,
            number,
        )
    )


def test_a_deed_is_proposed_and_posted_once(story: Story) -> None:
    form = {
        "deed": "collateral.post", "amount": "500.00", "reference": "custody 1", "reason": "合同 12",
        "confirmation": "AUR",
    }  # fmt: skip
    answers = in_tabs(story.site, story.maker, "/desk/risk/collateral/AUR", form)
    assert sorted(answers) == [302] + [422] * (TABS - 1)
    assert story.value("SELECT count(*) FROM proposals") == 1
    path = f"/desk/risk/proposals/{story.value('SELECT max(number) FROM proposals')}/confirm"
    answers = in_tabs(story.site, story.checker, path, {"confirmation": "AUR"})
    assert answers.count(302) == 1
    assert set(answers) <= {302, 404, 422}
    assert collateral(story) == 50_000
    story.must_hold()


def test_a_correction_is_proposed_and_posted_once(story: Story) -> None:
    form = {
        "payer": "AUR",
        "payee": "BAM",
        "amount": "12.00",
        "reference": "letter 7",
        "reason": "更正",
    }
    answers = in_tabs(story.site, story.maker, "/desk/disputes/corrections", form)
    assert sorted(answers) == [302] + [422] * (TABS - 1)
    assert story.value("SELECT count(*) FROM proposals") == 1
    path = f"/desk/disputes/proposals/{story.value('SELECT max(number) FROM proposals')}/confirm"
    answers = in_tabs(story.site, story.checker, path, {"checked": "yes", "reason": "同意"})
    assert answers.count(302) == 1
    assert set(answers) <= {302, 422}
    assert story.value("SELECT count(DISTINCT number) FROM adjustments") == 1
    story.must_hold()


def test_a_line_of_the_bank_is_matched_once(story: Story) -> None:
    story.bank(story.booked("X", 40_000))
    path = f"/desk/payments/lines/{story.line('X')}"
    form = {
        "system_1": "AUR", "purpose_1": "2026-10", "amount_1": "300.00",
        "system_2": "AUR", "purpose_2": "credit", "amount_2": "", "reason": "电话确认",
    }  # fmt: skip
    assert in_tabs(story.site, story.maker, f"{path}/propose", form).count(302) == 1
    seen = story.seen(path)
    assert in_tabs(story.site, story.checker, f"{path}/confirm", seen).count(302) == 1
    assert story.state() == ("partial", 30_000)
    story.must_hold()


def test_what_is_confirmed_is_what_was_looked_at(story: Story) -> None:
    """The maker puts another match in place of the one that the checker has on the screen."""
    story.bank(story.booked("X", 40_000))
    path = f"/desk/payments/lines/{story.line('X')}"
    form = {
        "system_1": "AUR", "purpose_1": "2026-10", "amount_1": "300.00",
        "system_2": "AUR", "purpose_2": "credit", "amount_2": "", "reason": "电话确认",
    }  # fmt: skip
    story.maker.post(f"{path}/propose", form)
    page = story.checker.get(path).page
    (shown,) = page.xpath(f"//form[@action='{path}/confirm']")
    sent = {name: value for name, value in shown.form_values() if name != "csrf_token"}
    story.maker.post(f"{path}/reject", {"reason": "withdrawn"})
    story.maker.post(
        f"{path}/propose", {"system_1": "BAM", "purpose_1": "credit", "amount_1": "", "reason": "x"}
    )
    refused = story.checker.post(f"{path}/confirm", {**sent, "checked": "yes", "reason": "seen"})
    assert refused.status == 422
    assert story.value("SELECT count(*) FROM payment_matches WHERE state = 'confirmed'") == 0


def test_guesses_of_a_password_at_once_do_not_pass_the_count(site: Site) -> None:
    member = person(site, "AUR")
    form = {"login": member.login, "password": "wrong"}
    answers = at_once(
        [
            partial(site.stranger(f"192.0.2.{each}").post, "/console/sign-in", form)
            for each in range(40)
        ]
    )
    assert sorted(answer.status for answer in answers) == [422] * 5 + [429] * 35


def test_codes_of_the_second_factor_are_taken_once_and_counted(site: Site) -> None:
    member = person(site, "AUR")
    browsers = [site.stranger() for _ in range(5)]
    for browser in browsers:
        assert member.give_password(browser).status == 302
    code = member.code()
    answers = at_once(
        [partial(each.post, "/console/sign-in/second", {"code": code}) for each in browsers]
    )
    assert [answer.status for answer in answers].count(302) == 1
    member.sign_in()
    browsers = [site.stranger() for _ in range(5)]
    for browser in browsers:
        assert member.give_password(browser).status == 302
    spare = member.recovery_codes[0]
    answers = at_once(
        [partial(each.post, "/console/sign-in/second", {"code": spare}) for each in browsers]
    )
    assert [answer.status for answer in answers].count(302) == 1
    assert site.alliance.value("SELECT count(*) FROM user_recovery_codes") == 9


def test_a_travellers_code_is_tried_five_times_however_many_try_at_once(site: Site) -> None:
    browser = ask(site, PEOPLE["T1"][0])
    sent = all_sent(site)[-1][1]
    wrong = {"code": "000000" if sent != "000000" else "111111", "name": PEOPLE["T1"][1]}
    tabs = [tab(site, browser) for _ in range(12)]
    answers = at_once([partial(each.post, "/pool/sign-in/code", wrong) for each in tabs])
    assert sorted(answer.status for answer in answers) == [302] * 7 + [422] * 5
    assert site.alliance.value("SELECT max(tries) FROM traveller_codes") == 5
    late = browser.post("/pool/sign-in/code", {"code": sent, "name": PEOPLE["T1"][1]})
    assert late.location.startswith("/pool/sign-in")


def test_a_travellers_code_lets_in_once(site: Site) -> None:
    browser = ask(site, PEOPLE["T1"][0])
    right = {"code": all_sent(site)[-1][1], "name": PEOPLE["T1"][1]}
    tabs = [tab(site, browser) for _ in range(TABS)]
    answers = at_once([partial(each.post, "/pool/sign-in/code", right) for each in tabs])
    assert [answer.location for answer in answers].count("/pool") == 1
    assert site.alliance.value("SELECT count(*) FROM traveller_sessions") == 1


def test_a_system_keeps_an_administrator_when_two_end_each_other(site: Site) -> None:
    one, other = person(site, "AUR", Role.ADMIN, "first"), person(site, "AUR", Role.ADMIN, "second")
    pairs = [(one.sign_in(), other.user), (other.sign_in(), one.user)]
    sure = {"reason": "示例", "sure": "1"}
    at_once([partial(who.post, f"/console/users/{whom}/deactivate", sure) for who, whom in pairs])
    left = site.alliance.value(
        "SELECT count(*) FROM users WHERE role = 'admin' AND deactivated_at IS NULL"
    )
    assert left == 1


def test_a_reset_while_a_password_is_hashed_ends_what_came_before(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Hashing takes a while: an administrator resets the login between the comparison and the answer."""
    member, boss = person(site, "AUR"), site.staff("AUR", Role.ADMIN)
    inside = member.sign_in()

    def reset_meanwhile(password_hash: str | None, password: str) -> bool:
        right = verify_password(password_hash, password)
        sure = {"reason": "手机丢失", "sure": "1"}
        assert boss.post(f"/console/users/{member.user}/reset", sure).status == 200
        return right

    monkeypatch.setattr(signing_in, "verify_password", reset_meanwhile)
    new = "another four words of it"
    form = {"present": PASSWORD, "wanted": new, "again": new}
    assert inside.post("/console/account/password", form).status == 422
    assert inside.get("/console/account").status == 302
    assert member.give_password(site.stranger()).status == 422
    assert (
        site.alliance.value("SELECT count(*) FROM user_sessions WHERE user_no = %s", member.user)
        == 0
    )
    assert site.alliance.value("SELECT initial_until FROM users WHERE number = %s", member.user)


def test_new_recovery_codes_begin_no_session_where_all_have_ended(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    member = person(site, "AUR")
    thief, owner = member.sign_in(), member.sign_in()
    before = signing_in.attempts.attempt

    def leave_meanwhile(*given: Any) -> Any:
        owner.post("/console/account/sign-out-everywhere")
        return before(*given)

    monkeypatch.setattr(signing_in.attempts, "attempt", leave_meanwhile)
    assert thief.post("/console/account/recovery-codes", {"code": member.code()}).status == 422
    assert thief.get("/console/account").status == 302
    assert site.alliance.value("SELECT count(*) FROM user_sessions") == 0
