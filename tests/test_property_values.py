"""Values and aggregates of time series: what an answer contains becomes records."""

from __future__ import annotations

import json
import math
import typing as t

import botocore.session
import jsonschema
import msgspec
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from tap_iot_sitewise.streams.attribute import MemberName, Text, UnexpectedValueError
from tap_iot_sitewise.streams.telemetry import (
    PropertyAggregates,
    PropertyValueHistory,
    PropertyValues,
)
from tests import expected_telemetry as expected

if t.TYPE_CHECKING:
    from tap_iot_sitewise.streams.telemetry_stream import TelemetryStream
    from tests.conftest import Message

MODEL = botocore.session.get_session().get_service_model("iotsitewise")
STREAMS = (PropertyValues, PropertyValueHistory, PropertyAggregates)

LAST_SECOND = 253_402_300_799

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
DOUBLES = (
    st.floats(allow_nan=False, allow_infinity=False)
    | st.integers(-(2**53), 2**53)
    | st.sampled_from(["NaN", "Infinity", "-Infinity"])
)
VARIANTS = st.one_of(
    DOUBLES.map(lambda value: {"doubleValue": value}),
    st.integers(-(2**31), 2**31 - 1).map(lambda value: {"integerValue": value}),
    TEXTS.map(lambda value: {"stringValue": value}),
    st.booleans().map(lambda value: {"booleanValue": value}),
    st.sampled_from("DBSIU").map(lambda value: {"nullValue": {"valueType": value}}),
)
TIMES = st.fixed_dictionaries(
    {"timeInSeconds": st.integers(1, LAST_SECOND)},
    optional={"offsetInNanos": st.none() | st.integers(0, 999_999_999)},
)
QUALITIES = st.none() | st.sampled_from(["GOOD", "BAD", "UNCERTAIN"]) | TEXTS
VALUES = st.fixed_dictionaries(
    {"value": VARIANTS, "timestamp": TIMES}, optional={"quality": QUALITIES}
)
AGGREGATES = st.fixed_dictionaries(
    {
        "timestamp": st.integers(1, LAST_SECOND),
        "value": st.fixed_dictionaries(
            {},
            optional=dict.fromkeys(
                ("average", "count", "maximum", "minimum", "standardDeviation", "sum"),
                st.none() | DOUBLES,
            ),
        ),
    },
    optional={"quality": QUALITIES},
)
SERIES = {
    "time_series_id": "series 1",
    "asset_id": None,
    "property_id": None,
    "alias": '/"press"/1',
}


def read(
    stream: type[TelemetryStream], encoded: bytes, **columns: str
) -> list[Message]:
    parts = stream.entity.records(encoded, {**SERIES, **columns})
    return [record for part in parts for record in part]


@pytest.mark.parametrize("stream", STREAMS, ids=lambda stream: stream.name)
def test_an_entity_loads_what_the_service_model_has(
    stream: type[TelemetryStream],
) -> None:
    # Fails by name when AWS adds a member, a value or another type.
    shape = MODEL.shape_for(stream.entity.name)
    loaded = {str(a.member): a for a in stream.entity.attributes if a.member}

    left: list[tuple[str, t.Any]] = list(shape.members.items())
    for path, member in left:
        if path in loaded and isinstance(loaded[path].kind, MemberName):
            names = sorted(name.removesuffix("Value") for name in member.members)
            assert sorted(t.cast("t.Any", loaded[path].kind).values) == names
        if member.type_name == "structure":
            left += [(f"{path}.{name}", m) for name, m in member.members.items()]
        else:
            kind = loaded[path].kind
            plain = {"string": str, "integer": int, "long": int, "boolean": bool}
            assert (
                kind.plain
                is {**plain, "double": float, "timestamp": None}[member.type_name]
            )
            if isinstance(kind, Text) and member.enum:
                assert set(member.enum) == set(kind.values) - {"UNKNOWN"}
    known = {"timestamp", "value"}
    assert set(loaded) - known <= {path for path, _ in left}


@pytest.mark.parametrize("stream", STREAMS, ids=lambda stream: stream.name)
def test_a_request_has_entries_and_members_of_the_service_model(
    stream: type[TelemetryStream],
) -> None:
    operation = MODEL.operation_model(stream.request.operation)

    entry = operation.output_shape.members["successEntries"].member
    assert stream.request.result in entry.members
    assert set(operation.output_shape.members) == {
        *("successEntries", "errorEntries", "skippedEntries", "nextToken")
    }
    series = {**SERIES, "data_type": "DOUBLE", "creation_date": None}
    config = {"aggregate_resolutions": ["1m", "1d"], "telemetry_quality": "BAD"}
    asked = operation.input_shape.members["entries"].member
    for sent in stream.request.entries(series, config):
        assert sent.members.keys() <= asked.members.keys()
        dates = {"startDate", "endDate", "entryId"}
        assert set(asked.required_members) <= sent.members.keys() | dates
        assert ("qualities" in asked.members) == ("qualities" in sent.members)


