"""Formulas that generate the values of a time series for any day."""

from __future__ import annotations

import random
import typing as t
from dataclasses import dataclass

from emulator.blocks import DAY, NANOS, Block

if t.TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from emulator.blocks import Sample
    from emulator.record import Record
    from emulator.records import Records

# SiteWise accepts values that are up to seven days old.
_OLDEST_VALUE_DAYS = 7


@dataclass(frozen=True)
class Formula:
    """Generates the values of a time series.

    Args:
        block: Returns the values of a day, the same at each call.
        first_day: The day with which the values begin, see ``blocks.day_of``.
        last_day: The day with which they end; None if they never do.
    """

    block: Callable[[int], Block]
    first_day: int = 0
    last_day: int | None = None

    def days(self, first: int, last: int) -> range:
        """Return the days with values between two days, these included."""
        end = last if self.last_day is None else min(last, self.last_day)
        return range(max(first, self.first_day), end + 1)


class FormulaSource(t.NamedTuple):
    """What a formula is made from.

    Args:
        seed: The seed of the plant.
        plant: The plant, with the asset and the property of the time series.
        series: The record of the time series.
    """

    seed: int
    plant: Records
    series: Record

    def rng(self, *names: object) -> random.Random:
        """Return random numbers, the same for the same names on every machine."""
        return random.Random("/".join(map(str, (self.seed, *names))))  # noqa: S311

    @property
    def first_day(self) -> int:
        """The day with which the values begin: the seventh before the creation."""
        created = self.series.get("timeSeriesCreationDate", 0)
        return max(0, int(created // DAY) + 1 - _OLDEST_VALUE_DAYS)


MakeFormula: t.TypeAlias = "Callable[[FormulaSource], Formula | None]"
"""Returns the formula of a time series, None if it has no values."""


def regular(seed: object, every: int) -> Formula:
    """Return the formula of a double at regular intervals, for benchmarks.

    Args:
        seed: The same seed gives the same values.
        every: The interval in seconds. A value is at each multiple of it.
    """

    def samples(day: int) -> Iterable[Sample]:
        rng = random.Random(f"{seed}/{day}")  # noqa: S311 - values must be repeatable
        number = rng.random
        first = every - day * DAY % every
        for second in range(first, DAY + 1, every):
            yield second * NANOS, f'"doubleValue":{20 + 9 * number():.3f}', "GOOD"

    return Formula(lambda day: Block.of_samples(day, samples(day)))
