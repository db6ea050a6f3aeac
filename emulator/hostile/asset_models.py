"""Asset models of a hostile plant: properties, hierarchies, composite models."""

from __future__ import annotations

import itertools
import typing as t

from emulator.hostile.values import (
    DESCRIPTIONS,
    dates,
    describe,
    each,
    name,
    of_parent,
    status,
)

if t.TYPE_CHECKING:
    from collections.abc import Iterator

    from emulator.maker import Source
    from emulator.record import Record

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
ERRORS: tuple[Record, ...] = (
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
    model["status"] = status(source.rng, _STATES, ERRORS, index)
    if index % 5 != 3:  # noqa: PLR2004 - one in five has none, whichever
        model["version"] = str(1 + index % 12)
    return model


asset_models = each(_asset_model)
"""Generates asset models."""

_DATA_TYPES = (
    *("DOUBLE", "INTEGER", "STRING", "BOOLEAN"),
    *("STRUCT", "VIDEO", "ANNOTATION", "JSON"),
    # A value that this version of botocore does not know.
    "DECIMAL",
)
_UNITS = ("°C", "m³/h", "", None, "µm/m·K", '"in"', "µ%", "l/min; max")
_VARIABLES: tuple[Record, ...] = (
    {"name": "a", "value": {"propertyId": "temperature"}},
    {"name": "b_2", "value": {"propertyId": "parts", "hierarchyId": "machines"}},
    {"name": "c", "value": {"propertyPath": [{"name": "Kühlturm"}, {"id": "x"}, {}]}},
    {"name": "d", "value": {}},
)
_ENABLED = {"forwardingConfig": {"state": "ENABLED"}}
_TYPES_OF_PROPERTIES: tuple[Record, ...] = (
    {"measurement": {"processingConfig": _ENABLED}},
    {"attribute": {"defaultValue": '7,5 °C; "warm"'}},
    {
        "transform": {
            "expression": "if(a > 1, 'ja', \"nein\")\n",
            "variables": _VARIABLES,
            "processingConfig": {
                "computeLocation": "EDGE",
                "forwardingConfig": {"state": "DISABLED"},
            },
        }
    },
    {
        "metric": {
            "expression": "avg(a)/b_2",
            "variables": _VARIABLES[:1],
            "window": {"tumbling": {"interval": "1h", "offset": "-30m"}},
            "processingConfig": {"computeLocation": "CLOUD"},
        }
    },
    {"measurement": {}},
    {"attribute": {}},
    {"transform": {"expression": "", "variables": []}},
    {"metric": {"expression": "1", "variables": [], "window": {}}},
    # A member that this version of botocore does not know, and none.
    {"formulaOfEdge": {"text": "x"}},
    {},
)


def _composite(source: Source, _: Record, index: int) -> Record:
    found = source.entity_id()
    composite: Record = {
        "id": found,
        "name": name(source.rng, index),
        "type": ("AWS/ALARM", "CUSTOM", "AWS/L4E_ANOMALY")[index % 3],
    }
    describe(composite, index)
    if index % 2:
        composite["externalId"] = f"composite-{index}"
        composite["path"] = [{"id": found, "name": composite["name"]}, {"name": "x"}]
    return composite


def hierarchies(source: Source, _: Record | None) -> Iterator[Record]:
    """Generate the hierarchies of an asset model, each with any model as its child."""
    models = source.plant.asset_models
    for index in itertools.count():
        child = models[source.rng.getrandbits(16) % len(models)]
        hierarchy = {
            "id": source.entity_id(),
            "name": name(source.rng, index),
            "childAssetModelId": child["id"],
        }
        if index % 2:
            hierarchy["externalId"] = f"hierarchy-{index}"
        yield hierarchy


def _property(source: Source, _: Record, index: int) -> Record:
    number = index + source.rng.getrandbits(8)
    parts = source.plant.listing(
        "asset_model_composite_models", source.parent_id
    ).records
    made: Record = {
        "id": source.entity_id(),
        "name": name(source.rng, index),
        "dataType": _DATA_TYPES[number % len(_DATA_TYPES)],
        "type": _TYPES_OF_PROPERTIES[number % len(_TYPES_OF_PROPERTIES)],
    }
    if made["dataType"] == "STRUCT":
        made["dataTypeSpec"] = "AWS/ALARM_STATE"
    unit = _UNITS[number % len(_UNITS)]
    if unit is not None:
        made["unit"] = unit
    if index % 3 == 1:
        made["externalId"] = f"property-{index}:x"
    if index % 4 == 2 and parts:  # noqa: PLR2004 - one in four is in a composite model
        made["assetModelCompositeModelId"] = parts[0]["id"]
    if index % 3:
        made["path"] = [{"id": source.parent_id}, {"id": made["id"], "name": ""}]
    if index % 5 == 1:
        members = ("interfaceAssetModelId", "interfaceAssetModelPropertyId")
        made["interfaceSummaries"] = [{each: source.entity_id() for each in members}]
    return made


composites = of_parent(_composite)
"""Generates the composite models of an asset model."""

properties = of_parent(_property)
"""Generates the properties of an asset model."""
