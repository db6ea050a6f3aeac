"""Asset models: the types of assets, and their attributes."""

from __future__ import annotations

from tap_iot_sitewise.streams.attribute import key, text, timestamp
from tap_iot_sitewise.streams.entity import Entity, ListOf, nested
from tap_iot_sitewise.streams.request import Listing
from tap_iot_sitewise.streams.stream import SiteWiseStream

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
