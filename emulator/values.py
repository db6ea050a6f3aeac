"""The values of the time series of a plant."""

from __future__ import annotations

import json
import time
import typing as t

from emulator.blocks import (
    key_of,
    last_key,
    quality_of,
)
from emulator.formula import regular
from emulator.series_blocks import SeriesBlocks
from emulator.series_ids import SeriesIds

if t.TYPE_CHECKING:
    from collections.abc import Iterable

    from emulator.formula import MakeFormula
    from emulator.record import Record
    from emulator.records import Records

_EVERYTHING = 1 << 63


class Part(t.NamedTuple):
    """Some values or aggregates of a time series.

    Args:
        encoded: They, as the content of a JSON array, without the brackets.
        number: How many they are.
        last: The key of the last one, None if there are none.
        more: Whether others follow.
    """

    encoded: bytes
    number: int
    last: int | None
    more: bool


class Values:
    """The values of the time series of a plant. Any thread may read and change them.

    A formula generates them when they are read. Values have the API's wire form. They
    are in the order of their timestamps, those with one timestamp in the order of
    ``blocks.QUALITIES``. A value without quality counts as ``GOOD``. All methods raise
    KeyError if there is no such time series. ``ids`` finds one by alias or property.

    Args:
        plant: The plant.
        make_formula: Returns the formula of a time series.
        seed: The same seed gives the same values.
    """

    def __init__(self, plant: Records, make_formula: MakeFormula, seed: int) -> None:
        """Begin with the values of the formulas."""
        self.ids = SeriesIds(plant)
        self._seed = seed
        self._end = _EVERYTHING
        self._blocks = SeriesBlocks(plant, make_formula, seed)

    # Reading

    def between(
        self, series_id: str, after: int | None = None, until: int | None = None
    ) -> list[Record]:
        """Return the values in a window.

        Args:
            series_id: ID of the time series.
            after: Epoch seconds (UTC) after which they are; None for the beginning.
            until: Epoch seconds (UTC) of the last one; None for the present. Later
                values than the present are those that the formula will generate.
        """
        low = -1 if after is None else last_key(after)
        high = key_of(time.time_ns(), "UNCERTAIN") if until is None else last_key(until)
        found = self.read(series_id, low, high)
        values: list[Record] = json.loads(b"[%b]" % found.encoded)
        return values

    def latest(self, series_id: str, now: float | None = None) -> Record | None:
        """Return the value with the latest timestamp, None if there is no value.

        Args:
            series_id: ID of the time series.
            now: The present in epoch seconds (UTC); None for that of the machine.
        """
        nanos = time.time_ns() if now is None else int(now * 1e9)
        high = key_of(nanos, "UNCERTAIN")
        found = self.read(series_id, -1, high, descending=True, limit=1)
        return json.loads(found.encoded) if found.number else None

    def aggregates(
        self, series_id: str, resolution: str, after: int, until: int
    ) -> list[Record]:
        """Return the aggregates of all intervals that end in a window, of all types.

        Args:
            series_id: ID of the time series.
            resolution: One of ``1m``, ``15m``, ``1h``, ``1d``.
            after: Epoch seconds (UTC) after which the intervals end.
            until: Epoch seconds (UTC) at which the last interval ends.
        """
        window = last_key(after), last_key(until)
        return [
            each.wire
            for each in self._blocks.aggregates(series_id, resolution, *window)
        ]

    def read(  # noqa: PLR0913 - by name only, except for the window
        self,
        series_id: str,
        low: int,
        high: int,
        *,
        quality: str | None = None,
        descending: bool = False,
        limit: int = _EVERYTHING,
        room: int = _EVERYTHING,
    ) -> Part:
        """Return values for a page.

        Args:
            series_id: ID of the time series.
            low: The key after which they are.
            high: The last key that they can have.
            quality: Their quality; None for any.
            descending: Whether the latest one comes first.
            limit: The maximum number.
            room: The maximum size in bytes, with a comma after each.
        """
        high = min(high, self._end)
        chunks: list[bytes] = []
        count, last = 0, None
        for block in self._blocks.between(series_id, low, high, descending=descending):
            indexes = block.select(low, high, quality)
            if descending:
                indexes = indexes[::-1]
            if not indexes:
                continue
            fitting = block.fitting(indexes, limit - count, room)
            if fitting:
                chunks.append(block.join(indexes[:fitting]))
                count += fitting
                room -= len(chunks[-1]) + 1
                last = block.key(indexes[fitting - 1])
            if fitting < len(indexes):
                return Part(b",".join(chunks), count, last, more=True)
        return Part(b",".join(chunks), count, last, more=False)

    def read_aggregates(  # noqa: PLR0913 - by name only, except for the window
        self,
        series_id: str,
        low: int,
        high: int,
        *,
        resolution: str,
        types: Iterable[str],
        quality: str | None = None,
        descending: bool = False,
        limit: int = _EVERYTHING,
        room: int = _EVERYTHING,
    ) -> Part:
        """Return aggregates for a page, see ``read``.

        Args:
            series_id: ID of the time series.
            low: The key after which the ends of the intervals are.
            high: The last key that they can have.
            resolution: One of ``1m``, ``15m``, ``1h``, ``1d``.
            types: The aggregate types.
            quality: Their quality; None for any.
            descending: Whether the latest one comes first.
            limit: The maximum number.
            room: The maximum size in bytes, with a comma after each.
        """
        high = min(high, self._end)
        chunks: list[bytes] = []
        last = None
        for each in self._blocks.aggregates(
            series_id, resolution, low, high, descending=descending
        ):
            if quality not in {None, quality_of(each.key)}:
                continue
            encoded = each.encoded(types)
            room -= len(encoded) + 1
            if len(chunks) == limit or room < 0:
                return Part(b",".join(chunks), len(chunks), last, more=True)
            chunks.append(encoded)
            last = each.key
        return Part(b",".join(chunks), len(chunks), last, more=False)

    # Changing

    def add(self, series_id: str, values: Iterable[Record]) -> None:
        """Add values, such as late ones.

        Args:
            series_id: ID of the time series.
            values: The values. One with the timestamp and the quality of an earlier one
                replaces it.
        """
        self._blocks.add(series_id, values)

    def replace(self, series_id: str, values: Iterable[Record]) -> None:
        """Remove all values, those of the formula too, and add others.

        Args:
            series_id: ID of the time series.
            values: The values.
        """
        self._blocks.fix(series_id, None)
        self.add(series_id, values)

    def end(self, seconds: int) -> None:
        """End all time series, so that their latest values never change.

        Args:
            seconds: Epoch seconds (UTC) after which clients find no value.
        """
        self._end = last_key(seconds)

    def forget(self, series_id: str) -> None:
        """Remove all values of a time series that was deleted, if there are any."""
        self._blocks.forget(series_id)

    def regular(self, series_id: str, every: int) -> None:
        """Replace all values by doubles at regular intervals, for benchmarks.

        Args:
            series_id: ID of the time series.
            every: The interval in seconds. A value is at each multiple of it.
        """
        self._blocks.fix(series_id, regular(f"{self._seed}/{series_id}", every))
