"""The values of a time series in a day, encoded, and a cache for them."""

from __future__ import annotations

import bisect
import itertools
import json
import math
import typing as t
from array import array
from collections import OrderedDict

from emulator.listing import encode

if t.TYPE_CHECKING:
    from collections.abc import Hashable, Iterable

    from emulator.record import Record

NANOS = 1_000_000_000
DAY = 86_400
DAY_NANOS = DAY * NANOS
QUALITIES = ("BAD", "GOOD", "UNCERTAIN")
"""All qualities, in the order of values with one timestamp."""
_CODES = {quality: code for code, quality in enumerate(QUALITIES)}
_KEYS_PER_NANO = 4

Sample: t.TypeAlias = "tuple[int, str, str]"
"""Nanoseconds since the start of the day, the value as the content of a JSON object in
ASCII, and the quality."""


def key_of(nanos: int, quality: str | None = None) -> int:
    """Return the place of a value in the order of all values of a time series.

    Args:
        nanos: The timestamp in nanoseconds since 1970-01-01 (UTC).
        quality: The quality; a value without quality counts as ``GOOD``.
    """
    return nanos * _KEYS_PER_NANO + _CODES[quality or "GOOD"]


def last_key(seconds: int) -> int:
    """Return a key after all values with a timestamp, and before all later values.

    Args:
        seconds: The timestamp in epoch seconds (UTC).
    """
    return seconds * NANOS * _KEYS_PER_NANO + _KEYS_PER_NANO - 1


