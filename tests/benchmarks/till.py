"""The till: posting over HTTP, against pgbench running the equivalent statements on the same server."""

from __future__ import annotations

import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from clearinghouse.domain.calendar import parse_period
from clearinghouse.operations.context import Context
from clearinghouse.store.embedded.binaries import find_binaries
from clearinghouse.store.periods import open_period
from tests.benchmarks import calling
from tests.benchmarks.bench import Bench
from tests.benchmarks.figures import Figure, per_second, ratio
from tests.benchmarks.members import MONTH

_READY_SECONDS = 30
_ROOT = Path(__file__).resolve().parents[2]
_PERIOD = parse_period(MONTH)

#: What a redemption and a spend read and write, one statement after another, each committed by itself.
_SCRIPTS = {"redeem": ("before", "use", "after"), "spend": ("before", "issue", "after")}
_FOLDER = Path(__file__).with_name("pgbench")


def measure(bench: Bench) -> list[Figure]:
    """Measure, in turns: calls spread over all hotels, calls at one hotel, and pgbench."""
    spread: list[calling.Called] = []
    at_one: list[calling.Called] = []
    yardstick: list[float] = []
    template, calls = bench.opening(bench.alliance), bench.sizes.calls
    for number in range(1, bench.sizes.rounds + 1):
        bench.tell(f"till: round {number} of {bench.sizes.rounds}")
        with bench.books(template) as context:
            with context.database.posting() as session:
                open_period(session, _PERIOD)
            bench.settle_disk()
            with service(bench, context) as port:
                bearer = calling.tokens(context, bench.alliance, port)
                runs = [
                    calling.requests(bench.alliance, bearer, count, seed=seed, one_hotel=one)
                    for seed, (count, one) in enumerate(
                        ((calls // 6, False), (calls, False), (calls, True))
                    )
                ]
                calling.call(port, runs[0])
                # In turns, since the books grow meanwhile.
                for kind in (0, 1) if number % 2 else (1, 0):
                    (spread, at_one)[kind].append(calling.call(port, runs[kind + 1]))
            yardstick.append(_pgbench(bench, context))
    rates = [calls / run.seconds for run in spread]
    bad = sum(sum(run.statuses.values()) - run.statuses[201] for run in (*spread, *at_one))
    if bad:
        raise RuntimeError(f"{bad} calls were not answered with 201; see service.log")
    return [
        ratio("till.to_pgbench", "calls to pgbench's transactions", rates, yardstick, "≥ 0.35, aim 0.5"),
        per_second("till.calls", "calls answered over 16 connections", calls, [r.seconds for r in spread]),
        Figure("till.pgbench", "transactions of pgbench, 16 connections", "/s", tuple(yardstick)),
        Figure("till.p99", "99th percentile of a call", "ms", tuple(_p99(r) for r in spread), "< 100"),
        ratio(
            "till.one_hotel_to_spread", "rate with all traffic on one hotel to the spread rate",
            [calls / run.seconds for run in at_one], rates, "≥ 0.9",
        ),
    ]  # fmt: skip


def _p99(called: calling.Called) -> float:
    return sorted(called.milliseconds)[int(len(called.milliseconds) * 0.99)]


@contextmanager
def service(bench: Bench, context: Context) -> Iterator[int]:
    """Run the service on some books, and tell its port."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    command = [sys.executable, "-m", "tests.benchmarks.service", context.database.owner_url,
               str(bench.data_dir), calling.MOMENT, str(port)]  # fmt: skip
    with (bench.folder / "service.log").open("ab") as log:
        process = subprocess.Popen(command, cwd=_ROOT, stdout=log, stderr=log)
    try:
        _await(port, process)
        yield port
    finally:
        process.terminate()
        process.wait(30)


def _await(port: int, process: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + _READY_SECONDS
    while time.monotonic() < until and process.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            time.sleep(0.1)
        else:
            time.sleep(1)  # both workers make their application
            return
    raise RuntimeError("the service did not start; see service.log")


def _pgbench(bench: Bench, context: Context) -> float:
    sizes = bench.sizes
    names = {
        "travellers": sizes.travellers,
        "hotels": sizes.hotels,
        "systems": sizes.systems,
        "period": _PERIOD,
    }
    scripts = []
    for kind, pieces in _SCRIPTS.items():
        path = bench.folder / f"{kind}.sql"
        text = "".join((_FOLDER / f"{piece}.sql").read_text(encoding="utf-8") for piece in pieces)
        path.write_text(text.format(kind=kind, **names), encoding="utf-8")
        scripts += ["-f", str(path)]
    program = find_binaries(None).program("pgbench")
    done = subprocess.run(
        [program, "-n", "-c", str(calling.CONNECTIONS), "-j", "2", "-M", "prepared",
         "-T", str(sizes.yardstick_seconds), *scripts, bench.dsn(context)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    found = re.search(r"tps = ([0-9.]+)", done.stdout)
    if found is None:
        raise RuntimeError(f"pgbench told no rate: {done.stderr[-500:]}")
    return float(found[1])
