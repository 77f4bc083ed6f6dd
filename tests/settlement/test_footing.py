"""Nothing is published that does not sum; what is, says in its manifest what it comes to."""

import json

import pytest

from clearinghouse.domain.errors import BooksDoNotBalance
from clearinghouse.operations.adjusting import adjust
from clearinghouse.operations.close import close
from clearinghouse.store import frozen, signatures
from settlement.frozen_run import read_run
from settlement.netting import net_period
from settlement.publishing import publish
from settlement.run import files_of, read_file, settle
from settlement.stages import make_period_files, make_statement
from tests.settlement.signed_books import OCTOBER, Books


@pytest.mark.parametrize(
    "deed",
    [
        """UPDATE period_file_chunks SET bytes = convert_to(regexp_replace(convert_from(bytes, 'UTF8'),
            '"net_minor": -?[0-9]+', '"net_minor": 7'), 'UTF8') WHERE path = 'statements/CLD.json'""",
        """UPDATE period_file_chunks SET bytes = convert_to(regexp_replace(convert_from(bytes, 'UTF8'),
            '"closing_minor": -?[0-9]+', '"closing_minor": 7'), 'UTF8') WHERE path = 'statements/OPERATOR.json'""",
        "DELETE FROM period_file_chunks WHERE path = 'statements/AUR.json'",
        "UPDATE period_file_chunks SET bytes = substr(bytes, 2) WHERE path = 'statements/AUR.json'",
        "UPDATE positions SET fees_minor = fees_minor + 1 WHERE fees_minor > 0",
    ],
)
def test_what_does_not_sum_is_not_published(books: Books, deed: str) -> None:
    close(books.context, OCTOBER)
    net_period(books.context, OCTOBER)
    run = read_run(books.context, OCTOBER)
    for whose in (*run.positions, None):
        make_statement(books.context, run, whose, wait=True)
    make_period_files(books.context, run)
    narrow = deed + (" AND " if " WHERE " in deed else " WHERE ") + f"period = {OCTOBER}"
    books.tamper(narrow)
    with pytest.raises(BooksDoNotBalance, match="for 2026-10 does not foot"):
        publish(books.context, run)
    with books.context.database.office() as session:
        assert signatures.signatures_of(session, OCTOBER) == {}
        assert "manifest.json" not in {f.path for f in frozen.stored_files(session, OCTOBER)}


def test_the_manifest_says_what_the_statements_come_to(books: Books) -> None:
    settle(books.context, OCTOBER)
    document = json.loads(b"".join(read_file(books.context, OCTOBER, "manifest.json")))
    totals = document["control_totals"]
    assert (totals["systems"], totals["legs"]) == (3, 2)
    assert totals["receivable_minor"] == totals["payable_minor"] == 500
    assert totals["net_minor"] == -totals["fees_minor"]
    paths = {file.path for file in files_of(books.context, OCTOBER)} - {"manifest.json"}
    assert document["files"].keys() == paths
    assert document["files"]["statements/BAM.pdf"]["party"] == "BAM"
    assert document["files"]["positions.csv"]["party"] == "OPERATOR"
    assert {"typst", "xlsxwriter", "zlib"} <= document["made_with"].keys()


def test_corrections_and_fees_given_back_foot_too(books: Books) -> None:
    with books.context.database.posting() as session:
        numbers = dict(session.rows("SELECT code, number FROM systems"))
        for payer, payee, amount in ((None, "BAM", 300), ("AUR", "CLD", 700), ("CLD", None, 50)):
            adjust(
                session,
                books.context,
                payer=numbers.get(payer),
                payee=numbers.get(payee),
                amount_minor=amount,
                kind="correction",
                reference="R-1",
                text="更正",
            )
    settle(books.context, OCTOBER)
    document = json.loads(b"".join(read_file(books.context, OCTOBER, "manifest.json")))
    assert document["control_totals"]["fees_minor"] == 456 + 10 - 300 + 50
    assert books.failing() == []
    assert books.differing(OCTOBER) == []
