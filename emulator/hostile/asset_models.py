"""Asset models of a hostile plant."""

from __future__ import annotations

import typing as t

from emulator.hostile.values import DESCRIPTIONS, dates, each, name, status

if t.TYPE_CHECKING:
    from emulator.maker import Record, Source

_STATES = (
    "ACTIVE",
    "CREATING",
    "FAILED",
    "UPDATING",
    "PROPAGATING",
    "DELETING",
)
_TYPES = ("ASSET_MODEL", "COMPONENT_MODEL", "INTERFACE", None)

_INCOMPATIBLE_PLACE = {
    "code": "INCOMPATIBLE_COMPUTE_LOCATION",
    "message": "The metric's compute location is not that of the property it reads.",
}
_INCOMPATIBLE_FORWARDING = {
    "code": "INCOMPATIBLE_FORWARDING_CONFIGURATION",
    "message": 'Forwarding is "DISABLED" for a measurement,\nsee «Edge».',
}
_ERRORS: tuple[Record, ...] = (
    {
        "code": "VALIDATION_ERROR",
        "message": "The model's metrics cannot be computed where they are asked to be.",
        "details": [_INCOMPATIBLE_PLACE, _INCOMPATIBLE_FORWARDING],
    },
    {"code": "INTERNAL_FAILURE", "message": "An internal error has occurred."},
    {"code": "VALIDATION_ERROR", "message": "", "details": []},
    {
        "code": "VALIDATION_ERROR",
        "message": "Formel ungültig: `avg(x)/0`",
        "details": [_INCOMPATIBLE_FORWARDING],
    },
)


def _asset_model(source: Source, index: int) -> Record:
    model_id = source.entity_id()
    created, updated = dates(source.rng, index)
    model: Record = {
        "id": model_id,
        "arn": source.account.arn("iotsitewise", f"asset-model/{model_id}"),
        "name": name(source.rng, index),
    }
    if index % 3 == 1:
        model["externalId"] = f"line-{index}:model_{index % 7}"
    model_type = _TYPES[index % len(_TYPES)]
    if model_type is not None:
        model["assetModelType"] = model_type
    # The service model requires a description, so that one that was never given comes
    # as an empty string.
    model["description"] = DESCRIPTIONS[index % len(DESCRIPTIONS)] or ""
    model["creationDate"] = created
    model["lastUpdateDate"] = updated
    model["status"] = status(source.rng, _STATES, _ERRORS, index)
    if index % 5 != 3:  # noqa: PLR2004 - one in five has none, whichever
        model["version"] = str(1 + index % 12)
    return model


asset_models = each(_asset_model)
"""Generates asset models."""
