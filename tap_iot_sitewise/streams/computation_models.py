"""Computation models, such as those for anomaly detection."""

from __future__ import annotations

from tap_iot_sitewise.streams.asset_models import ERROR_DETAILS
from tap_iot_sitewise.streams.attribute import key, text, timestamp
from tap_iot_sitewise.streams.entity import Entity, nested
from tap_iot_sitewise.streams.request import Listing
from tap_iot_sitewise.streams.stream import SiteWiseStream

COMPUTATION_MODEL_STATUS = Entity(
    "ComputationModelStatus",
    text(
        "state",
        "State of the computation model.",
        "CREATING",
        "ACTIVE",
        "UPDATING",
        "DELETING",
        "FAILED",
    ),
    nested("error", "Error of the computation model, if any.", ERROR_DETAILS),
)


class ComputationModels(SiteWiseStream):
    """Computation models of the Region."""

    name = "computation_models"
    entity = Entity(
        "ComputationModelSummary",
        key("computation_model_id", "ID of the computation model.", member="id"),
        text("arn", "ARN of the computation model."),
        text("name", "Name of the computation model."),
        text("description", "Description of the computation model."),
        text(
            "computation_model_type",
            "Type of the computation model.",
            "ANOMALY_DETECTION",
            member="type",
        ),
        text(
            "computation_model_version",
            "Version number of the computation model.",
            member="version",
        ),
        timestamp("creation_date", "When the computation model was created, in UTC."),
        timestamp(
            "last_update_date",
            "When the computation model was last updated, in UTC.",
            marks_change=True,
        ),
        nested(
            "status",
            "Current status of the computation model.",
            COMPUTATION_MODEL_STATUS,
        ),
    )
    request = Listing("ListComputationModels", "computationModelSummaries")
