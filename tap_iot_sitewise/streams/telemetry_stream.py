"""The base class of the telemetry streams."""

from __future__ import annotations

import itertools
import sys
import time
import typing as t

import msgspec

from tap_iot_sitewise.aws.responses import as_line
from tap_iot_sitewise.errors import TapError
from tap_iot_sitewise.progress import Progress
from tap_iot_sitewise.streams.attribute import UnexpectedValueError
from tap_iot_sitewise.streams.deleted_parents import DeletedParents
from tap_iot_sitewise.streams.stream import SiteWiseStream
from tap_iot_sitewise.streams.telemetry_time_series import FILTERS
from tap_iot_sitewise.streams.windows import (
    WindowBatch,
)

if sys.version_info >= (3, 12):
    from typing import override
else:
    from typing_extensions import override

if t.TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from tap_iot_sitewise.aws.paging import Request
    from tap_iot_sitewise.streams.entity import Record
    from tap_iot_sitewise.streams.property_value import AggregatedValue, PropertyValue
    from tap_iot_sitewise.streams.request import Batch, Entry

    Part = tuple[WindowBatch, Request]
    DatedEntry = tuple[Entry, Record]

_NOT_FOUND, _DENIED = "ResourceNotFoundException", "AccessDeniedException"
"""Codes of an entry that failed."""

_NULL = b"null"
"""A member without a value. AWS can leave it out, too."""


class TelemetryStream(SiteWiseStream):
    """A stream of values, with one request per batch of time series.

    To add a stream, declare a subclass like that of a listing.
    """

    entity: t.ClassVar[PropertyValue | AggregatedValue]
    request: t.ClassVar[Batch]

    @property
    @override
    def activates_version(self) -> bool:
        # A setting that matches no time series is probably misspelled. The target must
        # not delete all rows then.
        matched = self.parents and self.parents[self.request.parent].count
        narrowed = any(self.config.get(name) for name in FILTERS)
        return super().activates_version and bool(matched or not narrowed)

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
        values = bytes(item.get(self.request.result, _NULL))
        if values == _NULL:
            # A time series that never had a value.
            return
        try:
            for records in self.entity.records(values, columns):
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


def _text(value: t.Any) -> str:  # noqa: ANN401
    """Return a text that is encoded, or decoded already."""
    if isinstance(value, msgspec.Raw):
        value = msgspec.json.decode(value)
    if not isinstance(value, str):
        msg = f"expected text, not {type(value).__name__}"
        raise UnexpectedValueError(msg)
    return value
