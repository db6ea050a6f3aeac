"""Telemetry: the operations that read the values of time series."""

from __future__ import annotations

from emulator.batches import Batch, aggregates, history, latest
from emulator.operations import Operation

KINDS = ()

OPERATIONS = (
    Operation(
        "BatchGetAssetPropertyValue",
        "/properties/batch/latest",
        Batch("assetPropertyValue", latest, most_entries=128, single=True, dates=False),
        method="POST",
    ),
    Operation(
        "BatchGetAssetPropertyValueHistory",
        "/properties/batch/history",
        Batch(
            "assetPropertyValueHistory", history, most_entries=16, maximum_size=20_000
        ),
        method="POST",
    ),
    Operation(
        "BatchGetAssetPropertyAggregates",
        "/properties/batch/aggregates",
        Batch(
            "aggregatedValues",
            aggregates,
            most_entries=16,
            aggregates=True,
            maximum_size=4000,
            room=1024 * 1024,
        ),
        method="POST",
    ),
)
