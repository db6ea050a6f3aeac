"""The values of time series in blocks, generated when they are read."""

from __future__ import annotations

import itertools
import threading
import typing as t
from dataclasses import dataclass, field

from emulator.aggregates import NUMERIC, RESOLUTIONS, Aggregate, aggregate
from emulator.blocks import Block, Cache, day_of, key_of_value
from emulator.formula import FormulaSource

if t.TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from emulator.formula import Formula, MakeFormula
    from emulator.record import Record
    from emulator.records import Records

_CACHED_BYTES = 200_000_000
_CACHED_AGGREGATES = 200_000
# Unique among all time series, also among those with an ID of a deleted one.
_VERSIONS = itertools.count(1)


@dataclass
class _Series:
    """What is known of a time series.

    Args:
        record: The record that the formula was made from.
        formula: Generates the values, None for no other values than ``late``.
        fixed: Whether the formula stays although the record changes.
        late: Values that were added, by day and key.
        version: A new number whenever the values change.
    """

    record: Record
    formula: Formula | None = None
    fixed: bool = False
    late: dict[int, dict[int, Record]] = field(default_factory=dict)
    version: int = 0


class SeriesBlocks:
    """The blocks of all time series. Any thread may read and change them.

    All methods raise KeyError if there is no such time series.

    Args:
        plant: The plant.
        make_formula: Returns the formula of a time series.
        seed: The same seed gives the same values.
    """

    def __init__(self, plant: Records, make_formula: MakeFormula, seed: int) -> None:
        """Begin with the values of the formulas."""
        self._plant = plant
        self._make_formula = make_formula
        self._seed = seed
        self._lock = threading.RLock()
        self._series: dict[str, _Series] = {}
        self._blocks: Cache[Block] = Cache(_CACHED_BYTES)
        self._aggregates: Cache[list[Aggregate]] = Cache(_CACHED_AGGREGATES)

    def add(self, series_id: str, values: Iterable[Record]) -> None:
        """Add values, see ``Values.add``."""
        by_key = {key_of_value(value): value for value in values}
        with self._lock:
            series = self._known(series_id)
            for key, value in by_key.items():
                series.late.setdefault(day_of(key), {})[key] = value
            series.version = next(_VERSIONS)

    def fix(self, series_id: str, formula: Formula | None) -> None:
        """Replace all values by those of a formula, whatever becomes of the record.

        Args:
            series_id: ID of the time series.
            formula: The formula; None for no values.
        """
        with self._lock:
            series = self._known(series_id)
            series.formula, series.fixed, series.late = formula, True, {}
            series.version = next(_VERSIONS)

    def forget(self, series_id: str) -> None:
        """Forget a time series, see ``Values.forget``."""
        with self._lock:
            self._series.pop(series_id, None)

    def _known(self, series_id: str) -> _Series:
        record = self._plant.find("time_series", series_id)
        series = self._series.get(series_id)
        # A record is replaced, never altered.
        if series is None or series.record is not record:
            series = series or _Series(record)
            series.record = record
            series.version = next(_VERSIONS)
            if not series.fixed:
                source = FormulaSource(self._seed, self._plant, record)
                series.formula = self._make_formula(source)
            self._series[series_id] = series
        return series

    def _block(self, series_id: str, series: _Series, day: int) -> Block:
        key = (series_id, series.version, day)
        block = self._blocks.get(key)
        if block is None:
            values: dict[int, Record] = {}
            late = series.late.get(day, {})
            if series.formula is not None and series.formula.days(day, day):
                block = series.formula.block(day)
                values = {key_of_value(each): each for each in block.values if late}
            if block is None or late:
                block = Block.of_values(day, {**values, **late}.values())
            self._blocks.put(key, block, block.size)
        return block

    def _days(self, series: _Series, low: int, high: int) -> list[int] | range:
        first, last = day_of(low + 1), day_of(high)
        late = sorted(day for day in series.late if first <= day <= last)
        if series.formula is None:
            return late
        days = series.formula.days(first, last)
        return sorted({*late, *days}) if late else days

    def between(
        self, series_id: str, low: int, high: int, *, descending: bool = False
    ) -> Iterator[Block]:
        """Yield the blocks that contain all values after a key up to another one.

        Args:
            series_id: ID of the time series.
            low: The key that they come after.
            high: The last key that they can have.
            descending: Whether the latest block comes first.
        """
        with self._lock:
            series = self._known(series_id)
            days = self._days(series, low, high)
        for day in reversed(days) if descending else days:
            with self._lock:
                block = self._block(series_id, series, day)
            yield block

    def aggregates(
        self,
        series_id: str,
        resolution: str,
        low: int,
        high: int,
        *,
        descending: bool = False,
    ) -> Iterator[Aggregate]:
        """Yield the aggregates whose keys are in a range, see ``between``.

        Args:
            series_id: ID of the time series.
            resolution: One of ``RESOLUTIONS``.
            low: The key that they come after.
            high: The last key that they can have.
            descending: Whether the latest one comes first.
        """
        seconds = RESOLUTIONS[resolution]
        with self._lock:
            series = self._known(series_id)
            days = self._days(series, low, high)
        numeric = series.record.get("dataType") in NUMERIC
        for day in reversed(days) if descending else days:
            key = (series_id, series.version, day, resolution)
            with self._lock:
                found = self._aggregates.get(key)
                if found is None:
                    block = self._block(series_id, series, day)
                    found = aggregate(block, seconds, numeric=numeric)
                    self._aggregates.put(key, found, len(found) + 1)
            for each in reversed(found) if descending else found:
                if low < each.key <= high:
                    yield each
