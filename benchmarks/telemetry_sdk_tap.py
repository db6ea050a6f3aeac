"""A peer: the smallest tap for the values of time series, as the SDK's guide has it.

One custom stream with ``get_records``, and everything else as the SDK does it by
default. It has no replication key, which saves the SDK the bookkeeping of a bookmark.
"""

from __future__ import annotations

import typing as t

from singer_sdk import Stream, Tap
from singer_sdk import typing as th

from benchmarks.plain_boto3 import client
from benchmarks.telemetry_boto3 import records

if t.TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from singer_sdk.helpers.types import Context, Record


class PropertyValueHistory(Stream):
    """All values of every time series."""

    name = "property_value_history"
    primary_keys: Sequence[str] = (
        "time_series_id",
        "time_in_seconds",
        "offset_in_nanos",
        "quality",
    )
    schema = th.PropertiesList(
        th.Property("time_series_id", th.StringType, required=True),
        th.Property("asset_id", th.StringType),
        th.Property("property_id", th.StringType),
        th.Property("alias", th.StringType),
        th.Property("data_type", th.StringType),
        th.Property("event_timestamp", th.DateTimeType),
        th.Property("time_in_seconds", th.IntegerType, required=True),
        th.Property("offset_in_nanos", th.IntegerType, required=True),
        th.Property("quality", th.StringType, required=True),
        th.Property("value_type", th.StringType),
        th.Property("double_value", th.NumberType),
        th.Property("integer_value", th.IntegerType),
        th.Property("string_value", th.StringType),
        th.Property("boolean_value", th.BooleanType),
        th.Property("null_value_type", th.StringType),
    ).to_dict()

    def get_records(self, context: Context | None) -> Iterable[Record]:
        """Yield a record for each value."""
        del context
        yield from records(client())


class TelemetryTap(Tap):
    """The smallest tap."""

    name = "telemetry-tap"

    def discover_streams(self) -> list[Stream]:
        """Return the streams."""
        return [PropertyValueHistory(self)]


if __name__ == "__main__":
    TelemetryTap.cli()
