"""docs/loading.md: the commands for a run without Meltano do what the page says."""

from __future__ import annotations

import csv
import json
import os
import subprocess
import typing as t

import psycopg
import pytest
from psycopg import sql

from demo.postgres import server
from emulator import Fault
from tap_iot_sitewise.streams import STREAMS
from tests import expected
from tests.conftest import COMMAND, ROOT, clean_environment, select, static
from tests.documents import page
from tests.targets import Database

if t.TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from emulator import Emulator
    from tests.conftest import Message, TapCommand

LOADING = page("docs/loading.md")
NAMES = [stream.name for stream in STREAMS]


class Recipes:
    """The commands of the page, in a directory with the files that they read."""

    def __init__(self, tap: TapCommand, catalog: Message, database: Database) -> None:
        self.directory = tap.directory
        self.schema = database.new_schema()
        self._database = database
        tap.file("csv.json", json.loads(LOADING.block("CSV", "json")))
        shown = json.loads(LOADING.block("PostgreSQL", "json"))
        # Which server it is differs from place to place; the rest is as shown.
        here = {
            name: value
            for name, value in shown.items()
            if name not in {"host", "port", "user", "password", "database"}
        }
        assert here.keys() == {"default_target_schema", "load_method"}
        tap.file("postgres.json", {**here, **database.settings(self.schema)})
        incremental = select(
            catalog,
            *NAMES,
            replication_method="INCREMENTAL",
            replication_key="last_update_date",
        )
        tap.file("catalog.json", incremental)
        targets = (
            ROOT / ".tools" / name / "bin" for name in ("target-csv", "target-postgres")
        )
        programs = (COMMAND.parent, *targets, os.environ["PATH"])
        self._environment = clean_environment(PATH=":".join(map(str, programs)))

    def run(self, language: str) -> int:
        """Run the commands as one who copies them; return their exit code."""
        (text,) = (
            block.text
            for block in LOADING.blocks(language)
            if block.section == "Run without Meltano"
        )
        return subprocess.run(
            ["bash", "-c", text],  # noqa: S607 - as the reader of the page calls it
            cwd=self.directory,
            env=self._environment,
            check=False,
            capture_output=True,
            timeout=120,
        ).returncode

    def prefer(self, directory: Path) -> None:
        """Have programs of a directory run in the place of others of their name."""
        self._environment["PATH"] = f"{directory}:{self._environment['PATH']}"

    @property
    def state(self) -> t.Any:  # noqa: ANN401
        return json.loads((self.directory / "state.json").read_text("utf-8"))

    def in_csv(self) -> list[str]:
        with (self.directory / "plant" / "projects.csv").open(newline="") as file:
            return [row["name"] for row in csv.DictReader(file)]

    def in_postgres(self) -> list[str]:
        query = sql.SQL("SELECT name FROM {}")
        table = sql.Identifier(self.schema, "projects")
        with psycopg.connect(self._database.url) as connection:
            rows = connection.execute(query.format(table)).fetchall()
        return sorted(name for (name,) in rows)


@pytest.fixture(scope="module")
def database() -> Iterator[Database]:
    with server() as url:
        yield Database(url)


@pytest.fixture
def recipes(
    tap: TapCommand, aws: Emulator, catalog: Message, database: Database
) -> Recipes:
    tap.file("config.json", static(aws))
    return Recipes(tap, catalog, database)


def names(aws: Emulator) -> list[str]:
    return [record["name"] for record in expected.records(aws.plant)["projects"]]


def test_the_two_steps_of_the_page_load_the_plant_and_a_failure_keeps_the_last_load(
    recipes: Recipes, aws: Emulator
) -> None:
    assert recipes.run("sh") == 0
    loaded = recipes.in_csv()
    assert loaded == names(aws)

    aws.plant.delete("portals", aws.plant.portals[0]["id"])
    aws.faults.always("ListProjects", Fault.ACCESS_DENIED, after=2)

    assert recipes.run("sh") != 0
    assert recipes.in_csv() == loaded


def test_the_pipe_of_the_page_works_from_the_first_run_on_and_goes_on_from_its_state(
    recipes: Recipes, aws: Emulator
) -> None:
    portal = aws.plant.portals[0]
    old = aws.plant.projects[portal["id"]][0]["id"]
    aws.plant.touch("projects", old, at=1.5e9)
    assert recipes.run("bash") == 0
    first = recipes.state["bookmarks"]
    aws.plant.change("projects", old, name="without a new date")
    added = aws.plant.add("projects", parent=portal["id"])
    aws.plant.touch("projects", added["id"])

    assert recipes.run("bash") == 0
    assert first.keys() == recipes.state["bookmarks"].keys() == set(NAMES)
    assert all(bookmark["replication_key_value"] for bookmark in first.values())
    # Only what has a new date came again.
    assert added["name"] in recipes.in_postgres()
    assert "without a new date" not in recipes.in_postgres()


@pytest.mark.parametrize(
    "failure",
    [
        "a wrong key",
        "access denied",
        "the target fails",
        "the target passes on nothing",
    ],
)
def test_a_pipe_that_fails_leaves_the_state_as_it_was(
    recipes: Recipes, tap: TapCommand, aws: Emulator, failure: str
) -> None:
    before = {
        "bookmarks": {
            "portals": {
                "replication_key": "last_update_date",
                "replication_key_value": "2024-05-31T00:00:00+00:00",
            }
        }
    }
    tap.file("state.json", before)
    if failure == "a wrong key":
        other = f"{aws.secret_access_key}x"
        tap.file("config.json", static(aws, aws_secret_access_key=other))
    elif failure == "access denied":
        aws.deny("iotsitewise:ListProjects")
    elif failure == "the target fails":
        tap.file("postgres.json", {"sqlalchemy_url": "postgresql://127.0.0.1:9/none"})
    else:
        target = tap.file("target-postgres", "#!/bin/sh\ncat > /dev/null\n")
        target.chmod(0o700)
        recipes.prefer(tap.directory)

    assert recipes.run("bash") != 0
    assert recipes.state == before
    # And again: nothing that a failed run leaves stands in the way of the next.
    assert recipes.run("bash") != 0
    assert recipes.state == before


def test_a_first_run_that_fails_leaves_a_state_to_begin_with(
    recipes: Recipes, aws: Emulator
) -> None:
    aws.faults.always("ListPortals", Fault.ACCESS_DENIED)

    assert recipes.run("bash") != 0
    assert recipes.state == {}

    aws.faults.clear()
    assert recipes.run("bash") == 0
    assert recipes.in_postgres() == sorted(names(aws))
