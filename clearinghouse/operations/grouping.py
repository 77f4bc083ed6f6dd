"""Shared commits: requests that arrive while others are being written go together into the next transaction.

A commit waits for the disk. Whoever finds nobody at work takes all that waits, carries it out as one sequence,
and wakes the others; so fifty at once take two commits, not fifty. A lone request waits for
nobody, but for the first few milliseconds after a crowd, which may come again.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from threading import Lock
from typing import Generic, TypeVar

T = TypeVar("T")
R = TypeVar("R")

#: No more than this in one transaction, so that the first of a crowd does not wait for all of it.
_MOST = 64
#: How long a group waits for as many as came together last time: those who were just answered come again.
_LINGER_SECONDS = 0.004


class _Waiting(Generic[T, R]):
    """One request, its result once it has one, and the gate behind which its thread waits for it."""

    __slots__ = ("done", "failure", "gate", "item", "result")

    def __init__(self, item: T) -> None:
        self.item = item
        self.done = False
        self.result: R | None = None
        self.failure: BaseException | None = None
        self.gate = Lock()
        self.gate.acquire()


class Group(Generic[T, R]):
    """Carries out items together, one group at a time."""

    def __init__(self, carry_out: Callable[[Sequence[T]], Sequence[R]]) -> None:
        self._carry_out = carry_out
        self._queue: deque[_Waiting[T, R]] = deque()
        self._led = False
        self._last = 1
        self._lock = Lock()
        #: Held while the leader waits for company; whoever completes it lets go.
        self._company = Lock()
        self._wanted = 0

    def submit(self, item: T) -> R:
        """Carry out an item, alone or with others, and return its result or raise what went wrong."""
        mine: _Waiting[T, R] = _Waiting(item)
        with self._lock:
            self._queue.append(mine)
            leads, self._led = not self._led, True
            if self._wanted and len(self._queue) >= self._wanted:
                self._wanted = 0
                self._company.release()
        if not leads:
            # Opened when it is carried out, or when it is its turn to lead: nobody else is woken.
            mine.gate.acquire()
        if not mine.done:
            self._lead()
        if mine.failure is not None:
            raise mine.failure
        # R may itself allow None, so the checker cannot tell "none yet" from a result.
        return mine.result  # type: ignore[return-value]  # as said above

    def _await_company(self) -> None:
        """Let those come who came together last time: they were answered together and so ask together."""
        with self._lock:
            wanted = min(self._last, _MOST)
            if len(self._queue) >= wanted:
                return
            self._company.acquire(blocking=False)
            self._wanted = wanted
        self._company.acquire(timeout=_LINGER_SECONDS)
        with self._lock:
            self._wanted = 0

    def _lead(self) -> None:
        """Carry out the first of the queue, then hand the lead to the first of those who came meanwhile."""
        taken: list[_Waiting[T, R]] = []
        try:
            self._await_company()
            with self._lock:
                taken = [self._queue.popleft() for _ in range(min(len(self._queue), _MOST))]
                self._last = len(taken)
            results = self._carry_out([waiting.item for waiting in taken])
            for waiting, result in zip(taken, results, strict=True):
                waiting.result = result
        except BaseException as failure:
            # Whoever leads is the first of the queue, and is not to be left in it.
            taken = taken or [self._queue.popleft()]
            for waiting in taken:
                waiting.failure = failure
            # Raised where each of them waits; what ends the process ends it here as well.
            if not isinstance(failure, Exception):
                raise
        finally:
            with self._lock:
                following = self._queue[0] if self._queue else None
                self._led = following is not None
            for waiting in taken:
                waiting.done = True
                waiting.gate.release()
            if following is not None:
                following.gate.release()
