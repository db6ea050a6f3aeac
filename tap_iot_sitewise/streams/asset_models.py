"""Asset models: their properties, hierarchies and composite models."""

from __future__ import annotations

from tap_iot_sitewise.streams.attribute import (
    key,
    member_name,
    parent_key,
    text,
    timestamp,
)
from tap_iot_sitewise.streams.entity import Entity, ListOf, nested
from tap_iot_sitewise.streams.request import Listing
from tap_iot_sitewise.streams.stream import SiteWiseStream

DATA_TYPES = (
    "STRING",
    "INTEGER",
    "DOUBLE",
    "BOOLEAN",
    "STRUCT",
    "VIDEO",
    "ANNOTATION",
    "JSON",
)
"""Known types of the values of a property or a time series."""

DETAILED_ERROR = Entity(
    "DetailedError",
    text(
        "code",
        "Code of the detailed error.",
        "INCOMPATIBLE_COMPUTE_LOCATION",
        "INCOMPATIBLE_FORWARDING_CONFIGURATION",
    ),
    text("message", "Message of the detailed error."),
)

ERROR_DETAILS = Entity(
    "ErrorDetails",
    text("code", "Code of the error.", "VALIDATION_ERROR", "INTERNAL_FAILURE"),
    text("message", "Message of the error."),
    nested("details", "Errors that caused this error.", ListOf(DETAILED_ERROR)),
)

ASSET_MODEL_STATUS = Entity(
    "AssetModelStatus",
    text(
        "state",
        "State of the asset model.",
        "CREATING",
        "ACTIVE",
        "UPDATING",
        "PROPAGATING",
        "DELETING",
        "FAILED",
    ),
    nested("error", "Error of the asset model, if any.", ERROR_DETAILS),
)

PROPERTY_PATH_SEGMENT = Entity(
    "AssetModelPropertyPathSegment",
    text("id", "ID of the asset model, composite model or property."),
    text("name", "Name of the asset model, composite model or property."),
)

COMPOSITE_MODEL_PATH_SEGMENT = Entity(
    "AssetModelCompositeModelPathSegment",
    text("id", "ID of the composite model."),
    text("name", "Name of the composite model."),
)

EXPRESSION_VARIABLE = Entity(
    "ExpressionVariable",
    text("name", "Name of the variable in the expression."),
    text(
        "property_id",
        "ID of the property that the variable stands for.",
        member="value.propertyId",
    ),
    text(
        "hierarchy_id",
        "ID of the hierarchy of the child assets that have the property, if any.",
        member="value.hierarchyId",
    ),
    nested(
        "property_path",
        "Path from the asset model to the property.",
        ListOf(PROPERTY_PATH_SEGMENT),
        member="value.propertyPath",
    ),
)

INTERFACE_SUMMARY = Entity(
    "InterfaceSummary",
    text("interface_asset_model_id", "ID of the interface."),
    text("interface_asset_model_property_id", "ID of the property of the interface."),
)


class AssetModels(SiteWiseStream):
    """Asset models of the Region."""

    name = "asset_models"
    entity = Entity(
        "AssetModelSummary",
        key("asset_model_id", "ID of the asset model.", member="id"),
        text("arn", "ARN of the asset model."),
        text("name", "Name of the asset model."),
        text("description", "Description of the asset model."),
        text(
            "asset_model_type",
            "Type of the asset model.",
            "ASSET_MODEL",
            "COMPONENT_MODEL",
            "INTERFACE",
        ),
        text(
            "external_id",
            "ID of the asset model in another system, set by its creator.",
        ),
        # Not `version`: the SDK's SQL targets use a bind parameter of that name for
        # soft deletes, and fail on a column of that name.
        text(
            "asset_model_version",
            "Version number of the asset model.",
            member="version",
        ),
        timestamp("creation_date", "When the asset model was created, in UTC."),
        timestamp(
            "last_update_date",
            "When the asset model was last updated, in UTC.",
            marks_change=True,
        ),
        nested("status", "Current status of the asset model.", ASSET_MODEL_STATUS),
    )
    request = Listing(
        "ListAssetModels",
        "assetModelSummaries",
        settings={"assetModelTypes": "asset_model_types"},
    )


