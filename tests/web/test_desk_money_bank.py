"""The bank at the desk: files are taken or refused whole, lines are matched by two people, members are reminded."""

from clearinghouse.domain.accounts import AccountKind, account
from tests.payments.bank import Booked, camt, csv
from tests.web.money_story import AUR, BAM, Story


def unallocated(story: Story) -> int:
    number = account(AccountKind.UNALLOCATED)
    return int(
        story.value(
            "SELECT coalesce(sum(CASE WHEN credit = %s THEN amount ELSE -amount END), 0)::bigint"
            " FROM postings WHERE %s IN (debit, credit)",
            number,
            number,
        )
    )


def test_a_file_arrives_as_the_command_takes_it(story: Story) -> None:
    assert "银行流水待匹配" not in story.viewer.get("/desk").words()
    answer = story.bank(
        story.booked("B1", 31_250, AUR, account="AUR"),
        story.booked("B2", 9_900, text="附言"),
        opening=100_000,
    )
    assert "1 笔银行流水待匹配" in story.viewer.get("/desk").words()
    assert answer.status == 302
    words = answer.follow().words()
    assert "新流水 2 行，自动匹配 1 行" in words
    assert "statement.xml" in words
    assert story.state() == ("confirmed", 31_250)
    assert [(actor, told["matched"]) for actor, told in story.audited("payment.import")] == [
        (story.maker.login, 1)
    ]
    again = story.upload((story.folder / "statement.xml").read_bytes(), "again.xml").follow()
    assert "以前已经导入过" in again.words()
    gap = story.bank(
        story.booked("B2", 9_900, text="附言"),
        story.booked("B3", 100),
        name="next.xml",
        opening=150_000,
    ).follow()
    assert "以前已有 1 行" in gap.words()
    assert "8.50" in gap.words()
    assert "可能缺一份银行对账单" in gap.words()
    assert "next.xml" in story.viewer.get("/desk/payments/files").words()
    story.must_hold()


def test_what_is_no_statement_is_refused_in_a_sentence(story: Story) -> None:
    for name, content in (
        ("empty.xml", b""),
        ("statement.pdf", b"%PDF-1.7\n%%EOF"),
        ("page.xml", b"<html><body>hello</body></html>"),
        ("evil.xml", b'<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]><x>&a;</x>'),
        ("lines.csv", b"account,amount\n1,2\n"),
        ("binary.csv", bytes(range(256))),
    ):
        answer = story.upload(content, name)
        assert answer.status == 422, name
        assert "没有任何内容被保存" in answer.words(), name
        # Nothing of a file of ours, and no path.
        assert "passwd" not in answer.text, name
        assert "/tmp" not in answer.text, name  # noqa: S108  looked for, not written to
    for table in ("bank_files", "bank_lines"):
        assert story.value(f"SELECT count(*) FROM {table}") == 0
    assert story.audited("payment.import") == []


def test_a_file_of_another_account_needs_to_be_said(story: Story) -> None:
    story.bank(story.booked("B1", 100))
    other = camt(story.folder / "other.xml", [story.booked("C1", 5)], account="6222000000000000002")
    refused = story.upload(other.read_bytes(), "other.xml")
    assert (refused.status, story.value("SELECT count(*) FROM bank_files")) == (422, 1)
    assert story.upload(other.read_bytes(), "other.xml", new_account="yes").status == 302


def test_a_csv_is_taken_and_too_much_is_not(story: Story) -> None:
    made = csv(story.folder / "bank.csv", [story.booked("B1", 31_250, AUR, account="AUR")])
    assert story.upload(made.read_bytes(), "bank.csv").status == 302
    assert story.state() == ("confirmed", 31_250)
    assert story.maker.post("/desk/payments/files", {}).status == 422
    assert story.upload(b"a" * (17 << 20), "large.csv").status == 413
    # Beyond what any other form may have, and yet a sound size for a statement.
    assert story.upload(b"a" * (3 << 20), "middle.csv").status == 422
    assert story.value("SELECT count(*) FROM bank_files") == 1


def test_a_stranger_may_not_send_much(story: Story) -> None:
    stranger = story.site.stranger()
    answer = stranger.post("/desk/payments/files", {"reason": "a" * (2 << 20)})
    assert answer.status in (302, 413)
    assert story.value("SELECT count(*) FROM bank_files") == 0


