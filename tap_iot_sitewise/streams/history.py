"""The base class of the telemetry streams that read windows of time."""

from __future__ import annotations

import datetime as dt
import sys
import typing as t

from tap_iot_sitewise.dates import rfc3339
from tap_iot_sitewise.singer.windowed_stream import WindowedStream
from tap_iot_sitewise.streams.telemetry_stream import TelemetryStream
from tap_iot_sitewise.streams.windows import (
    Period,
    Window,
    WindowBatch,
    WindowProgress,
)

if sys.version_info >= (3, 12):
    from typing import override
else:
    from typing_extensions import override

if t.TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tap_iot_sitewise.aws.client import Client
    from tap_iot_sitewise.singer.tap import SingerTap
    from tap_iot_sitewise.streams.entity import Record
    from tap_iot_sitewise.streams.telemetry_stream import DatedEntry, Part


class History(TelemetryStream, WindowedStream):
    """A stream of values over time, window by window."""

    def __init__(self, tap: SingerTap, open_client: Callable[[], Client]) -> None:
        """Create the stream, see :class:`SiteWiseStream`."""
        super().__init__(tap, open_client)
        self.replicate_by(self.entity.time_column)
        self._progress = WindowProgress()

    @override
    def pages(self) -> Iterator[list[Record]]:
        """Yield the records of the period that the run reads, some at a time.

        The bookmark moves with each window that is complete.
        """
        self._period = period = Period.of_run(
            self.config, started=self.run_started, bookmark=self.bookmark
        )
        if period.is_over:
            begin, end = max(period.bookmark or 0, period.start_date), period.end
            self.logger.info(
                "%s: nothing to read: the bookmark (%s) is not before end_date (%s)",
                self.name,
                rfc3339(_moment(begin)),
                rfc3339(_moment(end)),
            )
            return
        yield from super().pages()

    @override
    def _parts(self) -> Iterator[Part]:
        number = 0
        for end, entries in self._windows():
            count = 0
            for part in self._in_window(number, end, entries):
                count += 1
                yield part
            if count:
                number += 1
            elif end is not None:
                # No time series has entries, in no window.
                return

    def _windows(self) -> Iterator[tuple[int | None, Iterator[DatedEntry]]]:
        """Yield the end and the entries of each window."""
        if self._is_test:
            whole = Window(self._period.begin(), self._period.end, is_first=True)
            yield whole.end, self._entries_in(whole)
            return
        # Values of a new time series can be older than the first window.
        yield None, self._entries_of_new()
        for window in self._period.windows():
            yield window.end, self._entries_in(window)

    def _entries_of_new(self) -> Iterator[DatedEntry]:
        period = self._period
        for entry, series in self._entries():
            start = period.start_of_new(series["creation_date"], entry.interval)
            if start is not None:
                yield entry, _dates(start, period.begin(entry.interval))

    def _entries_in(self, window: Window) -> Iterator[DatedEntry]:
        for entry, _ in self._entries():
            start = window.start
            if window.is_first:
                start = self._period.begin(entry.interval)
            yield entry, _dates(start, window.end)

    @override
    def _batch_done(self, batch: WindowBatch) -> None:
        end = self._progress.batch_done(batch)
        if end is not None and not self._is_test:
            self.complete_until(_moment(end))

    @override
    def _all_done(self) -> None:
        # Without a time series, a later run has to begin where this one did.
        if self.parents[self.request.parent].count and not self._is_test:
            self.complete_until(_moment(self._period.end))


def _dates(start: int, end: int) -> dict[str, int]:
    return {"startDate": start, "endDate": end}


def _moment(seconds: int) -> dt.datetime:
    return dt.datetime.fromtimestamp(seconds, dt.timezone.utc)
