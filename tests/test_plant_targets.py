"""The extra streams in tables: loaded with Meltano, after deletions, after failures."""

from __future__ import annotations

import json
import subprocess
import typing as t
from contextlib import closing

import duckdb
import pytest

from emulator import Emulator
from emulator.faults import Fault
from emulator.plant import SIZES
from tests import expected, expected_plant
from tests.conftest import ROOT, clean_environment, static
from tests.targets import as_text, load
from tests.test_meltano import MELTANO

if t.TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.conftest import Message, TapCommand
    from tests.targets import Database

Key = tuple[t.Any, ...]


@pytest.fixture
def plant() -> Iterator[Emulator]:
    with Emulator(
        asset_models=9, portals=3, projects_per_portal=2, sizes=SIZES["hostile"]
    ) as emulator:
        yield emulator


def flat(record: Message, columns: dict[str, t.Any], depth: int = 2) -> Message:
    """Return a record as a flattened table has it: objects as columns of their own."""
    found: Message = {}
    for column, inner in columns.items():
        value = record[column]
        if inner and isinstance(inner, dict) and depth:
            members = value or dict.fromkeys(inner)
            for name, member in flat(members, inner, depth - 1).items():
                found[f"{column}__{name}"] = member
        else:
            found[column] = value
    return found


def key_of(stream: str, row: Message) -> Key:
    columns = list(expected_plant.COLUMNS[stream])
    return tuple(row[c] for c in expected_plant.KEYS.get(stream, columns[:1]))


def expected_rows(aws: Emulator) -> dict[str, dict[Key, Message]]:
    found = {}
    for stream, records in expected_plant.records(aws.plant).items():
        rows = [flat(record, expected_plant.COLUMNS[stream]) for record in records]
        found[stream] = {key_of(stream, row): row for row in rows}
        assert len(found[stream]) == len(rows)
    return found


def read(row: Message, like: Message) -> Message:
    """Return a row as the record has it, without the target's own columns."""
    found = {}
    for column in row.keys() & like.keys():
        value = as_text(row[column])
        # Some targets keep a list as JSON text.
        is_json = isinstance(value, str) and not isinstance(like[column], str)
        found[column] = json.loads(str(value)) if is_json else value
    return found


def check(stream: str, rows: list[Message], wanted: dict[Key, Message]) -> None:
    keyed = {key_of(stream, row): row for row in rows}
    assert len(keyed) == len(rows), stream
    assert keyed.keys() == wanted.keys(), stream
    for key, row in keyed.items():
        own = {column for column in row if not column.startswith("_sdc_")}
        assert own == wanted[key].keys()
        assert read(row, wanted[key]) == wanted[key], stream


def meltano_run(aws: Emulator, directory: Path, schema: str, url: str) -> int:
    """Load the whole plant into PostgreSQL with Meltano; returns the exit code."""
    done = subprocess.run(
        [
            *(MELTANO, "--environment=prod", "run", "--full-refresh"),
            *("tap-iot-sitewise", "target-postgres"),
        ],
        cwd=ROOT,
        env=clean_environment(
            MELTANO_DATABASE_URI=f"sqlite:///{directory / 'meltano.db'}",
            TAP_IOT_SITEWISE_AWS_REGION=aws.region,
            TAP_IOT_SITEWISE_AWS_ENDPOINT_URL=aws.endpoint_url,
            TAP_IOT_SITEWISE_AWS_ACCESS_KEY_ID=aws.access_key_id,
            TAP_IOT_SITEWISE_AWS_SECRET_ACCESS_KEY=aws.secret_access_key,
            TAP_IOT_SITEWISE_EXTRA_STREAMS='["plant"]',
            TAP_IOT_SITEWISE_EMIT_ACTIVATE_VERSION_MESSAGES="true",
            TARGET_POSTGRES_SQLALCHEMY_URL=url.replace("sql:", "sql+psycopg:", 1),
            TARGET_POSTGRES_DEFAULT_TARGET_SCHEMA=schema,
            TARGET_POSTGRES_HARD_DELETE="true",
            PGTZ="UTC",
        ),
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert "is not a setting" not in done.stderr
    assert aws.secret_access_key not in done.stdout + done.stderr
    return done.returncode


@pytest.mark.usefixtures("meltano_project")
def test_exactly_the_live_rows_remain_and_a_failed_run_leaves_every_old_one(
    plant: Emulator, postgres: Database, tmp_path: Path
) -> None:
    schema = postgres.new_schema()

    def tables_hold(wanted: dict[str, dict[Key, Message]]) -> None:
        for stream, rows in wanted.items():
            check(stream, postgres.rows(schema, stream), rows)

    before = expected_rows(plant)
    assert meltano_run(plant, tmp_path, schema, postgres.url) == 0
    tables_hold(before)

    # A model and its assets, and an asset of another model.
    models = [model["id"] for model in plant.plant.asset_models]
    plant.plant.delete("asset_models", models[1])
    asset = plant.plant.listing("assets", models[2]).records[0]["id"]
    plant.plant.delete("assets", asset)
    after = expected_rows(plant)
    smaller = [name for name in after if len(after[name]) < len(before[name])]
    assert {"assets", "asset_properties", "time_series"} <= set(smaller)

    plant.faults.always("ListAssetProperties", Fault.ACCESS_DENIED, after=12)
    assert meltano_run(plant, tmp_path, schema, postgres.url) != 0
    tables_hold(before)

    plant.faults.clear()
    assert meltano_run(plant, tmp_path, schema, postgres.url) == 0
    tables_hold(after)
    found = postgres.rows(schema, "asset_models")
    assert {row["asset_model_id"] for row in found} == {
        record["asset_model_id"]
        for record in expected.records(plant.plant)["asset_models"]
    }


@pytest.mark.target_duckdb
def test_target_duckdb_holds_the_extra_streams_field_by_field(
    tap: TapCommand, plant: Emulator, tmp_path: Path
) -> None:
    run = tap(static(plant, extra_streams=["plant"])).succeeded()
    settings = {
        "path": "plant.duckdb",
        "default_target_schema": "main",
        "data_flattening_max_level": 2,
        "add_metadata_columns": True,
    }

    load("target-duckdb", tmp_path, settings, run.output)

    with closing(
        duckdb.connect(str(tmp_path / "plant.duckdb"), read_only=True)
    ) as database:
        for stream, wanted in expected_rows(plant).items():
            answer = database.execute(f"SELECT * FROM {stream}")  # noqa: S608 - own name
            columns = [column[0] for column in answer.description or ()]
            rows = [dict(zip(columns, row, strict=True)) for row in answer.fetchall()]
            # The target loads through CSV, where an empty text is a null.
            nulls = {
                key: {c: None if v == "" else v for c, v in row.items()}
                for key, row in wanted.items()
            }
            check(stream, rows, nulls)
