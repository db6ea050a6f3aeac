"""The entities against botocore's service model, and against what it allows."""

from __future__ import annotations

import typing as t
from decimal import Decimal

import botocore.session
import jsonschema
import pendulum
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from tap_iot_sitewise.streams import ALL_STREAMS, STREAMS
from tap_iot_sitewise.streams.asset_models import AssetModelProperties, AssetModels
from tap_iot_sitewise.streams.attribute import (
    ITSELF,
    Attribute,
    MemberName,
    Text,
    Timestamp,
    UnexpectedValueError,
)
from tap_iot_sitewise.streams.entity import Entity, ListOf
from tap_iot_sitewise.streams.monitor import AccessPolicies
from tap_iot_sitewise.streams.telemetry_stream import TelemetryStream

MODEL = botocore.session.get_session().get_service_model("iotsitewise")
# For the streams of values, see `tests/test_property_values.py`.
LISTED = [stream for stream in ALL_STREAMS if not issubclass(stream, TelemetryStream)]
SUMMARIES = [stream.entity for stream in LISTED]


def with_nested(entity: Entity) -> list[Entity]:
    """Return an entity, and those in its attributes."""
    found = [entity]
    for attribute in entity.attributes:
        kind = attribute.kind
        inner = kind.entity if isinstance(kind, ListOf) else kind
        if isinstance(inner, Entity):
            found += with_nested(inner)
    return found


# Each once: several entities share some of those in them.
DECLARED = list(
    dict.fromkeys(nested for entity in SUMMARIES for nested in with_nested(entity))
)
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
OF_ASSETS = "a column of the stream assets, which has every child asset as well"
OF_MODELS = "a column of the stream asset_models"
NOT_LOADED: dict[str, dict[str, str]] = {
    "AssetSummary": {"assetModelId": "the request has it"},
    "AssociatedAssetsSummary": dict.fromkeys(
        (
            "arn",
            "name",
            "assetModelId",
            "creationDate",
            "lastUpdateDate",
            "status",
            "hierarchies",
            "externalId",
            "description",
        ),
        OF_ASSETS,
    ),
    "AccessPolicySummary": {"resource": "the request has its type and ID"},
    # Members of the answer, beside the list.
    "DescribeAssetModel": {
        **dict.fromkeys(
            (
                "assetModelId",
                "assetModelExternalId",
                "assetModelArn",
                "assetModelName",
                "assetModelType",
                "assetModelDescription",
                "assetModelCreationDate",
                "assetModelLastUpdateDate",
                "assetModelStatus",
                "assetModelVersion",
            ),
            OF_MODELS,
        ),
        "assetModelProperties": "the stream asset_model_properties has them",
        "assetModelCompositeModels": "the stream asset_model_composite_models has them",
        "assetModelCompositeModelSummaries": (
            "the stream asset_model_composite_models has them"
        ),
        "interfaceDetails": (
            "asset_model_properties has the interfaces of each property"
        ),
        "eTag": "serves to update an asset model",
    },
    "ListTimeSeries": {"workspaceName": "repeats the request"},
}
"""Members that no column has, each with its reason."""

ONE_OF = {"PropertyType", "Identity"}
"""Structures of which one member has a value: "You can only have one" in the API
Reference."""

PROPERTY = AssetModelProperties.entity

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


def paths(entity: Entity) -> dict[str, Attribute]:
    """Return the attributes by the path of each member that they load."""
    return {
        path: attribute
        for attribute in entity.attributes
        for path in (
            (attribute.member,)
            if isinstance(attribute.member, str)
            else attribute.member or ()
        )
    }


def at(shape: Shape, path: str) -> Shape:
    """Return the shape of a member."""
    for name in path.split("."):
        shape = shape.members[name]
    return shape


def left_out(shape: Shape, loaded: dict[str, Attribute], before: str = "") -> set[str]:
    """Return the paths of the members that no attribute loads."""
    found = set()
    for name, member in shape.members.items():
        path = before + name
        if path in loaded and not isinstance(loaded[path].kind, MemberName):
            continue
        if member.type_name == "structure" and any(
            other.startswith(f"{path}.") for other in loaded
        ):
            found |= left_out(member, loaded, f"{path}.")
        # A structure without members has nothing but its name.
        elif member.type_name != "structure" or member.members:
            found.add(path)
    return found


