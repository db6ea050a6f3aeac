"""Aggregates of the values of a time series, computed as AWS describes them."""

from __future__ import annotations

import math
import typing as t

import msgspec

from emulator.blocks import as_text, end_of_interval, quality_of, seconds_of
from emulator.listing import as_aws_writes, encode

if t.TYPE_CHECKING:
    from collections.abc import Iterable

    from emulator.blocks import Block
    from emulator.record import Record

RESOLUTIONS = {"1m": 60, "15m": 900, "1h": 3600, "1d": 86_400}
"""The length of the intervals in seconds, by the name of the resolution."""
MEMBERS = {
    "AVERAGE": "average",
    "COUNT": "count",
    "MAXIMUM": "maximum",
    "MINIMUM": "minimum",
    "SUM": "sum",
    "STANDARD_DEVIATION": "standardDeviation",
}
"""The member of each aggregate type."""
NUMERIC = frozenset({"DOUBLE", "INTEGER"})
"""The data types that have more aggregates than COUNT."""


class Aggregate(t.NamedTuple):
    """The aggregates of an interval and quality.

    Args:
        key: The key of the end of the interval and of the quality.
        value: The aggregates by member, without what JSON can't express.
    """

    key: int
    value: Record

    @property
    def seconds(self) -> int:
        """The end of the interval in epoch seconds (UTC)."""
        return seconds_of(self.key)

    @property
    def wire(self) -> Record:
        """The aggregates in wire form, all types."""
        quality = quality_of(self.key)
        return {"timestamp": self.seconds, "quality": quality, "value": self.value}

    def encoded(self, types: Iterable[str]) -> bytes:
        """Return what the API sends.

        Args:
            types: The aggregate types, of ``MEMBERS``.
        """
        members = [MEMBERS[each] for each in types]
        value = {name: self.value[name] for name in members if name in self.value}
        at = as_aws_writes(float(self.seconds)).encode()
        quality = quality_of(self.key).encode()
        return b'{"timestamp":%b,"quality":"%b","value":%b}' % (
            at,
            quality,
            encode(value),
        )


class _Variant(msgspec.Struct, rename="camel"):
    double_value: t.Any = None
    integer_value: t.Any = None
    null_value: t.Any = None


class _Value(msgspec.Struct):
    """What counts of a value in wire form."""

    value: _Variant


# Much faster than all members as dictionaries.
_DECODER = msgspec.json.Decoder(list[_Value])


def aggregate(block: Block, seconds: int, *, numeric: bool) -> list[Aggregate]:
    """Return the aggregates of a day, by interval and quality.

    Args:
        block: The values.
        seconds: Length of an interval.
        numeric: Whether the time series is numeric. Other ones have only a count.
    """
    groups: dict[int, list[float]] = {}
    decoded = _DECODER.decode(b"[%b]" % block.encoded)
    for key, value in zip(block.keys, decoded, strict=True):
        number = _number(value.value, numeric=numeric)
        if number is not None:
            end = end_of_interval(block.start + key, seconds)
            groups.setdefault(end, []).append(number)
    return [
        Aggregate(
            key,
            _numbers(groups[key]) if numeric else {"count": float(len(groups[key]))},
        )
        for key in sorted(groups)
    ]


def _number(variant: _Variant, *, numeric: bool) -> float | None:
    """Return what counts in an aggregate, None for what does not."""
    if not numeric:
        return 0 if variant.null_value is None else None
    number = variant.double_value
    if number is None:
        number = variant.integer_value
    if isinstance(number, (int, float)) and math.isfinite(number):
        return number
    return None


def _sum(numbers: Iterable[float]) -> float:
    summands = list(numbers)
    try:
        return math.fsum(summands)
    except OverflowError:
        return float(sum(summands))
    except ValueError:
        # Infinite numbers of both signs.
        return math.nan


def _numbers(numbers: list[float]) -> Record:
    count = len(numbers)
    total = _sum(numbers)
    mean = total / count
    variance = _sum((number - mean) * (number - mean) for number in numbers) / count
    found = {
        "average": mean,
        "count": float(count),
        "maximum": float(max(numbers)),
        "minimum": float(min(numbers)),
        "sum": total,
        "standardDeviation": math.sqrt(variance),
    }
    return {name: as_text(number) for name, number in found.items()}
