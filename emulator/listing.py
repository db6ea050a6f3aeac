"""A list of entities that is read a page at a time while others change it."""

from __future__ import annotations

import bisect
import itertools
import json
import math
import re
import threading
import time
import typing as t
from dataclasses import dataclass
from operator import itemgetter

if t.TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from emulator.record import Record

_DATES = (
    "creationDate",
    "lastUpdateDate",
    "timeSeriesCreationDate",
    "timeSeriesLastUpdateDate",
    "assetModelCreationDate",
    "assetModelLastUpdateDate",
)
_EPOCH_SECONDS = re.compile(r"([0-9])([0-9]{9})\.([0-9]+)")
_LONE_SURROGATE = re.compile("[\ud800-\udfff]")
# Unique in all listings, so that a listing can contain entities of several others.
_NUMBERS = itertools.count(1)
_JSON = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


def now() -> float:
    """Return the current time in epoch seconds (UTC), with millisecond precision.

    Rounded down, so that no date of the plant is in the future.
    """
    return time.time_ns() // 1_000_000 / 1000


def _escaped(match: re.Match[str]) -> str:
    return f"\\u{ord(match[0]):04x}"


def as_aws_writes(seconds: float) -> str:
    """Return a date as Java writes it: one digit before the point, an exponent."""
    parts = _EPOCH_SECONDS.fullmatch(repr(seconds))
    if parts is None:
        return repr(seconds)
    return f"{parts[1]}.{(parts[2] + parts[3]).rstrip('0') or '0'}E9"


def encode(sent: object) -> bytes:
    """Encode an entity as AWS sends it.

    SiteWise writes dates as Java writes a float, with an exponent:
    ``1.576195200543E9``. So does this. A client must be able to read them.

    Args:
        sent: The entity in wire form: any JSON value. Lone surrogates may occur; they
            are escaped, because UTF-8 can't encode them.

    Returns:
        The entity as JSON in UTF-8.
    """
    text = _JSON(sent)
    for member in _DATES:
        date = sent.get(member) if isinstance(sent, dict) else None
        if type(date) is float and math.isfinite(date):
            # This can't match within a string: JSON escapes quotes there.
            key = f'"{member}":'
            text = text.replace(f"{key}{date!r}", f"{key}{as_aws_writes(date)}", 1)
    try:
        return text.encode()
    except UnicodeEncodeError:
        return _LONE_SURROGATE.sub(_escaped, text).encode()


@dataclass(slots=True)
class _Entry:
    """An entity in a listing.

    It is encoded once, not for each page, because a benchmark measures the emulator's
    time too.

    Args:
        sequence: Its number, larger than those before. It is unique and never changes.
        record: The entity.
        encoded: What the API sends for it.
    """

    sequence: int
    record: Record
    encoded: bytes


def _sequence(entry: _Entry) -> int:
    return entry.sequence


class Listing:
    """Entities in the order in which they were added.

    A page begins after a sequence number, not at an offset. So an entity that is added
    or deleted between two pages neither skips nor repeats any other. Records are
    replaced, never altered: a record that was returned stays as it was.

    Args:
        key: Member that holds an entity's ID. An entity whose ID is not a string is
            listed, but can't be found.
        parent: ID of the parent that the entities belong to; None if there is none.
        wire: Returns what the API sends for an entity; the entity itself when None.
    """

    def __init__(
        self,
        key: str = "id",
        parent: str | None = None,
        wire: Callable[[Record], object] | None = None,
    ) -> None:
        """Begin with no entities."""
        self.key = key
        self.parent = parent
        self._wire = wire
        self._entries: list[_Entry] = []
        self._entries_by_id: dict[str, _Entry] = {}
        self._lock = threading.Lock()

    @classmethod
    def selected(cls, numbered: Iterable[tuple[int, Record]]) -> Listing:
        """Return a listing of entities that other listings contain.

        A page of it can begin after the last page of an earlier selection, because the
        sequence numbers stay the same.

        Args:
            numbered: The entities, and a sequence number from ``numbered`` for each.
        """
        listing = cls()
        listing._entries = [
            listing._entry(sequence, record)
            for sequence, record in sorted(numbered, key=itemgetter(0))
        ]
        return listing

    def __len__(self) -> int:
        """Return the number of entities."""
        return len(self._entries)

    @property
    def records(self) -> tuple[Record, ...]:
        """All entities as they are now. Not to be altered."""
        with self._lock:
            return tuple(entry.record for entry in self._entries)

    @property
    def numbered(self) -> tuple[tuple[int, Record], ...]:
        """All entities as they are now, with their sequence numbers."""
        with self._lock:
            return tuple((entry.sequence, entry.record) for entry in self._entries)

    def find(self, entity_id: str) -> Record:
        """Return the entity with an ID. Not to be altered.

        Raises:
            KeyError: No entity has this ID.
        """
        return self._entries_by_id[entity_id].record

    def _entry(self, sequence: int, record: Record) -> _Entry:
        sent = record if self._wire is None else self._wire(record)
        return _Entry(sequence, record, encode(sent))

    def add(self, record: Record) -> None:
        """Add an entity at the end. Its ID must be a new one."""
        with self._lock:
            entry = self._entry(next(_NUMBERS), record)
            self._entries.append(entry)
            entity_id = record.get(self.key)
            if isinstance(entity_id, str):
                self._entries_by_id[entity_id] = entry

    def delete(self, entity_id: str) -> None:
        """Delete an entity.

        Raises:
            KeyError: No entity has this ID.
        """
        with self._lock:
            entry = self._entries_by_id.pop(entity_id)
            del self._entries[self._place(entry)]

    def replace(self, entity_id: str, record: Record) -> None:
        """Put another record with the same ID in an entity's place.

        Raises:
            KeyError: No entity has this ID.
            ValueError: The record has another ID.
        """
        if record.get(self.key) != entity_id:
            msg = f"the ID {entity_id} can't be changed"
            raise ValueError(msg)
        with self._lock:
            place = self._place(self._entries_by_id[entity_id])
            entry = self._entry(self._entries[place].sequence, record)
            self._entries[place] = self._entries_by_id[entity_id] = entry

    def _place(self, entry: _Entry) -> int:
        return bisect.bisect_left(self._entries, entry.sequence, key=_sequence)

    def page(
        self,
        after: int,
        limit: int,
        wanted: Callable[[Record], bool] | None = None,
    ) -> tuple[bytes, int | None]:
        """Return the next entities, encoded and joined by commas.

        Args:
            after: The sequence number that the last page ended with; 0 for the first
                page.
            limit: The maximum number of entities.
            wanted: Which entities; all when None.

        Returns:
            The entities as the content of a JSON array, without the brackets. And the
            sequence number after which the next page begins, None after the last page.
        """
        with self._lock:
            start = bisect.bisect_right(self._entries, after, key=_sequence)
            if wanted is None:
                found = self._entries[start : start + limit + 1]
            else:
                rest = itertools.islice(self._entries, start, None)
                matching = (entry for entry in rest if wanted(entry.record))
                found = list(itertools.islice(matching, limit + 1))
        page = found[:limit]
        joined = b",".join([entry.encoded for entry in page])
        return joined, page[-1].sequence if len(found) > limit else None
