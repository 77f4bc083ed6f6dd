"""Command line of the benchmarks: which to run, how large, and where the figures go."""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console

from tests.benchmarks import (
    closing,
    growth,
    importing,
    long_settlement,
    machine,
    netting,
    night_audit,
    one_hotel,
    pages,
    till,
)
from tests.benchmarks.bench import FULL, QUICK, Bench, Sizes, Tell
from tests.benchmarks.figures import Figure, show, write_json

BENCHMARKS: dict[str, Callable[[Bench], list[Figure]]] = {
    "import": importing.measure,
    "one_hotel": one_hotel.measure,
    "batch": night_audit.measure,
    "till": till.measure,
    "closing": closing.measure,
    "growth": growth.measure,
    "netting": netting.measure,
    "settle": netting.measure_settlement,
    "long": long_settlement.measure,
    "pages": pages.measure,
}

_WIDTH = 150


def measure(
    names: Sequence[str], sizes: Sizes, folder: Path, tell: Tell
) -> Iterator[tuple[dict[str, Any], list[Figure]]]:
    """Run benchmarks on a server of their own in ``folder``.

    Yields the machine and all figures so far after each benchmark: a run that breaks off loses one.
    """
    bench = Bench(folder, sizes, tell)
    figures: list[Figure] = []
    try:
        described = machine.describe(bench.endpoint, folder)
        for name in names:
            figures += BENCHMARKS[name](bench)
            yield described, figures
    finally:
        bench.close()


def main(arguments: Sequence[str]) -> None:
    """Run what the command line asks for."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.benchmarks", description="Benchmarks; see docs/benchmarks.md."
    )
    parser.add_argument(
        "names", nargs="*", metavar="name", help=f"some of: {', '.join(BENCHMARKS)}"
    )
    parser.add_argument(
        "--quick", action="store_true", help="smaller sizes, three rounds, 3 minutes"
    )
    parser.add_argument("--json", type=Path, default=Path("bench-results/benchmarks.json"))
    parser.add_argument(
        "--folder", type=Path, help="where the databases go, some 20 GB (temporary folder)"
    )
    asked = parser.parse_args(arguments)
    unknown = [name for name in asked.names if name not in BENCHMARKS]
    if unknown:
        parser.error(f"there is no benchmark {unknown[0]}; there are: {', '.join(BENCHMARKS)}")
    sizes = QUICK if asked.quick else FULL
    console = Console(stderr=True)
    folder = Path(tempfile.mkdtemp(prefix="clearinghouse-bench-", dir=asked.folder))
    try:
        with console.status("starting") as status:
            tell = status.update if console.is_terminal else console.print
            # In their own order: some go on with what others leave.
            names = [name for name in BENCHMARKS if name in (asked.names or BENCHMARKS)]
            for described, figures in measure(names, sizes, folder, tell):
                write_json(asked.json, described, figures)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    out = Console()
    # A file or a pipe has no width of its own; a table folded to 80 columns is hard to read there.
    show(out if out.is_terminal else Console(width=_WIDTH), described, figures)
    console.print(f"written to {asked.json}")


if __name__ == "__main__":
    main(sys.argv[1:])
