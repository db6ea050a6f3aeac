"""Streams that only the tests declare: every way in which one can be requested.

``python -m tests.declared`` runs a tap with two of them.
"""

from __future__ import annotations

import dataclasses
import typing as t

from tap_iot_sitewise.streams.attribute import ITSELF, key, parent_id, parent_key, text
from tap_iot_sitewise.streams.entity import Entity
from tap_iot_sitewise.streams.request import Batch, Listing
from tap_iot_sitewise.streams.stream import SiteWiseStream
from tap_iot_sitewise.tap import TapIoTSiteWise

PORTAL = "33333333-3333-4333-8333-333333333333"


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


class Hierarchies(SiteWiseStream):
    """A Describe operation, with a constant parameter; a key of two columns."""

    name = "hierarchies"
    entity = Entity(
        "AssetModelHierarchy",
        parent_key("asset_model_id", "ID of the asset model."),
        key("hierarchy_id", "ID.", member="id"),
        text("name", "Name."),
    )
    request = Listing(
        "DescribeAssetModel",
        "assetModelHierarchies",
        parent=Models,
        by={"assetModelId": "asset_model_id"},
        parameters={"excludeProperties": True},
    )


class Projects(SiteWiseStream):
    name = "test_projects"
    entity = Entity("ProjectSummary", key("project_id", "ID.", member="id"))
    request = Listing(
        "ListProjects", "projectSummaries", parameters={"portalId": PORTAL}
    )


class ProjectAssets(SiteWiseStream):
    """Pages of plain strings."""

    name = "project_assets"
    entity = Entity(
        "ID",
        parent_key("project_id", "ID of the project."),
        key("asset_id", "ID of the asset.", member=ITSELF),
    )
    request = Listing(
        "ListProjectAssets",
        "assetIds",
        parent=Projects,
        by={"projectId": "project_id"},
    )


class Series(SiteWiseStream):
    name = "series"
    entity = Entity(
        "TimeSeriesSummary",
        key("time_series_id", "ID."),
        text("asset_id", "ID of the asset."),
        text("property_id", "ID of the property."),
    )
    request = Listing("ListTimeSeries", "TimeSeriesSummaries")


class Associations(SiteWiseStream):
    """Two parameters from the parent."""

    name = "associations"
    entity = Entity(
        "AssociatedAssetsSummary",
        parent_key("asset_id", "ID of the asset."),
        parent_id("property_id", "Stands for the ID of a hierarchy."),
        key("child_asset_id", "ID of the child.", member="id"),
    )
    request = Listing(
        "ListAssociatedAssets",
        "assetSummaries",
        parent=Series,
        by={"assetId": "asset_id", "hierarchyId": "property_id"},
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
        parent=Series,
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
    chosen = (Series, ManyValues)


if __name__ == "__main__":
    BatchTap.cli()
