"""The streams: which operation each one lists, what it yields, and how a run goes.

A stream is a declaration: a class with a name, an operation and an entity. What all
have in common, and what differs from the Singer SDK, is in :class:`SiteWiseStream`.
"""

from __future__ import annotations

import datetime as dt
import functools
import logging
import sys
import time
import typing as t

from singer_sdk import Stream
from singer_sdk.batch import Batcher
from singer_sdk.exceptions import (
    AbortedSyncFailedException,
    AbortedSyncPausedException,
)
from singer_sdk.helpers.conform import TypeConformanceLevel
from singer_sdk.mapper import RemoveRecordTransform
from singer_sdk.singerlib import ActivateVersionMessage, RecordMessage
from singer_sdk.singerlib.catalog import REPLICATION_FULL_TABLE
from singer_sdk.singerlib.encoding.simple import StateMessage

from tap_iot_sitewise.entities import (
    ASSET_MODEL_SUMMARY,
    PORTAL_SUMMARY,
    PROJECT_SUMMARY,
    UnexpectedValueError,
    rfc3339,
)
from tap_iot_sitewise.errors import NotFoundError, TapError
from tap_iot_sitewise.progress import Progress

if sys.version_info >= (3, 12):
    from typing import override
else:
    from typing_extensions import override

if t.TYPE_CHECKING:
    from collections.abc import Generator, Iterator

    from singer_sdk.helpers._batch import BaseBatchFileEncoding, BatchConfig
    from singer_sdk.helpers.types import Context

    from tap_iot_sitewise.client import Calls
    from tap_iot_sitewise.entities import Entity, Record
    from tap_iot_sitewise.listing import Page
    from tap_iot_sitewise.tap import TapIoTSiteWise

REPLICATION_KEY = "last_update_date"
"""The one column that tells when an entity changed."""

_CLOCK_SKEW = dt.timedelta(minutes=5)
"""AWS refuses requests of a machine whose clock is further off than this."""


