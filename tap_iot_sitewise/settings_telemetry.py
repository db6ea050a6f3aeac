"""The settings of the telemetry streams, and what is wrong with the ones given."""

from __future__ import annotations

import datetime as dt
import re
import typing as t

from singer_sdk import typing as th

from tap_iot_sitewise.dates import parse_duration, parse_moment

if t.TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    Config = Mapping[str, t.Any]

QUALITIES = ("GOOD", "BAD", "UNCERTAIN")
"""Qualities that a value can have (shape ``Quality``)."""

AGGREGATE_TYPES = (
    "AVERAGE",
    "COUNT",
    "MAXIMUM",
    "MINIMUM",
    "STANDARD_DEVIATION",
    "SUM",
)
"""Aggregates that SiteWise computes (shape ``AggregateType``)."""

RESOLUTIONS = {"1m": 60, "15m": 900, "1h": 3600, "1d": 86400}
"""Intervals that SiteWise computes aggregates for, and their seconds. They begin at
midnight in UTC, or at a multiple of the interval after it."""

PROPERTIES = (
    th.Property(
        "telemetry_alias_prefixes",
        th.ArrayType(th.StringType),
        title="Alias prefixes",
        description=(
            "Reads only time series whose alias begins with one of these, for example "
            "/hamburg/line-1/. Reads all time series if not set."
        ),
    ),
    th.Property(
        "telemetry_asset_ids",
        th.ArrayType(th.StringType),
        title="Asset IDs of telemetry",
        description=(
            "Reads only time series of these assets. Reads those of all assets if not "
            "set."
        ),
    ),
    th.Property(
        "telemetry_property_ids",
        th.ArrayType(th.StringType),
        title="Property IDs of telemetry",
        description=(
            "Reads only time series of these properties, on whatever asset. Reads "
            "those of all properties if not set."
        ),
    ),
    th.Property(
        "telemetry_quality",
        th.StringType,
        allowed_values=list(QUALITIES),
        title="Quality",
        description=(
            "Reads only values of this quality: GOOD, BAD or UNCERTAIN. Reads all "
            "values if not set."
        ),
    ),
    th.Property(
        "telemetry_window",
        th.StringType,
        default="P1D",
        title="Window",
        description=(
            "Span of time that is read between two STATE messages, as an ISO 8601 "
            "duration of at least PT1M. A run that is stopped resumes after its last "
            "complete window."
        ),
    ),
    th.Property(
        "telemetry_lookback",
        th.StringType,
        default="PT15M",
        title="Look-back",
        description=(
            "How far before the bookmark a run begins, as an ISO 8601 duration, for "
            "values that arrive late. P7D covers all values that SiteWise accepts."
        ),
    ),
    th.Property(
        "end_date",
        th.DateTimeType,
        title="End date",
        description=(
            "Where telemetry ends, by default at the start of the run. The default "
            "time zone is UTC. A fraction of a second is cut off."
        ),
    ),
    th.Property(
        "aggregate_types",
        th.ArrayType(th.StringType(allowed_values=list(AGGREGATE_TYPES))),
        title="Aggregate types",
        description=(
            "Aggregates to read: AVERAGE, COUNT, MAXIMUM, MINIMUM, STANDARD_DEVIATION, "
            "SUM. Reads all if not set. For a time series that is not numeric, the tap "
            "reads only COUNT."
        ),
    ),
    th.Property(
        "aggregate_resolutions",
        th.ArrayType(th.StringType(allowed_values=list(RESOLUTIONS))),
        default=["1h"],
        title="Aggregate resolutions",
        description="Intervals of the aggregates: 1m, 15m, 1h, 1d.",
    ),
)
"""The settings, in the order of the documentation. ``start_date`` is a general one."""

_SHORTEST_WINDOW = dt.timedelta(minutes=1)

_ID = "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
_IDS = {
    # Shapes ``CustomID`` of ListTimeSeries and ``ID`` of its answer.
    "telemetry_asset_ids": re.compile(rf"{_ID}|externalId:\S{{2,128}}"),
    "telemetry_property_ids": re.compile(_ID),
}


def problems(config: Config) -> Iterator[str]:
    """Find what is wrong with these settings.

    Args:
        config: Settings whose values have the types of the JSON schema.

    Yields:
        A clause for each problem. It begins with the name of the setting.
    """
    for name, pattern in _IDS.items():
        for number, text in enumerate(config.get(name, ()), 1):
            if not pattern.fullmatch(text):
                yield f"{name}: value {number} is not an ID; copy it again"
    for number, text in enumerate(config.get("telemetry_alias_prefixes", ()), 1):
        if not text or not text.isprintable():
            yield (
                f"telemetry_alias_prefixes: value {number} is empty or not printable; "
                "set it to the beginning of an alias, or remove it"
            )
    for name, least in (
        ("telemetry_window", _SHORTEST_WINDOW),
        ("telemetry_lookback", dt.timedelta()),
    ):
        if name in config:
            yield from _duration_problems(name, config[name], least)
    if config.get("aggregate_resolutions") == []:
        yield "aggregate_resolutions is empty; set at least one of 1m, 15m, 1h, 1d"
    if config.get("aggregate_types") == []:
        yield "aggregate_types is empty; remove it to read all aggregates"
    yield from _end_problems(config)


def _duration_problems(name: str, text: str, least: dt.timedelta) -> Iterator[str]:
    try:
        duration = parse_duration(text)
    except ValueError:
        yield f"{name} is not an ISO 8601 duration such as P1D or PT15M"
        return
    if duration < least:
        yield f"{name} must be at least PT1M, not {text}"
    elif duration.microseconds:
        yield f"{name} must be a whole number of seconds, not {text}"


def _end_problems(config: Config) -> Iterator[str]:
    if "end_date" not in config:
        return
    try:
        end = parse_moment(config["end_date"])
    except ValueError:
        yield "end_date is not a date and time such as 2024-05-31T00:00:00Z"
        return
    try:
        start = parse_moment(config["start_date"])
    except (KeyError, ValueError):
        # A start_date that is not a date is reported with its own setting.
        return
    if end <= start:
        yield f"end_date ({end}) must be after start_date ({start})"
