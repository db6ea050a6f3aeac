"""The base class of a stream that reads windows of time, one after the other."""

from __future__ import annotations

import sys
import typing as t

from singer_sdk.singerlib.catalog import REPLICATION_INCREMENTAL
from singer_sdk.singerlib.encoding.simple import StateMessage

from tap_iot_sitewise.dates import parse_moment, rfc3339
from tap_iot_sitewise.singer.stream import SingerStream

if sys.version_info >= (3, 12):
    from typing import override
else:
    from typing_extensions import override

if t.TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterator

    from singer_sdk.helpers._batch import BaseBatchFileEncoding, BatchConfig
    from singer_sdk.helpers.types import Context

    Record = dict[str, t.Any]


class WindowedStream(SingerStream):
    """A stream whose bookmark is the end of its last complete window.

    A STATE follows each complete window, and no other record.
    """

    append_only = True

    # Only a window ends with a STATE.
    STATE_MSG_FREQUENCY = sys.maxsize

    _complete: dt.datetime | None = None
    _in_batches = False

    def replicate_by(self, column: str | None) -> None:
        """Make the stream incremental. Call this in the constructor.

        A catalog can still ask for FULL_TABLE. The stream then ignores its bookmark.

        Args:
            column: Column with the time of a record.
        """
        self.replication_key = column
        self.forced_replication_method = REPLICATION_INCREMENTAL

    @property
    def run_started(self) -> int:
        """When the run started, in whole seconds since the epoch."""
        return self._initialized_at // 1000

    @property
    def is_incremental(self) -> bool:
        """Whether the stream has a bookmark."""
        return self.replication_method == REPLICATION_INCREMENTAL

    @property
    def bookmark(self) -> dt.datetime | None:
        """End of the last complete window, None if there is none."""
        value = self.stream_state.get("replication_key_value")
        if value is None or not self.is_incremental:
            return None
        return parse_moment(value)

    def complete_until(self, end: dt.datetime) -> None:
        """Move the bookmark, and write a STATE after the records sent so far.

        Records that are not in a batch file yet come first: the STATE then follows
        their BATCH message.

        Args:
            end: End of a window. All records up to it were sent.
        """
        self._complete = end
        if not self._in_batches:
            self._write_bookmark()

    def _write_bookmark(self) -> None:
        end, self._complete = self._complete, None
        if end is None or not self.is_incremental:
            return
        earlier = self.bookmark
        # A run begins before its bookmark. The bookmark does not move back.
        latest = end if earlier is None else max(earlier, end)
        self.stream_state.update(
            replication_key=self.replication_key, replication_key_value=rfc3339(latest)
        )
        self._tap.write_message(StateMessage(value=self.tap_state))

    @override
    def get_batches(
        self, batch_config: BatchConfig, context: Context | None = None
    ) -> Iterator[tuple[BaseBatchFileEncoding, list[str]]]:
        self._in_batches = True
        for batch in super().get_batches(batch_config, context):
            yield batch
            # The BATCH message was written. It contains the windows that ended before.
            self._write_bookmark()
        self._write_bookmark()

    # Only windows move the bookmark, not records

    @override
    def _move_bookmark(self, records: list[Record]) -> None:
        """Do nothing: the windows move the bookmark."""

    @override
    def _increment_stream_state(
        self, latest_record: Record, *, context: Context | None = None
    ) -> None:
        """Do nothing, like :meth:`_move_bookmark`, where the SDK sends the records."""

    @override
    def get_replication_key_signpost(self, context: Context | None = None) -> None:
        """Return None: a bookmark has no other limit than its window."""

    @override
    def _write_starting_replication_value(self, context: Context | None) -> None:
        """Do nothing: the stream reads its bookmark itself."""
