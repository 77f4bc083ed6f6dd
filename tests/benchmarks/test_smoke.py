"""The benchmarks run in miniature and leave sound books; nothing is timed here."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from clearinghouse.operations.context import Context
from clearinghouse.operations.importing import import_pack
from clearinghouse.store.checks import CHECKS
from settlement.recompute import recompute
from settlement.run import settle
from tests.benchmarks import long_month, netting
from tests.benchmarks.__main__ import BENCHMARKS
from tests.benchmarks.bench import Bench, Sizes
from tests.benchmarks.figures import Figure, write_json
from tests.benchmarks.machine import describe

TINY = Sizes(
    rounds=1,
    imported=600,
    books=(150, 500),
    probe=200,
    at_one_hotel=300,
    unfolded=150,
    systems=3,
    hotels=9,
    travellers=60,
    crowd=90,
    months=(300, 1_200),
    calls=96,
    yardstick_seconds=1,
)


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    """A bench of its own: it is measured as the product runs, so it flushes what it writes."""
    bench = Bench(tmp_path_factory.mktemp("bench"), TINY, lambda _: None)
    yield bench
    bench.close()


@pytest.fixture(scope="module")
def figures(bench: Bench) -> list[Figure]:
    return [figure for measure in BENCHMARKS.values() for figure in measure(bench)]


def faults(context: Context) -> list[str]:
    with context.database.office() as session:
        found = [(check.number, check.find(session)) for check in CHECKS]
    return [f"{number}: {finding.first}" for number, finding in found if finding.wrong]


def test_every_benchmark_gives_its_figures(
    bench: Bench, figures: list[Figure], tmp_path: Path
) -> None:
    path = tmp_path / "out" / "figures.json"
    write_json(path, describe(bench.endpoint, bench.folder), figures)
    written = json.loads(path.read_text(encoding="utf-8"))
    assert written["machine"]["fsync"] == "on"
    ratios = {each["name"] for each in written["figures"] if each["unit"] == "×"}
    assert {
        "import.to_copy",
        "one_hotel.to_spread",
        "growth.500_to_150",
        "netting.to_group_by",
        "long.lines_to_copy_1200",
        "long.netting_1200_to_300",
        "batch.to_import",
        "till.to_pgbench",
        "closing.half.p99_to_before",
        "closing.full.p99_to_before",
    } <= ratios
    assert all(each["median"] > 0 for each in written["figures"])


def test_the_books_that_are_measured_are_sound(bench: Bench, figures: list[Figure]) -> None:
    with bench.books(netting._TEMPLATE) as context:
        assert faults(context) == []
        settle(context, netting.PERIOD)
        assert faults(context) == []


def test_the_month_that_sql_made_is_sound(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    # In parts, of which the last leaves its increments for the fold.
    monkeypatch.setattr(long_month, "_PART", 400)
    name = long_month.made(bench, 1_000)
    with bench.opened(name) as context:
        assert faults(context) == []
        settle(context, long_month.PERIOD)
        assert faults(context) == []
        assert [proved for proved in recompute(context, long_month.PERIOD) if proved.wrong] == []


@pytest.mark.parametrize("name", ["import", "spread", "one"])
def test_every_line_is_accepted(bench: Bench, figures: list[Figure], name: str) -> None:
    known = bench.members if name == "import" else bench.opening
    with bench.books(known(bench.alliance)) as context:
        result = import_pack(context, bench.folder / name)
        assert (result.lines, result.rejected) == (600 if name == "import" else 300, 0)


def test_one_hotel_has_the_same_lines(bench: Bench, figures: list[Figure]) -> None:
    spread, one = (
        [line.split(",") for line in next((bench.folder / name).glob("*.csv")).open()]
        for name in ("spread", "one")
    )
    assert [line[1:] for line in spread] == [line[1:] for line in one]
    assert len({line[0] for line in spread[1:]}) > 1 == len({line[0] for line in one[1:]})
