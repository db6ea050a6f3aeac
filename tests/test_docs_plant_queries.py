"""The queries of the pages of a plant's streams, asked of PostgreSQL and DuckDB."""

from __future__ import annotations

import typing as t

import pytest

from emulator import Emulator
from emulator.plant import SIZES
from tap_iot_sitewise.streams import GROUPS
from tests.conftest import TapCommand, static
from tests.databases import in_duckdb, in_postgres
from tests.documents import page
from tests.test_targets import FLATTENED

if t.TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from emulator.plant import Plant
    from tests.databases import Ask, Row

STREAMS = [stream.name for stream in GROUPS["plant"]]
QUERIES = [
    pytest.param(block.text, id=f"{stream}: {block.section}")
    for stream in STREAMS
    for block in page(f"docs/streams/{stream}.md").blocks("sql")
]


@pytest.fixture(scope="module")
def aws() -> Iterator[Emulator]:
    # Both sites have a portal, and each of their three lines has a project.
    with Emulator(
        contents="factory",
        asset_models=33,
        portals=4,
        projects_per_portal=3,
        sizes=SIZES["factory"],
    ) as emulator:
        yield emulator


@pytest.fixture(scope="module")
def plant(aws: Emulator) -> Plant:
    return aws.plant


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("plant")


@pytest.fixture(scope="module")
def output(aws: Emulator, directory: Path) -> bytes:
    run = TapCommand(directory)(static(aws, extra_streams=["plant"], **FLATTENED))
    return run.succeeded().output


@pytest.fixture(scope="module")
def postgres(output: bytes, directory: Path) -> Iterator[Ask]:
    with in_postgres(output, directory) as ask:
        yield ask


@pytest.fixture(scope="module")
def duck(output: bytes, directory: Path) -> Iterator[Ask]:
    with in_duckdb(output, directory) as ask:
        yield ask


@pytest.fixture(
    params=["postgres", pytest.param("duck", marks=pytest.mark.target_duckdb)]
)
def ask(request: pytest.FixtureRequest) -> Ask:
    """Asks one of the databases, in turn."""
    found: Ask = request.getfixturevalue(request.param)
    return found


def answer(ask: Ask, stream: str, section: str) -> list[Row]:
    return ask(page(f"docs/streams/{stream}.md").block(section, "sql"))


def chosen(rows: list[Row], *columns: str) -> list[tuple[t.Any, ...]]:
    """Return some columns of rows, in an order that does not depend on a collation."""
    return sorted((tuple(row[c] for c in columns) for row in rows), key=repr)


def ordered(rows: t.Iterable[tuple[t.Any, ...]]) -> list[tuple[t.Any, ...]]:
    return sorted(rows, key=repr)


def every(plant: Plant, kind: str) -> list[Row]:
    return [record for group in plant.by_parent(kind).values() for record in group]


def model_names(plant: Plant) -> dict[str, str]:
    return {model["id"]: model["name"] for model in plant.asset_models}


# All queries


@pytest.mark.parametrize("query", QUERIES)
def test_a_query_of_the_pages_has_an_answer(ask: Ask, query: str) -> None:
    assert ask(query)


@pytest.mark.target_duckdb
@pytest.mark.parametrize("query", QUERIES)
def test_a_query_has_the_same_answer_in_both_databases(
    postgres: Ask, duck: Ask, query: str
) -> None:
    first, second = postgres(query), duck(query)

    assert list(first[0]) == list(second[0])
    assert chosen(first, *first[0]) == chosen(second, *first[0])


@pytest.mark.parametrize("stream", STREAMS)
def test_a_page_has_queries(stream: str) -> None:
    assert 3 <= len(page(f"docs/streams/{stream}.md").blocks("sql")) <= 5


# What some of them answer


def test_the_tree_has_the_path_and_the_model_of_each_asset(
    ask: Ask, plant: Plant
) -> None:
    rows = answer(
        ask,
        "asset_associations",
        "Asset tree with the path and the model of each asset",
    )

    models = model_names(plant)
    parents = {
        child["id"]: plant.find("assets", parent)
        for parent, children in plant.by_parent("asset_associations").items()
        for child in children
    }

    def path(asset: Row) -> str:
        above = parents.get(asset["id"])
        return f"{path(above)} / {asset['name']}" if above else str(asset["name"])

    assert chosen(rows, "path", "model") == ordered(
        (path(asset), models[asset["assetModelId"]]) for asset in every(plant, "assets")
    )
    assert {"path": "Hamburg / Line 2 / Press 1", "model": "Press"} in rows


