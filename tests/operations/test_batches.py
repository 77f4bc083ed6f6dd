"""Night audits: every line is answered once, whatever is wrong with its neighbours, and nobody sees another's."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from clearinghouse.domain.errors import (
    BatchNotFinished,
    ClearinghouseError,
    IdempotencyKeyReused,
    NotFound,
)
from clearinghouse.operations.batches import (
    all_results,
    batches_of,
    find_batch,
    results_after,
    work_off,
)
from clearinghouse.operations.batches.uploading import open_part
from clearinghouse.operations.context import Context
from clearinghouse.operations.party import Party
from clearinghouse.operations.prove import prove
from clearinghouse.store.batches import StoredPart
from tests.alliances import CARDS, MiniAlliance
from tests.founding import founding
from tests.operations.night_audit import (
    HEADER,
    as_csv,
    as_ndjson,
    client,
    codes,
    named,
    send,
    sent_and_done,
    stated,
)

NOW = datetime(2026, 11, 5, 2, tzinfo=UTC)
OPERATOR = Party(1, None, None, frozenset())

founded = founding(now=NOW)


@pytest.fixture
def alliance(founded: object, context: Context, tmp_path: Path) -> MiniAlliance:
    """The alliance of domain.md §6, on the morning of 5 November."""
    return MiniAlliance(context, tmp_path, now=NOW)


@pytest.fixture
def bam(alliance: MiniAlliance) -> Party:
    """A client of BAM."""
    return client(alliance, "BAM")


NIGHT = [
    stated("BAM-HZ", "R1", amount=88_888),
    stated("BAM-HZ", "R2", "redeem", amount=None, points=500),
    stated("BAM-HZ", "R3", "redeem", amount=None, points=99_999),
    stated("BAM-HZ", "R1", amount=88_888),
    stated("BAM-HZ", "R1", amount=1),
    stated("BAM-HZ", "R4", "refund", amount=None, points=100, original="R2"),
    stated("AUR-SH", "R5"),
    stated("NONE", "R6"),
    stated("BAM-HZ", "R7", day="2026-11-06"),
    stated("BAM-HZ", "R8", day="2026-08-06"),
    stated("BAM-HZ", "R9", card="6277810000009999"),
    stated("BAM-HZ", "R10", "gift"),
    stated("BAM-HZ", "R11", day="2026-11-02", at="2026-11-03T01:30:00+08:00"),
]
ANSWERS = [
    "accepted", "accepted", "insufficient_points", "repeated", "txn_ref_reused", "accepted", "hotel_not_yours",
    "hotel_unknown", "business_date_in_future", "presentment_too_late", "card_unknown", "kind_unknown", "accepted",
]  # fmt: skip


@pytest.mark.parametrize(("kind", "first"), [("csv", 2), ("ndjson", 1)])
def test_every_line_gets_the_answer_that_it_deserves(
    alliance: MiniAlliance, bam: Party, kind: str, first: int
) -> None:
    body = as_csv(NIGHT) if kind == "csv" else as_ndjson(NIGHT)
    batch_id = sent_and_done(alliance, bam, "k", body, kind)
    assert list(codes(alliance.context, bam, batch_id).items()) == list(enumerate(ANSWERS, first))
    results = list(all_results(alliance.context, bam, batch_id))
    ids = dict(alliance.rows("SELECT txn_ref, txn_id FROM transactions"))
    assert results[0].txn_id == results[3].txn_id == ids["R1"]
    assert [results[2].txn_id, results[6].txn_id] == [None, None]
    assert (results[7].host, results[7].ref) == ("NONE", "R6")
    assert set(ids) == {"R1", "R2", "R4", "R11"}
    batch = find_batch(alliance.context, bam, batch_id)
    assert (batch.job.lines, batch.answered, *batch.tally) == (13, 13, 4, 1, 8, 0)
    assert not [proof for proof in prove(alliance.context) if not proof.holds]


def test_its_end_is_told_in_the_same_transaction(alliance: MiniAlliance, bam: Party) -> None:
    batch_id = sent_and_done(alliance, bam, "k", as_csv(NIGHT))
    told = alliance.rows("SELECT system, payload FROM outbox WHERE kind = 'batch.finished'")
    counts = {"accepted": 4, "repeated": 1, "refused": 8, "invalid": 0}
    assert told == [(bam.system, {"batch": batch_id, "lines": 13, **counts})]


def test_nothing_is_kept_of_what_was_uploaded(alliance: MiniAlliance, bam: Party) -> None:
    body = as_csv(NIGHT)
    receipt = send(alliance.context, bam, "k", body)
    (row,) = alliance.rows("SELECT part, first_line, last_line, content FROM batch_parts")
    part = StoredPart(*row[:3], bytes(row[3]))
    assert CARDS["T1"].encode() not in part.content
    opened = open_part(alliance.context.vault, receipt.batch_id, part)
    assert opened.content == body.split(b"\n", 1)[1].removesuffix(b"\n")
    work_off(alliance.context, lanes=1)
    assert alliance.value("SELECT count(*) FROM batch_parts") == 0


def test_the_same_key_is_the_same_batch(alliance: MiniAlliance, bam: Party) -> None:
    body = as_csv(NIGHT)
    first = send(alliance.context, bam, "k", body)
    again = send(alliance.context, bam, "k", body)
    assert (first.replayed, again.replayed) == (False, True)
    work_off(alliance.context, lanes=1)
    later = send(alliance.context, bam, "k", body)
    assert [(r.batch_id, r.received_at, r.lines, r.size) for r in (again, later)] == [
        (first.batch_id, first.received_at, first.lines, first.size)
    ] * 2
    assert not work_off(alliance.context, lanes=1)
    for other in (body + b"\n", as_csv(NIGHT[:-1]), b"\xff", b"x"):
        with pytest.raises(IdempotencyKeyReused):
            send(alliance.context, bam, "k", other)
    with pytest.raises(IdempotencyKeyReused):
        send(alliance.context, bam, "k", body, "ndjson")
    # A key is its client's own.
    assert not send(alliance.context, client(alliance, "BAM"), "k", body).replayed


def test_another_key_is_another_batch_that_changes_nothing(
    alliance: MiniAlliance, bam: Party
) -> None:
    first = sent_and_done(alliance, bam, "k", as_csv(NIGHT))
    before = alliance.rows("SELECT * FROM postings ORDER BY period, entry_id, seq")
    again = sent_and_done(alliance, bam, "other", as_csv(NIGHT))
    assert again != first
    expected = ["repeated" if code == "accepted" else code for code in ANSWERS]
    assert list(codes(alliance.context, bam, again).values()) == expected
    assert alliance.rows("SELECT * FROM postings ORDER BY period, entry_id, seq") == before


def test_a_night_sent_again_too_late_is_still_repeated(alliance: MiniAlliance, bam: Party) -> None:
    night = as_csv([stated("BAM-HZ", "R1"), stated("BAM-HZ", "R1", amount=5)])
    sent_and_done(alliance, bam, "k", night)
    alliance.clock.pass_to(NOW + timedelta(days=200))
    again = sent_and_done(alliance, bam, "other", night)
    assert list(codes(alliance.context, bam, again).values()) == ["repeated", "txn_ref_reused"]


def test_it_is_judged_by_the_moment_of_receipt(alliance: MiniAlliance, bam: Party) -> None:
    late = as_csv(
        [stated("BAM-HZ", "R1", day="2026-08-07"), stated("BAM-HZ", "R2", day="2026-11-06")]
    )
    receipt = send(alliance.context, bam, "k", late)
    alliance.clock.pass_to(NOW + timedelta(days=5))
    work_off(alliance.context, lanes=1)
    answers = codes(alliance.context, bam, named(receipt))
    assert list(answers.values()) == ["accepted", "business_date_in_future"]


def test_a_client_of_one_hotel_speaks_for_no_other(alliance: MiniAlliance) -> None:
    shanghai = client(alliance, "AUR", "AUR-SH")
    night = as_csv([stated("AUR-SH", "R1"), stated("AUR-BJ", "R1"), stated("BAM-HZ", "R1")])
    batch_id = sent_and_done(alliance, shanghai, "k", night)
    answers = codes(alliance.context, shanghai, batch_id)
    assert list(answers.values()) == ["accepted", "hotel_not_yours", "hotel_not_yours"]


def test_a_hotel_that_moves_is_spoken_for_by_its_system_of_the_day(alliance: MiniAlliance) -> None:
    moved = ("AUR-SH", "BAM", "金酒店上海", "Aurum Shanghai", "上海市", "2026-11-03")
    alliance.add({"hotels.csv": (moved,)})
    night = as_csv([stated("AUR-SH", "R1", day="2026-11-02"), stated("AUR-SH", "R2")])
    told = {}
    for system in ("AUR", "BAM"):
        party = client(alliance, system)
        batch_id = sent_and_done(alliance, party, "k", night)
        told[system] = list(codes(alliance.context, party, batch_id).values())
    assert told == {
        "AUR": ["accepted", "hotel_not_yours"],
        "BAM": ["hotel_not_yours", "accepted"],
    }


@pytest.fixture
def others(alliance: MiniAlliance) -> Iterator[Party]:
    """Who must not see what a client of AUR-SH has sent."""
    return iter(
        (
            client(alliance, "BAM"),
            client(alliance, "AUR", "AUR-BJ"),
            OPERATOR,
        )
    )


def test_nobody_sees_anothers_batch(alliance: MiniAlliance, others: Iterator[Party]) -> None:
    shanghai = client(alliance, "AUR", "AUR-SH")
    batch_id = sent_and_done(alliance, shanghai, "k", as_csv([stated("AUR-SH", "R1")]))
    for party in others:
        for ask in (
            lambda who: find_batch(alliance.context, who, batch_id),
            lambda who: results_after(alliance.context, who, batch_id, 0, 10),
            lambda who: all_results(alliance.context, who, batch_id),
        ):
            with pytest.raises(NotFound):
                ask(party)
        assert batches_of(alliance.context, party, None, 10).batches == []
    # Whoever speaks for the whole system sees what its hotels sent.
    assert find_batch(alliance.context, client(alliance, "AUR"), batch_id).answered == 1


def test_the_database_shows_a_system_its_own_and_no_content(
    alliance: MiniAlliance, bam: Party
) -> None:
    sent_and_done(alliance, bam, "k", as_csv(NIGHT))
    cloud = client(alliance, "CLD")
    for party, counts in ((bam, (1, 2)), (cloud, (0, 0)), (OPERATOR, (0, 0))):
        with alliance.database.reading(party.system) as session:
            assert (
                session.row(
                    "SELECT (SELECT count(*) FROM batches), (SELECT count(*) FROM batch_results)"
                )
                == counts
            )
    with (
        pytest.raises(Exception, match="permission denied"),
        alliance.database.reading(bam.system) as session,
    ):
        session.row("SELECT count(*) FROM batch_parts")


def test_the_operator_sends_none(alliance: MiniAlliance) -> None:
    with pytest.raises(ClearinghouseError):
        send(alliance.context, OPERATOR, "k", as_csv(NIGHT))


def test_results_come_in_pages(alliance: MiniAlliance, bam: Party) -> None:
    night = [line for n in range(2_100) for line in (stated("BAM-HZ", f"R{n}", amount=100), "")]
    receipt = send(alliance.context, bam, "k", as_csv(night))
    batch_id = named(receipt)
    page = results_after(alliance.context, bam, batch_id, 0, 100)
    assert (page.state, page.results, page.next_after) == ("waiting", [], 0)
    with pytest.raises(BatchNotFinished):
        all_results(alliance.context, bam, batch_id)
    assert alliance.value("SELECT count(*) FROM batch_parts") == 3
    work_off(alliance.context, lanes=1)
    seen: list[int] = []
    after: int | None = 0
    while after is not None:
        page = results_after(alliance.context, bam, batch_id, after, 700)
        seen += [result.line for result in page.results]
        after = page.next_after
    assert seen == list(range(2, 4_202, 2))
    assert [r.line for r in all_results(alliance.context, bam, batch_id)] == seen
    assert receipt.lines == 2_100


def test_batches_are_listed_newest_first(alliance: MiniAlliance, bam: Party) -> None:
    sent = [named(send(alliance.context, bam, f"k{n}", as_csv(NIGHT))) for n in range(5)]
    work_off(alliance.context, lanes=1)
    seen, before = [], None
    while True:
        page = batches_of(alliance.context, bam, before, 2)
        seen += [(f"bat_{batch.job.batch_id.hex}", batch.answered) for batch in page.batches]
        before = page.next_before
        if before is None:
            break
    assert seen == list(zip(reversed(sent), [0, 0, 0, 0, 13], strict=True))


def test_a_batch_without_lines_is_finished_too(alliance: MiniAlliance, bam: Party) -> None:
    for key, body in (("a", HEADER), ("b", f"\ufeff{HEADER}\r\n\r\n")):
        batch_id = sent_and_done(alliance, bam, key, body.encode())
        assert codes(alliance.context, bam, batch_id) == {}
