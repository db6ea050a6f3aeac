"""Asset models of a factory: their properties, hierarchies and composite models."""

from __future__ import annotations

import typing as t

from emulator.factory.products import (
    IMPLEMENTED,
    Quantity,
    Thing,
    composite_models,
    parts,
    quantities,
    slug,
    things,
)
from emulator.factory.products import thing as thing_named
from emulator.factory.sites import OPENED, dates

if t.TYPE_CHECKING:
    from collections.abc import Iterator

    from emulator.maker import Source
    from emulator.record import Record

_MODEL_ERRORS: tuple[Record, ...] = (
    {
        "code": "VALIDATION_ERROR",
        "message": "The asset model has properties that can't be computed.",
        "details": [
            {
                "code": "INCOMPATIBLE_COMPUTE_LOCATION",
                "message": "Metric 'OEE' is computed in the cloud, but reads transform "
                "'Cycle time', which is computed at the edge.",
            },
            {
                "code": "INCOMPATIBLE_FORWARDING_CONFIGURATION",
                "message": "Measurement 'Speed' is not forwarded to the cloud.",
            },
        ],
    },
    {
        "code": "INTERNAL_FAILURE",
        "message": "An internal error occurred. Try again later.",
    },
)


def model_id(source: Source, name: str) -> str:
    """Return the ID of the asset model with a name."""
    return source.named_id("asset-model", name)


def hierarchy_id(source: Source, model: str, child: str) -> str:
    """Return the ID of a model's hierarchy.

    Args:
        source: Where IDs come from.
        model: Name of the asset model.
        child: Name of the asset model of the children.
    """
    return source.named_id("hierarchy", model, child)


def _property_id(source: Source, model: str, name: str) -> str:
    return source.named_id("property", model, name)


def _composite_id(source: Source, model: str, name: str) -> str:
    return source.named_id("composite-model", model, name)


def thing_of(model: Record | None) -> Thing | None:
    """Return the type of an asset model, None if the factory has no such type."""
    name = (model or {}).get("name")
    return thing_named(name) if isinstance(name, str) else None


def asset_models(source: Source, _: Record | None) -> Iterator[Record]:
    """Generate interfaces, and then sites, lines, machines and their components."""
    for index, thing in enumerate(things()):
        found = model_id(source, thing.name)
        yield {
            "id": found,
            "arn": source.account.arn("iotsitewise", f"asset-model/{found}"),
            "externalId": slug(thing.name),
            "name": thing.name,
            "assetModelType": thing.model_type,
            "description": thing.purpose,
            **dates(source, OPENED),
            "status": _status(index),
            "version": str(1 + source.rng.getrandbits(3)),
        }


