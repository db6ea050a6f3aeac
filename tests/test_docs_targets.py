"""docs/loading.md: the lines that install targets, and the loaders to paste."""

from __future__ import annotations

import json
import re
import shlex
import typing as t
from contextlib import closing

import duckdb
import psycopg
import pytest
import yaml

from demo.postgres import server
from tests import expected
from tests.conftest import ROOT, static
from tests.documents import page
from tests.targets import Database, load
from tests.test_targets import FLATTENED

if t.TYPE_CHECKING:
    from pathlib import Path

    from emulator import Emulator
    from tests.conftest import TapCommand

    Definition = dict[str, t.Any]

LOADING = page("docs/loading.md")
SECTIONS = {
    "target-csv": "CSV",
    "target-jsonl": "JSON Lines",
    "target-postgres": "PostgreSQL",
    "target-duckdb": "DuckDB",
}
PROJECT = yaml.safe_load((ROOT / "meltano.yml").read_text("utf-8"))
OWN = {loader["name"]: loader for loader in PROJECT["plugins"]["loaders"]}


def requirements(pip_url: str) -> list[str]:
    """Return what a loader's `pip_url` installs, without the repository's locks."""
    return pip_url.partition(" --constraint ")[0].split()


def shown(target: str) -> Definition:
    """Return the definition of a loader in its section of the page."""
    (loader,) = yaml.safe_load(LOADING.block(SECTIONS[target], "yaml"))["plugins"][
        "loaders"
    ]
    definition: Definition = loader
    return definition


def test_every_target_has_its_line() -> None:
    rows = {row["target"]: row["install with"] for row in LOADING.tables()[0]}

    assert list(rows) == list(SECTIONS.values())
    for target, section in SECTIONS.items():
        pip, install, *wanted = shlex.split(rows[section].strip("`"))
        assert (pip, install) == ("pip", "install")
        assert wanted == requirements(OWN[target]["pip_url"])
        lock = (ROOT / "locks" / f"{target}.lock").read_text("utf-8")
        for requirement in wanted:
            assert re.search(rf"^{re.escape(requirement)} \\$", lock, re.MULTILINE)


@pytest.mark.parametrize("target", ["target-jsonl", "target-postgres", "target-duckdb"])
def test_a_loader_to_paste_is_defined_as_the_one_of_the_project(target: str) -> None:
    definition, own = shown(target), OWN[target]

    assert definition["pip_url"].split() == requirements(own["pip_url"])
    for key in ("namespace", "executable", "env", "capabilities", "label"):
        assert definition.get(key) == own.get(key), key
    known = {setting["name"]: setting for setting in own["settings"]}
    for setting in definition["settings"]:
        its = known[setting["name"]]
        # A list of choices is left out.
        assert setting["kind"] in {its["kind"], "string"}
        assert setting.get("sensitive", False) == its.get("sensitive", False)
        assert setting["label"]
        assert setting["description"]
    assert definition["config"].keys() <= {
        setting["name"] for setting in definition["settings"]
    }


@pytest.mark.target_duckdb
def test_the_duckdb_loader_of_the_page_loads_every_row(
    tap: TapCommand, aws: Emulator, tmp_path: Path
) -> None:
    run = tap(static(aws, **FLATTENED)).succeeded()
    config = shown("target-duckdb")["config"]

    load("target-duckdb", tmp_path, config, run.output)

    with closing(duckdb.connect(str(tmp_path / config["path"]))) as database:
        for stream, records in expected.records(aws.plant).items():
            count = database.execute(f"SELECT count(*) FROM {stream}").fetchone()  # noqa: S608 - own name
            assert count == (len(records),)


def test_the_postgres_loader_of_the_page_updates_rows_by_their_key(
    tap: TapCommand, aws: Emulator, tmp_path: Path
) -> None:
    definition = shown("target-postgres")
    output = tap(static(aws, **FLATTENED)).succeeded().output
    with server() as url:
        database = Database(url)
        schema = definition["config"]["default_target_schema"]
        # Which server it is differs from place to place; the rest is as shown.
        config = {
            **{
                name: value
                for name, value in definition["config"].items()
                if name not in {"host", "port", "user", "database"}
            },
            "sqlalchemy_url": database.settings(schema)["sqlalchemy_url"],
        }

        for _ in range(2):
            load("target-postgres", tmp_path, config, output, **definition["env"])

        for stream, records in expected.records(aws.plant).items():
            assert len(database.rows(schema, stream)) == len(records)
        with psycopg.connect(url) as connection:
            kinds = connection.execute(
                "SELECT DISTINCT data_type FROM information_schema.columns "
                "WHERE table_schema = %s AND column_name = 'creation_date'",
                [schema],
            ).fetchall()
        assert kinds == [("timestamp without time zone",)]
        assert f"`{kinds[0][0]}`" in LOADING.section("PostgreSQL")


def test_json_lines_are_appended_only_if_the_files_have_no_time_in_their_names(
    tap: TapCommand, aws: Emulator, tmp_path: Path
) -> None:
    output = tap(static(aws)).succeeded().output
    config = shown("target-jsonl")["config"]
    assert config["do_timestamp_file"] is True

    load("target-jsonl", tmp_path, {**config, "destination_path": "new"}, output)
    for _ in range(2):
        settings = {"destination_path": "appended", "do_timestamp_file": False}
        load("target-jsonl", tmp_path, settings, output)

    portals = [record["portal_id"] for record in expected.records(aws.plant)["portals"]]
    (dated,) = (tmp_path / "new").glob("portals*.jsonl")
    assert re.fullmatch(r"portals-\d+T\d+\.jsonl", dated.name)
    lines = (tmp_path / "appended" / "portals.jsonl").read_bytes().splitlines()
    assert [json.loads(line)["portal_id"] for line in lines] == portals * 2
