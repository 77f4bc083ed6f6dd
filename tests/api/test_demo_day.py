"""The demo's live day: the real application, asked over HTTP between the import and the settlement of its month."""

import csv
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from api.demo import SampleFacts, write_sample_packs
from api.demo.live_day import Entry, play_live_day
from api.demo.live_service import ToldClock
from clearinghouse.domain.calendar import parse_period
from clearinghouse.domain.errors import ClearinghouseError
from clearinghouse.operations.context import Context
from clearinghouse.operations.importing import import_pack
from clearinghouse.operations.prove import prove
from clearinghouse.store.database import Database
from clearinghouse.store.vault import Vault
from settlement.run import read_file, settle
from tests.conftest import Server

AFTERWARDS = datetime(2026, 11, 20, tzinfo=UTC)
#: Reference, kind, points and fen of what the day leaves in the books.
POSTED = {
    ("261020-L01", "redeem", 2_000, None),
    ("261020-L02", "stored_value_spend", None, 30_050),
    ("261020-L07", "spend", 680, 68_000),
    ("261020-L08", "spend", 1_599, 88_888),
    ("261020-L09", "redeem", 800, None),
    ("261020-L10", "refund", 360, 20_000),
}


@dataclass(frozen=True)
class Lived:
    context: Context
    facts: SampleFacts
    entries: tuple[Entry, ...]

    def of(self, hotel: str) -> list[Entry]:
        return [entry for entry in self.entries if entry.hotel == hotel]


@pytest.fixture(scope="module")
def lived(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lived]:
    name = server.new_database()
    facts = write_sample_packs(tmp_path_factory.mktemp("packs"), travellers=300, lines=1_500)
    database = Database(server.url(name))
    context = Context(database, Vault(bytes(32)), ToldClock(AFTERWARDS))
    for pack in facts.packs:
        import_pack(context, pack.folder)
    yield Lived(context, facts, play_live_day(context, facts.live))
    database.close()
    server.drop(name)


def test_it_is_a_readable_day(lived: Lived) -> None:
    times = [entry.at for entry in lived.entries]
    assert times == sorted(times)
    assert {at.date() for at in times[:-1]} == {lived.facts.live.day}
    assert times[-1].date() == lived.facts.live.day + timedelta(days=7)
    for entry in lived.entries:
        for zh, en in ((entry.zh, entry.en), (entry.answer_zh, entry.answer_en)):
            assert any("\u4e00" <= sign <= "\u9fff" for sign in zh), entry
            assert not any("\u4e00" <= sign <= "\u9fff" for sign in en), entry


def test_what_is_asked_is_answered_as_the_rules_say(lived: Lived) -> None:
    assert [(e.hotel, e.status, e.code) for e in lived.entries if e.status != 201] == [
        ("BIRCH-BJ", 200, ""),
        ("CAMELLIA-KM", 200, ""),
        ("WILLOW-YZ", 422, "insufficient_points"),
        ("REED-WH", 422, "hold_expired"),
    ]
    assert "白桦" not in lived.of("BIRCH-BJ")[0].answer_en
    assert "Gold" in lived.of("BIRCH-BJ")[0].answer_en
    first, again = lived.of("MAPLE-BJ")
    assert first.txn_ref
    assert not again.txn_ref


def test_it_stays_in_the_books_once_and_is_settled(lived: Lived) -> None:
    with lived.context.database.office() as session:
        rows = session.rows(
            "SELECT txn_ref, kind, points, amount_minor FROM transactions WHERE txn_ref LIKE '261020-L%'"
        )
        held = session.rows("SELECT txn_ref, state FROM authorizations ORDER BY 1")
    assert set(rows) == POSTED
    assert len(rows) == len(POSTED)
    assert [state for _, state in held] == ["captured", "captured", "voided", "expired"]
    for pack in lived.facts.packs:
        settle(lived.context, parse_period(pack.period))
    told = {
        line["txn_ref"]
        for system in ("BIRCH", "LILAC", "GINKGO", "MAPLE")
        for line in csv.DictReader(statement(lived, system).splitlines())
    }
    assert {entry.txn_ref for entry in lived.entries if entry.txn_ref} <= told
    assert all(proof.holds for proof in prove(lived.context))
    with lived.context.database.office() as session:
        states = session.rows("SELECT DISTINCT state FROM authorizations ORDER BY 1")
    assert states == [("captured",), ("expired",), ("voided",)]


def statement(lived: Lived, system: str) -> str:
    period = parse_period(lived.facts.shown.period)
    return b"".join(read_file(lived.context, period, f"statements/{system}.csv")).decode(
        "utf-8-sig"
    )


def test_a_day_that_goes_otherwise_ends_the_demo(context: Context, tmp_path: Path) -> None:
    """Without what the guests are to have, the first hold is refused, and nothing is played down."""
    facts = write_sample_packs(tmp_path, travellers=200, lines=1_000)
    then = replace(context, clock=ToldClock(AFTERWARDS))
    import_pack(then, facts.packs[0].folder)
    with pytest.raises(ClearinghouseError, match="insufficient_points"):
        play_live_day(then, facts.live)
