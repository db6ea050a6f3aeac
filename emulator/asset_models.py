"""Asset models: the kinds of records and their operations."""

from __future__ import annotations

import typing as t

from emulator import errors
from emulator.kinds import Kind
from emulator.listing import encode
from emulator.operations import UUID, Operation, Parameter
from emulator.paging import Page

if t.TYPE_CHECKING:
    from emulator.operations import ApiRequest
    from emulator.paging import Wanted

KINDS = (
    Kind("asset_models"),
    Kind("asset_model_composite_models", parents=("asset_models",), dates=()),
    Kind("asset_model_hierarchies", parents=("asset_models",), dates=()),
    Kind("asset_model_properties", parents=("asset_models",), dates=()),
)

_NOT_FOUND = "Asset model with id {assetModelId} not found"
_ID = Parameter("assetModelId", pattern=UUID, required=True)
_VERSION = Parameter("assetModelVersion", pattern="(LATEST|ACTIVE)", default="LATEST")


def _of_the_types(request: ApiRequest) -> Wanted | None:
    types = request.all("assetModelTypes")
    if not types:
        return None
    # ASSET_MODEL is the default in the service model.
    return lambda model: (model.get("assetModelType") or "ASSET_MODEL") in types


def _base_properties(request: ApiRequest) -> Wanted | None:
    if request.one("filter") == "ALL":
        return None
    return lambda found: found.get("assetModelCompositeModelId") is None


def _describe(request: ApiRequest) -> bytes:
    model_id = request.one("assetModelId") or ""
    if not request.plant.has("asset_models", model_id):
        raise errors.not_found(_NOT_FOUND.format(assetModelId=model_id))
    model = request.plant.find("asset_models", model_id)
    members = {
        "assetModelId": "id",
        "assetModelExternalId": "externalId",
        "assetModelArn": "arn",
        "assetModelName": "name",
        "assetModelType": "assetModelType",
        "assetModelDescription": "description",
        "assetModelCreationDate": "creationDate",
        "assetModelLastUpdateDate": "lastUpdateDate",
        "assetModelStatus": "status",
        "assetModelVersion": "version",
    }
    described = {name: model[own] for name, own in members.items() if own in model}
    lists = {
        "assetModelProperties": "asset_model_properties",
        "assetModelHierarchies": "asset_model_hierarchies",
        "assetModelCompositeModelSummaries": "asset_model_composite_models",
    }
    for name, kind in lists.items():
        described[name] = request.plant.listing(kind, model_id).records
    described["assetModelProperties"] = [
        {name: value for name, value in each.items() if name in _DESCRIBED_PROPERTY}
        for each in described["assetModelProperties"]
        if request.one("excludeProperties") != "true"
        and each.get("assetModelCompositeModelId") is None
    ]
    return encode(described)


_DESCRIBED_PROPERTY = {
    *("id", "externalId", "name", "dataType", "dataTypeSpec", "unit", "type", "path")
}

OPERATIONS = (
    Operation(
        "ListAssetModels",
        "/asset-models",
        Page("assetModelSummaries", "asset_models", wanted=_of_the_types),
        parameters=(
            Parameter(
                "assetModelTypes",
                values=("ASSET_MODEL", "COMPONENT_MODEL", "INTERFACE"),
            ),
            _VERSION,
        ),
    ),
    Operation(
        "DescribeAssetModel",
        "/asset-models/{assetModelId}",
        _describe,
        parameters=(
            _ID,
            Parameter("excludeProperties", values=("true", "false")),
            _VERSION,
        ),
        resource="asset-model/{assetModelId}",
    ),
    Operation(
        "ListAssetModelProperties",
        "/asset-models/{assetModelId}/properties",
        Page(
            "assetModelPropertySummaries",
            "asset_model_properties",
            parent="assetModelId",
            not_found=_NOT_FOUND,
            wanted=_base_properties,
        ),
        parameters=(
            _ID,
            Parameter("filter", values=("ALL", "BASE"), default="BASE"),
            _VERSION,
        ),
        resource="asset-model/{assetModelId}",
    ),
    Operation(
        "ListAssetModelCompositeModels",
        "/asset-models/{assetModelId}/composite-models",
        Page(
            "assetModelCompositeModelSummaries",
            "asset_model_composite_models",
            parent="assetModelId",
            not_found=_NOT_FOUND,
        ),
        parameters=(_ID, _VERSION),
        resource="asset-model/{assetModelId}",
    ),
)
