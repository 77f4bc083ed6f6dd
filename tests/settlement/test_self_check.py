"""A settlement begins and ends with the invariants of what is frozen: on books that don't sum nothing is settled."""

from contextlib import closing
from pathlib import Path

import psycopg2
import pytest

from clearinghouse.domain.calendar import cut_off, parse_period
from clearinghouse.domain.errors import BooksDoNotBalance
from clearinghouse.operations.context import Context
from settlement.frozen_run import read_run
from settlement.publishing import publish
from settlement.run import go_on, settle, standing
from settlement.stages import make_period_files, make_statement
from tests.alliances import MiniAlliance

OCTOBER, NOVEMBER = parse_period("2026-10"), parse_period("2026-11")


@pytest.fixture
def alliance(founded: object, context: Context, tmp_path: Path) -> MiniAlliance:
    """October is published, November has its cut-off behind it."""
    made = MiniAlliance(context, tmp_path)
    made.accept("spend", "BAM-HZ", "1", "T1", "2026-10-03", amount=88_888)
    made.accept("redeem", "CLD-GZ", "2", "T1", "2026-10-04", points=1_000)
    made.settle("2026-10")
    made.accept("redeem", "CLD-GZ", "3", "T1", "2026-11-04", points=100)
    made.clock.pass_to(cut_off(NOVEMBER, 3, "Asia/Shanghai"))
    return made


def tamper(alliance: MiniAlliance, statement: str) -> None:
    """Do what the owner of the tables could do who goes round their triggers."""
    url = alliance.database.owner_url.replace("+psycopg2", "")
    with closing(psycopg2.connect(url)) as connection, connection, connection.cursor() as cursor:
        cursor.execute("ALTER TABLE positions DISABLE TRIGGER frozen")
        cursor.execute(statement)
        cursor.execute("ALTER TABLE positions ENABLE TRIGGER frozen")


def test_no_month_is_closed_on_books_that_do_not_sum(alliance: MiniAlliance) -> None:
    tamper(alliance, "UPDATE positions SET net_minor = net_minor + 1 WHERE payable_minor > 0")
    with pytest.raises(BooksDoNotBalance, match=r"fees of 2026-10 sum to 1 fen \(invariant 4.1\)"):
        settle(alliance.context, NOVEMBER)
    there, failure = standing(alliance.context, NOVEMBER)
    assert there.state == "open"
    assert failure is not None
    assert "fees of 2026-10 sum to 1 fen" in failure.sentence


def test_no_month_is_published_on_figures_that_do_not_sum(alliance: MiniAlliance) -> None:
    missing = go_on(alliance.context, NOVEMBER, wait=True)
    run = read_run(alliance.context, NOVEMBER)
    for whose in missing:
        make_statement(alliance.context, run, whose, wait=True)
    make_period_files(alliance.context, run)
    more_vat = "UPDATE positions SET vat_minor = vat_minor + 1 WHERE fees_minor > 0"
    tamper(alliance, f"{more_vat} AND period = {OCTOBER}")
    with pytest.raises(BooksDoNotBalance, match=r"is not the rulebook's \(invariant 4.5\)"):
        publish(alliance.context, run)
    assert standing(alliance.context, NOVEMBER)[0].state == "stated"
    assert alliance.value("SELECT count(*) FROM outbox WHERE payload ->> 'period' = '2026-11'") == 0
