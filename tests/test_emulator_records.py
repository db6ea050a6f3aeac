"""The records of generated plants: botocore knows them, and they fit together."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest

from tests.operations import (
    CASES,
    MODEL,
    Record,
    account,
    every,
    ids,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from emulator import Plant


@pytest.fixture(scope="module")
def factory() -> Plant:
    return account("factory").plant


# Members and values


TYPES: dict[str, Any] = {
    "structure": dict,
    "list": (list, tuple),
    "string": str,
    "timestamp": float,
}


def problems(shape: Any, value: Any, place: str) -> Iterator[str]:  # noqa: ANN401
    """Yield where a value differs from botocore's model."""
    kind = shape.type_name
    if not isinstance(value, TYPES[kind]):
        yield f"{place}: {value!r} is not a {kind}"
    elif kind == "structure":
        known_members, required = set(shape.members), set(shape.required_members)
        for name in set(value) - known_members:
            yield f"unknown member {shape.name}.{name}"
        for name in required - set(value):
            yield f"{place} has no {name}"
        for name in known_members & set(value):
            yield from problems(shape.members[name], value[name], f"{place}.{name}")
    elif kind == "list":
        yield from wrong_length(shape, value, place)
        for each in value:
            yield from problems(shape.member, each, f"{place}[]")
    elif kind == "string":
        yield from wrong_length(shape, value, place)
        yield from wrong_text(shape, value, place)


def wrong_text(shape: Any, value: str, place: str) -> Iterator[str]:  # noqa: ANN401
    pattern = shape.metadata.get("pattern", "(?s).*")
    if not re.fullmatch(pattern, value):
        yield f"{place}: {value!r} does not match {pattern}"
    if shape.enum and value not in shape.enum:
        yield f"{place}: {value!r} is not one of {shape.enum}"


def wrong_length(shape: Any, value: Any, place: str) -> Iterator[str]:  # noqa: ANN401
    least, most = shape.metadata.get("min", 0), shape.metadata.get("max", len(value))
    if not least <= len(value) <= most:
        yield f"{place}: the length of {value!r} is not {least} to {most}"


def problems_of(plant: Plant) -> list[str]:
    shapes = [case.shape for case in CASES]
    found = [
        problem
        for case, shape in zip(CASES, shapes, strict=True)
        for parent in case.parents(plant)
        for record in case.listed(plant, parent)
        for problem in problems(shape, record, case.operation)
    ]
    hierarchy = MODEL.shape_for("AssetModelHierarchy")
    for record in every(plant, "asset_model_hierarchies"):
        found += problems(hierarchy, record, "hierarchy")
    return found


UNKNOWN_MEMBERS = {"unknown member PropertyType.formulaOfEdge"}
"""Members of the hostile plant that no version of botocore knows, on purpose."""


def test_a_factory_satisfies_botocores_model(factory: Plant) -> None:
    assert problems_of(factory) == []


@pytest.mark.parametrize("asset_models", [3, 8, 30, 70])
def test_a_factory_of_any_size_satisfies_botocores_model(asset_models: int) -> None:
    assert problems_of(account("factory", asset_models).plant) == []


def test_a_hostile_plant_has_only_the_unknown_members_that_it_should() -> None:
    found = {
        problem
        for problem in problems_of(account("hostile").plant)
        if problem.startswith("unknown member")
    }
    assert found == UNKNOWN_MEMBERS


@pytest.mark.parametrize(
    ("shape", "value", "words"),
    [
        ("ErrorDetails", {"code": "INTERNAL_FAILURE"}, "has no message"),
        ("AssetHierarchy", {"name": "x", "names": 1}, "AssetHierarchy.names"),
        ("AssetHierarchy", {"name": ""}, "not 1 to 256"),
        ("AssetHierarchy", {"name": "tab\t"}, "does not match"),
        ("AssetHierarchy", {"name": 1}, "is not a string"),
        ("AssetHierarchies", [{"name": "x", "id": "y"}], "not 36 to 36"),
        ("ForwardingConfig", {"state": "MAYBE"}, "is not one of"),
        ("Timestamp", "2020-01-01", "is not a timestamp"),
    ],
)
def test_what_differs_from_botocores_model_is_found(
    shape: str, value: object, words: str
) -> None:
    assert words in "\n".join(problems(MODEL.shape_for(shape), value, "x"))


