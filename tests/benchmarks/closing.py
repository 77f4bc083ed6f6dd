"""Closing a month while hotels post to it: is a call that meets the closing slower than those before?"""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from math import inf
from statistics import median
from typing import NamedTuple

from clearinghouse.domain.calendar import last_day, parse_period
from clearinghouse.operations.context import Context
from clearinghouse.store import periods
from tests.benchmarks import calling
from tests.benchmarks.bench import Bench
from tests.benchmarks.closer import Closer, closer
from tests.benchmarks.figures import Figure, ratio
from tests.benchmarks.members import MONTH
from tests.benchmarks.till import service

_PERIOD = parse_period(MONTH)
_NEXT_DAY = str(last_day(_PERIOD) + timedelta(days=2))
#: As in a month of a year: of so many travellers one has points that end with it.
_TRAVELLERS_PER_EXPIRING = 12
_EXPIRE = "UPDATE lots SET expires_on = %s WHERE traveller %% %s = 0"


class _Round(NamedTuple):
    """Milliseconds of calls, and of the closing.

    ``before`` is as long a stretch of time as the closing, again and again: what meets a short time are long calls
    rather than short ones, and the slowest of few is now this and now that.
    """

    before: list[list[float]]
    met: list[float]
    closing: float

    @property
    def usual(self) -> float:
        """The 99th percentile of calls that meet such a stretch of time: the median of them."""
        return median(_p99(stretch) for stretch in self.before)

    @property
    def as_slow(self) -> float:
        """How many of all stretches are as slow as the closing, itself among them, in per cent."""
        slow = sum(_p99(stretch) >= _p99(self.met) for stretch in self.before)
        return 100 * (slow + 1) / (len(self.before) + 1)


def measure(bench: Bench) -> list[Figure]:
    """Measure calls to the month before it closes, and while it is closed and netted beside them.

    Once with as many calls as the service takes, so that closing has to take its time from theirs, and once with half
    as many.
    """
    return [*_measured(bench, "half", 0.5), *_measured(bench, "full", None)]


def _measured(bench: Bench, name: str, share: float | None) -> list[Figure]:
    rounds = []
    template = bench.opening(bench.alliance)
    for number in range(1, bench.sizes.rounds + 1):
        bench.tell(f"closing beside {name} load: round {number} of {bench.sizes.rounds}")
        with bench.books(template) as context, closer(bench, context) as other:
            other.close_and_net(_PERIOD - 1)
            with bench.connect(context) as owner, owner, owner.cursor() as cursor:
                cursor.execute(_EXPIRE, [last_day(_PERIOD), _TRAVELLERS_PER_EXPIRING])
            with context.database.office() as session:
                periods.open_period(session, _PERIOD + 1)
            bench.settle_disk()
            with service(bench, context) as port:
                rounds.append(_round(bench, context, port, other, share))

    def figure(what: str, meaning: str, unit: str, value: Callable[[_Round], float]) -> Figure:
        return Figure(f"closing.{name}.{what}", meaning, unit, tuple(map(value, rounds)))

    return [
        ratio(
            f"closing.{name}.p99_to_before",
            f"{name} load: p99 of calls that meet the closing, to that of calls that met as long a time before",
            [_p99(each.met) for each in rounds], [each.usual for each in rounds], "about 1",
        ),
        figure("as_slow_before", "how many of all such times are as slow", "%", lambda r: r.as_slow),
        figure("p99", "99th percentile of calls that meet it", "ms", lambda r: _p99(r.met)),
        figure("longest", "the longest of them", "ms", lambda r: max(r.met)),
        figure("longest_before", "the longest before", "ms", lambda r: max(map(max, r.before))),
        figure("met", "calls that met it", "calls", lambda r: len(r.met)),
        figure("stage", "closing and netting, beside the calls", "ms", lambda r: r.closing),
    ]  # fmt: skip


def _round(bench: Bench, context: Context, port: int, other: Closer, share: float | None) -> _Round:
    calls = bench.sizes.calls
    bearer = calling.tokens(context, bench.alliance, port)
    # By the cut-off every connection has posted to the next month: tables that it opens first cost it milliseconds.
    for seed, day in enumerate((calling.DAY, _NEXT_DAY)):
        calling.call(port, calling.requests(bench.alliance, bearer, calls // 6, seed=seed, day=day))
    runs = [calling.requests(bench.alliance, bearer, calls, seed=seed) for seed in (2, 3, 4)]
    pace = inf
    if share is not None:
        full = calling.call(port, runs.pop())
        pace = share * calls / full.seconds
    before = calling.call(port, runs[0], most_per_second=pace)
    with ThreadPoolExecutor(1) as pool:
        calls_beside = pool.submit(calling.call, port, runs[1], most_per_second=pace)
        # In the midst of them: after a tenth of the time that as many took just now.
        time.sleep(before.seconds / 10)
        began, ended = other.close_and_net(_PERIOD)
        beside = calls_beside.result()
    for run in (before, beside):
        # Whose points have expired with the month meanwhile is refused.
        if run.statuses.keys() - {201, 422}:
            raise RuntimeError(f"calls were answered {dict(run.statuses)}; see service.log")
    seconds = ended - began
    first_at, last_at = min(before.began), max(before.began)
    stretches = [
        _meeting(before, first_at + number * seconds, first_at + (number + 1) * seconds)
        for number in range(int((last_at - first_at) / seconds))
    ]
    return _Round(
        stretches or [before.milliseconds], _meeting(beside, began, ended), seconds * 1000
    )


def _meeting(called: calling.Called, began: float, ended: float) -> list[float]:
    """Return how long those calls took that met a stretch of time, or all where none did."""
    met = [
        taken
        for taken, at in zip(called.milliseconds, called.began, strict=True)
        if at < ended and at + taken / 1000 > began
    ]
    return met or called.milliseconds


def _p99(milliseconds: list[float]) -> float:
    return sorted(milliseconds)[int(len(milliseconds) * 0.99)]
