"""Corrections that the operator posts without a dispute, by two people."""

from collections.abc import Iterator

import pytest

from clearinghouse.domain.errors import ClearinghouseError, NotFound, OperatorRefused
from clearinghouse.operations.confirming import (
    Correction,
    confirm,
    posted,
    propose_correction,
    waiting,
)
from tests.conftest import Server
from tests.operations.court import CHECKER, MAKER, NOVEMBER, Court, published_october
from tests.operations.months import must_hold


@pytest.fixture(scope="module")
def october(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with published_october(server, tmp_path_factory.mktemp("packs")) as name:
        yield name


@pytest.fixture
def court(server: Server, october: str) -> Iterator[Court]:
    found = Court(server, october)
    yield found
    found.context.database.close()
    server.drop(found.name)


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
