"""Figures: what was measured, as a value per round; shown as a table, kept as JSON."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from rich.console import Console
from rich.table import Table


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure: its value in every round. A ratio compares two things measured in that round.

    ``bar`` is the line it should stay under or above, in words, where there is one.
    """

    name: str
    meaning: str
    unit: str
    rounds: tuple[float, ...]
    bar: str = ""

    @property
    def median(self) -> float:
        """The figure's value: the median of its rounds."""
        return median(self.rounds)

    def as_json(self) -> dict[str, Any]:
        """The figure with every round, rounded to what can be told apart."""
        return {
            "name": self.name,
            "meaning": self.meaning,
            "unit": self.unit,
            "median": _rounded(self.median),
            "min": _rounded(min(self.rounds)),
            "max": _rounded(max(self.rounds)),
            "rounds": [_rounded(value) for value in self.rounds],
            "bar": self.bar,
        }


def ratio(
    name: str, meaning: str, of: Sequence[float], to: Sequence[float], bar: str = ""
) -> Figure:
    """Return the figure that compares two measurements round by round."""
    values = tuple(one / other for one, other in zip(of, to, strict=True))
    return Figure(name, meaning, "×", values, bar)


def per_second(
    name: str, meaning: str, count: int, seconds: Iterable[float], bar: str = ""
) -> Figure:
    """Return how many of something were done in a second."""
    return Figure(name, meaning, "/s", tuple(count / each for each in seconds), bar)


def write_json(path: Path, machine: Mapping[str, Any], figures: Sequence[Figure]) -> None:
    """Write the machine and all figures."""
    path.parent.mkdir(parents=True, exist_ok=True)
    document = {"machine": dict(machine), "figures": [figure.as_json() for figure in figures]}
    path.write_text(json.dumps(document, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


def show(console: Console, machine: Mapping[str, Any], figures: Sequence[Figure]) -> None:
    """Print the figures as a table, and the machine below it."""
    table = Table(title="基准测试 Benchmarks", title_justify="left")
    for heading in ("figure", "median", "min – max", "bar"):
        justify = "right" if heading in ("median", "min – max") else "left"
        table.add_column(heading, justify=justify, no_wrap=True)  # type: ignore[arg-type]  # wrong on purpose, or of many types
    table.add_column("what it is", overflow="fold")
    group = ""
    for figure in figures:
        if group and group != figure.name.split(".", maxsplit=1)[0]:
            table.add_section()
        group = figure.name.split(".", maxsplit=1)[0]
        spread = f"{shown(min(figure.rounds))} – {shown(max(figure.rounds))}"
        value = f"[bold]{shown(figure.median)}[/bold] {figure.unit}"
        once = len(figure.rounds) == 1
        table.add_row(figure.name, value, "once" if once else spread, figure.bar, figure.meaning)
    console.print(table)
    console.print(", ".join(f"{name} {value}" for name, value in machine.items()), style="dim")


def shown(value: float) -> str:
    """Write a value with three digits that count."""
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.3g}"


def _rounded(value: float) -> float:
    return float(f"{value:.5g}")
