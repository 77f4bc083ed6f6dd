"""An import that is killed anywhere and started again, or done twice, or twice at once, leaves the same books."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import Server
from tests.operations.bulk_pack import write_bulk_pack
from tests.operations.dumping import Dump, differing, everything, meaning
from tests.operations.import_command import (
    MANY_LINES,
    Command,
    asking,
    ended_well,
    held_up,
    importing,
    killed,
    until,
)

#: How many lines the pack has; one is posted by the importing process alone, the other by two workers.
LINES = {"alone": 4_200, "workers": MANY_LINES}
#: Two lanes of 2,000 lines make a portion: two portions, four sequences.
SEQUENCES = 4

#: When the import is killed: as soon as this query answers with true.
MOMENTS = {
    "once the members have landed": "SELECT EXISTS (SELECT FROM cards)",
    "before the last sequence": f"SELECT count(*) >= {SEQUENCES - 1} FROM import_progress",
    "after the last sequence": f"SELECT count(*) >= {SEQUENCES} FROM import_progress",
}


@pytest.fixture(scope="module", params=LINES)
def lines(request: pytest.FixtureRequest) -> int:
    """The length of the pack that is imported."""
    return LINES[request.param]


@pytest.fixture(scope="module")
def pack(tmp_path_factory: pytest.TempPathFactory, lines: int) -> Path:
    """The pack that is imported."""
    return write_bulk_pack(tmp_path_factory.mktemp("packs") / "bulk", travellers=300, lines=lines)


def killed_when(command: Command, url: str, question: str) -> bool:
    """Kill the command as soon as the question is answered with true; false if it was over before."""
    with asking(url) as cursor:
        while command.poll() is None:
            cursor.execute(question)
            row = cursor.fetchone()
            if row and row[0]:
                killed(command)
                return True
            time.sleep(0.0005)
    return False


def ends_as(whole: tuple[str, Dump, bytes], url: str, pack: Path, rejections: Path) -> None:
    """The same command again must end well, with the books and the rejections of an undisturbed import."""
    ended_well(importing(url, pack, rejections))
    assert differing(whole[1], meaning(url)) == {}
    assert rejections.read_bytes() == whole[2]


@pytest.fixture(scope="module")
def whole(
    server: Server, pack: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[str, Dump, bytes]]:
    """The books after an import that nobody disturbed, and its file of rejections."""
    name = server.new_database()
    rejections = tmp_path_factory.mktemp("whole") / "rejections.csv"
    ended_well(importing(server.url(name), pack, rejections))
    yield name, meaning(server.url(name)), rejections.read_bytes()
    server.drop(name)


def test_the_pack_has_something_of_everything(whole: tuple[str, Dump, bytes], lines: int) -> None:
    _, books, rejections = whole
    assert {row[3] for row in books["transactions"]} == {
        "spend", "award", "redeem", "load", "stored_value_spend", "refund",
    }  # fmt: skip
    assert len({row[4] for row in books["rejections"]}) >= 8
    assert [answered for _, answered in books["answered"]] == [lines]
    assert rejections.count(b"\n") == len(books["rejections"]) + 1
    assert books["debts"]


@pytest.mark.parametrize("lines", ["workers"], indirect=True)
@pytest.mark.parametrize("moment", MOMENTS)
def test_a_killed_import_goes_on_to_the_same_books(
    server: Server, pack: Path, whole: tuple[str, Dump, bytes], tmp_path: Path, moment: str
) -> None:
    name = server.new_database()
    url = server.url(name)
    rejections = tmp_path / "rejections.csv"
    assert killed_when(importing(url, pack, rejections), url, MOMENTS[moment])
    ends_as(whole, url, pack, rejections)
    server.drop(name)


def test_an_import_killed_within_a_sequence_goes_on_to_the_same_books(
    server: Server, pack: Path, whole: tuple[str, Dump, bytes], tmp_path: Path
) -> None:
    name = server.new_database()
    url = server.url(name)
    rejections = tmp_path / "rejections.csv"
    with held_up(url) as coming:
        command = importing(url, pack, rejections)
        until(lambda: coming() > 0, command)
        killed(command)
    ends_as(whole, url, pack, rejections)
    server.drop(name)


@pytest.mark.parametrize("lines", ["workers"], indirect=True)
def test_an_import_killed_over_and_over_gets_there(
    server: Server, pack: Path, whole: tuple[str, Dump, bytes], tmp_path: Path
) -> None:
    name = server.new_database()
    url = server.url(name)
    rejections = tmp_path / "rejections.csv"
    for done in (0, 1, 2):
        question = f"SELECT count(*) > {done} FROM import_progress"
        assert killed_when(importing(url, pack, rejections), url, question)
    ends_as(whole, url, pack, rejections)
    server.drop(name)


@pytest.mark.parametrize("lines", ["alone"], indirect=True)
def test_importing_again_changes_nothing(
    server: Server, pack: Path, whole: tuple[str, Dump, bytes], tmp_path: Path
) -> None:
    name = server.new_database(template=whole[0])
    url = server.url(name)
    before = everything(url)
    for attempt in ("second", "third"):
        rejections = tmp_path / attempt
        ended_well(importing(url, pack, rejections))
        assert rejections.read_bytes() == whole[2]
    changed = differing(before, everything(url))
    # That an import has ended is told each time; who listens may ask how much it changed.
    assert set(changed) <= {"outbox", "directory_version"}
    server.drop(name)


@pytest.mark.parametrize("lines", ["alone"], indirect=True)
def test_two_imports_at_once_take_turns(
    server: Server, pack: Path, whole: tuple[str, Dump, bytes], tmp_path: Path
) -> None:
    name = server.new_database()
    url = server.url(name)
    commands = [importing(url, pack, tmp_path / str(number)) for number in range(2)]
    for command in commands:
        ended_well(command)
    assert differing(whole[1], meaning(url)) == {}
    assert [(tmp_path / str(number)).read_bytes() for number in range(2)] == [whole[2]] * 2
    server.drop(name)
