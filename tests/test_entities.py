"""The entities against botocore's service model, and against what it allows."""

from __future__ import annotations

import typing as t
from decimal import Decimal

import botocore.session
import jsonschema
import pendulum
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tap_iot_sitewise.streams import STREAMS
from tap_iot_sitewise.streams.asset_models import AssetModels
from tap_iot_sitewise.streams.attribute import (
    Attribute,
    Text,
    Timestamp,
    UnexpectedValueError,
)
from tap_iot_sitewise.streams.entity import Entity, ListOf

MODEL = botocore.session.get_session().get_service_model("iotsitewise")
SUMMARIES = [stream.entity for stream in STREAMS]


def with_nested(entity: Entity) -> list[Entity]:
    """Return an entity, and those in its attributes."""
    found = [entity]
    for attribute in entity.attributes:
        kind = attribute.kind
        inner = kind.entity if isinstance(kind, ListOf) else kind
        if isinstance(inner, Entity):
            found += with_nested(inner)
    return found


DECLARED = [nested for entity in SUMMARIES for nested in with_nested(entity)]
# What the reference connector's domain model has.
REFERENCE = {
    "AssetModelSummary",
    "AssetModelStatus",
    "ErrorDetails",
    "DetailedError",
    "PortalSummary",
    "PortalStatus",
    "MonitorErrorDetails",
    "ProjectSummary",
}

Shape = t.Any


def _kind(shape: Shape) -> object:
    """Return what an attribute of a shape ought to hold."""
    if shape.type_name == "structure":
        return shape.name
    if shape.type_name == "list":
        return [_kind(shape.member)]
    return {"string": Text, "timestamp": Timestamp}[shape.type_name]


def _declared_kind(attribute: Attribute) -> object:
    kind = attribute.kind
    if isinstance(kind, Entity):
        return kind.name
    if isinstance(kind, ListOf):
        return [kind.entity.name]
    return type(kind)


def test_the_entities_are_those_of_the_reference() -> None:
    assert {entity.name for entity in DECLARED} == REFERENCE


@pytest.mark.parametrize("entity", DECLARED, ids=lambda entity: entity.name)
def test_an_entity_has_the_members_and_types_of_the_service_model(
    entity: Entity,
) -> None:
    # Fails by name when AWS adds a member or changes a type: declare it.
    shape: Shape = MODEL.shape_for(entity.name)

    assert {
        attribute.member: _declared_kind(attribute)
        for attribute in entity.attributes
        if attribute.member is not None
    } == {name: _kind(member) for name, member in shape.members.items()}


@pytest.mark.parametrize("entity", DECLARED, ids=lambda entity: entity.name)
def test_enumerated_values_are_those_of_the_service_model(entity: Entity) -> None:
    shape: Shape = MODEL.shape_for(entity.name)

    for attribute in entity.attributes:
        if isinstance(attribute.kind, Text) and attribute.member:
            enum = shape.members[attribute.member].enum
            assert list(attribute.kind.values) == enum, attribute.column
            assert all(value in attribute.described for value in enum)


@pytest.mark.parametrize("stream", STREAMS, ids=lambda stream: stream.name)
def test_a_stream_lists_what_its_operation_answers_with(stream: t.Any) -> None:  # noqa: ANN401
    operation: Shape = MODEL.operation_model(stream.request.operation)

    listed = operation.output_shape.members[stream.request.result]
    assert listed.type_name == "list"
    assert listed.member.name == stream.entity.name
    assert operation.input_shape.required_members == list(stream.request.by)


def test_every_property_is_described_and_only_keys_are_not_nullable() -> None:
    def walk(schema: dict[str, t.Any]) -> t.Iterator[tuple[str, dict[str, t.Any]]]:
        for name, definition in schema.get("properties", {}).items():
            yield name, definition
            yield from walk(definition)
            yield from walk(definition.get("items", {}))

    for stream in STREAMS:
        schema = stream.entity.schema
        keys = {*stream.entity.key, "portal_id"} & schema["properties"].keys()
        for name, definition in walk(schema):
            assert definition["description"].endswith(".")
            assert "enum" not in definition
            if name in keys and definition is schema["properties"][name]:
                assert "null" not in definition["type"]
            else:
                assert "null" in definition["type"]
        # The SDK's SQL targets bind a parameter of that name when they soft-delete.
        assert "version" not in schema["properties"]


def _strategy(shape: Shape) -> st.SearchStrategy[t.Any]:
    """Anything that the service model allows for a shape, as JSON decodes it."""
    if shape.type_name == "structure":
        required = set(shape.required_members)
        return st.fixed_dictionaries(
            {name: _strategy(shape.members[name]) for name in sorted(required)},
            optional={
                name: st.none() | _strategy(member)
                for name, member in shape.members.items()
                if name not in required
            },
        )
    if shape.type_name == "list":
        return st.lists(_strategy(shape.member), max_size=3)
    if shape.type_name == "timestamp":
        # From the first to the last moment of the years 1 to 9999, to the microsecond
        # where a double holds it.
        return st.one_of(
            st.integers(-62_135_596_800, 253_402_300_799),
            st.floats(0, 4_102_444_800).map(lambda seconds: round(seconds, 6)),
        )
    minimum = shape.metadata.get("min", 0)
    if shape.enum:
        # AWS adds values, and they are to come through.
        return st.sampled_from(shape.enum) | st.text(min_size=1, max_size=20)
    return st.text(
        st.characters(exclude_categories=["Cs"]), min_size=minimum, max_size=50
    )


