"""A quota of requests per second, as AWS applies it."""

from __future__ import annotations

import time


class TokenBucket:
    """A token bucket. Each request takes a token; new tokens come at a constant rate.

    Args:
        rate: New tokens per second.
        size: The maximum number of tokens.
    """

    def __init__(self, rate: float, size: float) -> None:
        """Create a full bucket."""
        self.rate = rate
        self._size = size
        self._tokens = size
        self._filled_at = time.monotonic()

    def take(self) -> bool:
        """Take a token. Return False if there is none."""
        now = time.monotonic()
        gained = (now - self._filled_at) * self.rate
        self._tokens = min(self._size, self._tokens + gained)
        self._filled_at = now
        if self._tokens < 1:
            return False
        self._tokens -= 1
        return True
