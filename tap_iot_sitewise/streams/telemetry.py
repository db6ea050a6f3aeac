"""Telemetry: the latest values, the history and the aggregates of time series."""

from __future__ import annotations

import typing as t

from tap_iot_sitewise.settings_telemetry import (
    AGGREGATE_TYPES,
    QUALITIES,
    RESOLUTIONS,
)
from tap_iot_sitewise.streams.attribute import (
    Attribute,
    MemberName,
    Text,
    Timestamp,
    parent_key,
    parent_text,
    text,
)
from tap_iot_sitewise.streams.history import History
from tap_iot_sitewise.streams.number import boolean, double, integer
from tap_iot_sitewise.streams.property_value import (
    UNKNOWN,
    AggregatedValue,
    PropertyValue,
)
from tap_iot_sitewise.streams.request import Batch, Entry
from tap_iot_sitewise.streams.telemetry_stream import TelemetryStream
from tap_iot_sitewise.streams.telemetry_time_series import (
    READABLE_TYPES,
    TelemetryTimeSeries,
)

if t.TYPE_CHECKING:
    from collections.abc import Iterator

    from tap_iot_sitewise.settings import Config
    from tap_iot_sitewise.streams.entity import Record

_NUMERIC_TYPES = ("DOUBLE", "INTEGER")
"""Data types of the time series that have other aggregates than COUNT."""

_SERIES = ("time_series_id", "asset_id", "property_id", "alias")


def _event_timestamp(description: str, **flags: bool) -> Attribute:
    return Attribute("event_timestamp", "timestamp", Timestamp(), description, **flags)


def _quality(*, is_key: bool) -> Attribute:
    return Attribute(
        "quality",
        "quality",
        Text((*QUALITIES, UNKNOWN)),
        f"Quality of the value; {UNKNOWN} if it has none.",
        required=is_key,
        is_key=is_key,
    )


def _of_series() -> tuple[Attribute, ...]:
    return (
        parent_key("time_series_id", "ID of the time series."),
        parent_text("asset_id", "ID of the asset that the series belongs to, if any."),
        parent_text("property_id", "ID of the property of the asset, if any."),
        parent_text("alias", "Alias of the time series, if it has one."),
    )


def _property_value(*, of_history: bool) -> PropertyValue:
    """Declare a value. In the history, its time is part of the key."""
    return PropertyValue(
        "AssetPropertyValue",
        *_of_series(),
        parent_text("data_type", "Type of the time series.", *READABLE_TYPES),
        _event_timestamp(
            "Time of the value in UTC, cut to the microsecond.", marks_time=of_history
        ),
        integer(
            "time_in_seconds",
            "Time of the value in whole seconds since the epoch.",
            member="timestamp.timeInSeconds",
            is_key=of_history,
        ),
        integer(
            "offset_in_nanos",
            "Nanoseconds to add to time_in_seconds.",
            member="timestamp.offsetInNanos",
            is_key=of_history,
        ),
        _quality(is_key=of_history),
        Attribute(
            "value_type",
            "value",
            MemberName(("double", "integer", "string", "boolean", "null")),
            "Which column holds the value; null if the value is null.",
        ),
        double(
            "double_value",
            "The value, if it is a double. Null for NaN and infinity.",
            member="value.doubleValue",
        ),
        integer(
            "integer_value",
            "The value, if it is an integer.",
            member="value.integerValue",
        ),
        text(
            "string_value",
            "The value, if it is a string, or a double that is NaN, Infinity or "
            "-Infinity.",
            member="value.stringValue",
        ),
        boolean(
            "boolean_value",
            "The value, if it is a Boolean.",
            member="value.booleanValue",
        ),
        text(
            "null_value_type",
            "Type of a null: D (double), B (Boolean), S (string), I (integer) or U "
            "(unknown).",
            *("D", "B", "S", "I", "U"),
            member="value.nullValue.valueType",
        ),
    )


