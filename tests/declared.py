"""Streams that only the tests declare: ways to request one that no stream has yet."""

from __future__ import annotations

import typing as t

from tap_iot_sitewise.streams.attribute import key
from tap_iot_sitewise.streams.entity import Entity
from tap_iot_sitewise.streams.request import Listing
from tap_iot_sitewise.streams.stream import SiteWiseStream
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


class Tap(TapIoTSiteWise):
    chosen: t.ClassVar[tuple[type[SiteWiseStream], ...]]

    def discover_streams(self) -> list[SiteWiseStream]:
        return [stream(self, lambda: self.client) for stream in self.chosen]
