"""Streams that only the tests declare: ways to request one that no stream has yet.

``python -m tests.declared`` runs a tap with two of them.
"""

from __future__ import annotations

import dataclasses
import typing as t

from tap_iot_sitewise.streams.attribute import key, parent_key, text
from tap_iot_sitewise.streams.entity import Entity
from tap_iot_sitewise.streams.request import Batch, Listing
from tap_iot_sitewise.streams.stream import SiteWiseStream
from tap_iot_sitewise.streams.time_series import TimeSeries
from tap_iot_sitewise.tap import TapIoTSiteWise


class Models(SiteWiseStream):
    """A constant parameter, and one from the settings."""

    name = "models"
    entity = Entity("AssetModelSummary", key("asset_model_id", "ID.", member="id"))
    request = Listing(
        "ListAssetModels",
        "assetModelSummaries",
        parameters={"assetModelVersion": "ACTIVE"},
        settings={"assetModelTypes": "asset_model_types"},
    )


class Values(SiteWiseStream):
    """A batch operation, which botocore does not paginate."""

    name = "property_values"
    append_only = True
    entity = Entity(
        "BatchGetAssetPropertyValueSuccessEntry",
        parent_key("time_series_id", "ID of the time series."),
        text("entry_id", "ID of the entry."),
    )
    request = Batch(
        "BatchGetAssetPropertyValue",
        "successEntries",
        parent=TimeSeries,
        by={"assetId": "asset_id", "propertyId": "property_id"},
        columns=("time_series_id",),
        size=3,
    )


class Tap(TapIoTSiteWise):
    chosen: t.ClassVar[tuple[type[SiteWiseStream], ...]]

    def discover_streams(self) -> list[SiteWiseStream]:
        return [stream(self, lambda: self.client) for stream in self.chosen]


class ManyValues(Values):
    """As many entries as the operation takes."""

    request = dataclasses.replace(Values.request, size=128)


class BatchTap(Tap):
    chosen = (TimeSeries, ManyValues)


if __name__ == "__main__":
    BatchTap.cli()
