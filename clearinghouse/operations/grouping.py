"""Shared commits: requests that arrive while others are being written go together into the next transaction.

A commit waits for the disk. Whoever finds nobody at work takes all that waits, carries it out as one sequence,
and wakes the others; so a lone request waits for nobody, and fifty at once take two commits, not fifty.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from threading import Condition, Lock
from typing import Generic, TypeVar

T = TypeVar("T")
R = TypeVar("R")

#: No more than this in one transaction, so that the first of a crowd does not wait for all of it.
_MOST = 64


class _Waiting(Generic[T, R]):
    """One request, and its result once it has one."""

    __slots__ = ("done", "failure", "item", "result")

    def __init__(self, item: T) -> None:
        self.item = item
        self.done = False
        self.result: R | None = None
        self.failure: BaseException | None = None


class Group(Generic[T, R]):
    """Carries out items together; ``at_once`` groups may be under way at the same time."""

    def __init__(self, carry_out: Callable[[Sequence[T]], Sequence[R]], at_once: int = 1) -> None:
        self._carry_out = carry_out
        self._places = at_once
        self._queue: deque[_Waiting[T, R]] = deque()
        self._changed = Condition(Lock())

    def submit(self, item: T) -> R:
        """Carry out an item, alone or with others, and return its result or raise what went wrong."""
        mine: _Waiting[T, R] = _Waiting(item)
        with self._changed:
            self._queue.append(mine)
            while not mine.done and not (self._places and mine in self._next()):
                self._changed.wait()
            if not mine.done:
                self._places -= 1
                taken = [self._queue.popleft() for _ in range(min(_MOST, len(self._queue)))]
        if not mine.done:
            try:
                self._lead(taken)
            finally:
                with self._changed:
                    self._places += 1
                    self._changed.notify_all()
        if mine.failure is not None:
            raise mine.failure
        return mine.result  # type: ignore[return-value]

    def _next(self) -> list[_Waiting[T, R]]:
        """Return those whose turn it would be; only one of them may take the lead."""
        return [waiting for waiting, _ in zip(self._queue, range(_MOST), strict=False)]

    def _lead(self, taken: list[_Waiting[T, R]]) -> None:
        try:
            results = self._carry_out([waiting.item for waiting in taken])
            for waiting, result in zip(taken, results, strict=True):
                waiting.result = result
        except BaseException as failure:
            for waiting in taken:
                waiting.failure = failure
            if not isinstance(failure, Exception):
                raise
        finally:
            for waiting in taken:
                waiting.done = True
