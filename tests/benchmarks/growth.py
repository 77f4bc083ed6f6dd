"""What a line costs on books that hold few lines already, and on books that hold many."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from clearinghouse.operations.context import Context
from tests.benchmarks.activity import Activity
from tests.benchmarks.bench import Bench, imported
from tests.benchmarks.figures import Figure, ratio


@dataclass(frozen=True, slots=True)
class Grown:
    """Books that hold so many lines, by name; packs of the lines that come next, and the rest."""

    lines: int
    name: str
    probes: tuple[Path, ...]
    rest: Path
    #: Large books are not copied for a round: the probes of the rounds go to them one after the other.
    #: On a fresh copy every page that is touched would go to the journal whole, as after a checkpoint.
    living: bool

    def open(self, bench: Bench) -> AbstractContextManager[Context]:
        """Open the books for one round."""
        return bench.opened(self.name) if self.living else bench.books(self.name)

    def probe(self, number: int) -> Path:
        """Return the pack for a round, counted from 0."""
        return self.probes[number if self.living else 0]


@cache
def grow(bench: Bench, lines: int) -> Grown:
    """Return books grown by importing so many lines of one long month; made once."""
    sizes = bench.sizes
    probed = sizes.rounds * sizes.probe
    template, name = bench.opening(bench.crowd), f"grown_{lines}"
    bench.tell(f"growth: importing {lines:,} lines")
    activity = Activity(bench.crowd, of=lines + probed, opened=True)
    with bench.books(template, keep=name) as context:
        imported(context, activity.write(bench.folder / name / "lines", lines))
    probes = tuple(
        activity.write(bench.folder / name / f"probe-{number}", sizes.probe)
        for number in range(sizes.rounds)
    )
    rest = activity.write(bench.folder / name / "rest", sizes.unfolded)
    return Grown(lines, name, probes, rest, living=lines >= probed)


def measure(bench: Bench) -> list[Figure]:
    """Measure the same number of lines on books of each size, in turns."""
    costs = {lines: tuple(costs) for lines, costs in _costs(bench)}
    first = bench.sizes.books[0]
    figures = [
        Figure(f"growth.at_{lines}", f"cost of a line on books of {lines:,} lines", "µs", each)
        for lines, each in costs.items()
    ]
    figures += [
        ratio(
            f"growth.{lines}_to_{first}",
            f"cost of a line on {lines:,} lines to that on {first:,}",
            each,
            costs[first],
            "about 1",
        )
        for lines, each in costs.items()
        if lines != first
    ]
    return figures


def _costs(bench: Bench) -> Iterator[tuple[int, list[float]]]:
    stages = [grow(bench, lines) for lines in bench.sizes.books]
    costs: dict[int, list[float]] = {stage.lines: [] for stage in stages}
    for number in range(bench.sizes.rounds):
        for stage in stages:
            bench.tell(
                f"growth: round {number + 1} of {bench.sizes.rounds}, on {stage.lines:,} lines"
            )
            with stage.open(bench) as context:
                with bench.watched() as taken:
                    lines = imported(context, stage.probe(number))
                costs[stage.lines].append(taken.seconds / lines * 1e6)
    yield from costs.items()
