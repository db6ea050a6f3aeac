"""Shows the progress of a run on a terminal."""

from __future__ import annotations

import os
import sys
import time

_INTERVAL = 0.5
"""Seconds between two updates."""

_ERASE_LINE = "\033[K"


class Progress:
    """One line on stderr that each update overwrites.

    The line is not shown if stderr is not a terminal, or under Meltano, which logs
    every line of stderr.
    """

    def __init__(self) -> None:
        """Check whether the line is to be shown."""
        self._shown = sys.stderr.isatty() and "MELTANO_PROJECT_ROOT" not in os.environ
        self._due = time.monotonic() + _INTERVAL

    def show(
        self,
        stream: str,
        records: int,
        requests: int,
        parents: tuple[int, int] = (0, 0),
    ) -> None:
        """Show the progress of a stream, unless the last update is too recent.

        Args:
            stream: Name of the stream.
            records: Records read so far.
            requests: Requests sent so far.
            parents: Parents read so far, and all parents; 0 for a stream that does not
                list parent by parent.
        """
        if self._shown and time.monotonic() >= self._due:
            self._due = time.monotonic() + _INTERVAL
            # The cursor goes back to the start, so that a log line overwrites the text.
            text = f"{stream}: {records:,} records, {requests:,} requests"
            done, known = parents
            if known:
                text += f", {done:,} of {known:,} parents"
            text += " ..."
            self._write(f"\r{_ERASE_LINE}{text}\r")

    def close(self) -> None:
        """Erase the line."""
        if self._shown:
            self._write(f"\r{_ERASE_LINE}")

    def _write(self, text: str) -> None:
        try:
            sys.stderr.write(text)
            sys.stderr.flush()
        except OSError:
            # The terminal was closed. The run continues without it.
            self._shown = False
