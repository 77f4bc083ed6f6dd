"""The access token that requests carry."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

#: A token is renewed so many seconds before it ends.
_MARGIN_SECONDS = 60.0


class Tokens:
    """The access token, fetched when it is first needed and again before it ends."""

    def __init__(self, fetch: Callable[[], tuple[str, float]]) -> None:
        self._fetch = fetch
        self._lock = threading.Lock()
        self._token: str | None = None
        self._good_until = 0.0

    def current(self) -> str:
        """Return a token that is good for some time yet."""
        with self._lock:
            if self._token is None or time.monotonic() >= self._good_until:
                began = time.monotonic()
                self._token, seconds = self._fetch()
                self._good_until = began + max(seconds - _MARGIN_SECONDS, seconds / 2)
            return self._token

    def forget(self, token: str) -> None:
        """Fetch another token next time, unless that was done in the meantime."""
        with self._lock:
            if self._token == token:
                self._token = None
