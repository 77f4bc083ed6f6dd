"""Rate limits: what a client may ask a second, and how often a token may be asked for.

Counted in the process's memory: of several workers, each takes its share. The headers are those of the IETF draft
"RateLimit header fields for HTTP" (``RateLimit``, ``RateLimit-Policy``).
"""

from __future__ import annotations

import math
import time

from flask import g
from limits import RateLimitItem, RateLimitItemPerMinute, RateLimitItemPerSecond
from limits.storage import MemoryStorage
from limits.strategies import FixedWindowRateLimiter
from werkzeug.datastructures import Headers

from api.http.options import Options
from api.http.problems import ProblemError


class Limiter:
    """Counts requests, and refuses those beyond the limit with 429."""

    def __init__(self, options: Options) -> None:
        self._limits = FixedWindowRateLimiter(MemoryStorage())
        self._requests = RateLimitItemPerSecond(_share(options.requests_per_second, options))
        self._tokens = RateLimitItemPerMinute(_share(options.tokens_per_minute, options))

    def count_request(self, client: int) -> None:
        """Count a request of a client.

        Raises:
            ProblemError: it asks for more than it may.
        """
        self._count("requests", self._requests, str(client))

    def count_token(self, client_id: str, address: str) -> None:
        """Count an attempt to get a token, for the client and for the address that it comes from.

        Raises:
            ProblemError: there were too many.
        """
        self._count("tokens", self._tokens, "address", address)
        self._count("tokens", self._tokens, "client", client_id[:200])

    def _count(self, policy: str, limit: RateLimitItem, *who: str) -> None:
        allowed = self._limits.hit(limit, policy, *who)
        window = self._limits.get_window_stats(limit, policy, *who)
        seconds = max(1, math.ceil(window.reset_time - time.time()))
        g.rate_limit = (policy, limit.amount, limit.get_expiry(), window.remaining, seconds)
        if not allowed:
            raise ProblemError("rate_limited", headers={"Retry-After": str(seconds)})


def write_limits(headers: Headers) -> None:
    """Tell the caller what is left to it, if it was counted."""
    counted = g.get("rate_limit")
    if counted is not None:
        policy, most, window_seconds, left, seconds = counted
        headers["RateLimit-Policy"] = f'"{policy}";q={most};w={window_seconds}'
        headers["RateLimit"] = f'"{policy}";r={left};t={seconds}'


def _share(limit: int, options: Options) -> int:
    return max(1, -(-limit // options.workers))