def test_one_proposes_another_confirms(story: Story) -> None:
    story.bank(story.booked("X", 40_000))
    number = story.line("X")
    path = f"/desk/payments/lines/{number}"
    answer = story.maker.post(
        f"{path}/propose",
        {
            "system_1": "AUR", "purpose_1": "2026-10", "amount_1": "300.00",
            "system_2": "AUR", "purpose_2": "credit", "amount_2": "",
            "reason": "电话确认",
        },
    )  # fmt: skip
    assert answer.status == 302, answer.words()
    assert (story.state(), unallocated(story)) == (("open", 0), 40_000)
    own = story.maker.get(path)
    assert own.page.xpath(f"//form[@action='{path}/confirm']") == []
    refused = story.maker.post(f"{path}/confirm", {**story.seen(path), "reason": "me"})
    assert refused.status == 422
    assert "another person has to confirm it" in refused.words()
    unticked = story.checker.post(f"{path}/confirm", {**story.seen(path), "checked": ""})
    assert (unticked.status, "勾选确认框" in unticked.words()) == (422, True)
    unseen = story.checker.post(f"{path}/confirm", {**story.seen(path), "match": ""})
    assert (unseen.status, "look again" in unseen.words()) == (422, True)
    assert story.state() == ("open", 0)
    done = story.checker.post(f"{path}/confirm", story.seen(path))
    assert done.status == 302
    assert (story.state(), unallocated(story)) == (("partial", 30_000), 0)
    assert "100.00" in story.viewer.get("/desk/payments/members/AUR").words()
    (actor, told) = story.audited("payment.confirm")[0]
    assert (actor, told["proposed_by"], told["reason"]) == (
        story.checker.login, story.maker.login, "seen",
    )  # fmt: skip
    assert [part["amount_minor"] for part in told["parts"]] == [30_000, 10_000]
    story.must_hold()


def test_a_match_is_taken_back_by_two_people(story: Story) -> None:
    story.bank(story.booked("B1", 31_250, AUR, account="AUR"))
    path = f"/desk/payments/lines/{story.line('B1')}"
    assert story.maker.post(f"{path}/undo", {"reason": "错了"}).status == 302
    assert story.state() == ("confirmed", 31_250)
    assert "待复核：撤销匹配" in story.checker.get(path).words()
    story.checker.post(f"{path}/confirm", story.seen(path))
    assert (story.state(), unallocated(story)) == (("open", 0), 31_250)
    # And what is proposed next is taken back by its author.
    story.maker.post(f"{path}/propose", {"suggested": "yes", "reason": "again"})
    assert story.maker.post(f"{path}/reject", {"reason": "doubt"}).status == 302
    assert story.value("SELECT state FROM payment_matches ORDER BY number DESC LIMIT 1") == (
        "rejected"
    )
    assert [actor for actor, _ in story.audited("payment.reject")] == [story.maker.login]
    story.must_hold()


def test_a_match_that_does_not_fit_is_refused(story: Story) -> None:
    story.bank(story.booked("X", 40_000))
    path = f"/desk/payments/lines/{story.line('X')}"
    refusals: list[tuple[dict[str, str], str]] = [
        ({}, "请至少填写一行"),
        ({"system_1": "AUR", "amount_1": "1.00"}, "各部分合计 1.00 元"),
        ({"system_1": "AUR", "amount_1": "1.999"}, "最多两位小数"),
        ({"system_1": "AUR", "amount_1": "abc"}, "最多两位小数"),
        ({"amount_1": "400.00"}, "第 1 行没有填写成员代码"),
        ({"system_1": "XXX", "amount_1": "400.00"}, "XXX"),
        ({"system_1": "AUR", "purpose_1": "november"}, "第 1 行的用途不是账期"),
        ({"system_1": "AUR", "system_2": "CLD", "amount_2": "1"}, "只有最后一行的金额可以留空"),
        ({"system_1": "AUR", "purpose_1": "collateral"}, "collateral"),
        ({"system_1": "BAM", "purpose_1": "2026-10"}, "the other way"),
    ]
    for form, told in refusals:
        answer = story.maker.post(f"{path}/propose", {**form, "reason": "r"})
        assert (answer.status, told in answer.words()) == (422, True), answer.words()
        assert answer.page.xpath("//input[@name='system_1']/@value") == [form.get("system_1", "")]
    assert story.value("SELECT count(*) FROM payment_matches") == 0


def test_a_part_can_be_left_for_later(story: Story) -> None:
    story.bank(story.booked("X", 40_000))
    path = f"/desk/payments/lines/{story.line('X')}"
    form = {"system_1": "AUR", "amount_1": "1.00", "leave_rest": "yes", "reason": "r"}
    assert story.maker.post(f"{path}/propose", form).status == 302
    story.checker.post(f"{path}/confirm", story.seen(path))
    assert story.state() == ("partial", 100)


