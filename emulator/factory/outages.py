"""Outages of a factory's sensors: a few each week, minutes to hours long."""

from __future__ import annotations

import typing as t

from emulator.blocks import DAY, NANOS
from emulator.factory.shifts import weekday

if t.TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from emulator.blocks import Sample
    from emulator.formula import FormulaSource

_WEEK = 7 * DAY
_NULL = '"nullValue":{"valueType":"D"}'


class Outage(t.NamedTuple):
    """A time in which a sensor fails.

    Args:
        start: Nanoseconds since the start of the day; negative if it began before.
        end: Nanoseconds since the start of the day.
        quality: The quality of the values.
        null: Whether they are null, or stay at the last value.
    """

    start: int
    end: int
    quality: str
    null: bool


_KINDS = (("BAD", True), ("UNCERTAIN", False), ("BAD", False))


def outages(source: FormulaSource, place: str, day: int) -> list[Outage]:
    """Return the outages of a day. All sensors of an asset fail together.

    Args:
        source: What the values are made from.
        place: What identifies the asset in the plant.
        day: Number of days since 1970-01-01 (UTC).
    """
    monday = day - weekday(day)
    found = []
    for begin in (monday - 7, monday):
        rng = source.rng("outages", place, begin)
        for _ in range(rng.randrange(2, 5)):
            start = (begin - day) * DAY + rng.randrange(_WEEK)
            end = start + rng.randrange(5 * 60, 3 * 3600)
            kind = _KINDS[rng.randrange(len(_KINDS))]
            if end > 0 and start < DAY:
                found.append(Outage(start * NANOS, end * NANOS, *kind))
    return found


def with_outages(samples: Iterable[Sample], during: list[Outage]) -> Iterator[Sample]:
    """Yield values as the failing sensor sends them.

    Args:
        samples: The values of a working sensor.
        during: The outages.
    """
    if not during:
        yield from samples
        return
    frozen = _NULL
    for nanos, text, quality in samples:
        for outage in during:
            if outage.start <= nanos < outage.end:
                yield nanos, _NULL if outage.null else frozen, outage.quality
                break
        else:
            frozen = text
            yield nanos, text, quality
