"""What settling a long month took, and the figures that tell it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from tests.benchmarks.figures import Figure
from tests.benchmarks.machine import Taken


@dataclass(slots=True)
class Lined:
    """What making all lines once took; ``copied`` is COPY of finished rows to a file, rows a second."""

    staging: Taken
    csv: Taken
    json: Taken
    copied: float
    memory_mib: float

    @property
    def seconds(self) -> float:
        """Return what the lines as CSV took."""
        return self.staging.seconds + self.csv.seconds


@dataclass(slots=True)
class Month:
    """What one month took."""

    transactions: int
    legs: int
    expired: int
    lines: int
    recount: Taken
    ahead: Taken
    closing: Taken
    netting: Taken
    grouping: Taken
    rounds: list[Lined]
    at_once: Lined
    out_of_books: Taken

    @property
    def to_netted(self) -> float:
        """Seconds from close to netted."""
        return self.closing.seconds + self.netting.seconds


def figures_of(month: Month) -> Iterator[Figure]:
    """Tell of one month."""
    yield from _netting_figures(month)
    yield from _line_figures(month)


def growth(small: Month, large: Month) -> Iterator[Figure]:
    """Tell what a month costs to one of fewer transactions."""
    rows = large.transactions / small.transactions
    costs = {
        "netting": (large.to_netted, small.to_netted),
        "at_once": (large.at_once.seconds, small.at_once.seconds),
    }
    for what, (one, other) in costs.items():
        yield Figure(
            f"long.{what}_{large.transactions}_to_{small.transactions}",
            f"cost of {what} for {rows:.0f} times the transactions, to {rows:.0f} times the cost",
            "×",
            (one / other / rows,),
            "about 1 or less",
        )


def _netting_figures(month: Month) -> Iterator[Figure]:
    def figure(name: str, meaning: str, unit: str, value: float, bar: str = "") -> Figure:
        return Figure(f"long.{name}_{month.transactions}", meaning, unit, (value,), bar)

    yield figure(
        "netting_to_group_by",
        f"time of netting {month.legs:,} legs to one GROUP BY over them",
        "×",
        month.netting.seconds / month.grouping.seconds,
        bar="< 1",
    )
    yield figure(
        "close_to_netted",
        f"from close to netted, with the expiry of {month.expired:,} lots",
        "s",
        month.to_netted,
    )
    yield figure(
        "close_to_netted_to_group_by",
        "the same, to one GROUP BY",
        "×",
        month.to_netted / month.grouping.seconds,
        bar="< 1",
    )
    yield figure(
        "close_to_netted_processor",
        "the same in processor time: GROUP BY uses all processors, closing leaves all but one to the tills",
        "×",
        _processor(month.closing, month.netting) / _processor(month.grouping),
        bar="< 1",
    )
    yield figure("group_by", "GROUP BY", "s", month.grouping.seconds)
    yield figure("recount", "full recount of the roll-ups", "s", month.recount.seconds)


def _line_figures(month: Month) -> Iterator[Figure]:
    rounds, at_once = month.rounds, month.at_once

    def figure(name: str, meaning: str, unit: str, *values: float, bar: str = "") -> Figure:
        return Figure(f"long.{name}_{month.transactions}", meaning, unit, values, bar)

    yield figure(
        "lines",
        f"statement lines made, of {month.lines:,}, as csv, by a run of a month that was staged ahead",
        "/s",
        *(month.lines / lined.seconds for lined in rounds),
    )
    yield figure(
        "lines_to_copy",
        "that, to COPY of finished rows",
        "×",
        *(month.lines / lined.seconds / lined.copied for lined in rounds),
        bar="≥ 0.5",
    )
    yield figure(
        "csv_and_json_to_copy",
        "lines made as csv and as json, to COPY of finished rows",
        "×",
        *(
            2 * month.lines / (lined.seconds + lined.json.seconds) / lined.copied
            for lined in rounds
        ),
        bar="≥ 0.5",
    )
    yield figure("copy", "rows by COPY", "/s", *(lined.copied for lined in rounds))
    yield figure(
        "staging_left",
        "of the lines as csv, staging what was not staged ahead",
        "s",
        *(lined.staging.seconds for lined in rounds),
    )
    yield figure(
        "staging_ahead",
        "staging the open month ahead, by one process, altogether",
        "s",
        month.ahead.seconds,
    )
    yield figure(
        "memory",
        "most that the process had in memory meanwhile",
        "MiB",
        *(lined.memory_mib for lined in (*rounds, at_once)),
        bar="< 1024",
    )
    yield from _at_once_figures(month)


def _at_once_figures(month: Month) -> Iterator[Figure]:
    """Tell what lines cost altogether: a run that finds nothing staged."""
    at_once, queried = month.at_once, month.out_of_books.seconds / month.legs

    def figure(name: str, meaning: str, unit: str, value: float) -> Figure:
        return Figure(f"long.{name}_{month.transactions}", meaning, unit, (value,))

    yield figure(
        "at_once_to_copy",
        "lines made as csv by a run that finds nothing staged, to COPY of finished rows",
        "×",
        month.lines / at_once.seconds / at_once.copied,
    )
    yield figure(
        "at_once_to_query",
        "that, to COPY of the same legs out of the books by one query that joins and sorts them",
        "×",
        month.lines / at_once.seconds * queried,
    )
    yield figure(
        "at_once_processor",
        "processor time a line as csv then, Python's and PostgreSQL's",
        "µs",
        _processor(at_once.staging, at_once.csv) / month.lines * 1e6,
    )
    yield figure("at_once_staging", "of it staging, on the clock", "s", at_once.staging.seconds)


def _processor(*all_taken: Taken) -> float:
    return sum(taken.python + taken.postgres for taken in all_taken)
