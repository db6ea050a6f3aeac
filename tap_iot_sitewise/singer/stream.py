"""The base class of a stream, with the differences from the SDK's."""

from __future__ import annotations

import abc
import datetime as dt
import functools
import logging
import sys
import typing as t

import msgspec
from singer_sdk import Stream
from singer_sdk.helpers._catalog import get_selected_schema
from singer_sdk.helpers.conform import TypeConformanceLevel
from singer_sdk.mapper import SameRecordTransform
from singer_sdk.singerlib import RecordMessage
from singer_sdk.singerlib.catalog import REPLICATION_FULL_TABLE
from singer_sdk.singerlib.encoding.simple import StateMessage

from tap_iot_sitewise.singer.batches import write_batches
from tap_iot_sitewise.singer.bookmark import CLOCK_SKEW, begin_progress
from tap_iot_sitewise.singer.limit import LimitTimer
from tap_iot_sitewise.singer.selection import Selection

if sys.version_info >= (3, 12):
    from typing import override
else:
    from typing_extensions import override

if t.TYPE_CHECKING:
    from collections.abc import Generator, Iterator

    from singer_sdk import Tap
    from singer_sdk.helpers._batch import BaseBatchFileEncoding, BatchConfig
    from singer_sdk.helpers.types import Context
    from singer_sdk.metrics import Timer

    from tap_iot_sitewise.singer.messages import MessageWriter

    Record = dict[str, t.Any]

_encoder = msgspec.json.Encoder()


