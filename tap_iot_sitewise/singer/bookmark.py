"""How far a bookmark goes, and what a run notes before it is valid."""

from __future__ import annotations

import datetime as dt
import typing as t

from singer_sdk.helpers._state import PROGRESS_MARKER_NOTE, PROGRESS_MARKERS

CLOCK_SKEW = dt.timedelta(minutes=5)
"""Maximum difference between the clock of the source and that of this machine."""


def begin_progress(state: dict[str, t.Any]) -> None:
    """Note that a stream makes progress that an interrupted run cannot resume.

    The SDK 0.54 does so at the first record of an incremental stream, with a WARNING
    that is true of every run and asks for nothing.

    Args:
        state: State of the stream; changed in place.
    """
    note = {PROGRESS_MARKER_NOTE: "Progress is not resumable if interrupted."}
    state.setdefault(PROGRESS_MARKERS, note)