class SiteWiseStream(Stream):
    """A List operation of SiteWise as a stream.

    To add one: declare its entity, and a subclass with ``name``, ``operation`` and
    ``entity``; with a parent also ``parent_stream_type`` and ``parent_parameter``.
    """

    operation: t.ClassVar[str]
    """Operation of the API; its IAM action is ``iotsitewise:<operation>``."""

    entity: t.ClassVar[Entity]
    """What the operation lists; its first attribute is the stream's key."""

    parent_parameter: t.ClassVar[str | None] = None
    """Parameter of the operation that takes the parent's key."""

    # The entity has made every value what the schema says.
    TYPE_CONFORMANCE_LEVEL = TypeConformanceLevel.NONE

    # A child changes without its parent: all parents are visited in any case, and a
    # parent's own bookmark must not be given up for it, as the SDK would do.
    ignore_parent_replication_key = False

    _tap: TapIoTSiteWise

    def __init__(self, tap: TapIoTSiteWise) -> None:
        """Make the stream of a tap."""
        super().__init__(tap, schema=self.entity.schema)
        self.primary_keys = [self.entity.key]
        self.parent_keys: list[str] = []
        self._keys_for_children: list[str] = []

    # Extraction

    def parameters(self) -> dict[str, t.Any]:
        """Return parameters of the operation that the settings decide."""
        return {}

    @override
    def get_records(self, context: Context | None) -> Iterator[Record]:
        """Yield every record of the stream that is to be sent.

        Args:
            context: Not used; a child stream lists all of its parents in one go.

        Yields:
            Records, dates as RFC 3339 in UTC.

        Raises:
            TapError: A call failed for good, or answered with what cannot be.
        """
        from tap_iot_sitewise.client import Calls  # noqa: PLC0415 - boto3 takes its time

        calls, started, count, progress = Calls(), time.monotonic(), 0, Progress()
        start = self.get_starting_timestamp(None)
        since = start and rfc3339(start)
        for given, page in self._pages(calls):
            for record in self._records(page, given):
                self._note_for_children(record)
                changed = record[REPLICATION_KEY]
                # One without a date is always sent: nothing tells when it changed.
                if since is None or changed is None or changed >= since:
                    count += 1
                    yield record
            # Nobody should wait for records while this waits for AWS.
            self._tap.message_writer.flush()
            progress.show(self.name, count, calls.requests)
        progress.close()
        self.logger.info(
            "%s: %d records, %d requests (%d retries), %.1f seconds",
            self.name,
            count,
            calls.requests,
            calls.retries,
            time.monotonic() - started,
        )

    def _pages(self, calls: Calls) -> Iterator[tuple[dict[str, str], Page]]:
        """Yield the pages, fetched ahead, with the columns that the request decides.

        Of a child stream those of all parents in their order, several listed at once.
        """
        from tap_iot_sitewise.prefetch import Prefetch  # noqa: PLC0415

        if self.parent_stream_type is None:
            listing = self._tap.client.pages(self.operation, calls, **self.parameters())
            for _, pages in Prefetch([self.name], lambda _: listing, workers=1):
                for page in pages:
                    yield {}, page
            return
        column = t.cast("type[SiteWiseStream]", self.parent_stream_type).entity.key
        workers: int = self.config["max_concurrency"]
        children = functools.partial(self._child_pages, calls)
        for parent, pages in Prefetch(self.parent_keys, children, workers):
            for page in pages:
                yield {column: parent}, page

    def _child_pages(self, calls: Calls, parent: str) -> Iterator[Page]:
        parameter = t.cast("str", self.parent_parameter)
        parameters = {**self.parameters(), parameter: parent}
        listed = 0
        try:
            for page in self._tap.client.pages(self.operation, calls, **parameters):
                listed += len(page)
                yield page
        except NotFoundError as error:
            if listed:
                self.logger.warning(
                    "%s %s was deleted while it was listed, only the first %d of its "
                    "%s were sent (%s)",
                    parameter,
                    parent,
                    listed,
                    self.name,
                    error,
                )
            else:
                self.logger.warning(
                    "%s %s was deleted during the run, its %s are left out (%s)",
                    parameter,
                    parent,
                    self.name,
                    error,
                )

    def _records(self, page: Page, given: dict[str, str]) -> Iterator[Record]:
        try:
            for summary in page:
                yield self.entity.convert(summary, **given)
        except UnexpectedValueError as error:
            msg = f"{self.operation}: {error}"
            raise TapError(msg) from error

    # Parent and child

    @override
    def _sync_records(
        self, context: Context | None = None, *, write_messages: bool = True
    ) -> Generator[dict[str, t.Any], t.Any, t.Any]:
        """Sync this stream, then each child once for all of its parents.

        The SDK 0.54 syncs a child for each parent record: with it come a SCHEMA, a
        STATE and five log lines for every portal, at each of which a target flushes,
        and no listing can begin before the one ahead of it is emitted.
        """
        self._keys_for_children = []
        if self.activates_version:
            self._stream_version = self._initialized_at // 1000
        if self.ABORT_AT_RECORD_COUNT is None:
            yield from super()._sync_records(context, write_messages=write_messages)
            self._sync_child_streams()
            return
        # --test stops a stream after a record, and does not finalize it; the children
        # are to be tried in any case.
        stopped: Exception | None = None
        try:
            yield from super()._sync_records(context, write_messages=write_messages)
        except (AbortedSyncFailedException, AbortedSyncPausedException) as limit:
            stopped = limit
        self._sync_child_streams()
        if self.parent_stream_type is None:
            self._tap.write_message(StateMessage(value=self.tap_state))
        if stopped is not None:
            raise stopped

    def _sync_child_streams(self) -> None:
        for child in t.cast("list[SiteWiseStream]", self.child_streams):
            if child.selected or child.has_selected_descendents:
                child.parent_keys = self._keys_for_children
                try:
                    child.sync()
                except (AbortedSyncFailedException, AbortedSyncPausedException):
                    # As the SDK does it: a child that --test stopped is no failure.
                    continue

    def _note_for_children(self, record: Record) -> None:
        """Remember a parent for its children.

        Done before the bookmark is looked at, as a project can be new in an old portal,
        and whatever a stream map makes of the parent. The SDK 0.54 leaves out the
        children of a parent that is filtered; their table would look whole, and lose
        their rows at the next ACTIVATE_VERSION.
        """
        if self.child_streams:
            self._keys_for_children.append(record[self.entity.key])

    @override
    def _process_record(
        self,
        record: Record,
        child_context: Context | None = None,
        partition_context: Context | None = None,
    ) -> None:
        """Do nothing: the children are synced at the end, see :meth:`_sync_records`."""

    @override
    def get_batches(
        self, batch_config: BatchConfig, context: Context | None = None
    ) -> Iterator[tuple[BaseBatchFileEncoding, list[str]]]:
        """Write what the messages would hold into batch files.

        The SDK 0.54 writes the records as they were read, with columns that are not
        selected, and neither mapped nor flattened.
        """
        if len(self.stream_maps) > 1:
            msg = (
                f"batch_config: stream_maps makes several tables of {self.name}, and a "
                "batch file is for one; remove the __source__ maps or batch_config"
            )
            raise TapError(msg)
        batcher = Batcher(
            tap_name=self.tap_name, stream_name=self.name, batch_config=batch_config
        )
        alias = self.stream_maps[0].stream_alias
        records = (
            message.record
            for record in self._sync_records(context, write_messages=False)
            for message in self._generate_record_messages(record)
            if message.stream == alias
        )
        try:
            for manifest in batcher.get_batches(records):
                yield batch_config.encoding, manifest
        except OSError as error:
            msg = (
                f"batch_config: cannot write a batch file ({error.strerror or error}); "
                "check storage.root"
            )
            raise TapError(msg) from error

    # Messages

    @override
    def _generate_record_messages(
        self, record: Record
    ) -> Generator[RecordMessage, None, None]:
        """Make the messages of a record: what is selected, mapped and flattened.

        The SDK 0.54 looks up each value of each record in the selection and in the
        schema; here both are settled before the first record. And it flattens what is
        there: of a status without an error it makes a column ``status__error`` that
        the schema does not have, and none of those that it has.
        """
        if self._selected_schema is not None:
            record = _select(record, self._selected_schema)
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
    def _selected_schema(self) -> dict[str, t.Any] | None:
        """Schema of what is selected, None where that is everything."""
        selected: dict[str, t.Any] = self.stream_maps[0].raw_schema
        everything = _names(selected) == _names(self.entity.schema)
        return None if everything else selected

    @property
    def activates_version(self) -> bool:
        """Whether the target is to be told, in the end, that the table is whole.

        Not where the records go out in batches: these have no place for a version, and
        a target deletes all rows whose version is not the one that it is told.
        """
        return (
            bool(self.config.get("emit_activate_version_messages"))
            and self.selected
            and self.replication_method == REPLICATION_FULL_TABLE
            and self.get_batch_config(self.config) is None
        )

    @property
    def tables(self) -> list[str]:
        """Names under which the target gets the stream, after stream maps."""
        return [
            stream_map.stream_alias
            for stream_map in self.stream_maps
            if not isinstance(stream_map, RemoveRecordTransform)
        ]

    @property
    @override
    def emit_activate_version_messages(self) -> bool:
        """False: the SDK 0.54 would send ACTIVATE_VERSION before the first record.

        A target drops the old rows when it reads one; a run that fails afterwards
        leaves half a table. See :meth:`finalize_state_progress_markers`.
        """
        return False

    @override
    def _write_state_message(self) -> None:
        """Write a STATE where 10,000 records went out since the last one.

        The SDK 0.54 writes one whenever a stream ends, child streams included, and
        none where the state is as it was.
        """
        if self._tap.message_writer.records_since_state >= self.STATE_MSG_FREQUENCY:
            self._tap.write_message(StateMessage(value=self.tap_state))

    @override
    def finalize_state_progress_markers(
        self, state: dict[str, t.Any] | None = None
    ) -> None:
        """Close a top-level stream with its children, and in the end the run.

        The tap calls this when a top-level stream ended well. After the last of them,
        and so never from a run that failed, come the ACTIVATE_VERSION messages.
        """
        super().finalize_state_progress_markers(state)
        if self.parent_stream_type is not None:
            return
        if self._tap.ends_with(self):
            activations = self._activations()
            end = StateMessage(value=self.tap_state)
            self._tap.message_writer.write_last([*activations, end])
        else:
            self._tap.write_message(StateMessage(value=self.tap_state))

    def _activations(self) -> list[ActivateVersionMessage]:
        """Return what tells a target that it may drop the rows that did not come again.

        Takes up to a second where there is anything to tell.
        """
        tables = self._tap.tables_to_activate()
        if not tables:
            return []
        # Versions are whole seconds (SDK 0.54; some targets keep them in 32 bits). A
        # run that begins in the second of the one before would have its version, and
        # drop nothing: so none ends in the second that it began in. How much of that is
        # left, the monotonic clock knows: the other one can be set meanwhile.
        version, milliseconds = divmod(self._initialized_at, 1000)
        second = self._tap.began_at + 1.0 - milliseconds / 1000
        time.sleep(max(0.0, second - time.monotonic()))
        return [ActivateVersionMessage(table, version) for table in tables]

    @override
    def log(
        self,
        message: str,
        *args: t.Any,
        level: int = logging.INFO,
        **kwargs: t.Any,
    ) -> None:
        """Log what the SDK has to say about the sync, at DEBUG.

        It tells the beginning at INFO and every failure as an ERROR for each stream
        that it passes on its way up; ours are one summary and one ERROR.
        """
        del level
        self.logger.debug(message, *args, **kwargs)

    # State

    @property
    @override
    def partitions(self) -> list[dict[str, t.Any]] | None:
        """None: there is one bookmark for all parents."""
        return None

    @override
    def get_replication_key_signpost(
        self, context: Context | None = None
    ) -> dt.datetime | None:
        """Return how far a bookmark may go: to the start of the run, less clock skew.

        What changes while the run reads can have a later date than an entity that was
        read before it changed; a bookmark beyond the start would pass over that one.
        """
        signpost: dt.datetime | None = super().get_replication_key_signpost(context)
        return signpost - _CLOCK_SKEW if signpost else None

    @override
    def _increment_stream_state(
        self, latest_record: Record, *, context: Context | None = None
    ) -> None:
        """Advance the bookmark, but not for a record without a date.

        The SDK 0.54 logs a warning for each of these.
        """
        if latest_record.get(REPLICATION_KEY) is not None:
            super()._increment_stream_state(latest_record, context=context)


