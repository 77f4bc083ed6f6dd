"""The same lines spread over all hotels, and all of them at one: is there a row that everybody waits for?"""

from __future__ import annotations

from tests.benchmarks.activity import Activity
from tests.benchmarks.bench import Bench, imported
from tests.benchmarks.figures import Figure, per_second, ratio

_ROWS = "SELECT (SELECT count(*) FROM legs) + (SELECT count(*) FROM postings)"


def measure(bench: Bench) -> list[Figure]:
    """Measure importing the lines spread and at one hotel, in turns."""
    lines = bench.sizes.at_one_hotel
    spread, one = (
        Activity(
            bench.alliance,
            of=lines,
            one_hotel=one_hotel,
            at_home=0,
            same_anywhere=True,
            opened=True,
        )
        for one_hotel in (False, True)
    )
    template = bench.opening(bench.alliance)
    packs = {
        "spread": spread.write(bench.folder / "spread", lines),
        "one": one.write(bench.folder / "one", lines),
    }
    seconds: dict[str, list[float]] = {name: [] for name in packs}
    rows: dict[str, int] = {}
    for number in range(1, bench.sizes.rounds + 1):
        for name, pack in packs.items():
            bench.tell(f"one hotel: round {number} of {bench.sizes.rounds}, {name}")
            with bench.books(template) as context:
                bench.settle_disk()
                with bench.watched() as taken:
                    imported(context, pack)
                seconds[name].append(taken.seconds)
                with context.database.office() as session:
                    rows[name] = (session.row(_ROWS) or (0,))[0]
    return [
        ratio(
            "one_hotel.to_spread",
            f"time of the same {lines:,} lines at one hotel to spread over {bench.sizes.hotels}",
            seconds["one"],
            seconds["spread"],
            "about 1",
        ),
        per_second("one_hotel.lines", "lines imported, all at one hotel", lines, seconds["one"]),
        per_second("one_hotel.spread", "lines imported, spread", lines, seconds["spread"]),
        Figure(
            "one_hotel.rows",
            "legs and postings written at one hotel to spread",
            "×",
            (rows["one"] / rows["spread"],),
        ),
    ]
