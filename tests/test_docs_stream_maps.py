"""docs/stream-maps.md: its examples, through the command, and what comes out."""

from __future__ import annotations

import gzip
import hashlib
import json
import re
import shlex
import typing as t
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
import yaml

from tests import expected
from tests.conftest import select, static
from tests.documents import page

if t.TYPE_CHECKING:
    from emulator import Emulator
    from tests.conftest import Message, TapCommand

PAGE = page("docs/stream-maps.md")
FLATTENED = {"flattening_enabled": True, "flattening_max_depth": 2}


def config(section: str) -> dict[str, t.Any]:
    shown: dict[str, t.Any] = yaml.safe_load(PAGE.block(section, "yaml"))["config"]
    return shown


def salt() -> dict[str, t.Any]:
    """Return what the page's line for `.env` sets."""
    (line,) = PAGE.block("Hash a column", "dotenv").splitlines()
    (assignment,) = shlex.split(line)
    name, value = assignment.split("=", 1)
    return {name.removeprefix("TAP_IOT_SITEWISE_").lower(): json.loads(value)}


def test_a_renamed_column_holds_the_values_of_the_old_one_in_a_renamed_table(
    tap: TapCommand, aws: Emulator
) -> None:
    run = tap(static(aws, **config("Rename a column"), **FLATTENED)).succeeded()

    (schema,) = run.of("SCHEMA", "sites")
    columns = schema["schema"]["properties"].keys()
    assert "portal_name" in columns
    assert "name" not in columns
    assert [
        (record["portal_id"], record["portal_name"]) for record in run.records("sites")
    ] == [
        (record["portal_id"], record["name"])
        for record in expected.records(aws.plant)["portals"]
    ]
    assert all("name" not in record for record in run.records("sites"))
    assert run.records("portals") == []


def test_a_filter_sees_the_record_before_it_is_flattened(
    tap: TapCommand, aws: Emulator
) -> None:
    models = expected.records(aws.plant)["asset_models"]
    kept = [
        record["asset_model_id"]
        for record in models
        if record["status"]["state"] == "FAILED"
        and record["asset_model_type"] != "INTERFACE"
    ]
    assert 0 < len(kept) < len(models)

    run = tap(static(aws, **config("Filter rows"), **FLATTENED)).succeeded()

    sent = run.records("asset_models")
    assert [record["asset_model_id"] for record in sent] == kept
    assert {record["status__state"] for record in sent} == {"FAILED"}


def test_a_filter_that_names_a_flattened_column_stops_the_run(
    tap: TapCommand, aws: Emulator
) -> None:
    assert "not `status__state`" in PAGE.section("Rules for expressions")
    maps = {"asset_models": {"__filter__": "status__state == 'FAILED'"}}

    run = tap(static(aws, stream_maps=maps, **FLATTENED))

    assert "status__state" in run.error


def test_a_filter_on_portals_leaves_the_projects_of_all_portals(
    tap: TapCommand, aws: Emulator
) -> None:
    maps = {"portals": {"__filter__": "status['state'] == 'FAILED'"}}
    every = expected.records(aws.plant)

    run = tap(static(aws, stream_maps=maps)).succeeded()

    assert 0 < len(run.records("portals")) < len(every["portals"])
    assert run.records("projects") == every["projects"]


def test_a_hashed_column_holds_the_hash_of_salt_and_value_and_null_stays_null(
    tap: TapCommand, aws: Emulator
) -> None:
    aws.plant.change("portals", aws.plant.portals[0]["id"], roleArn=None)
    settings = {**config("Hash a column"), **salt()}

    def hashed(value: str | None) -> str | None:
        if value is None:
            return None
        salted = settings["stream_map_config"]["salt"] + value
        return hashlib.sha256(salted.encode()).hexdigest()

    run = tap(static(aws, **settings, **FLATTENED)).succeeded()

    every = expected.records(aws.plant)["portals"]
    assert [
        (record["role_arn"], record["start_url"]) for record in run.records("portals")
    ] == [(hashed(record["role_arn"]), hashed(record["start_url"])) for record in every]
    assert run.records("portals")[0]["role_arn"] is None
    assert "arn:aws:iam" not in run.output.decode()


def test_an_expression_without_a_guard_stops_at_a_null(
    tap: TapCommand, aws: Emulator
) -> None:
    aws.plant.change("portals", aws.plant.portals[0]["id"], roleArn=None)
    guarded = {"portals": {"role_arn": "role_arn[:3] if role_arn else None"}}
    bare = {"portals": {"role_arn": "role_arn[:3]"}}

    assert tap(static(aws, stream_maps=guarded)).code == 0
    assert tap(static(aws, stream_maps=bare)).code == 1


def test_the_expressions_of_the_rules_can_be_used(
    tap: TapCommand, aws: Emulator
) -> None:
    rules = PAGE.section("Rules for expressions")
    (state,) = re.findall(r"`state: ([^`]+)`", rules)
    (short,) = re.findall(r"`(name\[[^`]+)`", rules)
    maps = {"portals": {"state": state, "short": short, "lower": "name.lower()"}}

    run = tap(static(aws, stream_maps=maps, **FLATTENED)).succeeded()

    for record in run.records("portals"):
        assert record["state"] == record["status__state"]
        assert record["short"] == record["name"][:20]
        assert record["lower"] == record["name"].lower()


def test_an_expression_sees_selected_columns_only(
    tap: TapCommand, aws: Emulator, catalog: Message
) -> None:
    chosen = select(catalog, "portals")
    for entry in chosen["streams"]:
        for item in entry["metadata"]:
            if item["breadcrumb"][-1:] == ["role_arn"]:
                item["metadata"]["selected"] = False
    maps = {"portals": {"role": "role_arn"}}

    assert tap(static(aws, stream_maps=maps), catalog=chosen).code == 1


def test_batches_are_files_of_the_form_that_the_page_shows(
    tap: TapCommand, aws: Emulator
) -> None:
    settings = config("Write batch files")
    storage = settings["batch_config"]["storage"]
    assert storage["root"] == "file:///srv/plant/batches"
    storage["root"] = (tap.directory / "batches").as_uri()

    run = tap(static(aws, **settings, **FLATTENED)).succeeded()

    for stream, records in expected.records(aws.plant).items():
        paths = [
            Path(unquote(urlsplit(url).path))
            for message in run.of("BATCH", stream)
            for url in message["manifest"]
        ]
        assert all(path.name.startswith(storage["prefix"]) for path in paths)
        held = [
            json.loads(line)
            for path in paths
            for line in gzip.decompress(path.read_bytes()).splitlines()
        ]
        key = next(iter(records[0]))
        assert [record[key] for record in held] == [record[key] for record in records]
        assert all("status" not in record for record in held)


@pytest.mark.parametrize("compression", ["gzip", "none"])
def test_batch_files_are_compressed_whatever_is_set(
    tap: TapCommand, aws: Emulator, compression: str
) -> None:
    assert "always compressed with gzip" in PAGE.section("Write batch files")
    settings = config("Write batch files")["batch_config"]
    settings["storage"]["root"] = tap.directory.as_uri()
    settings["encoding"]["compression"] = compression

    run = tap(static(aws, batch_config=settings)).succeeded()

    (message,) = run.of("BATCH", "portals")
    (url,) = message["manifest"]
    content = Path(unquote(urlsplit(url).path)).read_bytes()
    assert len(gzip.decompress(content).splitlines()) == len(aws.plant.portals)
