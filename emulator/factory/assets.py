"""Assets of a factory: sites, lines and machines, and their time series."""

from __future__ import annotations

import itertools
import typing as t

from emulator.factory.asset_models import hierarchy_id, thing_of
from emulator.factory.products import SITE, Thing, parts, slug
from emulator.factory.products import thing as thing_named
from emulator.factory.sites import OPENED, dates, sites

if t.TYPE_CHECKING:
    from collections.abc import Iterator

    from emulator.maker import Source
    from emulator.record import Record

_ALIASES_WITHOUT_ASSET = ("temperature", "speed", "power")


def _place(thing: Thing, site: str) -> tuple[str, ...]:
    """Return the names from the site down to the asset of a type at that site."""
    if thing.level == "site":
        return (site,)
    if thing.level == "utility":
        return (site, thing.name)
    line = f"Line {thing.line}"
    return (site, line) if thing.level == "line" else (site, line, f"{thing.name} 1")


def asset_id(source: Source, *place: str) -> str:
    """Return the ID of the asset at a place, such as a site and one of its lines."""
    return source.named_id("asset", *place)


def assets(source: Source, parent: Record | None) -> Iterator[Record]:
    """Generate the assets of an asset model: one at each site.

    An interface or component model, or a model that failed, has no assets.
    """
    thing = thing_of(parent)
    failed = ((parent or {}).get("status") or {}).get("state") == "FAILED"
    if parent is None or thing is None or thing.model_type != "ASSET_MODEL" or failed:
        return
    hierarchies = source.plant.listing("asset_model_hierarchies", parent["id"]).records
    for index, site in enumerate(sites()):
        place = _place(thing, site)
        found = asset_id(source, *place)
        yield {
            "id": found,
            "arn": source.account.arn("iotsitewise", f"asset/{found}"),
            "externalId": ".".join(map(slug, place)),
            "name": place[-1],
            "description": f"{thing.name} in {site}.",
            "assetModelId": parent["id"],
            **dates(source, OPENED),
            "status": _status(thing, index),
            "hierarchies": [
                {name: each[name] for name in ("id", "externalId", "name")}
                for each in hierarchies
            ],
        }


def _status(thing: Thing, index: int) -> Record:
    if thing.name == "Leak tester" and index % 20 == 1:
        error = {
            "code": "VALIDATION_ERROR",
            "message": "The asset has properties that can't be computed.",
            "details": [
                {
                    "code": "INCOMPATIBLE_COMPUTE_LOCATION",
                    "message": "Transform 'Temperature in kelvin' has no edge gateway.",
                }
            ],
        }
        return {"state": "FAILED", "error": error}
    return {"state": "UPDATING" if thing.name == "Lathe" else "ACTIVE"}


def _thing_and_place(
    source: Source, asset: Record | None
) -> tuple[Thing, tuple[str, ...]] | None:
    """Return the type and the place of an asset of the factory."""
    model_id = (asset or {}).get("assetModelId")
    if asset is None or not isinstance(model_id, str):
        return None
    thing = thing_of(source.plant.find("asset_models", model_id))
    description = str(asset.get("description"))
    site = description.rpartition(" in ")[2].removesuffix(".")
    return None if thing is None else (thing, _place(thing, site))


def associations(source: Source, parent: Record | None) -> Iterator[Record]:
    """Generate the associations of an asset with its children."""
    found = _thing_and_place(source, parent)
    if parent is None or found is None:
        return
    thing, place = found
    for child in parts(thing, "line", "machine", "utility"):
        child_id = asset_id(source, *_place(child, place[0]))
        hierarchy = hierarchy_id(source, thing.name, child.name)
        if source.plant.has("assets", child_id):
            yield {
                "associationId": f"{parent['id']}:{hierarchy}:{child_id}",
                "hierarchyId": hierarchy,
                "id": child_id,
            }


def properties(source: Source, parent: Record | None) -> Iterator[Record]:
    """Generate the properties of an asset, from those of its asset model."""
    found = _thing_and_place(source, parent)
    if parent is None or found is None:
        return
    _, place = found
    model_id, own_id = parent["assetModelId"], parent["id"]
    for model in source.plant.listing("asset_model_properties", model_id).records:
        (kind,) = model["type"]
        made = {
            "assetPropertyId": f"{own_id}:{model['id']}",
            "id": model["id"],
            "externalId": f"{parent['externalId']}.{slug(model['name'])}",
        }
        if kind == "measurement":
            made["alias"] = "/" + "/".join(map(slug, (*place, model["name"])))
        if "unit" in model:
            made["unit"] = model["unit"]
        if "assetModelCompositeModelId" in model:
            made["assetCompositeModelId"] = model["assetModelCompositeModelId"]
        topic = f"asset-models/{model_id}/assets/{own_id}/properties/{model['id']}"
        enabled = kind == "measurement" and model["name"] == "State"
        made["notification"] = {
            "topic": f"$aws/sitewise/{topic}",
            "state": "ENABLED" if enabled else "DISABLED",
        }
        first = {"id": own_id, "name": parent["name"]}
        made["path"] = [first, *model["path"][1:]]
        yield made


def time_series(source: Source, _: Record | None) -> Iterator[Record]:
    """Generate the time series of all assets, and a few without an asset."""
    plant = source.plant
    for asset, of_asset in plant.by_parent("asset_properties").items():
        for each in of_asset:
            model = plant.find("asset_model_properties", each["id"])
            if "attribute" in model["type"]:
                continue
            found = {"assetId": asset, "propertyId": each["id"]}
            if "alias" in each:
                found["alias"] = each["alias"]
            found["timeSeriesId"] = f"{asset}:{each['id']}"
            found["dataType"] = model["dataType"]
            if "dataTypeSpec" in model:
                found["dataTypeSpec"] = model["dataTypeSpec"]
            yield _series(source, found)
    for site, quantity in itertools.product(
        itertools.islice(sites(), 1), _ALIASES_WITHOUT_ASSET
    ):
        yield _series(
            source,
            {
                "alias": f"/{slug(site)}/line-9/press-2/{quantity}",
                "timeSeriesId": source.entity_id(),
                "dataType": "DOUBLE",
            },
        )


def _series(source: Source, found: Record) -> Record:
    series_id = found["timeSeriesId"].replace(":", "_")
    since = dates(source, OPENED)
    return {
        **found,
        "timeSeriesCreationDate": since["creationDate"],
        "timeSeriesLastUpdateDate": since["lastUpdateDate"],
        "timeSeriesArn": source.account.arn("iotsitewise", f"time-series/{series_id}"),
    }


def line_assets(source: Source, site: str, line: str) -> Iterator[str]:
    """Yield the IDs of the assets of a line at a site, as far as they exist.

    Args:
        source: Where the plant comes from.
        site: Name of the site.
        line: Name of the line, such as ``Line 1``.
    """
    number = int(line.rpartition(" ")[2])
    site_thing = thing_named(SITE)
    lines = parts(site_thing, "line") if site_thing else []
    for thing in (each for each in lines if each.line == number):
        for part in (thing, *parts(thing, "machine")):
            found = asset_id(source, *_place(part, site))
            if source.plant.has("assets", found):
                yield found
