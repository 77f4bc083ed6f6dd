"""Events: told in an order in which nothing is skipped, to the party that they concern and no other."""

import ast
import json
import re
from datetime import UTC, datetime
from pathlib import Path

import psycopg2
import pytest

from clearinghouse.domain.errors import CursorInvalid
from clearinghouse.domain.events import EVENT_KINDS, EVENT_NAMES, TEST
from clearinghouse.operations.context import Context
from clearinghouse.operations.events import Event, events_after
from clearinghouse.operations.party import Party
from clearinghouse.store import outbox
from clearinghouse.store.database import Session
from tests.alliances import MiniAlliance
from tests.architecture.tree import ROOT, modules, name_of, parsed

AT = datetime(2026, 10, 1, 12, tzinfo=UTC)
SCOPES = frozenset({"events:read"})
AUR = Party(client=1, system=1, hotels=None, scopes=SCOPES)
BAM = Party(client=2, system=2, hotels=None, scopes=SCOPES)
OPERATOR = Party(client=3, system=None, hotels=None, scopes=SCOPES)


@pytest.fixture
def books(context: Context, tmp_path: Path) -> Context:
    """Three systems: AUR is the first, BAM the second."""
    alliance = MiniAlliance(context, tmp_path)
    assert alliance.rows("SELECT number, code FROM systems ORDER BY 1")[:2] == [
        (1, "AUR"),
        (2, "BAM"),
    ]
    return alliance.context


def tell(session: Session, n: int, system: int | None = 1, kind: str = "batch.finished") -> None:
    outbox.add(session, AT, kind, {"n": n}, system)


def read(context: Context, party: Party = AUR, after: str | None = None) -> list[Event]:
    return events_after(context, party, after, 100).events


def told(events: list[Event]) -> list[int]:
    return [event.data["n"] for event in events]


def test_transactions_are_told_as_numbers_and_not_as_words(books: Context) -> None:
    """Of 9 and 10 the second begins with the smaller digit; a cursor behind it would skip the first for good."""
    with (
        psycopg2.connect(books.database.owner_url.replace("+psycopg2", "")) as owner,
        owner.cursor() as cursor,
    ):
        for n, xact in enumerate(("9", "10", "99", "100"), start=1):
            cursor.execute(
                "INSERT INTO outbox (xact, at, kind, system, payload)"
                " VALUES (%s::xid8, %s, 'batch.finished', 1, %s)",
                [xact, AT, json.dumps({"n": n})],
            )
    assert told(read(books))[:4] == [1, 2, 3, 4]
    found: list[Event] = []
    while page := events_after(books, AUR, found[-1].id if found else None, 1).events:
        found += page
    assert told(found)[:4] == [1, 2, 3, 4]


def test_what_commits_late_is_never_skipped(books: Context) -> None:
    with books.database.posting() as early:
        tell(early, 1)
        with books.database.posting() as late:
            tell(late, 2)
        # 2 has committed and 1 has not: a cursor on the number would go behind 1 here.
        before = read(books)
    assert told(before) == []
    assert told(read(books)) == [1, 2]


def test_an_older_transaction_that_writes_late_comes_behind_nothing_read(books: Context) -> None:
    with books.database.posting() as old:
        tell(old, 1)
        with books.database.posting() as young:
            tell(young, 2)
        tell(old, 3)
    events = read(books)
    assert told(events) == [1, 3, 2]
    assert told(read(books, after=events[0].id)) == [3, 2]


def test_reading_page_by_page_meets_each_event_once(books: Context) -> None:
    for n in range(7):
        with books.database.posting() as session:
            tell(session, n)
    seen: list[int] = []
    after, more = None, True
    while more:
        page = events_after(books, AUR, after, 3)
        seen += told(page.events)
        after, more = page.events[-1].id, page.more
    assert seen == list(range(7))
    assert events_after(books, AUR, after, 3) == ([], False)


def test_only_the_kinds_asked_for(books: Context) -> None:
    with books.database.posting() as session:
        tell(session, 1)
        tell(session, 2, kind="card.issued")
        tell(session, 3, kind="card.replaced")
    asked = events_after(books, AUR, None, 10, ["card.issued", "card.replaced"]).events
    assert [event.kind for event in asked] == ["card.issued", "card.replaced"]
    assert told(events_after(books, AUR, asked[0].id, 10, ["card.replaced"]).events) == [3]


