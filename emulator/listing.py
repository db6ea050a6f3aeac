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
from dataclasses import dataclass, field

if t.TYPE_CHECKING:
    from collections.abc import Callable

    from emulator.maker import Record

_DATES = ("creationDate", "lastUpdateDate")
_EPOCH_SECONDS = re.compile(r"([0-9])([0-9]{9})\.([0-9]+)")
_LONE_SURROGATE = re.compile("[\ud800-\udfff]")
_JSON = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


def now() -> float:
    """Return the time as a date of the plant: epoch seconds (UTC) in milliseconds.

    Rounded down: no date of the plant is in the future.
    """
    return time.time_ns() // 1_000_000 / 1000


def _escaped(match: re.Match[str]) -> str:
    return f"\\u{ord(match[0]):04x}"


def _as_aws_writes(seconds: float) -> str:
    """Write a float as Java does: one digit before the point, and an exponent."""
    parts = _EPOCH_SECONDS.fullmatch(repr(seconds))
    if parts is None:
        return repr(seconds)
    return f"{parts[1]}.{(parts[2] + parts[3]).rstrip('0') or '0'}E9"


def encode(record: Record) -> bytes:
    """One entity as AWS puts it on the wire.

    Dates that are floats come out as Java writes them (``1.576195200543E9``), which
    is what SiteWise sends and what a reader of decimal fractions only would break on.

    Args:
        record: The entity in wire form. Anything JSON can say, and lone surrogates,
            which are then escaped because UTF-8 has no form for them.
    """
    text = _JSON(record)
    for member in _DATES:
        date = record.get(member)
        if type(date) is float and math.isfinite(date):
            # Quotes inside a JSON string are escaped: this cannot match within one.
            key = f'"{member}":'
            text = text.replace(f"{key}{date!r}", f"{key}{_as_aws_writes(date)}", 1)
    try:
        return text.encode()
    except UnicodeEncodeError:
        return _LONE_SURROGATE.sub(_escaped, text).encode()


@dataclass(slots=True)
class _Entry:
    """One entity at its place; ``sequence`` never changes and is never given twice.

    It is encoded once, not for each page: a benchmark counts the emulator's time too.
    """

    sequence: int
    record: Record
    encoded: bytes = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self.encoded = encode(self.record)


def _sequence(entry: _Entry) -> int:
    return entry.sequence


class Listing:
    """Entities in the order in which they were added.

    A page is asked for by the sequence number it comes after, not by an offset, so
    that what is deleted or added between two pages neither skips nor repeats any
    other entity. Records are replaced, never altered: a record once handed out stays
    as it was.

    Args:
        key: Member that holds an entity's ID.
    """

    def __init__(self, key: str = "id") -> None:
        """Begin with none."""
        self.key = key
        self._numbers = itertools.count(1)
        self._entries: list[_Entry] = []
        self._lock = threading.Lock()

    def __len__(self) -> int:
        """How many entities there are."""
        return len(self._entries)

    def __contains__(self, entity_id: object) -> bool:
        """Whether there is an entity of that ID."""
        with self._lock:
            return any(
                entry.record.get(self.key) == entity_id for entry in self._entries
            )

    @property
    def records(self) -> tuple[Record, ...]:
        """All entities as they are now. Not to be altered."""
        with self._lock:
            return tuple(entry.record for entry in self._entries)

    def _place(self, entity_id: object) -> int:
        for place, entry in enumerate(self._entries):
            if entry.record.get(self.key) == entity_id:
                return place
        raise KeyError(entity_id)

    def find(self, entity_id: object) -> Record:
        """Return the entity of that ID. Not to be altered.

        Raises:
            KeyError: There is no entity of that ID.
        """
        with self._lock:
            return self._entries[self._place(entity_id)].record

    def add(self, record: Record) -> None:
        """Add an entity at the end."""
        with self._lock:
            self._entries.append(_Entry(next(self._numbers), record))

    def delete(self, entity_id: object) -> None:
        """Delete an entity.

        Raises:
            KeyError: There is no entity of that ID.
        """
        with self._lock:
            del self._entries[self._place(entity_id)]

    def replace(self, entity_id: object, record: Record) -> None:
        """Put another record in an entity's place.

        Raises:
            KeyError: There is no entity of that ID.
        """
        with self._lock:
            place = self._place(entity_id)
            self._entries[place] = _Entry(self._entries[place].sequence, record)

    def page(
        self,
        after: int,
        limit: int,
        wanted: Callable[[Record], bool] | None = None,
    ) -> tuple[bytes, int | None]:
        """Return the entities that follow, encoded and joined by commas.

        Args:
            after: The sequence number that the last page ended with, 0 for the first.
            limit: How many at most.
            wanted: Which ones, all when None.

        Returns:
            The JSON of the entities without the brackets, and the sequence number to
            go on after, None when nothing follows.
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
