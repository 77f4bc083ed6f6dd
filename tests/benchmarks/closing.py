"""Closing a month while hotels post to it: is a call that meets the closing slower than those before?"""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

from clearinghouse.domain.calendar import last_day, parse_period
from clearinghouse.operations.close import close
from clearinghouse.operations.context import Context
from clearinghouse.store import periods
from settlement.netting import net_period
from tests.benchmarks import calling
from tests.benchmarks.bench import Bench
from tests.benchmarks.figures import Figure, ratio
from tests.benchmarks.members import MONTH
from tests.benchmarks.till import service

_PERIOD = parse_period(MONTH)
#: As in a month of a year: of so many travellers one has points that end with it.
_TRAVELLERS_PER_EXPIRING = 12
_EXPIRE = "UPDATE lots SET expires_on = %s WHERE traveller %% %s = 0"


class _Round(NamedTuple):
    """Milliseconds of the calls before, and of those that met the closing; how long the closing took."""

    before: list[float]
    met: list[float]
    closing: float


def measure(bench: Bench) -> list[Figure]:
    """Measure calls to the month before it closes, and while it is closed and netted beside them."""
    rounds = []
    template = bench.opening(bench.alliance)
    for number in range(1, bench.sizes.rounds + 1):
        bench.tell(f"closing: round {number} of {bench.sizes.rounds}")
        with bench.books(template) as context:
            close(context, _PERIOD - 1)
            net_period(context, _PERIOD - 1)
            with bench.connect(context) as owner, owner, owner.cursor() as cursor:
                cursor.execute(_EXPIRE, [last_day(_PERIOD), _TRAVELLERS_PER_EXPIRING])
            # By its cut-off hotels have posted to the next month for days.
            with context.database.office() as session:
                periods.open_period(session, _PERIOD + 1)
            bench.settle_disk()
            with service(bench, context) as port:
                rounds.append(_round(bench, context, port))
    return [
        ratio(
            "closing.p99_to_before", "99th percentile of calls that meet the closing to that of those before",
            [_p99(each.met) for each in rounds], [_p99(each.before) for each in rounds], "about 1",
        ),
        Figure("closing.p99", "99th percentile of them", "ms", tuple(_p99(r.met) for r in rounds)),
        Figure("closing.longest", "the longest of them", "ms", tuple(max(r.met) for r in rounds)),
        Figure("closing.longest_before", "the longest before", "ms", tuple(max(r.before) for r in rounds)),
        Figure("closing.met", "calls that met it", "calls", tuple(float(len(r.met)) for r in rounds)),
        Figure("closing.stage", "closing and netting, beside the calls", "ms", tuple(r.closing for r in rounds)),
    ]  # fmt: skip


def _round(bench: Bench, context: Context, port: int) -> _Round:
    calls = bench.sizes.calls
    bearer = calling.tokens(context, bench.alliance, port)
    warming, first, second = (
        calling.requests(bench.alliance, bearer, count, seed=seed, one_hotel=False)
        for seed, count in enumerate((calls // 6, calls, calls))
    )
    calling.call(port, warming)
    before = calling.call(port, first)
    with ThreadPoolExecutor(1) as pool:
        calls_beside = pool.submit(calling.call, port, second)
        # In the midst of them: after a tenth of the time that as many took just now.
        time.sleep(before.seconds / 10)
        began = time.perf_counter()
        close(context, _PERIOD)
        net_period(context, _PERIOD)
        ended = time.perf_counter()
        beside = calls_beside.result()
    for run in (before, beside):
        # Whose points have expired with the month meanwhile is refused.
        if run.statuses.keys() - {201, 422}:
            raise RuntimeError(f"calls were answered {dict(run.statuses)}; see service.log")
    met = [
        taken
        for taken, at in zip(beside.milliseconds, beside.began, strict=True)
        if at < ended and at + taken / 1000 > began
    ]
    return _Round(before.milliseconds, met or beside.milliseconds, (ended - began) * 1000)


def _p99(milliseconds: list[float]) -> float:
    return sorted(milliseconds)[int(len(milliseconds) * 0.99)]
