"""The windows of time that a telemetry stream reads."""

from __future__ import annotations

import datetime as dt
import typing as t
from dataclasses import dataclass

from tap_iot_sitewise.dates import parse_duration, parse_moment
from tap_iot_sitewise.singer.bookmark import CLOCK_SKEW

if t.TYPE_CHECKING:
    from collections.abc import Iterator

    from tap_iot_sitewise.settings import Config

_OLDEST_VALUE = 7 * 86_400
"""Seconds: SiteWise accepts a value up to seven days after its timestamp."""

_CLOCK_SKEW_SECONDS = int(CLOCK_SKEW.total_seconds())


@dataclass(frozen=True)
class Window:
    """A window of time. A value is in it if ``start`` < timestamp <= ``end``.

    Args:
        start: Epoch seconds.
        end: Epoch seconds.
        is_first: Whether the period of the run begins with it.
    """

    start: int
    end: int
    is_first: bool = False


@dataclass(frozen=True)
class Period:
    """The time that a run reads, in whole epoch seconds.

    Args:
        start_date: The setting.
        end: The setting ``end_date``, or the start of the run if that is earlier.
        size: Length of a window.
        lookback: The setting.
        bookmark: Where the last run ended, None for the first run.
    """

    start_date: int
    end: int
    size: int
    lookback: int
    bookmark: int | None

    @classmethod
    def of_run(
        cls, config: Config, *, started: int, bookmark: dt.datetime | None
    ) -> Period:
        """Return the period that a run reads.

        Args:
            config: Settings, valid.
            started: When the run started, in epoch seconds.
            bookmark: Where the last run ended, None for the first run.
        """
        end = config.get("end_date")
        return cls(
            # No value is older than the epoch (shape ``TimeInSeconds``).
            start_date=max(0, _seconds(parse_moment(config["start_date"]))),
            end=started if end is None else min(started, _seconds(parse_moment(end))),
            size=_length(config["telemetry_window"]),
            lookback=_length(config["telemetry_lookback"]),
            bookmark=None if bookmark is None else _seconds(bookmark),
        )

    @property
    def is_over(self) -> bool:
        """Whether there is nothing to read."""
        begin = self.start_date if self.bookmark is None else self.bookmark
        return max(begin, self.start_date) >= self.end

    def begin(self, interval: int | None = None) -> int:
        """Return where the first window begins.

        Args:
            interval: Length of aggregates in seconds, None for values. The period then
                begins at the start of an interval, of which only the end is inclusive.
        """
        if self.bookmark is None:
            return self.start_date
        return self._aligned(self.bookmark - self.lookback, interval)

    def windows(self) -> Iterator[Window]:
        """Yield the windows, without gaps and without overlap."""
        start = begin = self.begin()
        while start < self.end:
            end = min(start + self.size, self.end)
            yield Window(start, end, is_first=start == begin)
            start = end

    def start_of_new(
        self, created: str | None, interval: int | None = None
    ) -> int | None:
        """Return where to begin with a time series, if it is new since the bookmark.

        Its values can be up to seven days older than the time series.

        Args:
            created: When the time series was created, as RFC 3339; None if unknown.
            interval: Length of aggregates in seconds, see :meth:`begin`.

        Returns:
            Epoch seconds; None if the windows contain all that is to be read.
        """
        if self.bookmark is None:
            return None
        moment = self.bookmark
        if created is not None:
            moment = _seconds(dt.datetime.fromisoformat(created))
        if moment < self.bookmark - _CLOCK_SKEW_SECONDS:
            return None
        oldest = moment - _OLDEST_VALUE
        # A window does not contain its start, but an interval begins before it.
        start = self._aligned(oldest if interval else oldest - 1, interval)
        return start if start < self.begin(interval) else None

    def _aligned(self, moment: int, interval: int | None) -> int:
        start = moment if interval is None else (moment - 1) // interval * interval
        return max(self.start_date, start)


def _seconds(moment: dt.datetime) -> int:
    return int(moment.timestamp() // 1)


def _length(duration: str) -> int:
    return int(parse_duration(duration).total_seconds())


@dataclass(frozen=True)
class WindowBatch:
    """The place of a batch of time series in a run.

    Args:
        window: Number of the window, from 0.
        index: Number of the batch in the window, from 0.
        is_last: Whether it is the last batch of the window.
        end: End of the window in epoch seconds. None for the time before the first
            window, which is read for new time series only.
    """

    window: int
    index: int
    is_last: bool
    end: int | None


class WindowProgress:
    """Finds out which windows are complete while their batches end in any order."""

    def __init__(self) -> None:
        """Begin before the first window."""
        self._done: dict[int, int] = {}
        self._sizes: dict[int, tuple[int, int | None]] = {}
        self._next = 0

    def batch_done(self, batch: WindowBatch) -> int | None:
        """Note that all values of a batch were sent.

        Args:
            batch: The batch.

        Returns:
            The latest end of the windows that became complete, as all windows before
            them are. None if there is no such window.
        """
        number = batch.window
        self._done[number] = self._done.get(number, 0) + 1
        if batch.is_last:
            self._sizes[number] = batch.index + 1, batch.end
        end = None
        while self._next in self._sizes:
            size, window_end = self._sizes[self._next]
            if self._done[self._next] < size:
                break
            del self._sizes[self._next], self._done[self._next]
            self._next += 1
            end = window_end
        return end