@hypothesis_settings(max_examples=200)
@given(st.lists(VALUES, max_size=5))
def test_every_value_that_the_model_allows_becomes_a_record_without_loss(
    values: list[Message],
) -> None:
    # With the escapes of JSON, as AWS may send them.
    for encoded in (json.dumps(values).encode(), msgspec.json.encode(values)):
        records = read(PropertyValueHistory, encoded, data_type="DOUBLE")

        assert records == [
            {**SERIES, "data_type": "DOUBLE", **expected.value(value)}
            for value in values
        ]
        for record in records:
            assert list(record) == list(
                PropertyValueHistory.entity.schema["properties"]
            )
            jsonschema.validate(record, PropertyValueHistory.entity.schema)


@given(VALUES)
def test_the_latest_value_becomes_the_record_that_the_history_has(
    value: Message,
) -> None:
    encoded = json.dumps(value).encode()

    (latest,) = read(PropertyValues, encoded, data_type="DOUBLE")

    assert [latest] == read(PropertyValueHistory, b"[%b]" % encoded, data_type="DOUBLE")


@given(st.lists(AGGREGATES, max_size=5))
def test_every_aggregate_that_the_model_allows_becomes_a_record(
    aggregates: list[Message],
) -> None:
    records = read(PropertyAggregates, json.dumps(aggregates).encode(), resolution="1h")

    assert records == [
        {**SERIES, "resolution": "1h", **expected.aggregate(item)}
        for item in aggregates
    ]
    for record in records:
        jsonschema.validate(record, PropertyAggregates.entity.schema)


def test_the_microsecond_is_cut_and_not_rounded_nor_read_through_a_float() -> None:
    # As floats, both seconds with their nanoseconds are the same number.
    for seconds, nanos, text in (
        (1_700_000_000, 999_999_999, "2023-11-14T22:13:20.999999+00:00"),
        (1_700_000_000, 999_999_001, "2023-11-14T22:13:20.999999+00:00"),
        (1, 999, "1970-01-01T00:00:01.000000+00:00"),
    ):
        value = {"timeInSeconds": seconds, "offsetInNanos": nanos}
        item = {"value": {"doubleValue": -0.0}, "timestamp": value}
        (record,) = read(PropertyValues, json.dumps(item).encode(), data_type="DOUBLE")

        assert record["event_timestamp"] == text
        assert (record["time_in_seconds"], record["offset_in_nanos"]) == (
            seconds,
            nanos,
        )
        assert math.copysign(1, record["double_value"]) == -1


SOUND = {"value": {"doubleValue": 1}, "timestamp": {"timeInSeconds": 1}}


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"value": {"doubleValue": "one"}}, "expected a number, not 'one'"),
        ({"value": {"doubleValue": True}}, "got `bool` - at `$[1].value.doubleValue`"),
        ({"value": {"integerValue": 1.5}}, "got `float`"),
        ({"value": {}}, "AssetPropertyValue.value: expected one of the known members"),
        ({"value": {"vectorValue": []}}, "expected one of the known members"),
        ({"value": None}, "Expected `object`, got `null`"),
        ({"timestamp": {}}, "missing required field `timeInSeconds`"),
        ({"timestamp": 5}, "Expected `object`, got `int`"),
        ({"timestamp": {"timeInSeconds": 1.5}}, "got `float`"),
        (
            {"timestamp": {"timeInSeconds": 1, "offsetInNanos": 10**9}},
            "offsetInNanos: 1000000000 is not less than a second",
        ),
        ({"timestamp": {"timeInSeconds": 9_223_372_036_854_774}}, "1 to 9999"),
        ({"quality": 5}, "got `int`"),
    ],
)
def test_a_value_that_cannot_be_is_refused(wrong: Message, words: str) -> None:
    encoded = json.dumps([SOUND, {**SOUND, **wrong}]).encode()

    with pytest.raises(UnexpectedValueError) as caught:
        read(PropertyValueHistory, encoded, data_type="DOUBLE")

    assert words in str(caught.value)


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"timestamp": None}, "AggregatedValue.timestamp: the value is missing"),
        ({"timestamp": "1"}, "expected epoch seconds, not str"),
        ({"value": {"sum": True}}, "expected a number, not bool"),
        ({"value": {"sum": "much"}}, "expected a number, not str"),
        ({"value": []}, "expected an object, not list"),
        ({"quality": 5}, "expected text, not int"),
    ],
)
def test_an_aggregate_that_cannot_be_is_refused(wrong: Message, words: str) -> None:
    encoded = json.dumps([{"timestamp": 1, "value": {}, **wrong}]).encode()

    with pytest.raises(UnexpectedValueError) as caught:
        read(PropertyAggregates, encoded, resolution="1h")

    assert words in str(caught.value)
