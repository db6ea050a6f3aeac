"""Answer a batch operation with a page of values of several time series."""

from __future__ import annotations

import json
import typing as t
from dataclasses import dataclass

from emulator import batch_entries, errors
from emulator.aggregates import NUMERIC
from emulator.blocks import NANOS, key_of, last_key
from emulator.faults import Fault
from emulator.tokens import Position

if t.TYPE_CHECKING:
    from collections.abc import Callable

    from emulator.batch_entries import Entry
    from emulator.operations import ApiRequest
    from emulator.values import Part

_READABLE = NUMERIC | {"STRING", "BOOLEAN"}
_NOT_FOUND = "ResourceNotFoundException"
_DENIED = "AccessDeniedException"
_INVALID = "InvalidRequestException"
_CODES = (_NOT_FOUND, _DENIED, _INVALID)


class _EntryError(Exception):
    """An entry gets an error: the code and the message."""


class Window(t.NamedTuple):
    """What of a time series is read for a page.

    Args:
        low: The key after which the values are.
        high: The last key that they can have.
        limit: The maximum number of values.
        room: The maximum number of bytes.
    """

    low: int
    high: int
    limit: int
    room: int


Read: t.TypeAlias = "Callable[[ApiRequest, str, Entry, Window], Part]"
"""Returns values of the time series with an ID."""


@dataclass
class _Progress:
    """How far the pages have come.

    Args:
        index: Index of the first entry that is not finished.
        last: Key of its last value on an earlier page, None before the first one.
        failed: Index of each finished entry with an error, of its code in ``_CODES``,
            and the error's epoch seconds (UTC).
    """

    index: int
    last: int | None
    failed: list[tuple[int, int, int]]


@dataclass(frozen=True)
class Batch:
    """Answers with a page of values.

    Args:
        member: Member of a success entry that contains the values.
        read: Reads them.
        most_entries: The maximum number of entries.
        single: Whether the member is one value, and missing if there is none.
        dates: Whether an entry can have dates, qualities and an order.
        aggregates: Whether an entry is about aggregates.
        default_size: Values on a page if the request has no ``maxResults``.
        maximum_size: The maximum of ``maxResults``, None if there is no such member.
        room: The maximum size of the values on a page, in bytes.
    """

    member: str
    read: Read
    most_entries: int
    single: bool = False
    dates: bool = True
    aggregates: bool = False
    default_size: int = 100
    maximum_size: int | None = None
    room: int = 4 * 1024 * 1024

    def __call__(self, request: ApiRequest) -> bytes:
        """Return one page.

        Args:
            request: A request with a JSON object as its body.

        Returns:
            The body of the answer, as JSON.

        Raises:
            ApiError: A member of the body is missing or not allowed.
        """
        body = batch_entries.body_of(request.content)
        entries = batch_entries.entries(
            body, self.most_entries, dates=self.dates, aggregates=self.aggregates
        )
        limit = batch_entries.max_results(body, self.default_size, self.maximum_size)
        selection = batch_entries.selection(body)
        progress = _start(request, batch_entries.next_token(body), selection)
        here = (progress.index, progress.last, [*progress.failed])
        skipped = _skipped(entries, progress)
        errors_, successes = self._fill(request, entries, limit, progress)
        after: t.Any = (progress.index, progress.last, progress.failed)
        if request.page_fault is not None:
            after = here
        if request.page_fault is Fault.EMPTY_PAGE:
            errors_, successes, skipped = [], [], []
        token = b""
        if request.page_fault is not None or progress.index < len(entries):
            position = Position(request.operation.name, selection, after)
            unique = request.page_fault in {Fault.EMPTY_PAGE, Fault.REPEATED_PAGE}
            issued = request.tokens.issue(position, unique=unique)
            token = b',"nextToken":"%b"' % issued.encode()
        return b'{"errorEntries":%b,"successEntries":[%b],"skippedEntries":%b%b}' % (
            json.dumps(errors_).encode(),
            b",".join(successes),
            json.dumps(skipped).encode(),
            token,
        )

    def _fill(
        self,
        request: ApiRequest,
        entries: list[Entry],
        limit: int,
        progress: _Progress,
    ) -> tuple[list[object], list[bytes]]:
        """Return a page's error entries and success entries, and move the progress."""
        failures: list[object] = []
        successes: list[bytes] = []
        room = self.room
        while progress.index < len(entries) and limit > 0:
            entry = entries[progress.index]
            try:
                series_id = _series_id(request, entry)
                window = _window(request, entry, progress.last)
                part = self.read(
                    request, series_id, entry, Window(*window, limit, room)
                )
            except _EntryError as error:
                code, message = error.args
                failures.append(
                    {
                        "errorCode": code,
                        "errorMessage": message,
                        "entryId": entry.entry_id,
                    }
                )
                at = request.now // NANOS
                progress.failed.append((progress.index, _CODES.index(code), at))
                progress.index, progress.last = progress.index + 1, None
                continue
            full = part.more and not part.number
            if full and room < self.room:
                break
            if full:
                # A value that is larger than a page has a page of its own.
                alone = Window(*window, 1, 1 << 62)
                part = self.read(request, series_id, entry, alone)
            successes.append(self._success(entry, part))
            limit -= part.number
            room -= len(part.encoded) + 1
            if part.more:
                progress.last = part.last
                break
            progress.index, progress.last = progress.index + 1, None
        return failures, successes

    def _success(self, entry: Entry, part: Part) -> bytes:
        entry_id, member = entry.entry_id.encode(), self.member.encode()
        if not self.single:
            return b'{"entryId":"%b","%b":[%b]}' % (entry_id, member, part.encoded)
        if not part.number:
            return b'{"entryId":"%b"}' % entry_id
        return b'{"entryId":"%b","%b":%b}' % (entry_id, member, part.encoded)


