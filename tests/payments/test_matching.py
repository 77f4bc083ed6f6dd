"""Matching by hand: one proposes, another confirms; what the bank said is never allocated twice."""

from concurrent.futures import ThreadPoolExecutor

import psycopg2
import pytest

from clearinghouse.domain.accounts import AccountKind
from clearinghouse.domain.errors import ClearinghouseError, NotFound, OperatorRefused
from clearinghouse.domain.users import Role
from clearinghouse.operations import collateral
from clearinghouse.operations.changing import Authority
from clearinghouse.operations.users import create_user, deactivate_user
from tests.payments.bank import Booked, camt
from tests.payments.desk import CHECKER, MAKER, OCTOBER, Desk

AUR, BAM, CLD = "CH-202610-AUR-1", "CH-202610-BAM-1", "CH-202610-CLD-1"

ALLOCATE = (
    "INSERT INTO payment_allocations (kind, system, amount_minor, line, entry_id, in_period, at)"
    " SELECT 'bank', 1, {}, number, entry_id, 1, now() FROM bank_lines"
)


@pytest.fixture
def waiting(desk: Desk) -> Desk:
    """A desk on which 400.00 from nobody known waits."""
    desk.bank(Booked("X", 40_000, text="November 付款"))
    return desk


def test_what_is_proposed_changes_nothing_until_another_confirms(waiting: Desk) -> None:
    desk = waiting
    assert [tuple(part)[1:3] for part in desk.propose("X", "AUR")] == [
        (OCTOBER, 31_250),
        (None, 8_750),
    ]
    assert desk.balance(AccountKind.UNALLOCATED) == 40_000
    assert desk.position("AUR") == -31_250
    desk.confirm("X")
    assert desk.balance(AccountKind.UNALLOCATED) == 0
    assert desk.position("AUR") == desk.credit("AUR") == 8_750
    assert [(actor, told["parts"]) for actor, _, told in desk.audited("payment.confirm")] == [
        (
            "checker",
            [
                {"system": "AUR", "period": "2026-10", "amount_minor": 31_250},
                {"system": "AUR", "period": None, "amount_minor": 8_750},
            ],
        )
    ]
    assert desk.audited("payment.match")[0][0] == "maker"
    desk.must_hold()


@pytest.mark.parametrize("name", ["maker", " Maker", "MAKER ", "ｍａｋｅｒ", "ma\u200bker"])
def test_nobody_confirms_what_he_proposed(waiting: Desk, name: str) -> None:
    waiting.propose("X", "AUR")
    with pytest.raises(OperatorRefused, match="another person has to confirm"):
        waiting.confirm("X", Authority(name, "I am sure"))
    assert waiting.credit("AUR") == 0
    assert waiting.audited("payment.confirm") == []


@pytest.mark.parametrize("undoes", [False, True])
def test_what_somebody_proposed_who_is_gone_is_not_confirmed(waiting: Desk, undoes: bool) -> None:
    user = create_user(waiting.context, None, "maker", Role.FINANCE, CHECKER).user
    if undoes:
        waiting.propose("X", "AUR", by=CHECKER)
        waiting.confirm("X", MAKER)
        waiting.undo("X", Authority(" MAKER", "it is theirs"))
    else:
        waiting.propose("X", "AUR", by=Authority("ｍａｋｅｒ", "it is theirs"))
    before = waiting.credit("AUR")
    deactivate_user(waiting.context, None, user, CHECKER)
    with pytest.raises(OperatorRefused, match="who has proposed it, is deactivated"):
        waiting.confirm("X")
    assert waiting.credit("AUR") == before
    waiting.reject("X")
    if undoes:
        waiting.undo("X", Authority("somebody", "it is theirs"))
    else:
        waiting.propose("X", "AUR", by=Authority("somebody", "it is theirs"))
    waiting.confirm("X")
    assert waiting.credit("AUR") != before
    waiting.must_hold()


@pytest.mark.parametrize("name", ["MAKER ", "ｍａｋｅｒ", "\u3000maker", "ma\u200bker"])
def test_the_database_itself_wants_four_eyes(waiting: Desk, name: str) -> None:
    waiting.propose("X", "AUR")
    with (
        pytest.raises(psycopg2.errors.CheckViolation, match="four_eyes"),
        waiting.context.database.office() as session,
    ):
        session.run(
            "UPDATE payment_matches SET state = 'confirmed', decided_by = %s,"
            " decided_at = now(), decision_reason = 'x'",
            [name],
        )


def test_a_rejected_match_leaves_the_line_as_it_was(waiting: Desk) -> None:
    waiting.propose("X", "AUR")
    with pytest.raises(OperatorRefused, match="waits already, proposed by maker"):
        waiting.propose("X", "CLD")
    waiting.reject("X", MAKER)
    with pytest.raises(NotFound):
        waiting.confirm("X")
    waiting.match("X", "AUR@2026-10=100", "AUR@credit=200")
    assert waiting.instruction("AUR").confirmed_minor == 100
    assert waiting.credit("AUR") == 200
    assert waiting.balance(AccountKind.UNALLOCATED) == 39_700
    waiting.match("X", "CLD@credit")
    assert waiting.credit("CLD") == 39_700
    waiting.must_hold()