def day_of(key: int) -> int:
    """Return the day of a value: the number of days since 1970-01-01 (UTC).

    A day begins after midnight and ends with the next midnight, as the intervals of
    aggregates and the windows of a history do.

    Args:
        key: The value's key.
    """
    return (key // _KEYS_PER_NANO - 1) // DAY_NANOS


def quality_of(key: int) -> str:
    """Return the quality in a key."""
    return QUALITIES[key % _KEYS_PER_NANO]


def seconds_of(key: int) -> int:
    """Return the epoch seconds (UTC) of a key."""
    return key // (_KEYS_PER_NANO * NANOS)


def end_of_interval(key: int, seconds: int) -> int:
    """Return the key of the end of an interval with a value, with its quality.

    An interval does not contain its start, but its end.

    Args:
        key: The value's key.
        seconds: The length of the interval.
    """
    nanos, code = divmod(key, _KEYS_PER_NANO)
    length = seconds * NANOS
    return -(-nanos // length) * length * _KEYS_PER_NANO + code


def key_of_value(value: Record) -> int:
    """Return the key of a value in wire form.

    Raises:
        KeyError: It has no timestamp, or an unknown quality.
    """
    at = value["timestamp"]
    nanos = at["timeInSeconds"] * NANOS + at.get("offsetInNanos", 0)
    return key_of(nanos, value.get("quality"))


def as_text(number: float) -> float | str:
    """Return a double as AWS sends it: as text if JSON can't express it."""
    if math.isnan(number):
        return "NaN"
    if math.isinf(number):
        return "Infinity" if number > 0 else "-Infinity"
    return number


def _encode(value: Record) -> bytes:
    double = value["value"].get("doubleValue")
    if isinstance(double, float):
        value = {**value, "value": {**value["value"], "doubleValue": as_text(double)}}
    return encode(value)


def _after_comma(offset: int, size: int) -> int:
    return offset + size + 1


class Block:
    """The values of a time series in a day, in ascending order.

    Args:
        day: The day, see ``day_of``.
        keys: The values' keys, ascending, relative to the day's first key.
        sizes: The values' sizes in bytes.
        encoded: The values as JSON, joined by commas.
    """

    def __init__(
        self, day: int, keys: Iterable[int], sizes: Iterable[int], encoded: bytes
    ) -> None:
        """Find where each value begins."""
        self.start = day * DAY_NANOS * _KEYS_PER_NANO
        self.keys = array("q", keys)
        # Between two values is a comma.
        self.offsets = array("L", itertools.accumulate(sizes, _after_comma, initial=0))
        self.encoded = encoded

    @classmethod
    def of_samples(cls, day: int, samples: Iterable[Sample]) -> Block:
        """Return a block of values with timestamp and quality.

        Args:
            day: The day.
            samples: The values, ascending.
        """
        start, every = day * DAY, list(samples)
        # Each step for all values at once: it takes half the time.
        keys = [nanos * _KEYS_PER_NANO + _CODES[each] for nanos, _, each in every]
        texts = [
            f'{{"value":{{{text}}},"timestamp":{{"timeInSeconds":'
            f'{start + nanos // NANOS},"offsetInNanos":{nanos % NANOS}}},'
            f'"quality":"{quality}"}}'
            for nanos, text, quality in every
        ]
        return cls(day, keys, map(len, texts), ",".join(texts).encode("ascii"))

    @classmethod
    def of_values(cls, day: int, values: Iterable[Record]) -> Block:
        """Return a block of any values.

        Args:
            day: The day.
            values: Values in wire form, in any order. Of several with one timestamp and
                quality the last one counts.
        """
        by_key = {key_of_value(each): each for each in values}
        start = day * DAY_NANOS * _KEYS_PER_NANO
        keys = sorted(by_key)
        encoded = [_encode(by_key[key]) for key in keys]
        relative = (key - start for key in keys)
        return cls(day, relative, map(len, encoded), b",".join(encoded))

    @property
    def size(self) -> int:
        """The memory that it needs, in bytes."""
        indexes = (self.keys, self.offsets)
        return len(self.encoded) + sum(len(each) * each.itemsize for each in indexes)

    @property
    def values(self) -> list[Record]:
        """All values in wire form."""
        found: list[Record] = json.loads(b"[%b]" % self.encoded)
        return found

    def key(self, index: int) -> int:
        """Return the key of a value by its index."""
        return self.start + self.keys[index]

    def select(self, low: int, high: int, quality: str | None) -> range | list[int]:
        """Return the indexes of the values after one key, up to another one.

        Args:
            low: The key that they come after.
            high: The last key that they can have.
            quality: Their quality; None for any.
        """
        found = range(
            bisect.bisect_right(self.keys, low - self.start),
            bisect.bisect_right(self.keys, high - self.start),
        )
        if quality is None:
            return found
        code = _CODES[quality]
        return [i for i in found if self.keys[i] % _KEYS_PER_NANO == code]

    def fitting(self, indexes: range | list[int], limit: int, room: int) -> int:
        """Return how many of the values fit on a page.

        Args:
            indexes: The indexes of the values, in the order of the page.
            limit: The maximum number of values.
            room: The maximum number of bytes.
        """
        offsets = self.offsets
        first = indexes[:limit]
        if first and isinstance(first, range) and first.step == 1:
            end = offsets[first.start] + room
            return bisect.bisect_right(offsets, end, first.start, first.stop + 1) - (
                first.start + 1
            )
        sizes = itertools.accumulate(offsets[i + 1] - offsets[i] for i in first)
        return sum(1 for _ in itertools.takewhile(room.__ge__, sizes))

    def join(self, indexes: range | list[int]) -> bytes:
        """Return values as the content of a JSON array, without the brackets.

        Args:
            indexes: The indexes of the values, at least one.
        """
        offsets = self.offsets
        if isinstance(indexes, range) and indexes.step == 1:
            return self.encoded[offsets[indexes.start] : offsets[indexes.stop] - 1]
        return b",".join(
            [self.encoded[offsets[i] : offsets[i + 1] - 1] for i in indexes]
        )


Kept = t.TypeVar("Kept")


class Cache(t.Generic[Kept]):
    """Keeps what was used last, up to a size.

    Args:
        maximum: The maximum size of all together.
    """

    def __init__(self, maximum: int) -> None:
        """Begin with nothing."""
        self._maximum = maximum
        self._kept: OrderedDict[Hashable, tuple[Kept, int]] = OrderedDict()
        self.size = 0

    def get(self, key: Hashable) -> Kept | None:
        """Return what was put in under a key, None if it is not there any more."""
        found = self._kept.get(key)
        if found is None:
            return None
        self._kept.move_to_end(key)
        return found[0]

    def put(self, key: Hashable, kept: Kept, size: int) -> None:
        """Keep something under a new key.

        Args:
            key: The key.
            kept: What to keep.
            size: Its size.
        """
        self._kept[key] = kept, size
        self.size += size
        while self.size > self._maximum:
            _, (_, freed) = self._kept.popitem(last=False)
            self.size -= freed