class SingerStream(Stream):
    """A stream that reads its records in pages.

    Without stream maps, flattening and batches, a page goes to stdout in one step.
    Otherwise, each record goes through the SDK. Both ways write the same messages.
    """

    append_only: t.ClassVar[bool] = False
    """Whether targets must keep earlier rows. Such a stream has no ACTIVATE_VERSION."""

    # The values already conform to the schema.
    TYPE_CONFORMANCE_LEVEL = TypeConformanceLevel.NONE

    def __init__(
        self, tap: Tap, schema: dict[str, t.Any], key_properties: list[str]
    ) -> None:
        """Create the stream.

        Args:
            tap: The tap.
            schema: JSON schema of the records.
            key_properties: Columns that identify a record.
        """
        super().__init__(tap, schema=schema)
        self.primary_keys = key_properties
        self._writer = t.cast("MessageWriter", tap.message_writer)
        self._sent_before = 0

    @property
    def sent(self) -> int:
        """Number of RECORD messages since the start of the stream."""
        return self._writer.records - self._sent_before

    # Extraction

    @abc.abstractmethod
    def pages(self) -> Iterator[list[Record]]:
        """Yield the records to send, page by page."""

    @override
    def get_records(self, context: Context | None) -> Iterator[Record]:
        for page in self.pages():
            yield from page

    @override
    def _sync_records(
        self, context: Context | None = None, *, write_messages: bool = True
    ) -> Generator[Record, t.Any, t.Any]:
        self._sent_before = self._writer.records
        if self.activates_version:
            self._stream_version = self._initialized_at // 1000
        if not self.selected:
            self._read_for_children()
        elif write_messages and self._is_sent_as_read:
            self._sync_pages()
        else:
            yield from super()._sync_records(context, write_messages=write_messages)

    def _read_for_children(self) -> None:
        for _ in self.pages():
            pass

    @property
    def _is_sent_as_read(self) -> bool:
        return (
            not self.config.get("flattening_enabled")
            and len(self.stream_maps) == 1
            and isinstance(self.stream_maps[0], SameRecordTransform)
        )

    def _sync_pages(self) -> None:
        """Send the pages like ``Stream._sync_records`` of the SDK sends records."""
        counter, timer = self.get_record_counter(), self.get_sync_timer()
        count = 0
        with counter, timer:
            counter.with_context({})
            timer.with_context({})
            self._write_starting_replication_value(None)
            for page in self.pages():
                left = page
                while left:
                    self._check_max_record_limit(count)
                    # Up to the next record that a STATE can follow.
                    room = self.STATE_MSG_FREQUENCY - count % self.STATE_MSG_FREQUENCY
                    if self.ABORT_AT_RECORD_COUNT is not None:
                        room = min(room, self.ABORT_AT_RECORD_COUNT - count)
                    part, left = left[:room], left[room:]
                    self._write_records(part)
                    count += len(part)
                    counter.increment(len(part))
                    if count % self.STATE_MSG_FREQUENCY == 0:
                        self._write_state_message()
            self._finalize_state(self.stream_state)
            self._write_state_message()

    def _write_records(self, records: list[Record]) -> None:
        message: dict[str, t.Any] = {"type": "RECORD", "stream": self.name}
        end: dict[str, t.Any] = {"time_extracted": dt.datetime.now(dt.timezone.utc)}
        if self._stream_version is not None:
            end = {"version": self._stream_version, **end}
        lines = _encoder.encode_lines(
            [
                {**message, "record": record, **end}
                for record in self._selection.of_all(records)
            ]
        )
        self._writer.write_records(lines, len(records))
        self._move_bookmark(records)

    def _move_bookmark(self, records: list[Record]) -> None:
        if (column := self.replication_key) is not None:
            dated = [record for record in records if record[column] is not None]
            if dated:
                self._increment_stream_state(max(dated, key=lambda r: r[column]))

    @override
    def get_sync_timer(self) -> Timer:
        """Return a timer that reports success when the stream reaches its limit."""
        timer = super().get_sync_timer()
        return LimitTimer(timer.metric, timer.tags)

    @override
    def _process_record(
        self,
        record: Record,
        child_context: Context | None = None,
        partition_context: Context | None = None,
    ) -> None:
        """Do nothing: the tap runs each child stream once, for all parents."""

    @override
    def get_batches(
        self, batch_config: BatchConfig, context: Context | None = None
    ) -> Iterator[tuple[BaseBatchFileEncoding, list[str]]]:
        """Write the records of the messages to batch files.

        The SDK 0.54 writes the extracted records instead, including columns that are
        not selected, and without stream maps and flattening.
        """
        if not self.selected:
            self._read_for_children()
            return
        alias = self.stream_maps[0].stream_alias
        records = (
            message.record
            for record in self._sync_records(context, write_messages=False)
            for message in self._generate_record_messages(record)
            if message.stream == alias
        )
        yield from write_batches(self, batch_config, self._counted(records))

    def _counted(self, records: Iterator[Record]) -> Iterator[Record]:
        for record in records:
            self._writer.records += 1
            yield record

    # Messages

    @override
    def _generate_record_messages(
        self, record: Record
    ) -> Generator[RecordMessage, None, None]:
        record = self._selection.of(record)
        flattened = self.config.get("flattening_enabled")
        extracted = dt.datetime.now(dt.timezone.utc)
        for stream_map in self.stream_maps:
            mapped = stream_map.transform(record)
            if mapped is None:
                continue
            if flattened:
                columns = stream_map.transformed_schema["properties"]
                mapped = {column: mapped.get(column) for column in columns}
            yield RecordMessage(
                stream=stream_map.stream_alias,
                record=mapped,
                version=self._stream_version,
                time_extracted=extracted,
            )

    @functools.cached_property
    def _selection(self) -> Selection:
        # Not `raw_schema` of the stream map: a map that removes a column removes it
        # there (SDK 0.54), and its other rules may read that column.
        selected = get_selected_schema(self.name, self.effective_schema, self.mask)
        return Selection(selected, self.schema)

    @property
    def activates_version(self) -> bool:
        """Whether an ACTIVATE_VERSION follows the last record of the stream.

        No ACTIVATE_VERSION follows batches: their rows have no version, and a target
        deletes all rows with another version than that of the message.
        """
        return (
            bool(self.config.get("emit_activate_version_messages"))
            and self.selected
            and not self.append_only
            and self.replication_method == REPLICATION_FULL_TABLE
            and self.get_batch_config(self.config) is None
        )

    @property
    @override
    def emit_activate_version_messages(self) -> bool:
        """False. Otherwise the SDK 0.54 sends ACTIVATE_VERSION before the first record.

        A target deletes the old rows when it reads the message. If the run then fails,
        the table is incomplete. The tap sends the messages at the end of the run.
        """
        return False

    # State

    @override
    def _write_state_message(self) -> None:
        if self._writer.records_since_state >= self.STATE_MSG_FREQUENCY:
            self._tap.write_message(StateMessage(value=self.tap_state))

    @override
    def get_replication_key_signpost(
        self, context: Context | None = None
    ) -> dt.datetime | None:
        """Return the upper limit of a bookmark: five minutes before the start.

        An entity can change during the run, after it was listed. And the clock of the
        source can be behind that of this machine.
        """
        signpost: dt.datetime | None = super().get_replication_key_signpost(context)
        return signpost - CLOCK_SKEW if signpost else None

    @override
    def _increment_stream_state(
        self, latest_record: Record, *, context: Context | None = None
    ) -> None:
        column = self.replication_key
        if column is None or latest_record[column] is not None:
            if column is not None:
                begin_progress(self.stream_state)
            super()._increment_stream_state(latest_record, context=context)

    @override
    def log(
        self,
        message: str,
        *args: t.Any,
        level: int = logging.INFO,
        **kwargs: t.Any,
    ) -> None:
        """Log the SDK's messages about a stream at DEBUG.

        The SDK 0.54 logs a start at INFO, and a failure as an ERROR for each stream
        that it passes through. The tap logs one summary and one ERROR.
        """
        del level
        self.logger.debug(message, *args, **kwargs)
