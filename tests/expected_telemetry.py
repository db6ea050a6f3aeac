"""What the telemetry streams ought to send, read from the plant by the contract."""

from __future__ import annotations

import typing as t
from datetime import datetime, timedelta, timezone

if t.TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from emulator.plant import Plant
    from tests.conftest import Message

READABLE = ("DOUBLE", "INTEGER", "STRING", "BOOLEAN")
AGGREGATES = {
    "average": "average",
    "count": "count",
    "maximum": "maximum",
    "minimum": "minimum",
    "standard_deviation": "standardDeviation",
    "sum": "sum",
}
KEYS = {
    "property_values": ("time_series_id",),
    "property_value_history": (
        *("time_series_id", "time_in_seconds", "offset_in_nanos", "quality"),
    ),
    "property_aggregates": (
        *("time_series_id", "resolution", "event_timestamp", "quality"),
    ),
}

_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)


def seconds(text: str) -> int:
    """Return a date and time in UTC as epoch seconds."""
    return int(datetime.fromisoformat(f"{text}+00:00").timestamp())


def moment(whole: int, nanos: int = 0) -> str:
    """Return a time as a column holds it, by the arithmetic of datetime."""
    exact = _EPOCH + timedelta(seconds=whole, microseconds=nanos // 1000)
    return exact.isoformat("T", "microseconds")


def number(sent: object) -> float | None:
    """Return a double as a column holds it."""
    if sent is None or isinstance(sent, str):
        return None
    return float(t.cast("float", sent))


def value(item: Message) -> Message:
    """Return the columns of a value that come from the answer."""
    (member, sent), *others = item["value"].items()
    assert not others
    whole, nanos = (
        item["timestamp"].get(name) or 0 for name in ("timeInSeconds", "offsetInNanos")
    )
    return {
        "event_timestamp": moment(whole, nanos),
        "time_in_seconds": whole,
        "offset_in_nanos": nanos,
        "quality": item.get("quality") or "UNKNOWN",
        "value_type": member.removesuffix("Value"),
        "double_value": number(sent) if member == "doubleValue" else None,
        "integer_value": sent if member == "integerValue" else None,
        "string_value": sent if isinstance(sent, str) else None,
        "boolean_value": sent if member == "booleanValue" else None,
        "null_value_type": sent["valueType"] if member == "nullValue" else None,
    }


def aggregate(item: Message) -> Message:
    """Return the columns of an aggregate that come from the answer."""
    return {
        "event_timestamp": moment(int(item["timestamp"])),
        "quality": item.get("quality") or "UNKNOWN",
        **{
            column: number(item["value"].get(member))
            for column, member in AGGREGATES.items()
        },
    }


def _series(plant: Plant) -> Iterator[tuple[str, Message, str]]:
    """Yield the ID, the columns and the data type of each time series with values."""
    for each in plant.listing("time_series").records:
        if each["dataType"] in READABLE:
            columns = {
                "time_series_id": each["timeSeriesId"],
                "asset_id": each.get("assetId"),
                "property_id": each.get("propertyId"),
                "alias": each.get("alias"),
            }
            yield each["timeSeriesId"], columns, each["dataType"]


Wanted: t.TypeAlias = "Callable[[Message], bool]"
"""Returns whether a time series is wanted, by its columns."""


def history(
    plant: Plant, after: int, until: int, wanted: Wanted = lambda _: True
) -> list[Message]:
    """Return the records of ``property_value_history``."""
    return [
        {**columns, "data_type": data_type, **value(item)}
        for series_id, columns, data_type in _series(plant)
        if wanted(columns)
        for item in plant.values.between(series_id, after, until)
    ]


def latest(plant: Plant) -> list[Message]:
    """Return the records of ``property_values``."""
    return [
        {**columns, "data_type": data_type, **value(item)}
        for series_id, columns, data_type in _series(plant)
        if (item := plant.values.latest(series_id)) is not None
    ]


def aggregates(
    plant: Plant, resolutions: Iterable[str], after: int, until: int
) -> list[Message]:
    """Return the records of ``property_aggregates``."""
    found = []
    for series_id, columns, data_type in _series(plant):
        for resolution in resolutions:
            for item in plant.values.aggregates(series_id, resolution, after, until):
                record = {**columns, "resolution": resolution, **aggregate(item)}
                if data_type in {"STRING", "BOOLEAN"}:
                    record.update(dict.fromkeys(set(AGGREGATES) - {"count"}))
                found.append(record)
    return found


def table(stream: str, records: Iterable[Message]) -> dict[tuple[t.Any, ...], Message]:
    """Return what a target that upserts has after it loaded the records."""
    return {tuple(each[c] for c in KEYS[stream]): each for each in records}
