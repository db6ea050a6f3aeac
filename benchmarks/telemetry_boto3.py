"""A peer: a loop over boto3 that prints the values of all time series as JSON lines.

The lines have the columns of ``property_value_history``.
"""

from __future__ import annotations

import datetime as dt
import itertools
import json
import os
import sys
import typing as t

from benchmarks.plain_boto3 import client

if t.TYPE_CHECKING:
    from collections.abc import Iterator

_ENTRIES = 16
_PAGE_SIZE = 20_000
"""The most that BatchGetAssetPropertyValueHistory accepts, as the tap sends."""


def records(sitewise: t.Any) -> Iterator[dict[str, t.Any]]:  # noqa: ANN401
    """Yield a record for each value, with the columns of the tap.

    Args:
        sitewise: Client of boto3.
    """
    start, end = (
        dt.datetime.fromisoformat(os.environ[f"TAP_IOT_SITEWISE_{name}"])
        for name in ("START_DATE", "END_DATE")
    )
    listed = sitewise.get_paginator("list_time_series").paginate(
        PaginationConfig={"PageSize": 250}
    )
    series = (item for page in listed for item in page["TimeSeriesSummaries"])
    while batch := list(itertools.islice(series, _ENTRIES)):
        by_entry = {str(number): item for number, item in enumerate(batch)}
        request: dict[str, t.Any] = {
            "entries": [
                {
                    "entryId": entry_id,
                    "assetId": item["assetId"],
                    "propertyId": item["propertyId"],
                    "startDate": start,
                    "endDate": end,
                    "timeOrdering": "ASCENDING",
                }
                for entry_id, item in by_entry.items()
            ],
            "maxResults": _PAGE_SIZE,
        }
        while True:
            answer = sitewise.batch_get_asset_property_value_history(**request)
            for entry in answer["successEntries"]:
                item = by_entry[entry["entryId"]]
                for value in entry["assetPropertyValueHistory"]:
                    yield _record(item, value)
            if "nextToken" not in answer:
                break
            request["nextToken"] = answer["nextToken"]


def _record(series: dict[str, t.Any], item: dict[str, t.Any]) -> dict[str, t.Any]:
    value, time = item["value"], item["timestamp"]
    # boto3 returns both as integers.
    seconds, nanos = time["timeInSeconds"], time.get("offsetInNanos", 0)
    moment = dt.datetime.fromtimestamp(seconds, dt.timezone.utc)
    (member,) = value
    return {
        "time_series_id": series["timeSeriesId"],
        "asset_id": series.get("assetId"),
        "property_id": series.get("propertyId"),
        "alias": series.get("alias"),
        "data_type": series["dataType"],
        "event_timestamp": moment.replace(microsecond=nanos // 1000).isoformat(
            timespec="microseconds"
        ),
        "time_in_seconds": seconds,
        "offset_in_nanos": nanos,
        "quality": item.get("quality", "UNKNOWN"),
        "value_type": member.removesuffix("Value"),
        "double_value": value.get("doubleValue"),
        "integer_value": value.get("integerValue"),
        "string_value": value.get("stringValue"),
        "boolean_value": value.get("booleanValue"),
        "null_value_type": value.get("nullValue", {}).get("valueType"),
    }


def main() -> None:
    """Print each value as a JSON object in a line of its own."""
    for record in records(client()):
        sys.stdout.write(json.dumps(record) + "\n")


if __name__ == "__main__":
    main()
