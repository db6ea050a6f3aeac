"""The base classes of the telemetry streams."""

from __future__ import annotations

import datetime as dt
import itertools
import sys
import time
import typing as t

import msgspec

from tap_iot_sitewise.aws.responses import as_line
from tap_iot_sitewise.dates import rfc3339
from tap_iot_sitewise.errors import TapError
from tap_iot_sitewise.progress import Progress
from tap_iot_sitewise.singer.windowed_stream import WindowedStream
from tap_iot_sitewise.streams.attribute import UnexpectedValueError
from tap_iot_sitewise.streams.deleted_parents import DeletedParents
from tap_iot_sitewise.streams.stream import SiteWiseStream
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
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from tap_iot_sitewise.aws.client import Client
    from tap_iot_sitewise.aws.paging import Request
    from tap_iot_sitewise.singer.tap import SingerTap
    from tap_iot_sitewise.streams.entity import Record
    from tap_iot_sitewise.streams.property_value import AggregatedValue, PropertyValue
    from tap_iot_sitewise.streams.request import Batch, Entry

    Part = tuple[WindowBatch, Request]
    DatedEntry = tuple[Entry, Record]

_NOT_FOUND, _DENIED = "ResourceNotFoundException", "AccessDeniedException"
"""Codes of an entry that failed."""


class TelemetryStream(SiteWiseStream):
    """A stream of values, with one request per batch of time series.

    To add a stream, declare a subclass like that of a listing.
    """

    entity: t.ClassVar[PropertyValue | AggregatedValue]
    request: t.ClassVar[Batch]

    @override
    def pages(self) -> Iterator[list[Record]]:
        """Yield the records to send, some at a time.

        Several requests are sent at a time. The records come in any order.

        Yields:
            Records, dates as RFC 3339 in UTC.

        Raises:
            TapError: A call or an entry of it failed, or the answer is not valid.
        """
        # boto3 is slow to import, and --discover does not need it.
        from tap_iot_sitewise.aws.paging import Calls  # noqa: PLC0415
        from tap_iot_sitewise.streams.prefetch import PrefetchInAnyOrder  # noqa: PLC0415

        calls, started, line = Calls(), time.monotonic(), Progress()
        client = self._open_client()
        deleted = DeletedParents(self.name, self.logger)
        read, most = 0, 1 if self._is_test else None
        for (batch, request), page in PrefetchInAnyOrder(
            self._parts(),
            lambda part: itertools.islice(client.pages(part[1], calls), most),
            workers=self.config["max_concurrency"],
        ):
            if page is None:
                self._batch_done(batch)
                continue
            for item in page:
                for records in self._records(request, item, deleted):
                    read += len(records)
                    yield records
            # Write the records before waiting for AWS.
            self._writer.flush()
            line.show(self.name, read, calls.requests)
        line.close()
        deleted.warn_of_rest()
        self._all_done()
        self._log_summary(calls, started)

    @property
    def _is_test(self) -> bool:
        """Whether the tap runs with ``--test``: one request is enough then."""
        return self.ABORT_AT_RECORD_COUNT is not None

    def _parts(self) -> Iterator[Part]:
        """Yield the batches, each with its request."""
        yield from self._in_window(0, None, ((e, {}) for e, _ in self._entries()))

    def _in_window(
        self, number: int, end: int | None, entries: Iterable[DatedEntry]
    ) -> Iterator[Part]:
        requests = self.request.requests(entries, self.ABORT_AT_RECORD_COUNT)
        following = next(requests, None)
        for index in itertools.count():
            request, following = following, next(requests, None)
            if request is None:
                return
            yield WindowBatch(number, index, following is None, end), request

    def _entries(self) -> Iterator[tuple[Entry, Record]]:
        """Yield the entries, each with its time series."""
        for series in self.parents[self.request.parent]:
            for entry in self.request.entries(series, self.config):
                yield entry, series
                if self._is_test:
                    return

    def _batch_done(self, batch: WindowBatch) -> None:
        """Note that all values of a batch were sent."""

    def _all_done(self) -> None:
        """Note that all values were sent."""

    def _records(
        self, request: Request, item: dict[str, t.Any], deleted: DeletedParents
    ) -> Iterator[list[Record]]:
        """Yield the records of an entry of the answer."""
        try:
            columns = (request.entries or {})[_text(item["entryId"])]
        except (KeyError, UnexpectedValueError) as error:
            msg = (
                f"{self.request.operation}: an entry of the answer has an unknown "
                "entryId; report this line as an issue of the tap"
            )
            raise TapError(msg) from error
        if "errorCode" in item:
            self._failed(item, columns, deleted)
            return
        values = item.get(self.request.result)
        if values is None:
            # A time series that never had a value.
            return
        try:
            for records in self.entity.records(bytes(values), columns):
                yield self._of_quality(records)
        except UnexpectedValueError as error:
            msg = (
                f"{self.request.operation}: {as_line(error)}; report this line as an "
                "issue of the tap"
            )
            raise TapError(msg) from error

    def _of_quality(self, records: list[Record]) -> list[Record]:
        quality = self.config.get("telemetry_quality")
        if quality is None or self.request.filters_quality:
            return records
        return [record for record in records if record["quality"] == quality]

    def _failed(
        self,
        item: dict[str, t.Any],
        columns: Mapping[str, t.Any],
        deleted: DeletedParents,
    ) -> None:
        """Report an entry that failed.

        Raises:
            TapError: The reason is another one than that the time series was deleted.
        """
        code = as_line(item["errorCode"])
        reason = f"{code}: {as_line(item.get('errorMessage') or 'no message')}"
        series = f"time_series_id {columns['time_series_id']}"
        if code == _NOT_FOUND:
            reason = f"{self.request.operation}: {reason}"
            deleted.add(series, listed=None, reason=reason)
            return
        named = f"{series} ({columns['alias']})" if columns["alias"] else series
        action = f"iotsitewise:{self.request.operation}"
        remedy = "exclude it with telemetry_alias_prefixes or telemetry_property_ids"
        if code == _DENIED:
            remedy = f"allow {action} on it in a policy of the role or user"
        msg = f"{self.request.operation}: {as_line(named)}: {reason}; {remedy}"
        raise TapError(msg)


class History(TelemetryStream, WindowedStream):
    """A stream of values over time, window by window."""

    time_column = "event_timestamp"

    def __init__(self, tap: SingerTap, open_client: Callable[[], Client]) -> None:
        """Create the stream, see :class:`SiteWiseStream`."""
        super().__init__(tap, open_client)
        self.replicate_by_time()
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
            begin, end = period.bookmark or period.start_date, period.end
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


def _text(value: t.Any) -> str:  # noqa: ANN401
    """Return a text that is encoded, or decoded already."""
    if isinstance(value, msgspec.Raw):
        value = msgspec.json.decode(value)
    if not isinstance(value, str):
        msg = f"expected text, not {type(value).__name__}"
        raise UnexpectedValueError(msg)
    return value
