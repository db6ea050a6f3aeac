"""Assets: their hierarchy and their properties."""

from __future__ import annotations

from tap_iot_sitewise.streams.asset_models import ERROR_DETAILS, AssetModels
from tap_iot_sitewise.streams.attribute import (
    key,
    parent_id,
    parent_key,
    text,
    timestamp,
)
from tap_iot_sitewise.streams.entity import Entity, ListOf, nested
from tap_iot_sitewise.streams.request import Listing
from tap_iot_sitewise.streams.stream import SiteWiseStream

ASSET_HIERARCHY = Entity(
    "AssetHierarchy",
    text("id", "ID of the hierarchy."),
    text("external_id", "ID of the hierarchy in another system, set by its creator."),
    text("name", "Name of the hierarchy."),
)

ASSET_STATUS = Entity(
    "AssetStatus",
    text(
        "state",
        "State of the asset.",
        "CREATING",
        "ACTIVE",
        "UPDATING",
        "DELETING",
        "FAILED",
    ),
    nested("error", "Error of the asset, if any.", ERROR_DETAILS),
)

PROPERTY_NOTIFICATION = Entity(
    "PropertyNotification",
    text("topic", "MQTT topic to which SiteWise publishes the property's values."),
    text(
        "state",
        "Whether SiteWise publishes the property's values.",
        "ENABLED",
        "DISABLED",
    ),
)

ASSET_PATH_SEGMENT = Entity(
    "AssetPropertyPathSegment",
    text("id", "ID of the asset, composite model or property."),
    text("name", "Name of the asset, composite model or property."),
)


class Assets(SiteWiseStream):
    """Assets of every asset model. The API cannot list the assets of all models."""

    name = "assets"
    entity = Entity(
        "AssetSummary",
        key("asset_id", "ID of the asset.", member="id"),
        parent_id(
            "asset_model_id", "ID of the asset model that the asset is made from."
        ),
        text("arn", "ARN of the asset."),
        text("external_id", "ID of the asset in another system, set by its creator."),
        text("name", "Name of the asset."),
        text("description", "Description of the asset."),
        nested(
            "hierarchies",
            "Hierarchies that the asset can have child assets in.",
            ListOf(ASSET_HIERARCHY),
        ),
        timestamp("creation_date", "When the asset was created, in UTC."),
        timestamp(
            "last_update_date",
            "When the asset was last updated, in UTC.",
            marks_change=True,
        ),
        nested("status", "Current status of the asset.", ASSET_STATUS),
    )
    request = Listing(
        "ListAssets",
        "assetSummaries",
        parent=AssetModels,
        by={"assetModelId": "asset_model_id"},
    )


class AssetAssociations(SiteWiseStream):
    """Child assets of every asset, by hierarchy.

    Without the ID of a hierarchy, the answer does not contain the hierarchy.
    """

    name = "asset_associations"
    entity = Entity(
        "AssociatedAssetsSummary",
        parent_key("parent_asset_id", "ID of the parent asset."),
        parent_key("hierarchy_id", "ID of the parent asset's hierarchy."),
        key("child_asset_id", "ID of the child asset.", member="id"),
    )
    request = Listing(
        "ListAssociatedAssets",
        "assetSummaries",
        parent=Assets,
        each="hierarchies",
        by={"assetId": "asset_id", "hierarchyId": "hierarchies.id"},
        renamed={"asset_id": "parent_asset_id", "hierarchies.id": "hierarchy_id"},
    )


class AssetProperties(SiteWiseStream):
    """Properties of every asset, those of its composite models included."""

    name = "asset_properties"
    entity = Entity(
        "AssetPropertySummary",
        parent_key("asset_id", "ID of the asset."),
        key(
            "property_id",
            "ID of the property, and of the asset model property it is made from.",
            member="id",
        ),
        text(
            "external_id", "ID of the property in another system, set by its creator."
        ),
        text("alias", "Alias of the property's data stream, if it has one."),
        text("unit", "Unit of the property's values."),
        nested(
            "notification",
            "Publication of the property's values by MQTT.",
            PROPERTY_NOTIFICATION,
        ),
        text(
            "composite_model_id",
            "ID of the composite model that the property belongs to, if any.",
            member="assetCompositeModelId",
        ),
        nested(
            "path",
            "Path from the asset to the property.",
            ListOf(ASSET_PATH_SEGMENT),
        ),
    )
    # By default (BASE), the properties of composite models are left out.
    request = Listing(
        "ListAssetProperties",
        "assetPropertySummaries",
        parent=Assets,
        by={"assetId": "asset_id"},
        parameters={"filter": "ALL"},
    )
