"""Assets: the kinds of records and their operations."""

from __future__ import annotations

import typing as t

from emulator import errors
from emulator.kinds import Kind
from emulator.listing import Listing
from emulator.operations import UUID, Operation, Parameter
from emulator.paging import Page

if t.TYPE_CHECKING:
    from emulator.operations import ApiRequest
    from emulator.paging import Wanted
    from emulator.record import Record
    from emulator.records import Records


def _property(record: Record) -> object:
    # A property of an asset has the ID of the asset model's property.
    return {name: value for name, value in record.items() if name != "assetPropertyId"}


KINDS = (
    Kind("assets", parents=("asset_models",)),
    # A record has the child's ID as `id`, and `hierarchyId`. The API sends the child.
    Kind(
        "asset_associations",
        parents=("assets",),
        key="associationId",
        dates=(),
        refers={"id": "assets"},
    ),
    Kind(
        "asset_properties",
        parents=("assets",),
        key="assetPropertyId",
        wire=_property,
        dates=(),
    ),
)

_NOT_FOUND = "Asset with id {assetId} not found"
_ID = Parameter("assetId", pattern=UUID, required=True)


def _base_properties(request: ApiRequest) -> Wanted | None:
    if request.one("filter") == "ALL":
        return None
    return lambda found: found.get("assetCompositeModelId") is None


def _assets(request: ApiRequest) -> Listing:
    plant, model_id = request.plant, request.one("assetModelId")
    top_level = request.one("filter") == "TOP_LEVEL"
    if model_id is None and not top_level:
        msg = "The assetModelId parameter is required when the filter is ALL."
        raise errors.invalid_request(msg)
    if model_id is not None and not plant.has("asset_models", model_id):
        msg = f"Asset model with id {model_id} not found"
        raise errors.not_found(msg)
    if not top_level:
        return plant.listing("assets", model_id)
    children = {
        association["id"]
        for listing in plant.listings("asset_associations")
        for association in listing.records
    }
    return Listing.selected(
        (number, asset)
        for listing in plant.listings("assets")
        for number, asset in listing.numbered
        if model_id in {None, listing.parent} and asset["id"] not in children
    )


def _associated(request: ApiRequest) -> Listing:
    plant, asset_id = request.plant, request.one("assetId") or ""
    if not plant.has("assets", asset_id):
        raise errors.not_found(_NOT_FOUND.format(assetId=asset_id))
    hierarchy = request.one("hierarchyId")
    if request.one("traversalDirection") == "PARENT":
        return _parents(plant, asset_id, hierarchy)
    asset = plant.find("assets", asset_id)
    known = {each.get("id") for each in asset.get("hierarchies") or ()}
    if hierarchy is not None and hierarchy not in known:
        msg = f"Hierarchy with id {hierarchy} not found in asset {asset_id}"
        raise errors.not_found(msg)
    return Listing.selected(
        (number, plant.find("assets", each["id"]))
        for number, each in plant.listing("asset_associations", asset_id).numbered
        if hierarchy in {None, each["hierarchyId"]} and plant.has("assets", each["id"])
    )


def _parents(plant: Records, asset_id: str, hierarchy: str | None) -> Listing:
    parents = {
        listing.parent
        for listing in plant.listings("asset_associations")
        for each in listing.records
        if each["id"] == asset_id and hierarchy in {None, each["hierarchyId"]}
    }
    return Listing.selected(
        (number, asset)
        for listing in plant.listings("assets")
        for number, asset in listing.numbered
        if asset["id"] in parents
    )


_ASSETS = Page("assetSummaries", "assets")

OPERATIONS = (
    Operation(
        "ListAssets",
        "/assets",
        lambda request: _ASSETS.page(request, _assets),
        parameters=(
            Parameter("assetModelId", pattern=UUID),
            Parameter("filter", values=("ALL", "TOP_LEVEL"), default="ALL"),
        ),
        resource="asset-model/{assetModelId}",
    ),
    Operation(
        "ListAssociatedAssets",
        "/assets/{assetId}/hierarchies",
        lambda request: _ASSETS.page(request, _associated),
        parameters=(
            _ID,
            Parameter("hierarchyId", pattern=UUID),
            Parameter(
                "traversalDirection", values=("PARENT", "CHILD"), default="CHILD"
            ),
        ),
        resource="asset/{assetId}",
    ),
    Operation(
        "ListAssetProperties",
        "/assets/{assetId}/properties",
        Page(
            "assetPropertySummaries",
            "asset_properties",
            parent="assetId",
            not_found=_NOT_FOUND,
            wanted=_base_properties,
        ),
        parameters=(
            _ID,
            Parameter("filter", values=("ALL", "BASE"), default="BASE"),
        ),
        resource="asset/{assetId}",
    ),
)