_PROPERTY_AGGREGATE = AggregatedValue(
    "AggregatedValue",
    *_of_series(),
    parent_key("resolution", "Length of the interval: 1m, 15m, 1h or 1d."),
    _event_timestamp(
        "End of the interval in UTC. The interval contains its end, not its start.",
        required=True,
        is_key=True,
        marks_time=True,
    ),
    _quality(is_key=True),
    double("average", "Mean of the values.", member="value.average"),
    double("count", "Number of values.", member="value.count"),
    double("maximum", "Largest value.", member="value.maximum"),
    double("minimum", "Smallest value.", member="value.minimum"),
    double(
        "standard_deviation",
        "Standard deviation of the values.",
        member="value.standardDeviation",
    ),
    double("sum", "Sum of the values.", member="value.sum"),
)


def _identified(series: Record) -> dict[str, t.Any]:
    """Return the members of an entry that name its time series."""
    if series["asset_id"] is not None and series["property_id"] is not None:
        return {"assetId": series["asset_id"], "propertyId": series["property_id"]}
    return {"propertyAlias": series["alias"]}


def _with_quality(members: dict[str, t.Any], config: Config) -> dict[str, t.Any]:
    quality = config.get("telemetry_quality")
    return members if quality is None else {**members, "qualities": [quality]}


def _latest(series: Record, _: Config) -> Iterator[Entry]:
    yield Entry(_identified(series), _columns(series, "data_type"))


def _history(series: Record, config: Config) -> Iterator[Entry]:
    members = {**_identified(series), "timeOrdering": "ASCENDING"}
    yield Entry(_with_quality(members, config), _columns(series, "data_type"))


def _aggregates(series: Record, config: Config) -> Iterator[Entry]:
    """Yield an entry for each resolution, none if the series has no such aggregate."""
    types: list[str] = list(config.get("aggregate_types") or AGGREGATE_TYPES)
    if series["data_type"] not in _NUMERIC_TYPES:
        types = [name for name in types if name == "COUNT"]
    if not types:
        return
    for resolution in dict.fromkeys(config["aggregate_resolutions"]):
        members = {
            **_identified(series),
            "aggregateTypes": list(dict.fromkeys(types)),
            "resolution": resolution,
            "timeOrdering": "ASCENDING",
        }
        yield Entry(
            _with_quality(members, config),
            {**_columns(series), "resolution": resolution},
            RESOLUTIONS[resolution],
        )


def _columns(series: Record, *others: str) -> Record:
    return {column: series[column] for column in (*_SERIES, *others)}


_PARENT_COLUMNS = (*_SERIES, "data_type", "creation_date")


class PropertyValues(TelemetryStream):
    """The latest value of every time series."""

    name = "property_values"
    entity = _property_value(of_history=False)
    request = Batch(
        "BatchGetAssetPropertyValue",
        "assetPropertyValue",
        parent=TelemetryTimeSeries,
        columns=_PARENT_COLUMNS,
        entries=_latest,
        size=128,
        filters_quality=False,
    )


class PropertyValueHistory(History):
    """All values of every time series."""

    name = "property_value_history"
    entity = _property_value(of_history=True)
    request = Batch(
        "BatchGetAssetPropertyValueHistory",
        "assetPropertyValueHistory",
        parent=TelemetryTimeSeries,
        columns=_PARENT_COLUMNS,
        entries=_history,
        size=16,
        page_size=20_000,
    )


class PropertyAggregates(History):
    """The aggregates that SiteWise computes of every time series."""

    name = "property_aggregates"
    entity = _PROPERTY_AGGREGATE
    request = Batch(
        "BatchGetAssetPropertyAggregates",
        "aggregatedValues",
        parent=TelemetryTimeSeries,
        columns=_PARENT_COLUMNS,
        entries=_aggregates,
        size=16,
        page_size=4_000,
    )
