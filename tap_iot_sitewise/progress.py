"""Shows a person at a terminal that a long run is alive."""

from __future__ import annotations

import os
import sys
import time

_INTERVAL = 0.5
"""Seconds between two signs of life."""

_ERASE_LINE = "\033[K"


class Progress:
    """One line on stderr that is written over again and again.

    Nothing where stderr is no terminal, nor under Meltano, which makes a log of it.
    """

    def __init__(self) -> None:
        """Look whether there is anybody to show it to."""
        self._shown = sys.stderr.isatty() and "MELTANO_PROJECT_ROOT" not in os.environ
        self._due = time.monotonic() + _INTERVAL

    def show(self, stream: str, records: int, requests: int) -> None:
        """Show how far a stream is, if it is time again.

        Args:
            stream: Its name.
            records: Records read so far.
            requests: Requests sent so far.
        """
        if self._shown and time.monotonic() >= self._due:
            self._due = time.monotonic() + _INTERVAL
            # Back at its beginning in the end: a log line writes over it.
            text = f"{stream}: {records:,} records, {requests:,} requests ..."
            self._write(f"\r{_ERASE_LINE}{text}\r")

    def close(self) -> None:
        """Take the line away."""
        if self._shown:
            self._write(f"\r{_ERASE_LINE}")

    def _write(self, text: str) -> None:
        try:
            sys.stderr.write(text)
            sys.stderr.flush()
        except OSError:
            # The terminal was closed; the run goes on without it.
            self._shown = False
