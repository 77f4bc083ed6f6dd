"""Shared commits: requests that arrive while others are being written go together into the next transaction.

A commit waits for the disk. Whoever finds nobody at work takes all that waits, carries it out as one sequence,
and wakes the others; so a lone request waits for nobody, and fifty at once take two commits, not fifty.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Sequence
from itertools import islice
from threading import Condition, Lock
from typing import Generic, TypeVar

T = TypeVar("T")
R = TypeVar("R")

#: No more than this in one transaction, so that the first of a crowd does not wait for all of it.
_MOST = 64
#: How long a group waits for as many as came together last time: those who were just answered come again.
_LINGER_SECONDS = 0.004


class _Waiting(Generic[T, R]):
    """One request, and its result once it has one."""

    __slots__ = ("done", "failure", "item", "result")

    def __init__(self, item: T) -> None:
        self.item = item
        self.done = False
        self.result: R | None = None
        self.failure: BaseException | None = None


class Group(Generic[T, R]):
    """Carries out items together, one group at a time."""

    def __init__(self, carry_out: Callable[[Sequence[T]], Sequence[R]]) -> None:
        self._carry_out = carry_out
        self._queue: deque[_Waiting[T, R]] = deque()
        self._led = False
        self._last = 1
        lock = Lock()
        self._arrived, self._freed = Condition(lock), Condition(lock)

    def submit(self, item: T) -> R:
        """Carry out an item, alone or with others, and return its result or raise what went wrong."""
        mine: _Waiting[T, R] = _Waiting(item)
        taken: list[_Waiting[T, R]] = []
        with self._freed:
            self._queue.append(mine)
            self._arrived.notify()
            while not mine.done and (self._led or mine not in self._first()):
                self._freed.wait()
            if not mine.done:
                self._led = True
                self._await_company()
                taken = [self._queue.popleft() for _ in self._first()]
                self._last = len(taken)
        if taken:
            self._lead(taken)
        if mine.failure is not None:
            raise mine.failure
        # R may itself allow None, so the checker cannot tell "none yet" from a result.
        return mine.result  # type: ignore[return-value]

    def _first(self) -> list[_Waiting[T, R]]:
        """Return those that the next group takes; one of them leads it."""
        return list(islice(self._queue, _MOST))

    def _await_company(self) -> None:
        """Let those come who came together last time: they were answered together and so ask together."""
        until = time.monotonic() + _LINGER_SECONDS
        while len(self._queue) < min(self._last, _MOST):
            if not self._arrived.wait(until - time.monotonic()):
                return

    def _lead(self, taken: list[_Waiting[T, R]]) -> None:
        try:
            results = self._carry_out([waiting.item for waiting in taken])
            for waiting, result in zip(taken, results, strict=True):
                waiting.result = result
        except Exception as failure:  # noqa: BLE001 - raised where each of them waits
            for waiting in taken:
                waiting.failure = failure
        finally:
            with self._freed:
                for waiting in taken:
                    waiting.done = True
                self._led = False
                self._freed.notify_all()
