"""Disputes at the desk: by deadline, decided and corrected by two people, with the evidence of both sides."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pytest

from clearinghouse.operations.confirming import posted
from clearinghouse.operations.dispute_desk import effects_of
from clearinghouse.operations.disputing import (
    Claim,
    Dispute,
    Line,
    answer_dispute,
    escalate_dispute,
    open_dispute,
)
from clearinghouse.operations.evidence import NewFile, add_evidence
from tests.conftest import Server
from tests.operations.parties import party
from tests.web.money_story import Story, tell, told_again
from tests.web.site import Browser
from web.frame.staff import Role

NOVEMBER = 2026 * 12 + 10


@pytest.fixture(scope="module")
def october(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    name = tell(server, tmp_path_factory.mktemp("october"))
    yield name
    server.drop(name)


class Court(Story):
    """AUR disputes that points of its own worth 12.00 were used at CLD."""

    def open(self, amount: int | None = None, reason: str = "amount_wrong") -> Dispute:
        alliance = self.site.alliance
        txn = alliance.value("SELECT txn_id FROM transactions WHERE txn_ref = '3'")
        leg = alliance.value(
            "SELECT g.leg_no FROM legs g JOIN systems s ON s.number = g.issuer_system"
            " WHERE g.txn_id = %s AND s.code = 'AUR'",
            txn,
        )
        self.aur, self.cld = party(alliance, "AUR"), party(alliance, "CLD")
        claim = Claim(reason, "客人说没有来过 <b>这里</b>", amount)
        return open_dispute(self.site.context, self.aur, Line(txn, leg), claim)[0]

    def answered(self) -> Dispute:
        found = self.open()
        return answer_dispute(
            self.site.context, self.cld, found.dispute_id, "contest", "有签单为证"
        )

    def decide(self, found: Dispute, outcome: str, amount: str = "") -> Browser:
        form = {"outcome": outcome, "amount": amount, "reason": "凭证不符"}
        return self.maker.post(f"/desk/disputes/{found.id}/decide", form)

    def confirm(self, who: Browser | None = None, **form: str) -> Browser:
        number = self.value("SELECT max(number) FROM proposals")
        ticked = {"checked": "yes", "reason": "同意", **form}
        return (who or self.checker).post(f"/desk/disputes/proposals/{number}/confirm", ticked)

    def moved(self) -> list[tuple[str, str | None, int]]:
        return [
            (one.system, one.counterparty, one.amount_minor)
            for one in posted(self.site.context, NOVEMBER)
        ]


@pytest.fixture
def court(server: Server, october: str, tmp_path: Path) -> Iterator[Court]:
    with told_again(server, october, tmp_path, Court) as made:
        yield made


def test_a_dispute_has_its_line_both_sides_and_their_steps(court: Court) -> None:
    found = court.answered()
    page = court.viewer.get(f"/desk/disputes/{found.id}")
    words = page.words()
    for text in (
        "金额或积分有误",
        "有签单为证",
        "<b>这里</b>",
        "CLD-GZ",
        "AUR-SH",
        "12.00",
        "反对",
    ):
        assert text in words, text
    assert page.page.xpath("//main//form") == []
    assert court.maker.get(f"/desk/disputes/{found.id}").page.xpath("//main//form")


def test_evidence_is_handed_out_to_be_saved_and_that_is_noted(court: Court) -> None:
    found = court.open()
    file, _new = add_evidence(
        court.site.context,
        court.aur,
        found.dispute_id,
        NewFile("前台记录.txt", "text/plain", b"no"),
    )
    page = court.viewer.get(f"/desk/disputes/{found.id}").page
    (href,) = page.xpath("//a[@download]/@href")
    answer = court.viewer.get(href)
    assert (answer.status, answer.text) == (200, "no")
    assert answer.headers["Content-Disposition"].startswith("attachment;")
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert [actor for actor, _ in court.audited("dispute.evidence")] == [court.viewer.login]
    other = f"/desk/disputes/dsp_{UUID(int=1).hex}/evidence/{file.id}"
    assert court.viewer.get(other).status == 404


def test_a_decision_posts_what_was_looked_at(court: Court) -> None:
    found = court.answered()
    looked = court.maker.get(f"/desk/disputes/{found.id}/decide?outcome=uphold&amount=5.00")
    assert looked.status == 200
    assert "CLD 在下一期对账单上付给 AUR 5.00 元" in looked.words()
    assert "清算所向 CLD 退还手续费 0.10 元" in looked.words()
    assert court.decide(found, "uphold", "5.00").status == 302
    assert court.moved() == []
    foreseen = effects_of(court.site.context, found.dispute_id, 500)
    own = court.confirm(court.maker)
    assert (own.status, "another person" in own.words()) == (422, True)
    assert court.confirm(checked="").status == 422
    assert court.confirm(court.viewer).status == 403
    assert court.moved() == []
    assert court.confirm().status == 302
    assert court.moved() == [("AUR", "CLD", 500), ("CLD", "AUR", -500), ("CLD", None, 10)]
    assert [tuple(one) for one in foreseen] == [("CLD", "AUR", 500), (None, "CLD", 10)]
    actor, told = court.audited("dispute.confirm")[0]
    assert (actor, told["proposed_by"]) == (court.checker.login, court.maker.login)
    assert court.audited("dispute.propose")[0][0] == court.maker.login
    assert "裁定 5.00 元" in court.viewer.get(f"/desk/disputes/{found.id}").words()
    court.must_hold()


def test_a_second_decision_takes_the_first_one_back_as_foreseen(court: Court) -> None:
    found = court.answered()
    court.decide(found, "uphold", "5.00")
    court.confirm()
    escalate_dispute(court.site.context, court.cld, found.dispute_id, "不服")
    before = len(court.moved())
    foreseen = effects_of(court.site.context, found.dispute_id, 1_200)
    third = court.site.staff(None, Role.FINANCE, "third")
    fourth = court.site.staff(None, Role.FINANCE, "fourth")
    form = {"outcome": "uphold", "amount": "", "reason": "再审"}
    assert third.post(f"/desk/disputes/{found.id}/decide", form).status == 302
    refused = court.confirm()
    assert (refused.status, "no part in the first decision" in refused.words()) == (422, True)
    assert court.confirm(fourth).status == 302
    gained = [
        (system, other, amount)
        for system, other, amount in court.moved()[before:]
        if other is None or amount > 0
    ]
    told = [
        (one.payee or one.payer, one.payer if one.payee and one.payer else None,
         one.amount_minor if one.payee else -one.amount_minor)
        for one in foreseen
    ]  # fmt: skip
    assert gained == told
    court.must_hold()


def test_what_can_not_be_decided_so_is_refused_in_a_sentence(court: Court) -> None:
    found = court.open()
    path = f"/desk/disputes/{found.id}/decide"
    assert "can't be decided now" in court.maker.get(f"{path}?outcome=reject").words()
    assert court.decide(found, "uphold").status == 422
    answer_dispute(court.site.context, court.cld, found.dispute_id, "contest", "不")
    for outcome, amount in (
        ("uphold", "12.01"), ("uphold", "0"), ("uphold", "x"), ("maybe", ""),
    ):  # fmt: skip
        assert court.decide(found, outcome, amount).status == 422, (outcome, amount)
        query = f"outcome={outcome}&amount={amount}"
        assert court.maker.get(f"{path}?{query}").status == 422, (outcome, amount)
    assert court.viewer.get(f"{path}?outcome=reject").status == 403
    assert court.value("SELECT count(*) FROM proposals") == 0
    assert court.decide(found, "reject").status == 302
    twice = court.decide(found, "reject")
    assert (twice.status, "waits for that dispute already" in twice.words()) == (422, True)
    number = court.value("SELECT max(number) FROM proposals")
    withdrawn = court.maker.post(
        f"/desk/disputes/proposals/{number}/withdraw", {"reason": "再想想"}
    )
    assert withdrawn.status == 302
    assert court.moved() == []


def test_disputes_are_listed_by_deadline_with_the_overdue_first(court: Court) -> None:
    found = court.open()
    page = court.viewer.get("/desk/disputes/")
    assert found.id[:12] in page.words()
    assert "逾期未答复" not in page.words()
    court.site.alliance.clock.pass_to(found.answer_due_at + timedelta(minutes=1))
    court.sign_in()
    assert "逾期未答复" in court.viewer.get("/desk/disputes/").words()
    assert found.id[:12] in court.viewer.get("/desk/disputes/?state=open").words()
    assert found.id[:12] not in court.viewer.get("/desk/disputes/?state=answered").words()
    assert court.viewer.get("/desk/disputes/?state=lost").status == 400
    # Nobody has answered in time: it can be decided all the same.
    assert court.decide(found, "reject").status == 302
    assert court.confirm().status == 302
    assert found.id[:12] in court.viewer.get("/desk/disputes/?state=rejected").words()
    assert found.id[:12] not in court.viewer.get("/desk/disputes/").words()


def test_the_operator_corrects_with_four_eyes(court: Court) -> None:
    path = "/desk/disputes/corrections"
    good = {
        "payer": "AUR", "payee": "operator", "amount": "1.23", "reference": "ST-1",
        "reason": "少收手续费",
    }  # fmt: skip
    for wrong in (
        {"payer": ""}, {"amount": ""}, {"amount": "-1"}, {"payee": "AUR"}, {"reference": ""},
        {"transaction": "txn_1"}, {"leg": "0"}, {"reason": ""}, {"payer": "XXX"},
    ):  # fmt: skip
        answer = court.maker.post(path, {**good, **wrong})
        assert answer.status == 422, wrong
    assert court.value("SELECT count(*) FROM proposals") == 0
    assert court.maker.post(path, good).status == 302
    waiting = court.checker.get("/desk/disputes/proposals").words()
    assert "清算所向 AUR 补收手续费 1.23 元" in waiting
    assert court.confirm(court.maker).status == 422
    assert court.moved() == []
    assert court.confirm().status == 302
    assert court.moved() == [("AUR", None, -123)]
    assert court.audited("adjustment.confirm")[0][0] == court.checker.login
    assert "少收手续费" in court.viewer.get(f"{path}?period=2026-11").words()
    court.must_hold()
