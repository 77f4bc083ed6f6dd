"""Random histories in PostgreSQL leave the books that the reference model has, however they are cut and posted.

``CLEARINGHOUSE_TEST_EXAMPLES`` sets how many histories each property is tried with. The model decides line
by line, so equality with it is equality with posting line by line.
"""

import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from random import Random

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from clearinghouse.operations import importing
from clearinghouse.operations.context import Context
from clearinghouse.operations.importing import import_pack, rejected_lines
from clearinghouse.operations.prove import prove
from tests.conftest import Server
from tests.histories.books import books, close_period, found_alliance, live_through, seen_of_books
from tests.histories.seen import differences, seen_of_model
from tests.histories.telling import Close, History, Stated, tell
from tests.histories.world import PackRows, has_caps, new_world

EXAMPLES = int(os.environ.get("CLEARINGHOUSE_TEST_EXAMPLES", "12"))
#: How many alliances the histories play in; each is imported once and then copied.
WORLDS = 5

#: Opens fresh books of an alliance.
OpenBooks = Callable[[int], AbstractContextManager[Context]]

_settings = settings(
    max_examples=EXAMPLES,
    deadline=None,
    # Shrinking on a database takes minutes; tests/domain/test_histories.py shrinks what the rules get wrong.
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
_random = st.randoms(use_true_random=False)
_world = st.integers(0, WORLDS - 1)


def packs_of(world: int) -> list[PackRows]:
    """The packs of an alliance, the same every time."""
    return new_world(Random(world))  # noqa: S311 - the same world every time, not an unguessable one


@pytest.fixture(scope="module")
def books_of(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[OpenBooks]:
    """Opens fresh books of an alliance, for a ``with`` block."""
    templates: dict[int, str] = {}

    @contextmanager
    def open_books(world: int) -> Iterator[Context]:
        if world not in templates:
            templates[world] = server.new_database()
            with books(server, keep=templates[world]) as context:
                found_alliance(context, packs_of(world), tmp_path_factory.mktemp("world"))
        with books(server, template=templates[world]) as context:
            yield context

    yield open_books
    for name in templates.values():
        server.drop(name)


def must_equal_the_model(history: History, context: Context, outcomes: list[str]) -> None:
    """Compare the outcomes line by line, then the books."""
    for stated, outcome in zip(history.stated, outcomes, strict=True):
        assert outcome == stated.outcome, stated.row
    must_be_the_models_books(history, context)


def must_be_the_models_books(history: History, context: Context) -> None:
    """Compare all that can be seen of the books, and let every invariant be proved."""
    assert differences(seen_of_model(history.model), seen_of_books(context)) == []
    assert [proof for proof in prove(context) if not proof.holds] == []


@_settings
@given(random=_random, world=_world, lines=st.integers(1, 45))
def test_line_by_line(books_of: OpenBooks, random: Random, world: int, lines: int) -> None:
    history = tell(random, lines, packs=packs_of(world))
    with books_of(world) as context:
        must_equal_the_model(history, context, live_through(context, history.events, random))


@_settings
@given(
    random=_random,
    world=_world,
    lines=st.integers(1, 60),
    most=st.sampled_from([3, 10, 60]),
    lanes=st.integers(1, 3),
)
def test_in_sequences_of_any_size_and_any_number_of_lanes(
    books_of: OpenBooks, random: Random, world: int, lines: int, most: int, lanes: int
) -> None:
    history = tell(random, lines, packs=packs_of(world))
    lanes = 1 if has_caps(history.packs) else lanes
    with books_of(world) as context:
        outcomes = live_through(context, history.events, random, most=most, lanes=lanes)
        must_equal_the_model(history, context, outcomes)


@_settings
@given(random=_random, world=_world, lines=st.integers(1, 60), lanes=st.integers(1, 3))
def test_imported_from_files(
    books_of: OpenBooks,
    tmp_path_factory: pytest.TempPathFactory,
    random: Random,
    world: int,
    lines: int,
    lanes: int,
) -> None:
    history = tell(random, lines, packs=packs_of(world))
    folder = tmp_path_factory.mktemp("files")
    lanes = 1 if has_caps(history.packs) else lanes
    with books_of(world) as context, pytest.MonkeyPatch.context() as patch:
        patch.setattr(importing, "LINES_EACH", random.choice((2, 7, 2_000)))
        refused = _import_through(context, history, folder, random, lanes)
        expected = [
            (stated.row["host_hotel"], stated.row["txn_ref"], stated.outcome)
            for stated in history.stated
            if stated.outcome not in ("accepted", "repeated")
        ]
        assert refused == expected
        must_be_the_models_books(history, context)


def _import_through(
    context: Context, history: History, folder: Path, random: Random, lanes: int
) -> list[tuple[str, str, str]]:
    """Import the lines between two closings as a pack of their own, twice; return what was refused."""
    refused = []
    stretch: list[Stated] = []
    for number, event in enumerate([*history.events, None]):
        if isinstance(event, Stated):
            stretch.append(event)
            continue
        if stretch:
            pack = _write(folder / str(number), stretch, random)
            result = import_pack(context, pack, lanes=lanes)
            assert import_pack(context, pack, lanes=3).rejected == result.rejected
            refused += [
                (line.host_hotel, line.txn_ref, line.code)
                for _, line in rejected_lines(context, result.files)
            ]
            stretch = []
        if isinstance(event, Close) and event.possible:
            close_period(context, event.period)
    return refused


def _write(folder: Path, stretch: list[Stated], random: Random) -> Path:
    """Write lines as a transactions file, numbers spelled with zeros and signs in front."""
    folder.mkdir()
    names = list(stretch[0].row)
    rows = [names]
    for stated in stretch:
        row = dict(stated.row)
        for name in ("amount_minor", "points"):
            if row[name] and not row[name].startswith("-"):
                row[name] = random.choice(("", "0", "+", "+00")) + row[name]
        rows.append([row[name] for name in names])
    text = "".join(",".join(row) + "\n" for row in rows)
    (folder / "transactions-2017-01.csv").write_text(text, encoding="utf-8")
    return folder
