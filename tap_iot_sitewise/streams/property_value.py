"""Values of time series, and their conversion to records."""

from __future__ import annotations

import datetime as dt
import functools
import itertools
import typing as t

import msgspec

from tap_iot_sitewise.streams.attribute import UnexpectedValueError
from tap_iot_sitewise.streams.entity import Entity
from tap_iot_sitewise.streams.number import NOT_IN_JSON

if t.TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tap_iot_sitewise.streams.entity import Record

UNKNOWN = "UNKNOWN"
"""Quality of a value that has none. It is part of a key, so it cannot be null."""

_NANOS_PER_SECOND = 1_000_000_000
_SECONDS_PER_HOUR = 3600
_IN_HOUR = [f"{minute:02}:{second:02}" for minute in range(60) for second in range(60)]

_PORTION = 100
"""Values that are converted at a time. Their messages fill the buffer of the writer.

With 2,000 values at a time, a run takes half as much CPU again: each step then requests
more than a megabyte from the operating system, and returns it.
"""

_WITHOUT_VALUE: Mapping[str, t.Any] = dict.fromkeys(
    (
        "event_timestamp",
        "time_in_seconds",
        "offset_in_nanos",
        "quality",
        "value_type",
        "double_value",
        "integer_value",
        "string_value",
        "boolean_value",
        "null_value_type",
    )
)
"""Columns of a record that come from the answer, in their order."""


class _Time(msgspec.Struct, gc=False):
    seconds: int = msgspec.field(name="timeInSeconds")
    nanos: int | None = msgspec.field(name="offsetInNanos", default=None)


class _Null(msgspec.Struct, gc=False):
    value_type: str = msgspec.field(name="valueType")


class _Variant(msgspec.Struct, gc=False, rename="camel"):
    double_value: float | str | None = None
    integer_value: int | None = None
    string_value: str | None = None
    boolean_value: bool | None = None
    null_value: _Null | None = None


class _Value(msgspec.Struct, gc=False):
    value: _Variant
    timestamp: _Time
    quality: str | None = None


_decode_list = msgspec.json.Decoder(list[_Value]).decode
_decode_one = msgspec.json.Decoder(_Value).decode
_decode_objects = msgspec.json.Decoder(list[dict[str, t.Any]]).decode


class PropertyValue(Entity):
    """A value of a time series.

    Its conversion takes most of the time of a run, so it does not go attribute by
    attribute.
    """

    def records(
        self, encoded: bytes, columns: Mapping[str, t.Any]
    ) -> Iterator[list[Record]]:
        """Yield the records of the values in an answer, some at a time.

        Args:
            encoded: JSON of a value or of a list of values.
            columns: Columns whose values come from the request.

        Raises:
            UnexpectedValueError: A value has another type than in the service model.
        """
        try:
            if encoded.startswith(b"["):
                values = _decode_list(encoded)
            else:
                values = [_decode_one(encoded)]
        except msgspec.DecodeError as error:
            msg = f"{self.name}: {error}"
            raise UnexpectedValueError(msg) from error
        # Copying a record with all columns is faster than building one.
        template = {**columns, **_WITHOUT_VALUE}
        left = iter(values)
        while portion := list(itertools.islice(left, _PORTION)):
            yield [self._record(value, template) for value in portion]

    def _record(self, item: _Value, template: Record) -> Record:
        record = template.copy()
        value, time = item.value, item.timestamp
        seconds, nanos = time.seconds, time.nanos or 0
        record["event_timestamp"] = _rfc3339(seconds, nanos)
        record["time_in_seconds"] = seconds
        record["offset_in_nanos"] = nanos
        record["quality"] = item.quality or UNKNOWN
        double = value.double_value
        if type(double) is float:
            record["value_type"] = "double"
            record["double_value"] = double
        elif double is not None:
            record["value_type"] = "double"
            record["string_value"] = _not_in_json(double)
        elif value.integer_value is not None:
            record["value_type"] = "integer"
            record["integer_value"] = value.integer_value
        elif value.string_value is not None:
            record["value_type"] = "string"
            record["string_value"] = value.string_value
        elif value.boolean_value is not None:
            record["value_type"] = "boolean"
            record["boolean_value"] = value.boolean_value
        elif value.null_value is not None:
            record["value_type"] = "null"
            record["null_value_type"] = value.null_value.value_type
        else:
            msg = f"{self.name}.value: expected one of the known members"
            raise UnexpectedValueError(msg)
        return record


def _not_in_json(double: object) -> str:
    if double in NOT_IN_JSON:
        return str(double)
    msg = f"AssetPropertyValue.value.doubleValue: expected a number, not {double!r}"
    raise UnexpectedValueError(msg)


def _rfc3339(seconds: int, nanos: int) -> str:
    """Return a time to the microsecond, cut, not rounded.

    The format is that of :func:`tap_iot_sitewise.dates.rfc3339`. A float would not be
    exact.
    """
    if not 0 <= nanos < _NANOS_PER_SECOND:
        msg = f"TimeInNanos.offsetInNanos: {nanos} is not less than a second"
        raise UnexpectedValueError(msg)
    hour, in_hour = seconds // _SECONDS_PER_HOUR, _IN_HOUR[seconds % _SECONDS_PER_HOUR]
    # Formatting a number takes half of the time. A whole second needs none.
    fraction = f"{nanos // 1000:06d}" if nanos else "000000"
    return f"{_hour(hour)}{in_hour}.{fraction}+00:00"


@functools.lru_cache(maxsize=10_000)
def _hour(number: int) -> str:
    """Return the beginning of the times in an hour since the epoch."""
    try:
        # Not `fromtimestamp`, which depends on what the C library can hold.
        start = dt.datetime(1970, 1, 1) + dt.timedelta(hours=number)  # noqa: DTZ001
    except OverflowError as error:
        msg = "TimeInNanos.timeInSeconds: outside the years 1 to 9999"
        raise UnexpectedValueError(msg) from error
    return start.isoformat()[: len("1970-01-01T00:")]


class AggregatedValue(Entity):
    """The aggregates of a time series in an interval of time."""

    def records(
        self, encoded: bytes, columns: Mapping[str, t.Any]
    ) -> Iterator[list[Record]]:
        """Yield the records of the aggregates in an answer.

        Args:
            encoded: JSON of a list of aggregates.
            columns: Columns whose values come from the request.

        Raises:
            UnexpectedValueError: A value has another type than in the service model.
        """
        try:
            items = _decode_objects(encoded)
        except msgspec.DecodeError as error:
            msg = f"{self.name}: {error}"
            raise UnexpectedValueError(msg) from error
        for item in items:
            item["quality"] = item.get("quality") or UNKNOWN
        yield [self.convert(item, columns) for item in items]