def _status(index: int) -> Record:
    if index % 60 == 13:  # noqa: PLR2004 - early enough for a plant of 30
        error = _MODEL_ERRORS[index // 60 % len(_MODEL_ERRORS)]
        return {"state": "FAILED", "error": error}
    state = "UPDATING" if index % 90 == 29 else "ACTIVE"  # noqa: PLR2004
    return {"state": state}


def composites(source: Source, parent: Record | None) -> Iterator[Record]:
    """Generate the composite models of an asset model."""
    thing = thing_of(parent)
    if thing is None:
        return
    for name, kind in composite_models(thing):
        found = _composite_id(source, thing.name, name)
        yield {
            "id": found,
            "externalId": slug(f"{thing.name}.{name}"),
            "name": name,
            "type": kind,
            "description": f"{name} of the machine.",
            "path": [{"id": found, "name": name}],
        }


def hierarchies(source: Source, parent: Record | None) -> Iterator[Record]:
    """Generate the hierarchies of an asset model: one for each type of child."""
    thing = thing_of(parent)
    if thing is None:
        return
    for child in parts(thing, "line", "machine", "utility"):
        child_id = model_id(source, child.name)
        if source.plant.has("asset_models", child_id):
            yield {
                "id": hierarchy_id(source, thing.name, child.name),
                "externalId": slug(f"{thing.name}.{child.name}"),
                "name": f"{child.name}es"
                if child.name[-1] == "s"
                else f"{child.name}s",
                "childAssetModelId": child_id,
            }


def properties(source: Source, parent: Record | None) -> Iterator[Record]:
    """Generate the properties of an asset model."""
    thing = thing_of(parent)
    if thing is None:
        return
    for quantity in quantities(thing):
        # The metric of a line reads a property of a machine.
        if thing.level != "line" or not quantity.inputs or _machine(source, thing):
            yield _property(source, thing, quantity)


def _machine(source: Source, line: Thing) -> str | None:
    """Return the last type of machine of a line that is in the plant."""
    return next(
        (
            machine.name
            for machine in reversed(parts(line, "machine"))
            if source.plant.has("asset_models", model_id(source, machine.name))
        ),
        None,
    )


def _property(source: Source, thing: Thing, quantity: Quantity) -> Record:
    path = [{"id": model_id(source, thing.name), "name": thing.name}]
    found: Record = {
        "id": _property_id(source, thing.name, quantity.name),
        "externalId": slug(f"{thing.name}.{quantity.name}"),
        "name": quantity.name,
        "dataType": quantity.data_type,
        "type": {quantity.kind: _type(source, thing, quantity)},
    }
    if quantity.data_type == "STRUCT":
        found["dataTypeSpec"] = quantity.name
    if quantity.unit is not None:
        found["unit"] = quantity.unit
    if quantity.part is not None:
        composite = _composite_id(source, thing.name, quantity.part)
        found["assetModelCompositeModelId"] = composite
        path.append({"id": composite, "name": quantity.part})
    elif thing.level == "machine" and quantity.name in IMPLEMENTED:
        interface = IMPLEMENTED[quantity.name]
        found["interfaceSummaries"] = [
            {
                "interfaceAssetModelId": model_id(source, interface),
                "interfaceAssetModelPropertyId": _property_id(
                    source, interface, quantity.name
                ),
            }
        ]
    found["path"] = [*path, {"id": found["id"], "name": quantity.name}]
    return found


def _type(source: Source, thing: Thing, quantity: Quantity) -> Record:
    forwarding = {"forwardingConfig": {"state": "ENABLED"}}
    if quantity.kind == "attribute":
        default = quantity.default
        return {} if default is None else {"defaultValue": default}
    if quantity.kind == "measurement":
        return {"processingConfig": forwarding}
    computed: Record = {
        "expression": quantity.expression,
        "variables": list(_variables(source, thing, quantity)),
    }
    if quantity.kind == "transform":
        return {
            **computed,
            "processingConfig": {"computeLocation": "EDGE", **forwarding},
        }
    window = {"interval": quantity.interval}
    if quantity.offset is not None:
        window["offset"] = quantity.offset
    return {
        **computed,
        "window": {"tumbling": window},
        "processingConfig": {"computeLocation": "CLOUD"},
    }


def _variables(source: Source, thing: Thing, quantity: Quantity) -> Iterator[Record]:
    words = "".join(c if c.isalpha() or c == "_" else " " for c in quantity.expression)
    names = [word for word in words.split() if word not in {"avg", "sum"}]
    for name, read in zip(names, quantity.inputs, strict=True):
        own: Record = {"propertyId": _property_id(source, thing.name, read)}
        machine = _machine(source, thing) if thing.level == "line" else None
        if machine is not None:
            # The sum over the machines of the last type.
            own = {
                "propertyId": _property_id(source, machine, read),
                "hierarchyId": hierarchy_id(source, thing.name, machine),
            }
        elif quantity.kind == "transform":
            own["propertyPath"] = [
                {"id": model_id(source, thing.name), "name": thing.name},
                {"id": own["propertyId"], "name": read},
            ]
        yield {"name": name, "value": own}


def models_in(source: Source, *levels: str) -> Iterator[tuple[Thing, Record]]:
    """Yield the asset models in the plant with their types.

    Args:
        source: Where the plant comes from.
        levels: Levels of the types, such as ``machine``.
    """
    for model in source.plant.asset_models:
        thing = thing_of(model)
        if thing is not None and thing.level in levels:
            yield thing, model
