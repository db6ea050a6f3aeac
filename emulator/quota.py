"""A quota of requests a second, as AWS counts it."""

from __future__ import annotations

import time


class TokenBucket:
    """A token bucket: each request takes a token, and time adds new ones.

    Args:
        rate: Tokens that are added a second.
        size: The most tokens that there are at once.
    """

    def __init__(self, rate: float, size: float) -> None:
        """Begin with a full bucket."""
        self.rate = rate
        self._size = size
        self._tokens = size
        self._filled_at = time.monotonic()

    def take(self) -> bool:
        """Take a token; returns False where there is none."""
        now = time.monotonic()
        gained = (now - self._filled_at) * self.rate
        self._tokens = min(self._size, self._tokens + gained)
        self._filled_at = now
        if self._tokens < 1:
            return False
        self._tokens -= 1
        return True
