"""Decisions at once: of two people's deeds on one dispute one is done, and two disputes of a leg see each other."""

from collections.abc import Callable
from threading import Barrier, Thread

from clearinghouse.domain.dispute_errors import DisputeAnswered
from clearinghouse.domain.errors import OperatorRefused
from clearinghouse.operations.changing import Authority
from clearinghouse.operations.confirming import Confirmed, confirm, propose_decision
from clearinghouse.operations.judging import Ruling, decide
from tests.operations.court import CHECKER, MAKER, Court
from tests.operations.months import must_hold


def test_of_two_confirmations_at_once_one_is_done(court: Court) -> None:
    found = court.open()
    court.answer(found)
    made = propose_decision(court.context, found.dispute_id, None, MAKER)
    start, outcomes = Barrier(4), []

    def confirmed(number: int) -> None:
        start.wait()
        try:
            outcomes.append(confirm(court.context, made.number, Authority(f"示例{number}", "x")))
        except OperatorRefused as refused:
            outcomes.append(refused)

    threads = [Thread(target=confirmed, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(not isinstance(outcome, OperatorRefused) for outcome in outcomes) == 1
    assert court.sums() == {("AUR", False): 400, ("CLD", False): -400, ("CLD", True): 8}
    must_hold(court.context)


def test_an_acceptance_beside_a_decision_is_one_of_them(court: Court) -> None:
    found = court.open()
    court.alliance.clock.pass_to(found.answer_due_at)
    made = propose_decision(court.context, found.dispute_id, 100, MAKER)
    start, outcomes = Barrier(2), []

    def run(deed: Callable[[], object]) -> None:
        start.wait()
        try:
            deed()
            outcomes.append("done")
        except (OperatorRefused, DisputeAnswered):
            outcomes.append("refused")

    deeds = (
        lambda: court.answer(found, "accept"),
        lambda: confirm(court.context, made.number, CHECKER),
    )
    threads = [Thread(target=run, args=(deed,)) for deed in deeds]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["done", "refused"]
    assert court.again(found).upheld_minor == court.sums()["AUR", False] in (100, 400)
    must_hold(court.context)


def test_the_hosts_and_the_issuers_dispute_of_one_leg_see_each_other(court: Court) -> None:
    issuers, hosts = court.open(amount=30), court.open(court.cld, 20)
    court.answer(issuers)
    court.answer(hosts, who=court.aur)
    made = propose_decision(court.context, hosts.dispute_id, None, MAKER)
    with court.beside(lambda: confirm(court.context, made.number, CHECKER)) as (session, outcome):
        decide(session, court.context, issuers.dispute_id, Ruling(30, "同意"))
    assert isinstance(outcome(), Confirmed)
    # The fee is 0.08 on 3.90 as on 4.00; each by itself would make it 0.07 on 3.70, and 0.08 on 4.20.
    assert court.sums() == {("AUR", False): 10, ("CLD", False): -10}
    must_hold(court.context)