@pytest.mark.parametrize(
    ("targets", "said"),
    [
        (["AUR@2026-10=31251"], "only 312.50 is open of AUR for 2026-10"),
        (["AUR=40001"], "only 400.00 of line"),
        (["AUR@2026-10", "AUR@2026-10"], "nothing is open of AUR"),
        (["AUR=30000", "CLD=30000"], "only 100.00 of line"),
        (["BAM@2026-10"], "BAM is paid for 2026-10: line"),
        (["AUR@2026-09"], "AUR has no payment instruction for 2026-09"),
        (["XXX"], 'there is no system "XXX"'),
        ([], "nothing suggests itself"),
        (["AUR@collateral"], "no such collateral of AUR is recorded"),
    ],
)
def test_what_does_not_fit_is_not_proposed(waiting: Desk, targets: list[str], said: str) -> None:
    with pytest.raises(ClearinghouseError) as refused:
        waiting.propose("X", *targets)
    assert said in refused.value.message
    assert waiting.value("SELECT count(*) FROM payment_matches") == 0


def test_what_was_overtaken_is_not_confirmed(waiting: Desk) -> None:
    waiting.propose("X", "AUR@2026-10")
    waiting.bank(Booked("B1", 31_250, AUR, "AUR"))
    with pytest.raises(OperatorRefused, match="no longer fits"):
        waiting.confirm("X")
    waiting.must_hold()


def test_what_was_matched_wrongly_is_taken_back_by_two_people(desk: Desk) -> None:
    desk.bank(Booked("B1", 31_250, AUR, "AUR"))
    assert desk.instruction("AUR").state == "confirmed"
    desk.undo("B1")
    with pytest.raises(OperatorRefused):
        desk.confirm("B1", MAKER)
    desk.confirm("B1")
    assert desk.instruction("AUR").state == "open"
    assert desk.balance(AccountKind.UNALLOCATED) == 31_250
    assert desk.events("payment.corrected", "AUR")[0]["outstanding_minor"] == 31_250
    # It does not match itself again.
    desk.bank(Booked("B2", 5))
    assert desk.instruction("AUR").state == "open"
    desk.match("B1", "CLD@credit=250", "AUR@2026-10=31000")
    assert desk.instruction("AUR").confirmed_minor == 31_000
    desk.must_hold()


def test_a_return_and_its_undoing(desk: Desk) -> None:
    desk.bank(Booked("B1", -1_960, CLD, "CLD"), Booked("R1", 1_960, CLD, reversal=True))
    assert desk.instruction("CLD").state == "open"
    desk.undo("R1")
    desk.confirm("R1")
    assert desk.instruction("CLD").state == "confirmed"
    desk.must_hold()


def test_the_money_of_collateral_is_tied_to_it(desk: Desk) -> None:
    desk.bank(Booked("C1", 50_000, None, "AUR"), Booked("C2", -20_000, None, "AUR"))
    by = Authority("treasurer", "pledge", "controller")
    collateral.post_collateral(desk.context, "AUR", 50_000, "C1", by)
    assert desk.balance(AccountKind.UNALLOCATED) == -20_000
    desk.match("C1", "AUR@collateral")
    assert desk.credit("AUR") == 0
    assert desk.instruction("AUR").confirmed_minor == 0
    desk.must_hold()
    desk.undo("C1")
    desk.confirm("C1")
    desk.match("C1", "AUR@collateral=10000", "AUR@credit=40000")
    assert desk.credit("AUR") == 40_000
    desk.must_hold()


def test_two_at_once_never_post_twice(waiting: Desk) -> None:
    """Two imports of overlapping files and two confirmations, all at the same time."""
    desk = waiting
    desk.propose("X", "AUR@credit")
    lines = [Booked("B1", 31_250, AUR, "AUR"), Booked("B2", -28_211, BAM, "BAM")]
    files = [camt(desk.folder / f"{n}.xml", [*lines, Booked(f"E{n}", n)]) for n in (1, 2)]

    def confirm(_: int) -> str:
        try:
            desk.confirm("X", Authority("checker", "seen"))
        except NotFound:
            return "nothing waits"
        return "confirmed"

    with ThreadPoolExecutor(4) as people:
        imports = [people.submit(desk.take, file) for file in files]
        confirmed = sorted(people.map(confirm, range(2)))
        assert sorted(i.result().known for i in imports) == [0, 2]
    assert confirmed == ["confirmed", "nothing waits"]
    assert desk.credit("AUR") == 40_000
    assert desk.balance(AccountKind.BANK) == -(40_000 + 31_250 - 28_211 + 3)
    assert desk.value("SELECT count(*) FROM payment_allocations") == 3
    desk.must_hold()


@pytest.mark.parametrize(
    "sql",
    [
        ALLOCATE.format(40_001),
        ALLOCATE.format(-1),
        "UPDATE bank_lines SET amount_minor = 1",
        "DELETE FROM payment_instructions",
        "UPDATE payment_instructions SET confirmed_minor = amount_minor",
    ],
)
def test_the_database_keeps_money_as_it_is(waiting: Desk, sql: str) -> None:
    with pytest.raises(psycopg2.Error), waiting.context.database.office() as session:
        session.run(sql)
