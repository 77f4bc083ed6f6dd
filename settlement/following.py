"""Following a run that workers do: the database tells how far it is; where nothing moves they are asked again."""

from __future__ import annotations

import time
from collections.abc import Callable

from clearinghouse.domain.errors import ClearinghouseError
from clearinghouse.operations.close import must_be_closable
from clearinghouse.operations.context import Context
from clearinghouse.store.periods import PUBLISHED
from clearinghouse.store.runs import Standing
from settlement.run import Watch, standing
from settlement.schedule import must_be_next

_LOOK_EVERY_SECONDS = 0.2
#: After so long without a step they are asked again: whoever was at it, or the broker, may be gone.
_ASK_AGAIN_SECONDS = 5.0
_NOBODY_AFTER_SECONDS = 15.0


def settle_elsewhere(
    context: Context,
    period: int,
    ask: Callable[[int], None],
    watch: Watch,
    nobody_comes: Callable[[], None],
) -> None:
    """Have a period settled by those whom ``ask`` reaches, and return when it is published.

    ``nobody_comes`` is called once if nothing has moved for long.

    Raises:
        PeriodNotReady: the period can't be closed yet, or an earlier one has to be settled first.
        ClearinghouseError: they can't be reached, or the run has stopped; then with the reason.
    """
    must_be_next(context, period)
    must_be_closable(context, period)
    seen, before = standing(context, period)
    moved = asked = time.monotonic()
    told = False
    if seen.state not in PUBLISHED:
        ask(period)
    while seen.state not in PUBLISHED:
        _show(seen, watch)
        time.sleep(_LOOK_EVERY_SECONDS)
        now = time.monotonic()
        there, failure = standing(context, period)
        if failure is not None and failure != before:
            raise ClearinghouseError(failure.sentence)
        if there != seen:
            seen, moved = there, now
        elif now - max(moved, asked) > _ASK_AGAIN_SECONDS:
            ask(period)
            asked = now
        if now - moved > _NOBODY_AFTER_SECONDS and not told:
            nobody_comes()
            told = True
    watch("published", 1, 1)


def _show(standing: Standing, watch: Watch) -> None:
    if standing.state == "netted":
        watch("stated", standing.stored, standing.statements)
    elif standing.state == "stated":
        watch("published", 0, 1)
    else:
        watch("closing", 0, 1)
