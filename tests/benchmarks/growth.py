"""What a line costs on books that hold few lines already, and on books that hold many."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
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


@cache
def grow(bench: Bench) -> tuple[Grown, ...]:
    """Return books of every size, grown by importing one long month; made once."""
    stages: list[Grown] = []
    activity = Activity(bench.alliance, of=max(bench.sizes.books) + bench.sizes.probe)
    for lines in bench.sizes.books:
        bench.tell(f"growth: importing up to {lines:,} lines")
        name = f"grown_{lines}"
        before = stages[-1] if stages else None
        with bench.books(before.template if before else bench.members(), keep=name) as context:
            if before:
                imported(context, before.probe)
            imported(context, activity.write(bench.folder / name / "rest", lines - activity.count))
        probe = activity.write(bench.folder / name / "probe", bench.sizes.probe)
        stages.append(Grown(lines, name, probe))
    return tuple(stages)


def measure(bench: Bench) -> list[Figure]:
    """Measure the same number of lines on books of each size, in turns."""
    stages = grow(bench)
    costs: dict[int, list[float]] = {stage.lines: [] for stage in stages}
    for number in range(1, bench.sizes.rounds + 1):
        for stage in stages:
            bench.tell(f"growth: round {number} of {bench.sizes.rounds}, on {stage.lines:,} lines")
            with bench.books(stage.template) as context:
                with bench.watched() as taken:
                    lines = imported(context, stage.probe)
                costs[stage.lines].append(taken.seconds / lines * 1e6)
    first = stages[0].lines
    figures = [
        Figure(
            f"growth.at_{lines}", f"cost of a line on books of {lines:,} lines", "µs", tuple(each)
        )
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
