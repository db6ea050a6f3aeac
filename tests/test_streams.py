"""What the streams send, read from the command's stdout."""

from __future__ import annotations

import gzip
import json
import typing as t
from pathlib import Path
from urllib.parse import unquote, urlsplit

import jsonschema
import pytest

from emulator.faults import Fault
from tests import expected
from tests.conftest import select, static

if t.TYPE_CHECKING:
    from emulator import Emulator
    from tests.conftest import Message, TapCommand

STREAMS = ("asset_models", "portals", "projects")


@pytest.mark.parametrize(
    ("page_size", "zone"),
    [(1, "UTC"), (7, "Asia/Kolkata"), (50, "America/St_Johns"), (250, "Asia/Tokyo")],
)
def test_every_record_is_the_plants_field_by_field_in_any_page_size_and_time_zone(
    tap: TapCommand, aws: Emulator, page_size: int, zone: str
) -> None:
    settings = static(aws, page_size=page_size)

    run = tap(settings, environment={"TZ": zone}).succeeded()

    for stream, records in expected.records(aws.plant).items():
        assert run.records(stream) == records
        assert all(
            list(record) == expected.COLUMNS[stream] for record in run.records(stream)
        )
    assert aws.stats.requests == {
        "ListAssetModels": -(-30 // page_size),
        "ListPortals": -(-5 // page_size),
        "ListProjects": 5 * -(-4 // page_size),
    }


def test_every_record_is_valid_by_the_schema_of_its_stream_formats_included(
    tap: TapCommand, aws: Emulator
) -> None:
    run = tap(static(aws)).succeeded()

    for stream in STREAMS:
        (schema,) = (message["schema"] for message in run.of("SCHEMA", stream))
        validator = jsonschema.Draft202012Validator(
            schema, format_checker=jsonschema.Draft202012Validator.FORMAT_CHECKER
        )
        # The checker is there: without its library it would let anything through.
        assert not validator.is_valid({**run.records(stream)[0], "creation_date": "x"})
        for record in run.records(stream):
            validator.validate(record)


def test_absent_members_are_null_and_empty_text_stays_empty(
    tap: TapCommand, aws: Emulator
) -> None:
    run = tap(static(aws)).succeeded()

    plants = {portal["id"]: portal for portal in aws.plant.portals}
    seen = {record["portal_id"]: record for record in run.records("portals")}
    absent = [key for key, wire in plants.items() if "description" not in wire]
    empty = [key for key, wire in plants.items() if wire.get("description") == ""]
    assert absent
    assert empty
    assert all(seen[key]["description"] is None for key in absent)
    assert all(seen[key]["description"] == "" for key in empty)


def test_a_run_writes_one_schema_a_stream_and_a_state_a_top_level_stream(
    tap: TapCommand, aws: Emulator
) -> None:
    kinds = tap(static(aws)).succeeded().kinds

    assert [kind for kind in kinds if kind[0] != "RECORD"] == [
        ("SCHEMA", "asset_models"),
        ("STATE", None),
        ("SCHEMA", "portals"),
        ("SCHEMA", "projects"),
        ("STATE", None),
    ]
    for stream in STREAMS:
        assert kinds.index(("SCHEMA", stream)) < kinds.index(("RECORD", stream))
    assert kinds[-1] == ("STATE", None)


@pytest.mark.parametrize(
    ("stream", "operations"),
    [
        ("asset_models", {"ListAssetModels"}),
        ("portals", {"ListPortals"}),
        ("projects", {"ListPortals", "ListProjects"}),
    ],
)
def test_a_stream_alone_calls_its_own_operation_only(
    tap: TapCommand,
    aws: Emulator,
    catalog: Message,
    stream: str,
    operations: set[str],
) -> None:
    key = aws.issue_session(actions=[f"iotsitewise:{name}" for name in operations])
    settings = static(
        aws,
        aws_access_key_id=key.access_key_id,
        aws_secret_access_key=key.secret_access_key,
        aws_session_token=key.session_token,
    )

    run = tap(settings, catalog=select(catalog, stream)).succeeded()

    assert run.records(stream) == expected.records(aws.plant)[stream]
    assert {kind for kind in run.kinds if kind[0] != "STATE"} == {
        ("SCHEMA", stream),
        ("RECORD", stream),
    }
    assert aws.stats.requests.keys() == operations


def test_asset_model_types_are_passed_on(tap: TapCommand, aws: Emulator) -> None:
    wanted = ["COMPONENT_MODEL", "INTERFACE"]

    run = tap(static(aws, asset_model_types=wanted)).succeeded()

    assert [record["asset_model_id"] for record in run.records("asset_models")] == [
        wire["id"]
        for wire in aws.plant.asset_models
        if wire.get("assetModelType") in wanted
    ]


def test_deselected_columns_are_in_neither_schema_nor_record_but_keys_stay(
    tap: TapCommand, aws: Emulator, catalog: Message
) -> None:
    chosen = json.loads(json.dumps(catalog))
    for entry in chosen["streams"]:
        for item in entry["metadata"]:
            if item["breadcrumb"]:
                item["metadata"]["selected"] = item["breadcrumb"][-1] in {
                    "name",
                    "status",
                    "state",
                }

    run = tap(static(aws), catalog=chosen).succeeded()

    for stream, columns in {
        "asset_models": {"asset_model_id", "name", "status"},
        "portals": {"portal_id", "name", "status"},
        # Without its portal a project joins to nothing.
        "projects": {"project_id", "name"},
    }.items():
        (schema,) = run.of("SCHEMA", stream)
        assert schema["schema"]["properties"].keys() == columns
        assert all(record.keys() == columns for record in run.records(stream))
    assert all(
        record["status"].keys() == {"state"} for record in run.records("asset_models")
    )


def test_flattening_sends_every_column_of_the_flattened_schema(
    tap: TapCommand, aws: Emulator
) -> None:
    # SDK 0.54.9 makes `status__error: null` of a status without an error, and leaves
    # the columns of the schema out; once it does not, the override can go.
    settings = static(aws, flattening_enabled=True, flattening_max_depth=2)

    run = tap(settings).succeeded()

    (schema,) = run.of("SCHEMA", "asset_models")
    columns = schema["schema"]["properties"].keys()
    assert columns - set(expected.COLUMNS["asset_models"]) == {
        "status__state",
        "status__error__code",
        "status__error__message",
        "status__error__details",
    }
    wires = aws.plant.asset_models
    for record, wire in zip(run.records("asset_models"), wires, strict=True):
        assert record.keys() == columns
        assert record["status__state"] == wire["status"]["state"]
        error = wire["status"].get("error") or {}
        assert record["status__error__code"] == error.get("code")
        details = record["status__error__details"]
        assert (details and json.loads(details)) == error.get("details")


def test_stream_maps_rename_filter_and_compute(tap: TapCommand, aws: Emulator) -> None:
    settings = static(
        aws,
        stream_maps={
            "portals": {
                "__alias__": "sites",
                "__filter__": "portal_type == 'SITEWISE_PORTAL_V2'",
                "initial": "name[:1]",
            }
        },
    )

    run = tap(settings).succeeded()

    kept = [
        wire["id"]
        for wire in aws.plant.portals
        if wire.get("portalType") == "SITEWISE_PORTAL_V2"
    ]
    assert kept
    assert [record["portal_id"] for record in run.records("sites")] == kept
    assert all(
        record["initial"] == record["name"][:1] for record in run.records("sites")
    )
    # What is made of the portals' rows is no word on the projects'.
    assert run.records("projects") == expected.records(aws.plant)["projects"]


def test_batches_hold_the_same_records(tap: TapCommand, aws: Emulator) -> None:
    settings = static(
        aws,
        batch_config={
            "encoding": {"format": "jsonl", "compression": "none"},
            "storage": {"root": f"file://{tap.directory}"},
        },
    )

    run = tap(settings).succeeded()

    for stream, records in expected.records(aws.plant).items():
        batched = [
            json.loads(line)
            for message in run.of("BATCH", stream)
            for path in message["manifest"]
            # SDK 0.54.9 compresses, whatever the setting says.
            for line in gzip.decompress(_content(path)).splitlines()
        ]
        assert batched == records
    assert run.kinds[-1] == ("STATE", None)


def test_batches_hold_what_is_selected_and_flat(
    tap: TapCommand, aws: Emulator, catalog: Message
) -> None:
    chosen = select(catalog, "portals")
    for entry in chosen["streams"]:
        for item in entry["metadata"]:
            if item["breadcrumb"][-1:] == ["name"]:
                item["metadata"]["selected"] = False
    settings = static(
        aws,
        flattening_enabled=True,
        flattening_max_depth=2,
        batch_config={
            "encoding": {"format": "jsonl", "compression": "gzip"},
            "storage": {"root": f"file://{tap.directory}"},
        },
    )

    run = tap(settings, catalog=chosen).succeeded()

    (schema,) = run.of("SCHEMA", "portals")
    batched = [
        json.loads(line)
        for message in run.of("BATCH", "portals")
        for path in message["manifest"]
        for line in gzip.decompress(_content(path)).splitlines()
    ]
    assert len(batched) == len(aws.plant.portals)
    assert "name" not in schema["schema"]["properties"]
    assert all(
        record.keys() == schema["schema"]["properties"].keys() for record in batched
    )


def _content(url: str) -> bytes:
    return Path(unquote(urlsplit(url).path)).read_bytes()


def test_a_tap_that_is_only_tested_reads_a_record_of_each_stream(
    tap: TapCommand, aws: Emulator
) -> None:
    run = tap(static(aws), "--test").succeeded()

    for stream, records in expected.records(aws.plant).items():
        assert run.records(stream) == records[:1]


def test_records_come_out_page_by_page_while_the_listing_goes_on(
    tap: TapCommand, aws: Emulator
) -> None:
    # The second page never comes.
    aws.faults.always("ListAssetModels", Fault.SILENCE, after=1)
    process = tap.start(static(aws, page_size=7))
    try:
        assert process.stdout is not None
        lines = [json.loads(process.stdout.readline()) for _ in range(8)]
    finally:
        process.kill()
        process.communicate()
    assert [line["type"] for line in lines] == ["SCHEMA"] + ["RECORD"] * 7
