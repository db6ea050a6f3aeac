"""Stream maps that cannot do what they are meant to do, and expressions that fail."""

from __future__ import annotations

import ast
import logging
import typing as t

import pytest
from singer_sdk.exceptions import StreamMapConfigError
from singer_sdk.mapper import CustomStreamMap, PluginMapper

from tap_iot_sitewise.errors import SettingsError
from tap_iot_sitewise.tap import TapIoTSiteWise
from tests import expected
from tests.conftest import select, static

if t.TYPE_CHECKING:
    from emulator import Emulator
    from tests.conftest import Message, TapCommand

FLATTENED = {"flattening_enabled": True, "flattening_max_depth": 2}

REFUSED: dict[str, tuple[dict[str, t.Any], str]] = {
    "a stream that does not exist": (
        {"protals": {"name": None}},
        "stream_maps: protals is not a stream; did you mean portals?",
    ),
    "a pattern without a stream": (
        {"site*": {"name": None}},
        "stream_maps: site* matches no stream; use asset_models, portals, projects",
    ),
    "a source that does not exist": (
        {"sites": {"__source__": "portal"}},
        "stream_maps: sites.__source__: portal is not a stream; did you mean portals?",
    ),
    "an option that does not exist": (
        {"portals": {"__fitler__": "name == 'A'"}},
        "portals.__fitler__ is not an option; did you mean __filter__?",
    ),
    "an option at the top that does not exist": (
        {"__filter__": "name"},
        "stream_maps: __filter__ is not an option; use __else__",
    ),
    "all other streams mapped": (
        {"__else__": "portals"},
        "stream_maps: __else__ must be null, which leaves out all other streams",
    ),
    "all other columns mapped": (
        {"portals": {"__else__": "name"}},
        "portals.__else__ must be null, which leaves out all other columns",
    ),
    "text in the place of a map": (
        {"portals": "sites"},
        "stream_maps: portals must be an object, or null to leave the stream out",
    ),
    "a number in the place of an expression": (
        {"portals": {"name": 5}},
        "stream_maps: portals.name must be an expression in quotes, or null",
    ),
    "a number in the place of a filter": (
        {"portals": {"__filter__": 5}},
        "portals.__filter__ must be an expression in quotes, or null",
    ),
    "a number in the place of the key": (
        {"portals": {"__key_properties__": 3}},
        "portals.__key_properties__ must be a list of columns, or [] for no key",
    ),
    "a number in the place of a name": (
        {"portals": {"__alias__": 5}},
        "stream_maps: portals.__alias__ must be the name of a stream",
    ),
    "an alias that cannot be read": (
        {"portals": {"__alias__": "two words"}},
        "stream_maps: portals.__alias__ must be the name of a stream",
    ),
    "an alias that is a number": (
        {"portals": {"__alias__": "1 + 1"}},
        "stream_maps: portals.__alias__ must be the name of a stream",
    ),
    "two new names": (
        {"sites": {"__source__": "portals", "__alias__": "places"}},
        "sites has __alias__ and __source__; remove __alias__",
    ),
    "removing a column that does not exist": (
        {"portals": {"descripton": None}},
        "portals.descripton is not a column; did you mean description?",
    ),
    "removing it by its name in the SDK": (
        {"portals": {"descripton": "__NULL__"}},
        "portals.descripton is not a column; did you mean description?",
    ),
    "removing a column that no matching stream has": (
        {"p*": {"asset_model_type": None}},
        "p*.asset_model_type is not a column",
    ),
    "removing a column whose name is like one of some matching streams": (
        {"p*": {"start_urll": None}},
        "p*.start_urll is not a column; did you mean start_url?",
    ),
    "removing what flattening makes of some matching streams": (
        {"p*": {"status__state": None}},
        "stream_maps: p*.status__state",
    ),
    "an expression that fits no matching stream": (
        {"p*": {"x": "md5(start_url + project_id)"}},
        "stream_maps: p*.x: ",
    ),
    "removing a part of an object": (
        {"portals": {"status__state": None}},
        "stream map sees the record before it is flattened; deselect status.state in",
    ),
    "removing the key": (
        {"portals": {"portal_id": None}},
        "portals: the key column portal_id is left out; keep it with",
    ),
    "removing all, the key included": (
        {"portals": {"__else__": None, "name": "name"}},
        'the key column portal_id is left out (__else__ is null); keep it with "port',
    ),
    "a key that does not exist": (
        {"portals": {"__key_properties__": ["protal_id"]}},
        "__key_properties__: protal_id is not a column; did you mean portal_id?",
    ),
    "a filter with a column that does not exist": (
        {"portals": {"__filter__": "statuss['state'] == 'ACTIVE'"}},
        "portals.__filter__: statuss is neither a column nor a function; did you mean",
    ),
    "a filter with a flattened column": (
        {"portals": {"__filter__": "status__error__code == 'INTERNAL_FAILURE'"}},
        "before it is flattened; use status['error']['code']",
    ),
    "a part that an object does not have": (
        {"portals": {"__filter__": "status['stat'] == 'ACTIVE'"}},
        "portals.__filter__: status has no stat; did you mean state?",
    ),
    "an attribute that an object does not have": (
        {"portals": {"state": "record.status.stat"}},
        "portals.state: record.status has no stat; did you mean state?",
    ),
    "a column that the record does not have": (
        {"portals": {"name": "md5(_['nmae'])"}},
        "portals.name: nmae is not a column; did you mean name?",
    ),
    "a column that is asked for and not there": (
        {"portals": {"name": "md5(record.get('nmae'))"}},
        "portals.name: nmae is not a column; did you mean name?",
    ),
    "a function that does not exist": (
        {"portals": {"name": "sha265(name)"}},
        "portals.name: sha265() is not a function; did you mean sha256()?",
    ),
    "a method of text in the place of a function": (
        {"portals": {"name": "upper(name)"}},
        "portals.name: upper() is not a function; did you mean name.upper()?",
    ),
    "a method of text on what is not text": (
        {"portals": {"name": "upper(status)"}},
        "portals.name: upper() is not a function; the functions are bool, datetime, ",
    ),
    "a function of Python": (
        {"portals": {"size": "len(name)"}},
        "portals.size: len() is not a function; the functions are bool, datetime, ",
    ),
    "a method that text does not have": (
        {"portals": {"name": "name.uper()"}},
        "portals.name: name is text, and text has no uper",
    ),
    "a method that is not allowed": (
        {"portals": {"name": "'{}'.format(name)"}},
        "portals.name: .format() is not available in expressions",
    ),
    "what the evaluator does not know": (
        {"portals": {"name": "(lambda: name)()"}},
        "portals.name: Lambda is not available in expressions",
    ),
    "a text without quotes": (
        {"portals": {"name": "hidden"}},
        "hidden is neither a column nor a function; put constant text in quotes",
    ),
    "words without quotes": (
        {"portals": {"name": "not shown here"}},
        "portals.name: is not a valid expression (invalid syntax); put constant text",
    ),
    "nothing": (
        {"portals": {"name": ""}},
        "portals.name: must be one expression; put constant text in quotes of its own",
    ),
    "two expressions": (
        {"portals": {"name": "name; md5(name)"}},
        "portals.name: must be one expression",
    ),
    "the value of a new column": (
        {"portals": {"names": "md5(self)"}},
        "portals.names: the new column names has no self; use the name",
    ),
    "a value in a filter": (
        {"portals": {"__filter__": "self == 'A'"}},
        "portals.__filter__: a filter has no self; use the name of a column",
    ),
    "a value that is not configured": (
        {"portals": {"name": "md5(config['salt'] + name)"}},
        "portals.name: stream_map_config has no salt; add it",
    ),
    "faker that is not installed": (
        {"portals": {"name": "fake.company()"}},
        "fake needs the package faker; install the tap with its extra [faker]",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_map_that_cannot_do_what_is_meant_is_refused_before_any_call(
    aws: Emulator, case: str
) -> None:
    maps, words = REFUSED[case]

    # Without a process for each; the next test has one.
    with pytest.raises(SettingsError) as refused:
        TapIoTSiteWise(config=static(aws, stream_maps=maps))

    assert words in str(refused.value)
    assert str(refused.value).startswith("Settings: stream_maps: ")
    assert aws.stats.total == 0


def test_a_map_is_named_with_every_other_problem(
    tap: TapCommand, aws: Emulator
) -> None:
    maps = {"portals": {"nmae": None}, "project": None}

    run = tap(static(aws, stream_maps=maps, page_size=0))

    assert aws.stats.total == 0
    assert not run.output
    error = run.error
    assert "page_size must be 1 to 250, not 0" in error
    assert "portals.nmae is not a column" in error
    assert "project is not a stream; did you mean projects?" in error


def test_what_the_sdk_supports_is_followed(tap: TapCommand, aws: Emulator) -> None:
    maps = {
        # Each stream that has the column, and each stream.
        "p*": {"description": None, "text": "record.get('start_url', name)"},
        "asset_models": {
            "__alias__": "__stream_name__ + '_of_plant'",
            "__filter__": "[m for m in ['ACTIVE', status['state']] if m] != []",
            "__key_properties__": ["id"],
            "__else__": "__NULL__",
            "id": "asset_model_id",
            "plant": "config['plant']['name']",
            "type": "asset_model_type",
        },
        "sites": {"__source__": "portals", "__key_properties__": []},
        "project*": None,
    }

    settings = static(
        aws, stream_maps=maps, stream_map_config={"plant": {"name": "seven"}}
    )
    run = tap(settings).succeeded()

    every = expected.records(aws.plant)
    assert run.records("asset_models_of_plant") == [
        {
            "id": record["asset_model_id"],
            "plant": "seven",
            "type": record["asset_model_type"],
        }
        for record in every["asset_models"]
    ]
    assert [record["text"] for record in run.records("portals")] == [
        record["start_url"] for record in every["portals"]
    ]
    assert "description" not in run.records("portals")[0]
    assert run.records("sites") == every["portals"]
    assert not run.records("projects")
    assert not run.lines("WARNING")


def test_streams_that_are_not_mapped_can_be_left_out(
    tap: TapCommand, aws: Emulator
) -> None:
    maps = {"portals": {"url": "sha256(start_url)"}, "__else__": None}

    run = tap(static(aws, stream_maps=maps)).succeeded()

    sent = {message["stream"] for message in run.messages if "stream" in message}
    assert sent == {"portals"}


def test_a_new_column_that_may_be_meant_to_mask_another_is_warned_of(
    tap: TapCommand, aws: Emulator
) -> None:
    masked = {"portals": {"roleArn": "'hidden'", "role": "str(role_arn)"}}
    renamed = {"portals": {"roleArn": "role_arn", "role_arn": None}}

    run = tap(static(aws, stream_maps=masked)).succeeded()
    clear = tap(static(aws, stream_maps=renamed)).succeeded()

    (warning,) = run.lines("WARNING")
    assert warning == (
        "stream_maps: portals.roleArn is a new column, and role_arn is sent "
        "unchanged; to replace role_arn, use its name"
    )
    assert not clear.lines("WARNING")


def _without(catalog: Message, stream: str, column: str) -> Message:
    chosen = select(catalog, stream)
    for entry in chosen["streams"]:
        for item in entry["metadata"]:
            if item["breadcrumb"][-1:] == [column]:
                item["metadata"]["selected"] = False
    return chosen


@pytest.mark.parametrize(
    "expressions",
    [
        {"role": "md5(role_arn)"},
        {"role_arn": "md5(self)"},
        {"__filter__": "'admin' in record['role_arn']"},
    ],
    ids=str,
)
def test_an_expression_with_a_column_that_is_not_selected_is_refused(
    tap: TapCommand, aws: Emulator, catalog: Message, expressions: dict[str, str]
) -> None:
    chosen = _without(catalog, "portals", "role_arn")

    run = tap(static(aws, stream_maps={"portals": expressions}), catalog=chosen)

    assert "the column role_arn is not selected; select it" in run.error
    assert aws.stats.total == 0


def test_what_is_not_selected_can_be_removed_and_mapped_all_the_same(
    tap: TapCommand, aws: Emulator, catalog: Message
) -> None:
    chosen = _without(catalog, "portals", "role_arn")
    maps = {
        "portals": {"role_arn": None},
        # Not selected as a whole.
        "asset_models": {"name": "md5(name)"},
    }

    run = tap(static(aws, stream_maps=maps), catalog=chosen).succeeded()

    assert run.records("portals")
    assert "role_arn" not in run.records("portals")[0]


FAILING: dict[str, tuple[dict[str, str], str]] = {
    "a method of null": (
        {"role": "role_arn.upper()"},
        (
            "portals.role: role_arn is null in a record; guard against null: ... if "
            "role_arn is not None else None"
        ),
    ),
    "a part of null": (
        {"role": "role_arn[:12]"},
        "stream_maps: portals.role: role_arn is null in a record; guard against null",
    ),
    "a function of null": (
        {"role_arn": "md5(self)"},
        "stream_maps: portals.role_arn: self is null in a record; guard against null",
    ),
    "a sum with null": (
        {"role": "name + record['role_arn']"},
        "portals.role: record['role_arn'] is null in a record; guard against null",
    ),
    "a member of null": (
        {"code": "status['error']['code']"},
        "stream_maps: portals.code: status['error'] is null in a record",
    ),
    "a filter on null": (
        {"__filter__": "role_arn.startswith('arn:')"},
        (
            "portals.__filter__: role_arn is null in a record; guard against null: "
            "role_arn is not None and ..."
        ),
    ),
    "text that is not a number": (
        {"number": "int(name)"},
        "portals.number: invalid literal for int() with base 10: ...; change the",
    ),
    "a text in quotes": (
        {"number": "float(\"'\" + name + '\"')"},
        "portals.number: could not convert string to float: ...; change the",
    ),
    "a key that is a value": (
        {"state": "status[name]"},
        "stream_maps: portals.state: an object has no such key; change the",
    ),
    "a division": (
        {"number": "1 / 0"},
        "stream_maps: portals.number: division by zero; change the",
    ),
    "a power": (
        {"number": "9 ** 9 ** 9"},
        "stream_maps: portals.number: a number is too large; change the",
    ),
    "a long text": (
        {"text": "name * 1000000"},
        "stream_maps: portals.text: a string or a list is too long; change the",
    ),
    "a member of a module": (
        {"text": "json.dupms(name)"},
        "stream_maps: portals.text: json has no dupms; change the",
    ),
    "a surrogate": (
        {"text": "name + '\\ud800'"},
        "portals.text: the result cannot be encoded as UTF-8; change the",
    ),
    "a method that is not called": (
        {"text": "name.upper"},
        "stream_maps: portals.text: the result is a function, not a value; call it",
    ),
}


@pytest.mark.parametrize("case", FAILING)
@pytest.mark.parametrize("batches", [False, True], ids=["messages", "batches"])
def test_an_expression_that_fails_is_told_with_its_place_and_without_values(
    tap: TapCommand, aws: Emulator, case: str, *, batches: bool
) -> None:
    expressions, words = FAILING[case]
    for portal in aws.plant.portals:
        aws.plant.change("portals", portal["id"], name="Werk 7", roleArn=None)
    settings = static(aws, stream_maps={"portals": expressions}, **FLATTENED)
    if batches:
        settings["batch_config"] = {
            "encoding": {"format": "jsonl", "compression": "gzip"},
            "storage": {"root": tap.directory.as_uri()},
        }

    run = tap(settings)

    assert run.error.startswith("stream_maps: portals.")
    assert words in run.error
    assert "Werk 7" not in run.log


def test_a_map_of_another_name_is_named_as_in_the_settings(
    tap: TapCommand, aws: Emulator
) -> None:
    aliased = {"portals": {"__alias__": "sites", "number": "int(name)"}}
    copied = {"sites": {"__source__": "portals", "number": "int(name)"}}

    first = tap(static(aws, stream_maps=aliased))
    second = tap(static(aws, stream_maps=copied))

    assert first.error.startswith("stream_maps: portals.number: ")
    assert second.error.startswith("stream_maps: sites.number: ")


def test_a_column_that_flattening_makes_twice_is_refused_before_any_call(
    tap: TapCommand, aws: Emulator
) -> None:
    maps = {"portals": {"status__state": "status['state']"}}

    run = tap(static(aws, stream_maps=maps, **FLATTENED))

    assert "flattening_enabled: Duplicate column name" in run.error
    assert "status__state; rename the column of a stream map" in run.error
    assert aws.stats.total == 0


# What the SDK does


def mapper_of(**maps: t.Any) -> PluginMapper:  # noqa: ANN401
    return PluginMapper({"stream_maps": maps}, logging.getLogger(__name__))


def schema_of(*columns: str) -> Message:
    properties = {column: {"type": ["string"]} for column in columns}
    return {"type": "object", "properties": properties}


def test_the_sdk_ignores_stream_maps_of_what_is_not_there() -> None:
    mapper = mapper_of(
        protals={"name": None}, portals={"nmae": None, "__fitler__": "False"}
    )

    mapper.register_raw_stream_schema("portals", schema_of("name"), None)

    (found,) = mapper.stream_maps["portals"]
    assert found.transform({"name": "shown"}) == {"name": "shown", "__fitler__": False}


def test_the_sdk_refuses_a_stream_map_of_a_stream_that_is_not_selected() -> None:
    mapper = mapper_of(portals={"name": "md5(name)"})

    with pytest.raises(StreamMapConfigError):
        mapper.register_raw_stream_schema("portals", schema_of(), ["portal_id"])


def test_the_sdk_raises_whatever_an_expression_raises() -> None:
    mapper = mapper_of(portals={"name": "1 / 0"})
    mapper.register_raw_stream_schema("portals", schema_of("name"), None)
    (found,) = mapper.stream_maps["portals"]

    with pytest.raises(ZeroDivisionError):
        found.transform({"name": "shown"})


def test_the_sdk_takes_any_value_for_an_alias() -> None:
    mapper = mapper_of(portals={"__alias__": "1 + 1"})

    mapper.register_raw_stream_schema("portals", schema_of("name"), None)

    (found,) = mapper.stream_maps["portals"]
    assert found.stream_alias == t.cast("str", 2)


def test_the_sdk_says_what_an_expression_can_use() -> None:
    mapper = mapper_of(portals={"name": "md5(name)"})
    mapper.register_raw_stream_schema("portals", schema_of("name"), None)
    (found,) = mapper.stream_maps["portals"]

    assert isinstance(found, CustomStreamMap)
    evaluator = found.expr_evaluator
    assert {"md5", "sha256", "json", "datetime", "str"} <= evaluator.functions.keys()
    assert ast.Call in evaluator.nodes
    assert ast.Lambda not in evaluator.nodes
    assert ast.MatMult not in evaluator.operators