def _compare(entity: Entity, wire: dict[str, t.Any], record: dict[str, t.Any]) -> None:
    """Fail unless the record holds every value of the wire, and nothing else."""
    assert list(record) == [attribute.column for attribute in entity.attributes]
    for attribute in entity.attributes:
        if attribute.member is None:
            continue
        sent, got = wire.get(attribute.member), record[attribute.column]
        if sent is None:
            assert got is None
        elif isinstance(attribute.kind, Entity):
            _compare(attribute.kind, sent, got)
        elif isinstance(attribute.kind, ListOf):
            assert len(sent) == len(got)
            for one_sent, one_got in zip(sent, got, strict=True):
                _compare(attribute.kind.entity, one_sent, one_got)
        elif isinstance(attribute.kind, Timestamp):
            moment = pendulum.parse(got)
            assert isinstance(moment, pendulum.DateTime)
            assert got.endswith("+00:00")
            whole = Decimal(moment.int_timestamp)
            back = whole + Decimal(moment.microsecond) / 1_000_000
            # To the microsecond, or to what a double of that size can tell apart.
            assert abs(back - Decimal(sent)) <= Decimal("0.000001")
        else:
            assert got == sent


@pytest.mark.parametrize("entity", SUMMARIES, ids=lambda entity: entity.name)
@given(data=st.data())
def test_any_answer_that_the_model_allows_becomes_a_valid_record_without_loss(
    entity: Entity, data: st.DataObject
) -> None:
    wire = data.draw(_strategy(MODEL.shape_for(entity.name)))
    given_columns = {} if entity.name != "ProjectSummary" else {"portal_id": "p-1"}

    record = entity.convert(wire, given_columns)

    _compare(entity, wire, record)
    jsonschema.validate(
        record,
        entity.schema,
        cls=jsonschema.Draft202012Validator,
        format_checker=jsonschema.Draft202012Validator.FORMAT_CHECKER,
    )


@pytest.mark.parametrize("entity", SUMMARIES, ids=lambda entity: entity.name)
@given(data=st.data())
def test_a_page_becomes_the_records_of_its_items(
    entity: Entity, data: st.DataObject
) -> None:
    page = data.draw(st.lists(_strategy(MODEL.shape_for(entity.name)), max_size=4))
    columns = {} if entity.name != "ProjectSummary" else {"portal_id": "p-1"}

    records = entity.convert_all(page, columns)

    one_by_one = [entity.convert(item, columns) for item in page]
    assert records == one_by_one
    assert list(map(list, records)) == list(map(list, one_by_one))


@given(
    st.lists(
        st.datetimes(timezones=st.just(pendulum.UTC)).map(lambda d: d.timestamp())
        | st.integers(-62_135_596_800, 253_402_300_799)
    )
)
def test_dates_of_a_page_are_written_like_single_ones(seconds: list[float]) -> None:
    kind = Timestamp()

    assert kind.convert_all(seconds) == [kind.convert(value) for value in seconds]


@pytest.mark.parametrize(
    "value", [True, "1", None, [], {}, 1e12, -1e12, float("nan"), float("inf")]
)
@pytest.mark.parametrize("member", ["id", "name", "creationDate", "status"])
def test_a_page_is_refused_where_one_of_its_items_is(
    member: str, value: object
) -> None:
    entity = AssetModels.entity
    item = {"id": "m-1", member: value}
    try:
        record = entity.convert(item)
    except UnexpectedValueError:
        with pytest.raises(UnexpectedValueError):
            entity.convert_all([{"id": "m-0"}, item])
    else:
        assert entity.convert_all([{"id": "m-0"}, item])[1] == record


@given(
    st.lists(
        st.datetimes(timezones=st.just(pendulum.UTC)).map(lambda d: d.timestamp()),
        min_size=2,
    )
)
def test_dates_sort_as_text_in_order_of_time(seconds: list[float]) -> None:
    # Bookmarks are compared as text by the SDK.
    convert = Timestamp().convert

    assert sorted(map(convert, seconds)) == [convert(s) for s in sorted(seconds)]


@pytest.mark.parametrize(
    ("member", "value", "words"),
    [
        ("name", 7, "AssetModelSummary.name: expected text, not int"),
        ("creationDate", "2024-01-01", "expected epoch seconds, not str"),
        ("creationDate", True, "expected epoch seconds, not bool"),
        ("creationDate", 4e11, "are outside the years 1 to 9999"),
        ("creationDate", float("inf"), "are outside the years 1 to 9999"),
        ("creationDate", float("nan"), "are outside the years 1 to 9999"),
        ("status", [], "AssetModelStatus: expected an object, not list"),
        ("id", None, "AssetModelSummary.id: the value is missing"),
    ],
)
def test_a_value_that_cannot_be_is_named(
    member: str, value: object, words: str
) -> None:
    with pytest.raises(UnexpectedValueError) as caught:
        AssetModels.entity.convert({"id": "m-1", member: value})

    assert words in str(caught.value)