# The factory's consistency


def test_a_factory_has_records_of_every_kind(factory: Plant) -> None:
    for case in CASES:
        assert any(case.listed(factory, parent) for parent in case.parents(factory))
    assert every(factory, "asset_model_hierarchies")


@pytest.fixture(params=[3, 8, 30, 33, 70])
def some_factory(request: pytest.FixtureRequest) -> Plant:
    return account("factory", request.param).plant


def test_asset_models_refer_to_what_exists(some_factory: Plant) -> None:
    plant = some_factory
    hierarchies = plant.by_parent("asset_model_hierarchies")
    composites = plant.by_parent("asset_model_composite_models")
    properties = plant.by_parent("asset_model_properties")
    child_of = {
        each["id"]: each["childAssetModelId"]
        for each in every(plant, "asset_model_hierarchies")
    }
    assert len(child_of) == len(every(plant, "asset_model_hierarchies"))
    for model in plant.asset_models:
        for hierarchy in hierarchies[model["id"]]:
            child = plant.find("asset_models", hierarchy["childAssetModelId"])
            assert child["assetModelType"] == "ASSET_MODEL"
        for composite in composites[model["id"]]:
            last = {"id": composite["id"], "name": composite["name"]}
            assert composite["path"][-1] == last
        own = {each["id"]: each for each in properties[model["id"]]}
        parts = {each["id"]: each["name"] for each in composites[model["id"]]}
        for each in own.values():
            path = [{"id": model["id"], "name": model["name"]}]
            if "assetModelCompositeModelId" in each:
                part = each["assetModelCompositeModelId"]
                path.append({"id": part, "name": parts[part]})
            assert each["path"] == [*path, {"id": each["id"], "name": each["name"]}]
            for summary in each.get("interfaceSummaries", ()):
                interface = summary["interfaceAssetModelId"]
                found = plant.find("asset_models", interface)
                assert found["assetModelType"] == "INTERFACE"
                implemented = summary["interfaceAssetModelPropertyId"]
                assert implemented in ids(list(properties[interface]))
            (kind,) = each["type"].values()
            names = [variable["name"] for variable in kind.get("variables", ())]
            assert all(name in kind["expression"] for name in names)
            for variable in kind.get("variables", ()):
                value = variable["value"]
                read, owner = value["propertyId"], model["id"]
                if "hierarchyId" in value:
                    assert value["hierarchyId"] in ids(list(hierarchies[owner]))
                    owner = child_of[value["hierarchyId"]]
                assert read in ids(list(properties[owner]))
                for segment in value.get("propertyPath", ()):
                    assert segment["id"] in {owner, read}


def test_assets_refer_to_what_exists(some_factory: Plant) -> None:
    plant = some_factory
    hierarchies = {each["id"]: each for each in every(plant, "asset_model_hierarchies")}
    of_models = plant.by_parent("asset_model_hierarchies")
    for model, assets in plant.by_parent("assets").items():
        assert not assets or (
            plant.find("asset_models", model)["assetModelType"] == "ASSET_MODEL"
        )
        for asset in assets:
            assert asset["assetModelId"] == model
            assert ids(asset["hierarchies"]) == ids(list(of_models[model]))
    parents: Counter[str] = Counter()
    for parent, associations in plant.by_parent("asset_associations").items():
        own = ids(plant.find("assets", parent)["hierarchies"])
        for each in associations:
            assert each["hierarchyId"] in own
            child = plant.find("assets", each["id"])
            hierarchy = hierarchies[each["hierarchyId"]]
            assert child["assetModelId"] == hierarchy["childAssetModelId"]
            parents[child["id"]] += 1
    assert set(parents.values()) <= {1}
    # Only sites are at the top.
    for asset in every(plant, "assets"):
        of_model = plant.find("asset_models", asset["assetModelId"])
        assert (asset["id"] in parents) is (of_model["name"] != "Site")


