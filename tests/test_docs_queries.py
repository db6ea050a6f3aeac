"""The queries of the stream pages, asked of a real PostgreSQL."""

from __future__ import annotations

import typing as t

import psycopg
import pytest
from psycopg.rows import dict_row

from demo.postgres import server
from emulator import Emulator
from tests.conftest import TapCommand, static
from tests.documents import page
from tests.targets import Database
from tests.test_targets import FLATTENED

if t.TYPE_CHECKING:
    from collections.abc import Iterator

    from psycopg import Connection

    Row = dict[str, t.Any]

STREAMS = ("asset_models", "portals", "projects")
QUERIES = [
    pytest.param(block.text, id=f"{stream}: {block.section}")
    for stream in STREAMS
    for block in page(f"docs/streams/{stream}.md").blocks("sql")
]


@pytest.fixture(scope="module")
def plant() -> Iterator[Emulator]:
    # Enough of each kind for every query to have an answer.
    with Emulator(asset_models=60, portals=14, projects_per_portal=6) as emulator:
        yield emulator


@pytest.fixture(scope="module")
def tables(
    plant: Emulator, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Connection[Row]]:
    """A connection to a database that the tap and target-postgres have filled."""
    directory = tmp_path_factory.mktemp("docs")
    copied = plant.plant.asset_models[0]
    plant.plant.change(
        "asset_models", plant.plant.asset_models[1]["id"], name=copied["name"]
    )
    run = TapCommand(directory)(static(plant, **FLATTENED)).succeeded()
    with server() as url:
        Database(url).load("sitewise", directory, run.output)
        with psycopg.connect(url, row_factory=dict_row) as connection:
            connection.execute("SET search_path TO sitewise")
            # A project whose portal was deleted since, and nobody told the target.
            connection.execute(
                "DELETE FROM portals WHERE portal_id = %s",
                [plant.plant.portals[-1]["id"]],
            )
            yield connection


def ask(tables: Connection[Row], stream: str, section: str) -> list[Row]:
    query = page(f"docs/streams/{stream}.md").block(section, "sql")
    return tables.execute(query.encode()).fetchall()


@pytest.mark.parametrize("query", QUERIES)
def test_a_query_of_the_pages_has_an_answer(
    tables: Connection[Row], query: str
) -> None:
    assert tables.execute(query.encode()).fetchall()


@pytest.mark.parametrize("stream", STREAMS)
def test_a_page_has_queries(stream: str) -> None:
    assert len(page(f"docs/streams/{stream}.md").blocks("sql")) >= 4


def test_the_models_that_are_not_active_are_those_of_the_plant(
    tables: Connection[Row], plant: Emulator
) -> None:
    rows = ask(tables, "asset_models", "Models that are not active")

    assert sorted((row["name"], row["status__state"]) for row in rows) == sorted(
        (model["name"], model["status"]["state"])
        for model in plant.plant.asset_models
        if model["status"]["state"] != "ACTIVE"
    )


def test_each_single_error_is_told(tables: Connection[Row], plant: Emulator) -> None:
    rows = ask(tables, "asset_models", "Errors of the models that failed")

    assert sorted((row["code"], row["message"]) for row in rows) == sorted(
        (detail["code"], detail["message"])
        for model in plant.plant.asset_models
        for detail in model["status"].get("error", {}).get("details", [])
    )


def test_the_projects_of_each_portal_are_counted(
    tables: Connection[Row], plant: Emulator
) -> None:
    rows = ask(tables, "portals", "Number of projects in each portal")

    assert {row["name"]: row["projects"] for row in rows} == {
        portal["name"]: len(plant.plant.projects[portal["id"]])
        for portal in plant.plant.portals[:-1]
    }


def test_the_rows_without_a_portal_are_those_of_the_deleted_one(
    tables: Connection[Row], plant: Emulator
) -> None:
    rows = ask(tables, "projects", "Projects without a portal")

    deleted = plant.plant.portals[-1]["id"]
    assert {row["project_id"] for row in rows} == {
        project["id"] for project in plant.plant.projects[deleted]
    }
