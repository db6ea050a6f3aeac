"""Answers of the API as no model foresees them: the right records, or one error."""

from __future__ import annotations

import io
import json
import typing as t
from contextlib import redirect_stdout

import jsonschema
import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from emulator import Emulator, Plant
from tap_iot_sitewise.errors import TapError
from tap_iot_sitewise.tap import TapIoTSiteWise
from tests import expected
from tests.conftest import static

if t.TYPE_CHECKING:
    from tests.conftest import Message, TapCommand

SOUND = Plant.make(asset_models=4, portals=2, projects=2, seed=5)


def extract(aws: Emulator, **settings: object) -> list[Message]:
    """Return the messages of a run inside of this process."""
    tap = TapIoTSiteWise(config=static(aws, **settings))
    written = io.TextIOWrapper(io.BytesIO(), encoding="utf-8")
    with redirect_stdout(written):
        try:
            tap.sync_all()
        finally:
            tap.message_writer.flush()
    text = written.buffer.getvalue().decode()
    return [json.loads(line) for line in text.splitlines()]


VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(), max_size=20),
    lambda inner: (
        st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=5), inner)
    ),
    max_leaves=4,
)
MEMBERS = st.sampled_from(
    [
        *("id", "arn", "name", "description", "assetModelType", "externalId"),
        *("version", "creationDate", "lastUpdateDate", "status", "aNewMember"),
    ]
)


@hypothesis_settings(
    suppress_health_check=[HealthCheck.too_slow],
    max_examples=25,
)
@given(changes=st.dictionaries(MEMBERS, VALUES, max_size=3))
def test_any_asset_model_gives_a_valid_record_or_one_error(
    changes: dict[str, t.Any],
) -> None:
    wire = {**SOUND.asset_models[1], **changes}

    refusal = None
    messages: list[Message] = []
    with Emulator(plant=Plant(asset_models=[wire])) as aws:
        try:
            messages = extract(aws)
        except TapError as error:
            refusal = str(error)

    if refusal is not None:
        assert refusal.startswith("ListAssetModels: AssetModel")
        assert "\n" not in refusal
        return
    (record,) = (m["record"] for m in messages if m["type"] == "RECORD")
    (schema,) = (
        m["schema"]
        for m in messages
        if m.get("stream") == "asset_models" and m["type"] == "SCHEMA"
    )
    jsonschema.validate(record, schema)
    assert list(record) == expected.COLUMNS["asset_models"]
    for column in ("name", "description", "external_id"):
        value = wire.get({"external_id": "externalId"}.get(column, column))
        if value is None or value.isascii():
            assert record[column] == value


ODD: dict[str, tuple[dict[str, t.Any], str]] = {
    "no key": ({"id": None}, "AssetModelSummary.id: the value is missing"),
    "a date beyond the year 9999": (
        {"lastUpdateDate": 253_402_300_800},
        "AssetModelSummary.lastUpdateDate: epoch seconds 253402300800 are outside",
    ),
    "a date as text": (
        {"creationDate": "2024-05-01T00:00:00Z"},
        "AssetModelSummary.creationDate: expected epoch seconds, not str",
    ),
    "a status that is text": (
        {"status": "ACTIVE"},
        "AssetModelSummary.status: AssetModelStatus: expected an object, not str",
    ),
}


@pytest.mark.parametrize("case", ODD)
def test_what_cannot_be_a_record_is_one_error_with_its_place(
    tap: TapCommand, case: str
) -> None:
    changes, words = ODD[case]
    models = [*SOUND.asset_models]
    models[2] = {**models[2], **changes}
    with Emulator(plant=Plant(asset_models=models)) as aws:
        run = tap(static(aws))

    assert words in run.error
    # Those before it were sent, as they were read.
    sent = [record["asset_model_id"] for record in run.records("asset_models")]
    assert sent == [model["id"] for model in models[:2]]


def test_new_members_new_values_and_huge_texts_come_through(tap: TapCommand) -> None:
    huge = "Ünïcode " * 200_000
    model = {
        **SOUND.asset_models[0],
        "description": huge,
        "assetModelType": "DIGITAL_TWIN",
        "status": {"state": "DREAMING", "mood": "calm"},
        "colour": {"red": 1},
    }
    with Emulator(plant=Plant(asset_models=[model])) as aws:
        run = tap(static(aws)).succeeded()

    (record,) = run.records("asset_models")
    assert record["description"] == huge
    assert record["asset_model_type"] == "DIGITAL_TWIN"
    assert record["status"] == {"state": "DREAMING", "error": None}
    assert list(record) == expected.COLUMNS["asset_models"]


def test_nulls_where_the_model_says_required_are_nulls(tap: TapCommand) -> None:
    bare = {"id": SOUND.portals[0]["id"]}
    nulls = dict.fromkeys(SOUND.portals[1]) | {"id": SOUND.portals[1]["id"]}
    with Emulator(plant=Plant(portals=[bare, nulls])) as aws:
        run = tap(static(aws)).succeeded()

    for record, wire in zip(run.records("portals"), (bare, nulls), strict=True):
        assert record == {
            **dict.fromkeys(expected.COLUMNS["portals"]),
            "portal_id": wire["id"],
        }


def test_half_a_surrogate_pair_becomes_the_replacement_character(
    tap: TapCommand,
) -> None:
    # No UTF-8 text can hold it, and no target could read the line.
    model = {**SOUND.asset_models[0], "name": "pump \ud83d 7 \U0001f600"}
    with Emulator(plant=Plant(asset_models=[model])) as aws:
        run = tap(static(aws)).succeeded()

    (record,) = run.records("asset_models")
    assert record["name"] == "pump \N{REPLACEMENT CHARACTER} 7 \U0001f600"
