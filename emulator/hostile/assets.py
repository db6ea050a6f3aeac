"""Assets of a hostile plant, with their properties and time series."""

from __future__ import annotations

import typing as t

from emulator.hostile.asset_models import ERRORS
from emulator.hostile.values import dates, describe, name, of_parent, status

if t.TYPE_CHECKING:
    from collections.abc import Iterator

    from emulator.maker import Source
    from emulator.record import Record

_STATES = ("ACTIVE", "CREATING", "FAILED", "UPDATING", "DELETING")
_DATA_TYPES = (
    *("DOUBLE", "INTEGER", "STRING", "BOOLEAN"),
    *("STRUCT", "VIDEO", "ANNOTATION", "JSON"),
)
_ALIASES = (
    "/Zürich/Halle 3/Druck",
    "ns=2;s=Anlage.Förderband[7]",
    "/工場/二階/温度",
    '"quoted", with; comma',
)


def _asset(source: Source, _: Record, index: int) -> Record:
    asset_id, model_id = source.entity_id(), str(source.parent_id)
    created, updated = dates(source.rng, index)
    # Most have hierarchies, some none, and one has the same name as another.
    hierarchies = source.plant.listing("asset_model_hierarchies", model_id).records
    asset: Record = {
        "id": asset_id,
        "arn": source.account.arn("iotsitewise", f"asset/{asset_id}"),
        "name": name(source.rng, index),
        "assetModelId": model_id,
        "creationDate": created,
        "lastUpdateDate": updated,
        "status": status(source.rng, _STATES, ERRORS, index),
        "hierarchies": [
            {
                member: h[member]
                for member in ("id", "externalId", "name")
                if member in h
            }
            for h in hierarchies
            if index % 4 != 3  # noqa: PLR2004 - one in four has none, whichever
        ],
    }
    if index % 3 == 1:
        asset["externalId"] = f"asset-{index}:{index % 7}"
    describe(asset, index)
    return asset


def associations(source: Source, parent: Record | None) -> Iterator[Record]:
    """Generate the associations of an asset: with any assets, in each hierarchy."""
    plant = source.plant
    every = [asset for group in plant.by_parent("assets").values() for asset in group]
    asset_id = (parent or {})["id"]
    for hierarchy in (parent or {})["hierarchies"]:
        for child in source.rng.sample(every, min(len(every), source.rng.randrange(4))):
            yield {
                "associationId": f"{asset_id}:{hierarchy['id']}:{child['id']}",
                "hierarchyId": hierarchy["id"],
                "id": child["id"],
            }


def properties(source: Source, parent: Record | None) -> Iterator[Record]:
    """Generate the properties of an asset, from those of its asset model."""
    asset = parent or {}
    model_id, asset_id = asset["assetModelId"], asset["id"]
    models = source.plant.listing("asset_model_properties", model_id).records
    for index, model in enumerate(models):
        made = {"assetPropertyId": f"{asset_id}:{model['id']}", "id": model["id"]}
        if "externalId" in model:
            made["externalId"] = model["externalId"]
        if index % 3 != 1:
            made["alias"] = f"{_ALIASES[index % len(_ALIASES)]}/{asset_id}/{index}"
        if "unit" in model:
            made["unit"] = model["unit"]
        if "assetModelCompositeModelId" in model:
            made["assetCompositeModelId"] = model["assetModelCompositeModelId"]
        if index % 2:
            topic = f"$aws/sitewise/asset-models/{model_id}/assets/{asset_id}"
            state = ("ENABLED", "DISABLED", "PAUSED")[index % 3]
            made["notification"] = {"topic": topic, "state": state}
        if "path" in model:
            made["path"] = [{"id": asset_id, "name": asset["name"]}, *model["path"][1:]]
        yield made


def time_series(source: Source, _: Record | None) -> Iterator[Record]:
    """Generate a time series for each property of each asset, and some without one."""
    index = 0
    for asset_id, of_asset in source.plant.by_parent("asset_properties").items():
        for each_property in of_asset:
            found = {"assetId": asset_id, "propertyId": each_property["id"]}
            if "alias" in each_property:
                found["alias"] = each_property["alias"]
            yield _series(source, index, f"{asset_id}:{each_property['id']}", found)
            index += 1
    for alias in _ALIASES:
        yield _series(source, index, source.entity_id(), {"alias": alias})
        index += 1


def _series(source: Source, index: int, series_id: str, found: Record) -> Record:
    created, updated = dates(source.rng, index)
    series: Record = {
        **found,
        "timeSeriesId": series_id,
        "dataType": _DATA_TYPES[index % len(_DATA_TYPES)],
        "timeSeriesCreationDate": created,
        "timeSeriesLastUpdateDate": updated,
        "timeSeriesArn": source.account.arn(
            "iotsitewise", f"time-series/{series_id.replace(':', '_')}"
        ),
    }
    if series["dataType"] == "STRUCT":
        series["dataTypeSpec"] = "AWS/ALARM_STATE"
    return series


assets = of_parent(_asset)
"""Generates the assets of an asset model."""