def test_the_entities_are_those_of_the_reference() -> None:
    declared = {
        entity.name for stream in STREAMS for entity in with_nested(stream.entity)
    }
    assert declared == REFERENCE


@pytest.mark.parametrize("entity", DECLARED, ids=lambda entity: entity.name)
def test_an_entity_has_the_members_and_types_of_the_service_model(
    entity: Entity,
) -> None:
    # Fails by name when AWS adds a member or changes a type: declare it.
    shape: Shape = MODEL.shape_for(entity.name)
    loaded = paths(entity)
    if ITSELF in loaded:
        assert shape.type_name == "string"
        return

    for path, attribute in loaded.items():
        if not isinstance(attribute.kind, MemberName):
            assert _declared_kind(attribute) == _kind(at(shape, path)), path
    assert left_out(shape, loaded) == NOT_LOADED.get(entity.name, {}).keys()


@pytest.mark.parametrize("stream", LISTED, ids=lambda stream: stream.name)
def test_what_else_is_in_an_answer_is_named(stream: t.Any) -> None:  # noqa: ANN401
    operation: Shape = MODEL.operation_model(stream.request.operation)

    others = operation.output_shape.members.keys() - {stream.request.result}
    assert others - {"nextToken"} == NOT_LOADED.get(operation.name, {}).keys()


def test_each_member_that_is_left_out_has_a_reason() -> None:
    for name, members in NOT_LOADED.items():
        assert name in {each.name for each in DECLARED} | set(MODEL.operation_names)
        assert all(members.values())


@pytest.mark.parametrize("entity", DECLARED, ids=lambda entity: entity.name)
def test_enumerated_values_are_those_of_the_service_model(entity: Entity) -> None:
    shape: Shape = MODEL.shape_for(entity.name)

    for path, attribute in paths(entity).items():
        if path == ITSELF:
            continue
        found = at(shape, path)
        if isinstance(attribute.kind, MemberName):
            names = tuple(map(snake_case, found.members))
            assert attribute.kind.values == names, attribute.column
            assert all(value in attribute.described for value in names)
        elif isinstance(attribute.kind, Text):
            assert list(attribute.kind.values) == found.enum, attribute.column
            assert all(value in attribute.described for value in found.enum)


def snake_case(name: str) -> str:
    return "".join(f"_{c.lower()}" if c.isupper() else c for c in name)


@pytest.mark.parametrize("stream", LISTED, ids=lambda stream: stream.name)
def test_a_stream_lists_what_its_operation_answers_with(stream: t.Any) -> None:  # noqa: ANN401
    operation: Shape = MODEL.operation_model(stream.request.operation)

    listed = operation.output_shape.members[stream.request.result]
    assert listed.type_name == "list"
    assert listed.member.name == stream.entity.name
    for listing in stream.request.listings:
        sent = {*listing.by, *listing.parameters, *listing.settings}
        assert set(operation.input_shape.required_members) <= set(listing.by)
        assert sent <= operation.input_shape.members.keys()
        given = {listing.renamed.get(column, column) for column in listing.by.values()}
        from_request = {a.column for a in stream.entity.attributes if a.member is None}
        assert from_request == given | set(listing.constants)
        for name, value in listing.parameters.items():
            assert value is True or value in operation.input_shape.members[name].enum


def test_every_property_is_described_and_only_keys_are_not_nullable() -> None:
    def walk(schema: dict[str, t.Any]) -> t.Iterator[tuple[str, dict[str, t.Any]]]:
        for name, definition in schema.get("properties", {}).items():
            yield name, definition
            yield from walk(definition)
            yield from walk(definition.get("items", {}))

    for stream in ALL_STREAMS:
        schema = stream.entity.schema
        keys = {a.column for a in stream.entity.attributes if a.required}
        assert keys >= set(stream.entity.key)
        for name, definition in walk(schema):
            assert definition["description"].endswith(".")
            assert "enum" not in definition
            if name in keys and definition is schema["properties"][name]:
                assert "null" not in definition["type"]
            else:
                assert "null" in definition["type"]
        # The SDK's SQL targets bind a parameter of that name when they soft-delete.
        assert "version" not in schema["properties"]