def _names(schema: dict[str, t.Any]) -> dict[str, t.Any]:
    """Return the names of a schema's properties, and of theirs."""
    properties: dict[str, t.Any] = schema.get("properties", {})
    return {name: _names(definition) for name, definition in properties.items()}


def _select(value: Record, schema: dict[str, t.Any]) -> Record:
    """Return what a schema has of a record."""
    properties = schema["properties"]
    return {
        name: (
            _select(inner, properties[name])
            if isinstance(inner, dict) and "properties" in properties[name]
            else inner
        )
        for name, inner in value.items()
        if name in properties
    }


class AssetModelsStream(SiteWiseStream):
    """Asset models of the Region."""

    name = "asset_models"
    operation = "ListAssetModels"
    entity = ASSET_MODEL_SUMMARY

    @override
    def parameters(self) -> dict[str, t.Any]:
        types = self.config.get("asset_model_types")
        return {"assetModelTypes": types} if types else {}


class PortalsStream(SiteWiseStream):
    """SiteWise Monitor portals of the Region."""

    name = "portals"
    operation = "ListPortals"
    entity = PORTAL_SUMMARY


class ProjectsStream(SiteWiseStream):
    """Projects of every portal."""

    name = "projects"
    operation = "ListProjects"
    entity = PROJECT_SUMMARY
    parent_stream_type = PortalsStream
    parent_parameter = "portalId"


STREAMS = (AssetModelsStream, PortalsStream, ProjectsStream)