def test_lines_are_listed_by_what_they_are(story: Story) -> None:
    story.bank(
        story.booked("B1", 31_250, AUR, account="AUR"),
        story.booked("B2", -28_900, BAM, account="BAM"),
        story.booked("B3", 5),
        Booked("B4", -1_000, AUR, "AUR", day=story.day, reversal=True),
    )

    def listed(query: str) -> set[str]:
        page = story.viewer.get(f"/desk/payments/lines?{query}").page
        found = page.xpath("//tbody/tr/td[1]/a/text()")
        return {
            story.value("SELECT entry_reference FROM bank_lines WHERE number = %s", int(number))
            for number in found
        }

    assert listed("stage=waiting") == {"B2", "B3"}
    assert listed("stage=waiting&finding=unknown") == {"B3"}
    assert listed("stage=waiting&finding=over") == {"B2"}
    assert listed("stage=matched") == {"B1", "B4"}
    assert listed("stage=returned") == {"B4"}
    assert listed("stage=all") == {"B1", "B2", "B3", "B4"}
    story.maker.post(
        f"/desk/payments/lines/{story.line('B2')}/propose", {"suggested": "yes", "reason": "r"}
    )
    assert listed("stage=proposed") == {"B2"}
    assert listed("stage=waiting") == {"B3"}


def test_long_lists_are_paged(story: Story) -> None:
    story.bank(*(story.booked(f"L{number}", 100 + number) for number in range(120)))
    seen: list[str] = []
    path = "/desk/payments/lines?stage=all"
    while path:
        page = story.viewer.get(path).page
        seen += page.xpath("//tbody/tr/td[1]/a/text()")
        path = next(iter(page.xpath("//a[@rel='next']/@href")), "")
    assert len(seen) == len(set(seen)) == 120
    path, found = "/desk/payments/lines?finding=unknown", []
    while path:
        page = story.viewer.get(path).page
        found += page.xpath("//tbody/tr/td[1]/a/text()")
        path = next(iter(page.xpath("//a[@rel='next']/@href")), "")
    assert sorted(found) == sorted(seen)


def test_instructions_are_overdue_first_and_filtered(story: Story) -> None:
    story.wait_past_due()
    page = story.viewer.get("/desk/payments/?met=overdue&direction=in")
    assert page.page.xpath("//tbody/tr/td[2]/span/text()") == ["AUR"]
    assert "逾期 2 天" in page.words()
    story.bank(story.booked("B1", 31_250, AUR, account="AUR"))
    assert story.viewer.get("/desk/payments/?met=overdue&direction=in").words("//tbody") == ""
    order = story.viewer.get("/desk/payments/?period=2026-10").page
    assert order.xpath("//tbody/tr/td[2]/span/text()") == ["BAM", "CLD", "AUR"]


def test_reminders_are_sent_once_in_the_name_of_who_asked(story: Story) -> None:
    story.wait_past_due()
    assert "AUR" in story.viewer.get("/desk/payments/dunning").words()
    refused = story.maker.post("/desk/payments/dunning", {"reason": " "})
    assert (refused.status, story.value("SELECT count(*) FROM payment_reminders")) == (422, 0)
    sent = story.maker.post("/desk/payments/dunning", {"reason": "月中"}).follow()
    assert "已发出 1 份催款通知" in sent.words()
    assert story.value("SELECT stage FROM payment_reminders") == "reminder"
    story.maker.post("/desk/payments/dunning", {"reason": "再来"})
    assert story.value("SELECT count(*) FROM payment_reminders") == 1
    assert [(actor, told["sent"]) for actor, told in story.audited("payment.dunning")] == [
        (story.maker.login, 1),
        (story.maker.login, 0),
    ]


def test_who_only_looks_changes_nothing(story: Story) -> None:
    story.bank(story.booked("X", 40_000))
    path = f"/desk/payments/lines/{story.line('X')}"
    assert story.viewer.get(path).status == 200
    for action in ("propose", "undo", "confirm", "reject"):
        answer = story.viewer.post(f"{path}/{action}", {"reason": "r", "suggested": "yes"})
        assert answer.status == 403
    assert story.viewer.post("/desk/payments/files", {}).status == 403
    assert story.viewer.post("/desk/payments/dunning", {"reason": "r"}).status == 403
    assert story.maker.post(f"{path}/propose", {"suggested": "yes"}, csrf=False).status == 400
    assert story.value("SELECT count(*) FROM payment_matches") == 0