def test_properties_of_assets_are_those_of_their_models(some_factory: Plant) -> None:
    plant = some_factory
    models = plant.by_parent("asset_model_properties")
    aliases = Counter(
        each["alias"] for each in every(plant, "asset_properties") if "alias" in each
    )
    assert set(aliases.values()) <= {1}
    for asset_id, properties in plant.by_parent("asset_properties").items():
        asset = plant.find("assets", asset_id)
        of_model = models[asset["assetModelId"]]
        assert ids(list(properties)) == ids(list(of_model))
        for own, model in zip(properties, of_model, strict=True):
            assert own.get("unit") == model.get("unit")
            composite = model.get("assetModelCompositeModelId")
            assert own.get("assetCompositeModelId") == composite
            assert own["path"][0] == {"id": asset_id, "name": asset["name"]}
            assert own["path"][1:] == model["path"][1:]
            assert asset_id in own["notification"]["topic"]
            assert asset["assetModelId"] in own["notification"]["topic"]


def test_time_series_are_those_of_properties(some_factory: Plant) -> None:
    plant = some_factory
    properties = {
        (asset, each["id"]): each
        for asset, group in plant.by_parent("asset_properties").items()
        for each in group
    }
    without = 0
    for series in plant.listing("time_series").records:
        if "assetId" not in series:
            without += 1
            assert "propertyId" not in series
            assert series["alias"] not in {
                each.get("alias") for each in properties.values()
            }
            continue
        key = series["assetId"], series["propertyId"]
        own = properties.pop(key)
        assert series.get("alias") == own.get("alias")
        assert series["timeSeriesId"] == ":".join(key)
        model = plant.find("asset_model_properties", key[1])
        assert series["dataType"] == model["dataType"]
        assert series.get("dataTypeSpec") == model.get("dataTypeSpec")
    assert without
    # What has no time series is an attribute.
    for _, found in properties:
        assert "attribute" in plant.find("asset_model_properties", found)["type"]


def test_what_belongs_to_portals_and_projects_exists(factory: Plant) -> None:
    sites = {asset["name"]: asset for asset in sites_of(factory)}
    for project, assets in factory.by_parent("project_assets").items():
        portal = factory.find("portals", str(factory.parent("projects", project)))
        site = sites[portal["name"].rpartition(" ")[0]]
        below = descendants(factory, site["id"])
        assert {each["assetId"] for each in assets} <= below
        assert assets
    for parent, policies in factory.by_parent("access_policies").items():
        kind = "portal" if factory.has("portals", parent) else "project"
        assert policies
        for policy in policies:
            assert policy["resource"] == {kind: {"id": parent}}


def sites_of(plant: Plant) -> list[Record]:
    children = {each["id"] for each in every(plant, "asset_associations")}
    return [a for a in every(plant, "assets") if a["id"] not in children]


def descendants(plant: Plant, asset: str) -> set[str]:
    children = {each["id"] for each in plant.by_parent("asset_associations")[asset]}
    return children.union(*(descendants(plant, child) for child in children))


def test_a_factory_has_three_levels_of_assets(factory: Plant) -> None:
    levels = [sites_of(factory)]
    below = factory.by_parent("asset_associations")
    while levels[-1]:
        levels.append(
            [
                factory.find("assets", each["id"])
                for asset in levels[-1]
                for each in below[asset["id"]]
            ]
        )
    sites, lines, machines = levels[:-1]
    assert {site["name"] for site in sites} == {"Cork", "Hamburg"}
    assert {"Line 1", "Line 2", "Line 3"} <= {line["name"] for line in lines}
    assert {"Press 1", "Filler 1"} <= {machine["name"] for machine in machines}
    assert len([*sites, *lines, *machines]) == len(every(factory, "assets"))


def test_aliases_lead_from_the_site_to_the_property(factory: Plant) -> None:
    aliases = {each.get("alias") for each in every(factory, "asset_properties")}
    assert {
        "/hamburg/line-2/press-1/temperature",
        "/cork/line-1/filler-1/good-parts",
        "/cork/outdoor-temperature",
    } <= aliases


def test_ids_and_external_ids_are_unique(some_factory: Plant) -> None:
    for case in CASES:
        if case.kind in {"asset_associations", "asset_properties", "project_assets"}:
            continue
        records = [
            record
            for parent in case.parents(some_factory)
            for record in some_factory.listing(case.kind, parent).records
        ]
        key = some_factory.listing(case.kind, case.parents(some_factory)[0]).key
        assert len({record[key] for record in records}) == len(records)
        external = [each["externalId"] for each in records if "externalId" in each]
        assert len(set(external)) == len(external)
