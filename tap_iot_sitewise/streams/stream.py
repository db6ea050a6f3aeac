"""The base class of the streams of SiteWise."""

from __future__ import annotations

import contextlib
import sys
import time
import typing as t

from tap_iot_sitewise.dates import rfc3339
from tap_iot_sitewise.errors import NotFoundError, TapError
from tap_iot_sitewise.progress import Progress
from tap_iot_sitewise.singer.stream import SingerStream
from tap_iot_sitewise.streams.attribute import UnexpectedValueError
from tap_iot_sitewise.streams.deleted_parents import DeletedParents
from tap_iot_sitewise.streams.shard import Shard

if sys.version_info >= (3, 12):
    from typing import override
else:
    from typing_extensions import override

if t.TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from tap_iot_sitewise.aws.client import Client
    from tap_iot_sitewise.aws.paging import Calls, Page, Request
    from tap_iot_sitewise.singer.tap import SingerTap
    from tap_iot_sitewise.streams.entity import Entity, Record
    from tap_iot_sitewise.streams.parents import Parents
    from tap_iot_sitewise.streams.request import Batch, Listing, Listings


class _Part(t.NamedTuple):
    """A request of a stream.

    Args:
        request: The request.
        parents: Number of parents up to this request.
        is_own: Whether this run sends the records, and not another shard.
    """

    request: Request
    parents: int
    is_own: bool


class SiteWiseStream(SingerStream):
    """A stream of the items that an operation of SiteWise returns.

    To add a stream, declare a subclass with ``name``, ``entity`` and ``request`` in the
    file of its family, and add it to a group in ``GROUPS``.
    """

    name: str = ""
    """Name of the stream."""

    entity: t.ClassVar[Entity]
    """Entity of the items: columns, key, date of the last change."""

    request: t.ClassVar[Listing | Listings | Batch]
    """Operation, parameters and parent streams of the requests."""

    def __init__(self, tap: SingerTap, open_client: Callable[[], Client]) -> None:
        """Create the stream.

        Args:
            tap: The tap.
            open_client: Returns the client of SiteWise. Called when the stream runs.
        """
        super().__init__(
            tap, schema=self.entity.schema, key_properties=list(self.entity.key)
        )
        self._open_client = open_client
        self.parents: dict[type[SiteWiseStream], Parents] = {}
        """Columns of the parents, by parent stream. Set before the stream runs."""
        self.for_children: Parents | None = None
        """Store for the columns that child streams need, None if no child runs."""

    @classmethod
    def parent_streams(cls) -> list[type[SiteWiseStream]]:
        """Return the streams whose records are the parents of this one's."""
        return [each.parent for each in cls.request.listings if each.parent]

    @override
    def pages(self) -> Iterator[list[Record]]:
        """Yield the records to send, page by page.

        The tap fetches pages ahead, and sends several requests at a time. The pages
        come in the order of the parents.

        Yields:
            Records, dates as RFC 3339 in UTC.

        Raises:
            TapError: A call failed after all attempts, or its answer is not valid.
        """
        # boto3 is slow to import, and --discover does not need it.
        from tap_iot_sitewise.aws.paging import Calls  # noqa: PLC0415
        from tap_iot_sitewise.streams.prefetch import Prefetch  # noqa: PLC0415

        calls, started, line = Calls(), time.monotonic(), Progress()
        start = self.get_starting_timestamp(None) if self.selected else None
        since = None if start is None else rfc3339(start)
        client = self._open_client()
        deleted = DeletedParents(self.name, self.logger)
        known = sum(parents.count for parents in self.parents.values())
        listed = 0
        # With --test, one page of parents is enough for the child streams.
        only_parents = self.ABORT_AT_RECORD_COUNT is not None and not self.selected
        for part, pages in Prefetch(
            self._requests(),
            lambda part: self._fetch(client, part.request, calls, deleted),
            workers=self.config["max_concurrency"],
        ):
            for page in pages:
                records, failure = self._convert(part.request, page)
                listed += len(records)
                if self.for_children is not None:
                    # Before the bookmark applies: an old parent can have a new
                    # child. Also if a stream map drops the parent.
                    self.for_children.add(self.parents_in(records))
                if part.is_own:
                    yield records if since is None else self._changed(records, since)
                if failure is not None:
                    raise failure
                # Write the records before waiting for AWS.
                self._writer.flush()
                line.show(self.name, listed, calls.requests, (part.parents, known))
                if listed and only_parents:
                    line.close()
                    return
        line.close()
        deleted.warn_of_rest()
        self._log_summary(calls, started)

    def parents_in(self, records: list[Record]) -> list[Record]:
        """Return the records that are parents for child streams: all by default."""
        return records

    def _log_summary(self, calls: Calls, started: float) -> None:
        self.logger.info(
            "%s: %d records, %d requests (%d retries), %.1f seconds",
            self.name,
            self.sent,
            calls.requests,
            calls.retries,
            time.monotonic() - started,
        )

    def _requests(self) -> Iterator[_Part]:
        """Yield the requests whose records this run sends, or child streams need."""
        shard, done, is_own = Shard.of(self.config), 0, True

        def needed(parents: Parents, key: Iterable[str]) -> Iterator[Record]:
            nonlocal done, is_own
            for parent in parents:
                done += 1
                is_own = shard.has(parent[column] for column in key)
                if is_own or self.for_children is not None:
                    yield parent

        for listing in t.cast("tuple[Listing, ...]", self.request.listings):
            above: Iterable[Record] = ()
            if listing.parent is not None:
                above = needed(self.parents[listing.parent], listing.parent.entity.key)
            else:
                is_own = shard.is_first
                if not is_own and self.for_children is None:
                    continue
            for request in listing.requests(self.entity, self.config, above):
                yield _Part(request, done, is_own)

    def _fetch(
        self, client: Client, request: Request, calls: Calls, deleted: DeletedParents
    ) -> Iterator[Page]:
        listed = 0
        try:
            for page in client.pages(request, calls):
                listed += len(page)
                yield page
        except NotFoundError as error:
            if request.parent is None:
                raise
            deleted.add(request.parent, listed=listed, reason=error)

    def _convert(
        self, request: Request, page: Page
    ) -> tuple[list[Record], TapError | None]:
        """Return the records of a page before the first item that is not valid."""
        with contextlib.suppress(UnexpectedValueError):
            return self.entity.convert_all(page, request.columns), None
        records: list[Record] = []
        try:
            for item in page:
                # Not in a comprehension: the records before a bad item are kept.
                records.append(self.entity.convert(item, request.columns))  # noqa: PERF401
        except UnexpectedValueError as error:
            failure = TapError(
                f"{request.operation}: {error}; report this line as an issue of the tap"
            )
            failure.__cause__ = error
            return records, failure
        return records, None

    def _changed(self, records: list[Record], since: str) -> list[Record]:
        """Return the records that changed since the bookmark.

        A record without a date is always returned: it may have changed.
        """
        column = self.replication_key
        if column is None:
            return records
        return [r for r in records if r[column] is None or r[column] >= since]
