"""Warns of parents that were deleted during the run."""

from __future__ import annotations

import threading
import typing as t

if t.TYPE_CHECKING:
    import logging

_MOST_WARNINGS = 10
"""Maximum parents that are named."""


class DeletedParents:
    """The parents of a stream that were deleted. Threads can share it."""

    def __init__(self, stream: str, logger: logging.Logger) -> None:
        """Create it, without parents.

        Args:
            stream: Name of the stream.
            logger: For the warnings.
        """
        self._stream = stream
        self._logger = logger
        self._found: set[str] = set()
        self._lock = threading.Lock()

    def add(self, parent: str, *, listed: int | None, reason: object) -> None:
        """Add a parent, and warn of it if it is one of the first ten.

        Args:
            parent: Name and value of its key.
            listed: Number of its items that the output contains, None if unknown.
            reason: The answer of AWS.
        """
        with self._lock:
            if parent in self._found:
                return
            self._found.add(parent)
            if len(self._found) > _MOST_WARNINGS:
                return
        if listed is None:
            self._logger.warning(
                "%s was deleted during the run: its %s are not, or not all, in the "
                "output (%s)",
                parent,
                self._stream,
                reason,
            )
        elif listed:
            self._logger.warning(
                "%s was deleted while it was listed: only the first %d of its %s are "
                "in the output (%s)",
                parent,
                listed,
                self._stream,
                reason,
            )
        else:
            self._logger.warning(
                "%s was deleted during the run: its %s are not in the output (%s)",
                parent,
                self._stream,
                reason,
            )

    def warn_of_rest(self) -> None:
        """Warn of the number of parents that were not named."""
        rest = len(self._found) - _MOST_WARNINGS
        if rest > 0:
            self._logger.warning(
                "%d more parents were deleted during the run: their %s are not, or not "
                "all, in the output",
                rest,
                self._stream,
            )
