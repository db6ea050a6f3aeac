"""Remembers which keys came before, in memory with a bound."""

from __future__ import annotations

import typing as t

if t.TYPE_CHECKING:
    from collections.abc import Hashable

_REMEMBERED = 500_000
"""Number of keys after which the oldest are forgotten."""


class Remembered:
    """The latest keys, at least 500,000 of them.

    It keeps the hash of a key (64 bits): of a million keys, two have the same hash in
    one of some 40 million runs.
    """

    def __init__(self) -> None:
        """Remember nothing yet."""
        self._latest: set[int] = set()
        self._earlier: set[int] = set()

    def are_new(self, keys: list[t.Any]) -> bool:
        """Return whether all keys are new and different. Only then remember them.

        Args:
            keys: Hashable keys.
        """
        self._forget()
        hashes = set(map(hash, keys))
        if len(hashes) < len(keys) or hashes & self._latest or hashes & self._earlier:
            return False
        self._latest |= hashes
        return True

    def is_new(self, key: Hashable) -> bool:
        """Return whether a key is new, and remember it."""
        self._forget()
        hashed = hash(key)
        if hashed in self._latest or hashed in self._earlier:
            return False
        self._latest.add(hashed)
        return True

    def _forget(self) -> None:
        if len(self._latest) >= _REMEMBERED:
            self._earlier, self._latest = self._latest, set()
