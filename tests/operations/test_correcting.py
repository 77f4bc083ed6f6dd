"""Corrections that the operator posts without a dispute, by two people."""

import psycopg2.errors
import pytest

from clearinghouse.domain.dispute_errors import LegNotDisputable
from clearinghouse.domain.errors import ClearinghouseError, NotFound, OperatorRefused
from clearinghouse.operations.changing import Authority
from clearinghouse.operations.confirming import (
    Correction,
    confirm,
    posted,
    propose_correction,
    waiting,
)
from clearinghouse.operations.judging import Ruling, decide
from clearinghouse.store import proposals
from tests.operations.court import CHECKER, MAKER, NOVEMBER, Court
from tests.operations.months import must_hold


def test_the_operator_corrects_without_a_dispute(court: Court) -> None:
    leg = (court.used, 1)
    made = propose_correction(court.context, Correction("CLD", "AUR", 40, leg), MAKER)
    assert court.rows() == []
    done = confirm(court.context, made.number, CHECKER)
    assert done.adjustment is not None
    assert court.sums() == {("AUR", False): 40, ("CLD", False): -40}
    by_number = propose_correction(
        court.context, Correction(None, "BAM", 9, reference="ST-202610-BAM-1"), MAKER
    )
    confirm(court.context, by_number.number, CHECKER)
    assert ("BAM", None, 9) in court.rows()
    rows = posted(court.context, NOVEMBER)
    assert {(row.txn_ref, row.text) for row in rows} == {("2", "凭证不符"), (None, "凭证不符")}
    # A correction of the leg is seen by whoever disputes it next.
    assert court.open().claimed_minor == 360
    must_hold(court.context)


@pytest.mark.parametrize("name", ["CLERK A ", "ｃｌｅｒｋ  a"])
def test_one_person_by_another_spelling_confirms_nothing(court: Court, name: str) -> None:
    correction = Correction(None, "BAM", 9, reference="ST-202610-BAM-1")
    made = propose_correction(court.context, correction, Authority("clerk a", "slip"))
    with pytest.raises(OperatorRefused, match="another person"):
        confirm(court.context, made.number, Authority(name, "sure"))
    with (
        pytest.raises(psycopg2.errors.CheckViolation, match="two_people"),
        court.context.database.office() as session,
    ):
        proposals.end(session, made.number, "confirmed", name, court.context.clock())
    assert court.rows() == []


@pytest.mark.parametrize(
    ("payer", "payee", "amount", "by_leg", "reference", "error"),
    [
        ("AUR", "AUR", 1, False, "R", OperatorRefused),
        (None, None, 1, False, "R", OperatorRefused),
        ("AUR", "XXX", 1, False, "R", NotFound),
        ("AUR", "BAM", 0, False, "R", OperatorRefused),
        ("AUR", "BAM", 10**12 + 1, False, "R", OperatorRefused),
        ("AUR", "BAM", 1, False, None, OperatorRefused),
        ("AUR", "BAM", 1, True, "R", OperatorRefused),
        ("AUR", "BAM", 1, False, "", OperatorRefused),
    ],
)
def test_a_correction_says_what_it_corrects(
    court: Court,
    payer: str | None,
    payee: str | None,
    amount: int,
    by_leg: bool,
    reference: str | None,
    error: type[ClearinghouseError],
) -> None:
    correction = Correction(payer, payee, amount, (court.used, 1) if by_leg else None, reference)
    with pytest.raises(error):
        propose_correction(court.context, correction, MAKER)
    assert waiting(court.context) == []


@pytest.mark.parametrize(
    ("payer", "payee", "amount", "of_cash", "error"),
    [
        ("CLD", "AUR", 401, False, OperatorRefused),
        (None, "CLD", 9, False, OperatorRefused),
        (None, "BAM", 890, True, OperatorRefused),
        # A foreign party would be told another's business.
        ("BAM", "AUR", 1, False, OperatorRefused),
        ("CLD", "BAM", 1, False, OperatorRefused),
        (None, "AUR", 1, False, OperatorRefused),
        ("BAM", None, 1, False, OperatorRefused),
        # What a guest spends is not the card issuer's business either.
        ("BAM", "AUR", 1, True, OperatorRefused),
        (None, "AUR", 1, True, OperatorRefused),
    ],
)
def test_a_leg_is_corrected_between_its_parties_and_no_more_than_is_left(
    court: Court,
    payer: str | None,
    payee: str | None,
    amount: int,
    of_cash: bool,
    error: type[ClearinghouseError],
) -> None:
    leg = (court.cash if of_cash else court.used, 1)
    with pytest.raises(error):
        propose_correction(court.context, Correction(payer, payee, amount, leg), MAKER)
    assert waiting(court.context) == []


def test_what_a_leg_carries_is_corrected_either_way(court: Court) -> None:
    used, cash = (court.used, 1), (court.cash, 1)
    for correction in (
        Correction("CLD", "AUR", 400, used),
        Correction("AUR", "CLD", 500, used),
        Correction(None, "CLD", 8, used),
        Correction("CLD", None, 10, used),
        Correction(None, "BAM", 889, cash),
        Correction("BAM", None, 900, cash),
    ):
        confirm(court.context, propose_correction(court.context, correction, MAKER).number, CHECKER)
    assert court.sums() == {
        ("AUR", False): -100,
        ("CLD", False): 100,
        ("CLD", True): -2,
        ("BAM", True): -11,
    }
    must_hold(court.context)


def test_a_leg_inside_one_system_has_nothing_to_correct(court: Court) -> None:
    own = court.alliance.value("SELECT txn_id FROM transactions WHERE txn_ref = '1'")
    with pytest.raises(LegNotDisputable):
        propose_correction(court.context, Correction("AUR", None, 1, (own, 1)), MAKER)


def test_a_name_that_is_no_systems_is_shown_as_a_value(court: Court) -> None:
    wrong = Correction("6222000047109087253\n", "AUR", 1, reference="R")
    with pytest.raises(NotFound, match=r'no system "…7253\\n"$'):
        propose_correction(court.context, wrong, MAKER)


def test_a_correction_beside_a_decision_sees_it(court: Court) -> None:
    found = court.open()
    court.answer(found)
    correction = Correction("CLD", "AUR", 300, (court.used, 1))
    made = propose_correction(court.context, correction, MAKER)
    with court.beside(lambda: confirm(court.context, made.number, CHECKER)) as (session, outcome):
        decide(session, court.context, found.dispute_id, Ruling(300, "同意"))
    assert "left 100 fen" in str(outcome())
    assert court.sums() == {("AUR", False): 300, ("CLD", False): -300, ("CLD", True): 6}
    must_hold(court.context)