def _strategy(shape: Shape, always: t.Iterable[str] = ()) -> st.SearchStrategy[t.Any]:
    """Anything that the service model allows for a shape, as JSON decodes it."""
    if shape.type_name == "structure":
        required = {*shape.required_members, *always}
        if shape.name in ONE_OF:
            chosen: list[st.SearchStrategy[t.Any]] = [
                st.fixed_dictionaries({name: _strategy(member)})
                for name, member in shape.members.items()
            ]
            return st.one_of(st.just({}), *chosen)
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


def _items(entity: Entity) -> st.SearchStrategy[t.Any]:
    """Items of an answer, each with its key, which the model may not require."""
    keys = [a.member for a in entity.attributes if a.is_key and a.member]
    return _strategy(MODEL.shape_for(entity.name), [str(key) for key in keys])


def _columns(entity: Entity) -> dict[str, str]:
    """Columns whose values come from the request."""
    return {a.column: f"{a.column} 1" for a in entity.attributes if a.member is None}


def _sent(wire: t.Any, attribute: Attribute) -> t.Any:  # noqa: ANN401
    """Return what an item has for an attribute."""
    if attribute.member == ITSELF:
        return wire
    members = attribute.member
    for path in (members,) if isinstance(members, str) else members or ():
        value = wire
        for name in path.split("."):
            value = None if value is None else value.get(name)
        if value is not None:
            return value
    return None


def _compare(entity: Entity, wire: t.Any, record: dict[str, t.Any]) -> None:  # noqa: ANN401
    """Fail unless the record holds every value of the wire, and nothing else."""
    assert list(record) == [attribute.column for attribute in entity.attributes]
    for attribute in entity.attributes:
        got = record[attribute.column]
        if attribute.member is None:
            assert got == _columns(entity)[attribute.column]
            continue
        sent = _sent(wire, attribute)
        if sent is None:
            assert got is None
        elif isinstance(attribute.kind, MemberName):
            assert [got] == [*map(snake_case, sent)] or (not sent and got is None)
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
@hypothesis_settings(max_examples=50)
@given(data=st.data())
def test_any_answer_that_the_model_allows_becomes_a_valid_record_without_loss(
    entity: Entity, data: st.DataObject
) -> None:
    wire = data.draw(_items(entity))

    record = entity.convert(wire, _columns(entity))

    _compare(entity, wire, record)
    jsonschema.validate(
        record,
        entity.schema,
        cls=jsonschema.Draft202012Validator,
        format_checker=jsonschema.Draft202012Validator.FORMAT_CHECKER,
    )


@pytest.mark.parametrize("entity", SUMMARIES, ids=lambda entity: entity.name)
@hypothesis_settings(max_examples=50)
@given(data=st.data())
def test_a_page_becomes_the_records_of_its_items(
    entity: Entity, data: st.DataObject
) -> None:
    page = data.draw(st.lists(_items(entity), max_size=4))
    columns = _columns(entity)

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


@pytest.mark.parametrize(
    ("entity", "item", "words"),
    [
        (PROPERTY, {"type": "metric"}, "type: expected an object, not str"),
        (
            PROPERTY,
            {"type": {"metric": {}, "transform": {}}},
            "type: expected one member, not metric, transform",
        ),
        (
            PROPERTY,
            {"type": {"metric": {"window": {"tumbling": "1h"}}}},
            "type.metric.window.tumbling.interval: expected an object, not str",
        ),
        (
            PROPERTY,
            {"type": {"metric": {"expression": 7}}},
            "type.transform.expression or type.metric.expression: "  # noqa: ISC004
            "expected text, not int",
        ),
        (
            AccessPolicies.entity,
            {"identity": {"user": {"id": "u"}, "iamUser": {"arn": "a"}}},
            "identity: expected one member, not user, iamUser",
        ),
    ],
)
def test_a_value_inside_of_a_member_that_cannot_be_is_named(
    entity: Entity, item: dict[str, t.Any], words: str
) -> None:
    columns = _columns(entity)
    with pytest.raises(UnexpectedValueError) as caught:
        entity.convert({"id": "p-1", **item}, columns)

    assert str(caught.value) == f"{entity.name}.{words}"
    with pytest.raises(UnexpectedValueError):
        entity.convert_all([{"id": "p-1", **item}], columns)
