"""Rate limits: what a client may ask a second, and how often a token may be asked for.

Counted by fixed windows in the process's memory: of several workers each takes its share. (The library ``limits``
starts a thread every 10 ms to forget old windows, which cost a twentieth of a request.) The headers are those of the
IETF draft "RateLimit header fields for HTTP": ``RateLimit`` and ``RateLimit-Policy``.
"""

from __future__ import annotations

import math
import time
from dataclasses import dataclass
from threading import Lock

from flask import g
from werkzeug.datastructures import Headers

from api.http.options import Options
from api.http.problems import ProblemError

#: Windows that are over are forgotten once there are so many.
_MANY = 4096
_CLIENTS_AT_AN_ADDRESS = 10


@dataclass(frozen=True, slots=True)
class Policy:
    """At most ``most`` within each window of ``seconds``."""

    name: str
    most: int
    seconds: int


@dataclass(slots=True)
class _Window:
    ends_at: float
    count: int = 0


class Limiter:
    """Counts requests, and refuses those beyond the limit with 429."""

    def __init__(self, options: Options) -> None:
        self._requests = Policy("requests", _share(options.requests_per_second, options), 1)
        self._tokens = Policy("tokens", _share(options.tokens_per_minute, options), 60)
        # Many clients may come from one address: a chain's data centre, or a proxy in front of us.
        self._addresses = Policy("tokens", self._tokens.most * _CLIENTS_AT_AN_ADDRESS, 60)
        self._windows: dict[tuple[str, str | int], _Window] = {}
        self._lock = Lock()

    def count_request(self, client: int) -> None:
        """Count a request of a client.

        Raises:
            ProblemError: it asks for more than it may.
        """
        self._count(self._requests, client)

    def count_token(self, client_id: str, address: str) -> None:
        """Count an attempt to get a token, for the address that it comes from and for the client.

        Raises:
            ProblemError: there were too many.
        """
        self._count(self._addresses, f"address {address}")
        # A client's name is no secret: who says it elsewhere must not use up what the client itself is given.
        self._count(self._tokens, f"client {client_id[:200]} {address}")

    def _count(self, policy: Policy, who: str | int) -> None:
        now, key = time.monotonic(), (policy.name, who)
        with self._lock:
            window = self._windows.get(key)
            if window is None or window.ends_at <= now:
                self._forget(now)
                window = self._windows[key] = _Window(now + policy.seconds)
            window.count += 1
            count = window.count
        seconds = max(1, math.ceil(window.ends_at - now))
        g.rate_limit = (policy, max(policy.most - count, 0), seconds)
        if count > policy.most:
            raise ProblemError("rate_limited", headers={"Retry-After": str(seconds)})

    def _forget(self, now: float) -> None:
        if len(self._windows) >= _MANY:
            over = [key for key, window in self._windows.items() if window.ends_at <= now]
            for key in over:
                del self._windows[key]


def write_limits(headers: Headers) -> None:
    """Tell the caller what is left to it, if it was counted."""
    counted = g.get("rate_limit")
    if counted is not None:
        policy, left, seconds = counted
        headers.add("RateLimit-Policy", f'"{policy.name}";q={policy.most};w={policy.seconds}')
        headers.add("RateLimit", f'"{policy.name}";r={left};t={seconds}')


def _share(limit: int, options: Options) -> int:
    return max(1, -(-limit // options.workers))