def _start(request: ApiRequest, token: str | None, selection: str) -> _Progress:
    if token is None:
        return _Progress(0, None, [])
    found = request.tokens.read(token, request.operation.name, selection)
    if found is None:
        msg = "The nextToken in the request is invalid."
        raise errors.invalid_request(msg)
    index, last, failed = found
    return _Progress(index, last, [tuple(each) for each in failed])


def _skipped(entries: list[Entry], progress: _Progress) -> list[object]:
    failed = {index: (code, at) for index, code, at in progress.failed}
    found: list[object] = []
    for index, entry in enumerate(entries[: progress.index]):
        if index not in failed:
            status: dict[str, object] = {"completionStatus": "SUCCESS"}
        else:
            code, at = failed[index]
            status = {
                "completionStatus": "ERROR",
                "errorInfo": {"errorCode": _CODES[code], "errorTimestamp": at},
            }
        found.append({"entryId": entry.entry_id, **status})
    return found


def _window(request: ApiRequest, entry: Entry, last: int | None) -> tuple[int, int]:
    """Return the keys between which the entry's values are that no page had yet."""
    low = -1 if entry.after is None else last_key(entry.after)
    high = key_of(request.now, "UNCERTAIN")
    if entry.until is not None:
        high = min(high, last_key(entry.until))
    if last is not None and entry.descending:
        high = last - 1
    elif last is not None:
        low = last
    return low, high


def _series_id(request: ApiRequest, entry: Entry) -> str:
    series_id = request.values.ids.find(entry.series)
    if series_id is None:
        shown = (
            entry.series if isinstance(entry.series, str) else "/".join(entry.series)
        )
        msg = f"The time series of {shown} was not found."
        raise _EntryError(_NOT_FOUND, msg)
    if series_id in request.denied_series:
        msg = f"Access to the time series {series_id} is denied."
        raise _EntryError(_DENIED, msg)
    data_type = request.plant.find("time_series", series_id).get("dataType")
    if data_type not in _READABLE:
        msg = f"Values of the data type {data_type} can't be read."
        raise _EntryError(_INVALID, msg)
    if set(entry.types) - {"COUNT"} and data_type not in NUMERIC:
        msg = f"Only COUNT is available for the data type {data_type}."
        raise _EntryError(_INVALID, msg)
    return series_id


def latest(request: ApiRequest, series_id: str, _: Entry, window: Window) -> Part:
    """Read the latest value of a time series."""
    values = request.values
    part = values.read(series_id, window.low, window.high, descending=True, limit=1)
    return part._replace(more=False)


def history(request: ApiRequest, series_id: str, entry: Entry, window: Window) -> Part:
    """Read the values of a time series in a window."""
    return request.values.read(
        series_id,
        window.low,
        window.high,
        quality=entry.quality,
        descending=entry.descending,
        limit=window.limit,
        room=window.room,
    )


def aggregates(
    request: ApiRequest, series_id: str, entry: Entry, window: Window
) -> Part:
    """Read the aggregates of a time series in a window."""
    return request.values.read_aggregates(
        series_id,
        window.low,
        window.high,
        resolution=entry.resolution,
        types=entry.types,
        quality=entry.quality,
        descending=entry.descending,
        limit=window.limit,
        room=window.room,
    )