class AssetModelProperties(SiteWiseStream):
    """Properties of every asset model, those of its composite models included."""

    name = "asset_model_properties"
    entity = Entity(
        "AssetModelPropertySummary",
        parent_key("asset_model_id", "ID of the asset model."),
        key("property_id", "ID of the property.", member="id"),
        text(
            "external_id", "ID of the property in another system, set by its creator."
        ),
        text("name", "Name of the property."),
        text("data_type", "Type of the property's values.", *DATA_TYPES),
        text("data_type_spec", "Structure of the values, if their type is STRUCT."),
        text("unit", "Unit of the property's values."),
        member_name(
            "property_type",
            "Type of the property.",
            "attribute",
            "measurement",
            "transform",
            "metric",
            member="type",
        ),
        text(
            "default_value",
            "Default value of an attribute.",
            member="type.attribute.defaultValue",
        ),
        text(
            "expression",
            "Formula of a transform or metric.",
            member=("type.transform.expression", "type.metric.expression"),
        ),
        nested(
            "variables",
            "Variables of the expression of a transform or metric.",
            ListOf(EXPRESSION_VARIABLE),
            member=("type.transform.variables", "type.metric.variables"),
        ),
        text(
            "window_interval",
            "Length of the tumbling window of a metric, for example 1h.",
            member="type.metric.window.tumbling.interval",
        ),
        text(
            "window_offset",
            "Offset of the tumbling window of a metric.",
            member="type.metric.window.tumbling.offset",
        ),
        text(
            "compute_location",
            "Where a transform or metric is computed.",
            "EDGE",
            "CLOUD",
            member=(
                "type.transform.processingConfig.computeLocation",
                "type.metric.processingConfig.computeLocation",
            ),
        ),
        text(
            "forwarding_state",
            "Whether a measurement or transform is sent from the edge to the cloud.",
            "DISABLED",
            "ENABLED",
            member=(
                "type.measurement.processingConfig.forwardingConfig.state",
                "type.transform.processingConfig.forwardingConfig.state",
            ),
        ),
        text(
            "composite_model_id",
            "ID of the composite model that the property belongs to, if any.",
            member="assetModelCompositeModelId",
        ),
        nested(
            "path",
            "Path from the asset model to the property.",
            ListOf(PROPERTY_PATH_SEGMENT),
        ),
        nested(
            "interface_summaries",
            "Properties of interfaces that the property implements.",
            ListOf(INTERFACE_SUMMARY),
        ),
    )
    # By default (BASE), the properties of composite models are left out.
    request = Listing(
        "ListAssetModelProperties",
        "assetModelPropertySummaries",
        parent=AssetModels,
        by={"assetModelId": "asset_model_id"},
        parameters={"filter": "ALL"},
    )


class AssetModelHierarchies(SiteWiseStream):
    """Hierarchies of every asset model."""

    name = "asset_model_hierarchies"
    entity = Entity(
        "AssetModelHierarchy",
        parent_key("asset_model_id", "ID of the asset model."),
        key("hierarchy_id", "ID of the hierarchy.", member="id"),
        text(
            "external_id", "ID of the hierarchy in another system, set by its creator."
        ),
        text("name", "Name of the hierarchy."),
        text("child_asset_model_id", "ID of the asset model of the child assets."),
    )
    request = Listing(
        "DescribeAssetModel",
        "assetModelHierarchies",
        parent=AssetModels,
        by={"assetModelId": "asset_model_id"},
        parameters={"excludeProperties": True},
    )


class AssetModelCompositeModels(SiteWiseStream):
    """Composite models of every asset model."""

    name = "asset_model_composite_models"
    entity = Entity(
        "AssetModelCompositeModelSummary",
        parent_key("asset_model_id", "ID of the asset model."),
        key("composite_model_id", "ID of the composite model.", member="id"),
        text(
            "external_id",
            "ID of the composite model in another system, set by its creator.",
        ),
        text("name", "Name of the composite model."),
        text("composite_model_type", "Type of the composite model.", member="type"),
        text("description", "Description of the composite model."),
        nested(
            "path",
            "Path from the asset model to the composite model.",
            ListOf(COMPOSITE_MODEL_PATH_SEGMENT),
        ),
    )
    request = Listing(
        "ListAssetModelCompositeModels",
        "assetModelCompositeModelSummaries",
        parent=AssetModels,
        by={"assetModelId": "asset_model_id"},
    )
