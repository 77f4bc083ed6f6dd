"""How often and how long to try again."""

from __future__ import annotations

import random
import time
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime


@dataclass(frozen=True, slots=True)
class Retry:
    """When to give up a request that fails for now; pauses double from ``first_pause`` on, with chance in them.

    Attributes:
        attempts: How often a request is sent at most.
        seconds: How long one call may take altogether before another attempt is begun.
        first_pause: Seconds before the second attempt, half of it left to chance.
        longest_pause: What pauses grow to; the service may ask for longer ones (``Retry-After``).
    """

    attempts: int = 6
    seconds: float = 60.0
    first_pause: float = 0.25
    longest_pause: float = 8.0


@dataclass(slots=True)
class Patience:
    """What is left of a call's attempts and time."""

    retry: Retry
    _used: int = 1
    _began: float = field(default_factory=time.monotonic)

    def wait(self, at_least: float = 0.0) -> bool:
        """Pause before another attempt; false, at once, if there is to be none."""
        retry = self.retry
        pause = min(retry.first_pause * 2 ** (self._used - 1), retry.longest_pause)
        # All who failed at the same moment must not come again at the same moment.
        pause = at_least + random.uniform(pause / 2, pause)  # noqa: S311  spreads load, guards nothing
        too_late = time.monotonic() - self._began + pause > retry.seconds
        if self._used >= retry.attempts or too_late:
            return False
        self._used += 1
        time.sleep(pause)
        return True


def retry_after(header: str | None) -> float:
    """Return for how many seconds the service asks to be left alone (RFC 9110 §10.2.3); 0 if it does not say."""
    if header is None:
        return 0.0
    if header.isascii() and header.isdigit():
        return float(header[:9])
    try:
        return max(0.0, parsedate_to_datetime(header).timestamp() - time.time())
    except ValueError:
        return 0.0