def test_each_party_hears_its_own(books: Context) -> None:
    with books.database.posting() as session:
        tell(session, 1, system=1)
        tell(session, 2, system=2)
        tell(session, 3, system=None)
    assert told(read(books, AUR)) == [1]
    assert told(read(books, BAM)) == [2]
    assert [e.data.get("n") for e in read(books, OPERATOR)] == [None, 3]  # its import comes first


def test_row_level_security_hides_others_events_even_without_a_condition(books: Context) -> None:
    with books.database.posting() as session:
        tell(session, 1, system=1)
        tell(session, 2, system=2)
    with books.database.reading(2) as session:
        assert session.rows("SELECT payload->>'n' FROM outbox") == [("2",)]


def test_a_place_that_is_not_ones_own_leads_nowhere(books: Context) -> None:
    with books.database.posting() as session:
        tell(session, 1, system=1)
        tell(session, 2, system=2)
    mine, foreign = read(books, AUR)[0].id, read(books, BAM)[0].id
    swapped = mine[:-3] + ("aaa" if mine[-3:] != "aaa" else "bbb")
    bad = [
        "evt_",
        "x",
        "1",
        mine.upper(),
        mine + "a",
        mine[4:],
        swapped,
        "evt_" + "é" * 26,
        foreign,
    ]
    for after in [*bad, "evt_" + "a" * 26, "evt_" + "1" * 26]:
        with pytest.raises(CursorInvalid):
            read(books, AUR, after)


def test_an_id_hides_how_many_events_there_are(books: Context) -> None:
    with books.database.posting() as session:
        tell(session, 1)
        tell(session, 2)
    first, second = (event.id for event in read(books))
    assert sum(a == b for a, b in zip(first[4:], second[4:], strict=True)) < 10
    assert [event.id for event in read(books)] == [first, second]


def test_a_kind_that_is_not_in_the_table_is_refused(books: Context) -> None:
    with (
        books.database.posting() as session,
        pytest.raises(ValueError, match=r"no kind of event 'card\.lost'"),
    ):
        tell(session, 1, kind="card.lost")


def test_the_table_of_kinds_is_complete_in_two_languages() -> None:
    assert len(EVENT_NAMES) == len(EVENT_KINDS)
    assert all(kind.zh and kind.en and kind.zh != kind.en for kind in EVENT_KINDS)


AUDIT = {"log", "record"}


def test_the_document_shows_the_table_of_kinds() -> None:
    rows = [f"| `{kind.name}` | {kind.zh} | {kind.en} |" for kind in EVENT_KINDS]
    text = (ROOT / "docs" / "events.md").read_text(encoding="utf-8")
    assert [line for line in text.splitlines() if re.match(r"\| `[a-z_]+\.", line)] == rows


def test_every_kind_written_in_the_code_is_in_the_table() -> None:
    """``add`` refuses others when it is called, ``add_all`` trusts its caller: this finds both before."""
    unknown = [
        f"{name_of(path)}:{node.lineno}: {constant.value}"
        for path in modules("clearinghouse/operations", "settlement")
        if "outbox" in path.read_text(encoding="utf-8")
        for node in ast.walk(parsed(path))
        if isinstance(node, ast.Call | ast.Assign | ast.AnnAssign)
        # What the audit log is told has names of the same form.
        if not (isinstance(node, ast.Call) and ast.unparse(node.func).rpartition(".")[2] in AUDIT)
        for constant in ast.walk(node)
        if isinstance(constant, ast.Constant)
        and isinstance(constant.value, str)
        and re.fullmatch(r"[a-z_]+\.[a-z_]+", constant.value)
        and constant.value not in EVENT_NAMES
        and not constant.value.endswith(".json")
    ]
    assert unknown == []


def test_no_kind_of_the_table_is_never_told() -> None:
    told = "\n".join(
        path.read_text(encoding="utf-8")
        for path in modules("clearinghouse/operations", "settlement")
    )
    assert [name for name in EVENT_NAMES - {TEST} if f'"{name}"' not in told] == []
