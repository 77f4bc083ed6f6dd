"""What a line costs on books that hold few lines already, and on books that hold many."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from tests.benchmarks.activity import Activity
from tests.benchmarks.bench import Bench, imported
from tests.benchmarks.figures import Figure, ratio


@dataclass(frozen=True, slots=True)
class Grown:
    """Books that hold so many lines: the template's name, and a pack of the lines that come next."""

    lines: int
    template: str
    probe: Path


def grow(bench: Bench) -> list[Grown]:
    """Return books of every size, grown by importing one long month; made once."""
    stages = []
    template = bench.members()
    activity = Activity(bench.alliance, of=max(bench.sizes.books) + bench.sizes.probe)
    probe: Path | None = None
    for lines in bench.sizes.books:
        name = f"grown_{lines}"
        folder = bench.folder / name
        if not folder.exists():
            bench.tell(f"growth: importing up to {lines:,} lines")
            with bench.books(template, keep=name) as context:
                if probe is not None:
                    imported(context, probe)
                rest = activity.write(folder / "rest", lines - activity.count)
                imported(context, rest)
        probe = activity.write(folder / "probe", bench.sizes.probe)
        stages.append(Grown(lines, name, probe))
        template = name
    return stages


def measure(bench: Bench) -> list[Figure]:
    """Measure the same number of lines on books of each size, in turns."""
    stages = grow(bench)
    costs: dict[int, list[float]] = {stage.lines: [] for stage in stages}
    for number in range(1, bench.sizes.rounds + 1):
        for stage in stages:
            bench.tell(
                f"growth: round {number} of {bench.sizes.rounds}, on {stage.lines:,} lines"
            )
            with bench.books(stage.template) as context:
                with bench.watched() as taken:
                    lines = imported(context, stage.probe)
                costs[stage.lines].append(taken.seconds / lines * 1e6)
    first = stages[0].lines
    figures = [
        Figure(f"growth.at_{lines}", f"cost of a line on books of {lines:,} lines", "µs", tuple(each))
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
