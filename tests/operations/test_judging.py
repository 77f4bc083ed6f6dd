"""Decisions on disputes: every step in every state, what is posted, and that two people stand behind each."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import product

import pytest

from clearinghouse.domain.dispute_errors import (
    ClaimTooHigh,
    DisputeAnswered,
    DisputeNotDecided,
    EscalationClosed,
    LegNotDisputable,
    PartiesOnly,
)
from clearinghouse.domain.disputes import DisputeState
from clearinghouse.domain.errors import ClearinghouseError, NotFound, OperatorRefused
from clearinghouse.operations.changing import Authority
from clearinghouse.operations.confirming import (
    confirm,
    posted,
    propose_decision,
    waiting,
    withdraw,
)
from clearinghouse.operations.disputing import Dispute
from clearinghouse.operations.judging import sweep_overdue
from clearinghouse.operations.party import Party
from tests.conftest import Server
from tests.operations.court import CHECKER, FOURTH, MAKER, NOVEMBER, THIRD, Court
from tests.operations.months import must_hold, publish_without_files


def brought_to(court: Court, state: DisputeState) -> Dispute:
    found = court.open()
    if state is DisputeState.OPEN:
        return found
    court.answer(found)
    if state is DisputeState.ANSWERED:
        return court.again(found)
    found = court.decide(found, 0 if state is DisputeState.REJECTED else None)
    return court.escalate(found) if state is DisputeState.ESCALATED else found


DEEDS: dict[str, Callable[[Court, Dispute], Dispute]] = {
    "open again": lambda court, _: court.open(),
    "contest": lambda court, found: court.answer(found, "contest"),
    "accept": lambda court, found: court.answer(found, "accept"),
    "uphold": lambda court, found: court.decide(found, second=True),
    "reject": lambda court, found: court.decide(found, 0, second=True),
    "escalate": lambda court, found: court.escalate(found, court.cld),
}
OPEN, ANSWERED, UPHELD, REJECTED, ESCALATED = DisputeState
#: Where each deed leads from each state; what is missing is refused.
LEADS: dict[tuple[DisputeState, str], DisputeState] = {
    **{(state, "open again"): state for state in DisputeState},
    (OPEN, "contest"): ANSWERED,
    (OPEN, "accept"): UPHELD,
    # The same answer again changes nothing.
    **{(state, "contest"): state for state in (ANSWERED, UPHELD, REJECTED, ESCALATED)},
    (ANSWERED, "uphold"): UPHELD,
    (ANSWERED, "reject"): REJECTED,
    (UPHELD, "escalate"): ESCALATED,
    (REJECTED, "escalate"): ESCALATED,
    (ESCALATED, "uphold"): UPHELD,
    (ESCALATED, "reject"): REJECTED,
}
REFUSALS: dict[str, tuple[type[ClearinghouseError], ...]] = {
    "accept": (DisputeAnswered,),
    "uphold": (OperatorRefused,),
    "reject": (OperatorRefused,),
    "escalate": (DisputeNotDecided, EscalationClosed),
}


def test_every_deed_in_every_state(server: Server, october: str) -> None:
    for state, (name, deed) in product(DisputeState, DEEDS.items()):
        court = Court(server, october)
        found = brought_to(court, state)
        before = court.rows(), court.again(found)
        leads = LEADS.get((state, name))
        if leads is None:
            with pytest.raises(REFUSALS[name]):
                deed(court, found)
            assert (court.rows(), court.again(found)) == before, (state, name)
        else:
            assert deed(court, found).state == leads, (state, name)
        must_hold(court.context)
        court.context.database.close()
        server.drop(court.name)


def test_what_is_upheld_is_adjusted_in_the_next_period_with_its_fee(court: Court) -> None:
    found = court.open()
    assert found.claimed_minor == 400
    court.answer(found)
    decided = court.decide(found)
    assert (decided.state, decided.upheld_minor) == ("upheld", 400)
    assert court.sums() == {("AUR", False): 400, ("CLD", False): -400, ("CLD", True): 8}
    assert [(step.state, step.by) for step in decided.steps] == [
        ("open", "AUR"),
        ("answered", "CLD"),
        ("upheld", None),
    ]
    assert decided.steps[-1].text == MAKER.reason
    for who in (court.aur, court.cld):
        assert court.told(who) == ["dispute.opened", "dispute.answered", "dispute.decided"]
    assert court.told(court.bam) == []
    publish_without_files(court.alliance, "2026-11")
    nets = dict(
        court.alliance.rows(
            "SELECT s.code, p.net_minor FROM positions p JOIN systems s ON s.number = p.system"
            " WHERE period = %s",
            NOVEMBER,
        )
    )
    assert nets == {"AUR": 400, "BAM": 0, "CLD": -392}
    must_hold(court.context)


def test_a_part_is_upheld_and_its_fee_is_that_of_what_stands(court: Court) -> None:
    found = court.open(amount=160)
    court.answer(found)
    court.decide(found, 50)
    # The fee on 3.50 is 0.07 instead of 0.08.
    assert court.sums() == {("AUR", False): 50, ("CLD", False): -50, ("CLD", True): 1}
    other = court.open(court.cld, 25)
    court.answer(other, who=court.aur)
    court.decide(other)
    # And of 3.75 it is 0.08 again.
    assert court.sums() == {("AUR", False): 25, ("CLD", False): -25}
    must_hold(court.context)


def test_what_is_accepted_is_upheld_at_once_and_final(court: Court) -> None:
    found = court.answer(court.open(), "accept")
    assert (found.state, found.upheld_minor, found.escalate_until) == ("upheld", 400, None)
    assert court.sums() == {("AUR", False): 400, ("CLD", False): -400, ("CLD", True): 8}
    with pytest.raises(EscalationClosed):
        court.escalate(found)
    assert court.answer(found, "accept").steps == found.steps
    must_hold(court.context)


def test_a_fee_goes_back_by_two_people_even_if_the_operator_accepts(court: Court) -> None:
    found = court.open(court.bam, reason="fee_wrong")
    assert (found.respondent, found.claimed_minor) == (None, 889)
    found = court.answer(found, "accept", court.operator)
    assert (found.state, court.rows()) == ("answered", [])
    court.decide(found, 500)
    assert court.sums() == {("BAM", True): 500}
    publish_without_files(court.alliance, "2026-11")
    assert court.alliance.rows(
        "SELECT fees_minor, vat_minor, adjustments_minor, net_minor FROM positions"
        " WHERE period = %s AND fees_minor <> 0",
        NOVEMBER,
    ) == [(-500, -28, 0, 500)]
    must_hold(court.context)


def test_a_claim_on_the_fee_is_the_hosts_with_the_operator(court: Court) -> None:
    found = court.open(court.cld, reason="fee_wrong")
    assert (found.respondent, found.claimed_minor) == (None, 8)
    with pytest.raises(LegNotDisputable):
        court.open(court.aur, reason="fee_wrong")
    with pytest.raises(ClaimTooHigh):
        court.open(court.bam, 890, "fee_wrong")


def test_no_more_is_claimed_than_is_left(court: Court) -> None:
    for nothing in (0, -1):
        with pytest.raises(ClaimTooHigh, match="1 fen at least"):
            court.open(amount=nothing)
    with pytest.raises(ClaimTooHigh):
        court.open(amount=401)
    court.alliance.accept("refund", "CLD-GZ", "9", "T1", "2026-11-05", points=300, original="2")
    with pytest.raises(ClaimTooHigh):
        court.open(amount=101)
    found = court.open()
    assert found.claimed_minor == 100
    court.alliance.accept("refund", "CLD-GZ", "10", "T1", "2026-11-06", points=80, original="2")
    court.answer(found)
    with pytest.raises(OperatorRefused, match="left 20 fen"):
        court.decide(found)
    with pytest.raises(OperatorRefused, match="claimed"):
        court.decide(found, 101)
    court.decide(found, 20)
    assert court.sums() == {("AUR", False): 20, ("CLD", False): -20}
    with pytest.raises(LegNotDisputable):
        court.open(reason="other")
    must_hold(court.context)


def test_what_a_refund_has_settled_is_upheld_with_nothing(court: Court) -> None:
    found = court.open()
    court.alliance.accept("refund", "CLD-GZ", "9", "T1", "2026-11-05", points=400, original="2")
    accepted = court.answer(found, "accept")
    assert (accepted.state, accepted.upheld_minor, court.rows()) == ("upheld", 0, [])
    must_hold(court.context)


def test_an_overturned_decision_is_posted_the_other_way_round(court: Court) -> None:
    found = court.open()
    court.answer(found)
    court.alliance.clock.pass_to(datetime(2026, 11, 28, tzinfo=UTC))
    court.decide(found)
    publish_without_files(court.alliance, "2026-11")
    court.escalate(found, court.cld)
    decided = court.decide(found, 0, second=True)
    assert (decided.state, decided.upheld_minor, decided.escalated_by) == ("rejected", 0, "CLD")
    december = [
        (row.system, row.counterparty, row.amount_minor, row.kind)
        for row in posted(court.context, NOVEMBER + 1)
    ]
    assert sorted(december, key=str) == [
        ("AUR", "CLD", -400, "dispute_overturned"),
        ("CLD", "AUR", 400, "dispute_overturned"),
        ("CLD", None, -8, "dispute_overturned"),
    ]
    for second in (court.aur, court.cld):
        with pytest.raises(EscalationClosed):
            court.escalate(found, second)
    publish_without_files(court.alliance, "2026-12")
    # What November's statements said of it stays; December's know better.
    states = court.alliance.rows("SELECT period, state FROM adjusted_disputes ORDER BY 1")
    assert states == [(NOVEMBER, "upheld"), (NOVEMBER + 1, "rejected")]
    must_hold(court.context)


def test_a_second_decision_may_give_another_part(court: Court) -> None:
    found = court.open()
    court.answer(found)
    court.decide(found, 100)
    court.escalate(found)
    court.decide(found, 250, second=True)
    assert court.sums() == {("AUR", False): 250, ("CLD", False): -250, ("CLD", True): 5}
    must_hold(court.context)


def test_silence_admits_nothing_and_holds_nothing_up(court: Court) -> None:
    found = court.open()
    with pytest.raises(OperatorRefused, match="can't be decided now"):
        court.decide(found)
    assert sweep_overdue(court.context) == 0
    court.alliance.clock.pass_to(found.answer_due_at)
    assert sweep_overdue(court.context) == 1
    assert sweep_overdue(court.context) == 0
    assert court.told(court.aur) == court.told(court.cld) == ["dispute.opened", "dispute.overdue"]
    assert (court.again(found).state, court.again(found).overdue) == ("open", True)
    decided = court.decide(found)
    assert (decided.state, decided.answer) == ("upheld", "none")
    assert [(step.state, step.by) for step in decided.steps] == [
        ("open", "AUR"),
        ("answered", None),
        ("upheld", None),
    ]
    with pytest.raises(DisputeAnswered):
        court.answer(found)
    assert court.escalate(found, court.cld).state == "escalated"
    must_hold(court.context)


def test_a_late_answer_is_still_heard(court: Court) -> None:
    found = court.open()
    court.alliance.clock.pass_to(found.answer_due_at)
    sweep_overdue(court.context)
    answered = court.answer(found)
    assert (answered.state, answered.answer_late) == ("answered", True)


def test_an_escalation_has_its_days(court: Court) -> None:
    found = court.open()
    court.answer(found)
    decided = court.decide(found)
    assert decided.escalate_until is not None
    court.alliance.clock.pass_to(decided.escalate_until - timedelta(seconds=1))
    with pytest.raises(PartiesOnly):
        court.escalate(found, Party(court.operator.client, None, None, frozenset({"operator"})))
    with pytest.raises(NotFound):
        court.escalate(found, court.bam)
    court.alliance.clock.pass_to(decided.escalate_until)
    with pytest.raises(EscalationClosed):
        court.escalate(found)
    assert court.again(found) == decided


def test_nobody_decides_alone_or_twice(court: Court) -> None:
    found = court.open()
    court.answer(found)
    made = propose_decision(court.context, found.dispute_id, None, MAKER)
    assert [row.number for row in waiting(court.context)] == [made.number]
    with pytest.raises(OperatorRefused, match="another person"):
        confirm(court.context, made.number, Authority(" 示例甲 ", "x"))
    with pytest.raises(OperatorRefused, match="waits for that dispute"):
        propose_decision(court.context, found.dispute_id, 0, CHECKER)
    assert court.again(found).state == "answered"
    withdraw(court.context, made.number, MAKER)
    with pytest.raises(OperatorRefused, match="withdrawn already"):
        confirm(court.context, made.number, CHECKER)
    court.decide(found)
    court.escalate(found)
    second = propose_decision(court.context, found.dispute_id, 0, THIRD)
    for former in (MAKER, CHECKER):
        with pytest.raises(OperatorRefused, match="no part in the first"):
            confirm(court.context, second.number, former)
    confirm(court.context, second.number, FOURTH)
    logged = court.alliance.rows(
        "SELECT actor, action FROM audit_log WHERE action LIKE 'dispute.%%'"
    )
    assert logged.count(("示例甲", "dispute.propose")) == 2
    assert ("示例丁", "dispute.confirm") in logged
    must_hold(court.context)


def test_two_disputes_of_one_leg_do_not_give_it_back_twice(court: Court) -> None:
    first = court.open()
    court.answer(first, "accept")
    with pytest.raises(LegNotDisputable):
        court.open(reason="duplicate")
    assert court.open() == court.again(first)
    must_hold(court.context)