def test_the_properties_of_an_asset_have_a_name_a_unit_and_a_type(
    ask: Ask, plant: Plant
) -> None:
    rows = answer(
        ask, "asset_properties", "Properties of an asset with name, unit and data type"
    )

    expected = []
    for asset in every(plant, "assets"):
        if asset["name"] != "Press 1":
            continue
        for each in plant.listing("asset_properties", asset["id"]).records:
            model = plant.find("asset_model_properties", each["id"])
            unit = each.get("unit", model.get("unit"))
            expected.append(
                (
                    asset["description"],
                    model["name"],
                    unit,
                    model["dataType"],
                    next(iter(model["type"])),
                    each.get("alias"),
                )
            )
    columns = ("description", "property", "unit", "data_type", "property_type", "alias")
    assert expected
    assert chosen(rows, *columns) == ordered(expected)


def test_the_assets_in_no_project_are_those_that_no_project_names(
    ask: Ask, plant: Plant
) -> None:
    rows = answer(ask, "assets", "Assets in no project")

    models = model_names(plant)
    shown = {each["assetId"] for each in every(plant, "project_assets")}
    assert chosen(rows, "name", "model", "description") == ordered(
        (asset["name"], models[asset["assetModelId"]], asset["description"])
        for asset in every(plant, "assets")
        if asset["id"] not in shown
    )


def test_the_models_without_assets_could_have_some(ask: Ask, plant: Plant) -> None:
    rows = answer(ask, "assets", "Asset models without assets")

    assert chosen(rows, "name", "state") == ordered(
        (model["name"], model["status"]["state"])
        for model in plant.asset_models
        if model["assetModelType"] == "ASSET_MODEL"
        and not plant.listing("assets", model["id"]).records
    )


def test_the_data_streams_without_an_asset_are_all_there(
    ask: Ask, plant: Plant
) -> None:
    rows = answer(ask, "time_series", "Data streams without an asset")

    assert chosen(rows, "time_series_id", "alias", "data_type") == ordered(
        (each["timeSeriesId"], each["alias"], each["dataType"])
        for each in plant.listing("time_series").records
        if "assetId" not in each
    )


def test_who_can_see_a_portal_includes_access_through_its_projects(
    ask: Ask, plant: Plant
) -> None:
    rows = answer(
        ask, "access_policies", "Who can see a portal, also through its projects"
    )

    wire = {
        "user": ("user", "id"),
        "group": ("group", "id"),
        "iamUser": ("iam_user", "arn"),
        "iamRole": ("iam_role", "arn"),
    }
    expected = []
    for portal in plant.portals:
        resources = [(portal["id"], None)]
        resources += [
            (each["id"], each["name"]) for each in plant.projects[portal["id"]]
        ]
        for resource, project in resources:
            for policy in plant.listing("access_policies", resource).records:
                ((member, identity),) = policy["identity"].items()
                kind, name = wire[member]
                expected.append(
                    (
                        portal["name"],
                        kind,
                        identity[name],
                        policy["permission"],
                        project,
                    )
                )
    columns = ("portal", "identity_type", "identity_id", "permission", "project")
    assert {project for *_, project in expected} > {None}
    assert chosen(rows, *columns) == ordered(expected)


def test_the_gateways_out_of_sync_have_such_a_capability(
    ask: Ask, plant: Plant
) -> None:
    rows = answer(ask, "gateways", "Gateways out of sync")

    statuses = {
        gateway["gatewayName"]: {
            each["capabilitySyncStatus"]
            for each in gateway["gatewayCapabilitySummaries"]
        }
        for gateway in plant.listing("gateways").records
    }
    assert chosen(rows, "name", "sync_failed") == ordered(
        (name, "SYNC_FAILED" in found)
        for name, found in statuses.items()
        if found & {"OUT_OF_SYNC", "SYNC_FAILED"}
    )
