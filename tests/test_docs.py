"""README and docs/: what they state is so, and what they show can be used."""

from __future__ import annotations

import configparser
import functools
import json
import re
import shlex
import subprocess
import sys
import time
import typing as t

import botocore.session
import jsonschema
import pytest
import yaml

from demo import meltano
from emulator import Emulator
from emulator.plant import SIZES
from tap_iot_sitewise import settings, settings_check
from tap_iot_sitewise.streams import (
    ALL_STREAMS,
    EXTRA_STREAMS,
    GROUPS,
    STREAMS,
    SiteWiseStream,
    attribute,
    computation_models,
    monitor,
)
from tap_iot_sitewise.tap import TapIoTSiteWise
from tests import expected, expected_plant, permissions
from tests.conftest import COMMAND, ROOT, clean_environment, select, static
from tests.documents import Block, Page, page, pages
from tests.test_auth import Forms, anywhere

if t.TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from tests.conftest import Message, TapCommand

README = page("README.md")
LOADING = page("docs/loading.md")
SCHEDULING = page("docs/scheduling.md")

COLUMNS: dict[str, list[str]] = {
    **expected.COLUMNS,
    **{stream: list(columns) for stream, columns in expected_plant.COLUMNS.items()},
    **{
        stream.name: list(stream.entity.schema["properties"])
        for stream in GROUPS["telemetry"]
    },
}
"""The columns of every stream."""

WITHOUT_VALUES: tuple[type[SiteWiseStream], ...] = (*STREAMS, *GROUPS["plant"])
"""All streams but those of telemetry."""


def blocks(*languages: str) -> list[t.Any]:
    return [
        pytest.param(each, block, id=f"{each}: {block}")
        for each in pages()
        for block in each.blocks(*languages)
    ]


# Links


@pytest.mark.parametrize("each", pages(), ids=str)
def test_links_lead_somewhere(each: Page) -> None:
    links = [link for link in each.links() if not link.startswith("https://")]

    for link in links:
        name, _, anchor = link.partition("#")
        target = (each.path.parent / name).resolve() if name else each.path
        assert target.exists(), link
        if anchor:
            assert anchor in Page(target).anchors(), link


def test_every_page_is_linked_from_the_readme() -> None:
    linked = {(ROOT / link.partition("#")[0]).resolve() for link in README.links()}

    assert {each.path for each in pages()} - {README.path} <= linked


# Settings


@pytest.fixture(scope="module")
def about() -> Message:
    done = subprocess.run(
        [COMMAND, "--about", "--format", "json"],
        env=clean_environment(),
        capture_output=True,
        check=True,
        timeout=120,
    )
    told: Message = json.loads(done.stdout)["settings"]
    return told


def _type(schema: Message) -> str:
    """Return the type of a setting in the words of the README."""
    if "enum" in schema:
        *values, last = (f"`{value}`" for value in schema["enum"])
        return f"{', '.join(values)} or {last}"
    if schema.get("format") == "date-time":
        return "date-time"
    (kind,) = (name for name in schema["type"] if name != "null")
    return f"{kind}, secret" if schema.get("secret") else str(kind)


def test_the_settings_are_those_of_about(about: Message) -> None:
    rows = [row for table in README.tables()[:2] for row in table]

    assert [(row["setting"], row["type"], row["default"]) for row in rows] == [
        (
            f"`{name}`",
            _type(schema),
            "required"
            if name in about["required"]
            else f"`{json.dumps(schema['default']).strip(chr(34))}`"
            if "default" in schema
            else "",
        )
        for name, schema in about["properties"].items()
    ]


def test_the_settings_are_described_with_their_limits(about: Message) -> None:
    rows = {row["setting"].strip("`"): row for row in README.tables()[0]}

    for name, row in rows.items():
        told, schema = row["what it is"], about["properties"][name]
        limits = [schema[rule] for rule in ("minimum", "maximum") if rule in schema]
        assert all(str(limit) in told for limit in limits), name
        methods = re.search(r"with auth_method (\w+)", schema["description"])
        if methods:
            assert f"`{methods[1]}`" in told, name
        # In other words, but about the same thing.
        words = set(re.findall(r"[a-z]{6,}", schema["description"].lower()))
        assert words & set(re.findall(r"[a-z]{6,}", told.lower())), name


def test_the_setting_names_all_extra_streams_and_groups(about: Message) -> None:
    told = about["properties"]["extra_streams"]["description"]

    words = re.findall(r"\w+", told)
    assert {*GROUPS, *(stream.name for stream in ALL_STREAMS)} <= {*words}


# Configurations


def _configurations(language: str) -> dict[str, Message]:
    """Return the README's configuration of each way to sign in."""
    found = {}
    for block in README.blocks(language):
        given = yaml.safe_load(block.text)
        config = given.get("config", given)
        if "auth_method" in config:
            found[config["auth_method"]] = config
    return found


def test_the_configurations_are_the_same_for_meltano_and_as_a_file() -> None:
    for method, config in _configurations("json").items():
        of_meltano = _configurations("yaml")[method]
        assert of_meltano.keys() == config.keys()
        for name, value in of_meltano.items():
            # Secrets come from the environment there.
            assert value == config[name] or str(value).startswith("$")


@pytest.mark.parametrize("method", ["static", "roles_anywhere", "default"])
def test_a_configuration_of_the_readme_loads_the_plant(
    tap: TapCommand, aws: Emulator, method: str
) -> None:
    config = _configurations("json")[method]
    shared = tap.file(
        "credentials",
        "[plant]\n"
        f"aws_access_key_id = {aws.access_key_id}\n"
        f"aws_secret_access_key = {aws.secret_access_key}\n",
    )
    known = {
        **static(aws),
        **anywhere(aws, **Forms(aws.issue_certificate(), tap.directory).paths()),
    }
    endpoints = ("aws_endpoint_url", "roles_anywhere_endpoint_url")
    # What differs from machine to machine; ARNs, keys and Region are as they stand.
    differs = ("client_certificate", "private_key")
    here = {name: known[name] for name in (*differs, *endpoints)}
    used = {name: here[name] for name in here if name in config or name in endpoints}

    run = tap(
        {**config, **used},
        environment={
            "AWS_CA_BUNDLE": aws.ca_bundle,
            "AWS_SHARED_CREDENTIALS_FILE": str(shared),
        },
    ).succeeded()

    assert run.records("projects") == expected.records(aws.plant)["projects"]


def test_a_trial_run_sends_a_record_of_each_stream(
    tap: TapCommand, aws: Emulator
) -> None:
    assert "--test" in README.block("Check it and read", "sh")

    run = tap(static(aws), "--test").succeeded()

    for stream in STREAMS:
        assert len(run.records(stream.name)) == 1


@pytest.mark.parametrize(("each", "block"), blocks("json"))
def test_json_examples_are_json(each: Page, block: Block) -> None:
    assert json.loads(block.text), str(each)


@pytest.mark.parametrize(("each", "block"), blocks("yaml"))
def test_yaml_examples_are_what_meltano_and_the_tap_take(
    each: Page, block: Block
) -> None:
    given = yaml.safe_load(block.text)
    # A piece of the extractor, or of the whole file.
    pieces = {"config", "metadata", "pip_url", "select"} & given.keys()
    extractor = {"name": "tap-iot-sitewise", **given}
    project = {"plugins": {"extractors": [extractor]}} if pieces else given
    (schema,) = (ROOT / ".tools" / "meltano").glob(
        "lib/*/site-packages/meltano/schemas/*.json"
    )
    validator = jsonschema.Draft202012Validator(json.loads(schema.read_text("utf-8")))

    assert [
        f"{each}: {error.message}"
        for error in validator.iter_errors({"version": 1, **project})
    ] == []
    for plugin in project.get("plugins", {}).get("extractors", []):
        assert _refused(plugin.get("config", {})) == []
        for path in plugin.get("select", []):
            stream, column = path.lstrip("!").split(".")
            assert stream == "*" or stream in COLUMNS
            assert column == "*" or column in COLUMNS[stream]
        for stream, metadata in plugin.get("metadata", {}).items():
            assert metadata["replication-key"] in COLUMNS[stream]


def _refused(config: Message) -> list[str]:
    """Return what is wrong with settings, apart from those that are missing."""
    schema = json.loads(json.dumps(settings.SCHEMA))
    TapIoTSiteWise.append_builtin_config(schema)
    unknown = sorted(config.keys() - schema["properties"].keys())
    # Meltano puts the environment's values in.
    given = {k: v for k, v in config.items() if not str(v).startswith("$")}
    return unknown + [
        problem
        for problem in settings_check.problems(given, schema)
        if "missing" not in problem
    ]


def test_the_loaders_examples_name_settings_of_the_loader() -> None:
    project = yaml.safe_load((ROOT / "meltano.yml").read_text("utf-8"))
    known = {
        loader["name"]: {setting["name"] for setting in loader["settings"]}
        for loader in project["plugins"]["loaders"]
    }
    shown = [
        plugin
        for block in LOADING.blocks("yaml")
        for plugin in yaml.safe_load(block.text).get("plugins", {}).get("loaders", [])
    ]

    assert shown
    for plugin in shown:
        assert plugin["config"].keys() <= known[plugin["name"]]


# Streams and columns


def _columns(
    schema: Message, key: Sequence[str], prefix: str = ""
) -> Iterator[tuple[str, str, str]]:
    """Return each column, with those inside of it, by the words of the pages."""
    for name, column in schema["properties"].items():
        kinds = [kind for kind in column["type"] if kind != "null"]
        kind = "date-time" if column.get("format") == "date-time" else kinds[0]
        if prefix == "" and name in schema.get("required", []):
            kind += ", key" if name in key else ", not null"
        yield f"{prefix}{name}", kind, column["description"]
        inner = column.get("items", column)
        if "properties" in inner:
            mark = "[]." if "items" in column else "."
            yield from _columns(inner, key, f"{prefix}{name}{mark}")


@pytest.fixture(scope="module")
def whole_catalog() -> Message:
    """The catalog that --discover prints with all extra streams."""
    text = subprocess.run(
        [COMMAND, "--config", "ENV", "--discover"],
        env=clean_environment(TAP_IOT_SITEWISE_EXTRA_STREAMS=",".join(GROUPS)),
        capture_output=True,
        check=True,
        timeout=120,
    ).stdout
    found: Message = json.loads(text)
    return found


def _stream_page(stream: type[t.Any]) -> Page:
    return page(f"docs/streams/{stream.name}.md")


def _name(stream: type[t.Any]) -> str:
    return str(stream.name)


@pytest.mark.parametrize("stream", ALL_STREAMS, ids=_name)
def test_the_columns_of_a_page_are_those_of_the_stream(
    whole_catalog: Message, stream: type[t.Any]
) -> None:
    (entry,) = (
        each
        for each in whole_catalog["streams"]
        if each["tap_stream_id"] == stream.name
    )

    rows = _stream_page(stream).tables()[0]

    assert [
        (row["column"].strip("`"), row["type"], row["what it is"]) for row in rows
    ] == list(_columns(entry["schema"], stream.entity.key))


@pytest.mark.parametrize("stream", ALL_STREAMS, ids=_name)
def test_the_facts_of_a_page_are_those_of_the_stream(stream: type[t.Any]) -> None:
    each = _stream_page(stream)
    facts = {
        re.split(":|; | if ", " ".join(fact.split()), maxsplit=1)[0]: fact
        for fact in re.findall(
            r"^- (.+(?:\n  .+)*)", each.text.partition("## Columns")[0], re.MULTILINE
        )
    }
    (calls,) = (fact for name, fact in facts.items() if name.startswith("API op"))
    actions = permissions.actions(stream)
    key = ", ".join(f"`{column}`" for column in stream.entity.key)
    parents = set(_parents(stream))
    children = {other.name for other in ALL_STREAMS if stream in other.parent_streams()}

    assert sorted(re.findall(r"`(iotsitewise:\w+)`", calls)) == sorted(actions)
    told = calls.partition("IAM action")[0]
    assert set(re.findall(r"\b(?:List|Describe|BatchGet)[A-Z]\w+", told)) == {
        action.partition(":")[2] for action in actions
    }
    assert facts["Key"] == f"Key: {key}"
    assert _linked(facts, "Parent stream") == parents
    assert _linked(facts, "Child stream") == children
    assert ("Extra stream" in facts) == (stream in EXTRA_STREAMS)
    if stream in EXTRA_STREAMS:
        (group,) = (name for name, streams in GROUPS.items() if stream in streams)
        assert facts["Extra stream"] == (
            f"Extra stream: add `{stream.name}` or `{group}` to `extra_streams`"
        )
    column = stream.entity.replication_column
    assert (f"Incremental on `{column}`" in facts) == (column is not None)
    assert ("Full table only" in facts) == (column is None)


def _parents(stream: type[t.Any]) -> list[str]:
    """Return the parents, without the one that only finds time series."""
    return [each.name for each in stream.parent_streams() if each in ALL_STREAMS]


def _linked(facts: dict[str, str], name: str) -> set[str]:
    found = facts.get(name, "") + facts.get(f"{name}s", "")
    return set(re.findall(r"\[(\w+)\]\(\w+\.md\)", found))


def _table_with(*headers: str) -> dict[str, dict[str, str]]:
    """Return the README's table of streams with these columns, by stream."""
    (table,) = (
        table
        for table in README.tables()
        if table and list(table[0]) == ["stream", "key", "API operation", *headers]
    )
    return {re.findall(r"`(\w+)`", row["stream"])[0]: row for row in table}


def test_the_streams_in_short_are_those_of_the_tap() -> None:
    always, extra = _table_with("columns"), _table_with("parent", "one row for")

    assert list(always) == [stream.name for stream in STREAMS]
    assert list(extra) == [stream.name for stream in EXTRA_STREAMS]
    for stream in ALL_STREAMS:
        row = {**always, **extra}[stream.name]
        assert f"(docs/streams/{stream.name}.md)" in row["stream"]
        assert re.findall(r"`(\w+)`", row["key"]) == stream.entity.key
        assert row["API operation"].split(",")[0] == stream.request.operation
        if stream in STREAMS:
            columns = re.findall(r"`(\w+)`", row["columns"])
            assert columns == COLUMNS[stream.name]
        else:
            assert re.findall(r"`(\w+)`", row["parent"]) == _parents(stream)


def test_the_flowchart_names_all_operations_and_no_others() -> None:
    chart = README.block("How it works", "mermaid", 0)

    assert set(re.findall(r"(?:List|Describe|BatchGet)\w+", chart)) == {
        stream.request.operation for stream in ALL_STREAMS
    }


TYPES = {
    "string": "text",
    "array": "list",
    "object": "object",
    "date-time": "timestamp",
    "number": "number",
    "integer": "integer",
    "boolean": "boolean",
}


def test_the_diagram_shows_every_table_with_its_key_and_columns() -> None:
    diagram = README.block("How it works", "mermaid", 1)
    tables = {
        name: [line.split(maxsplit=2) for line in lines.strip().splitlines()]
        for name, lines in re.findall(
            r"^    (\w+) \{\n(.*?)^    \}$", diagram, re.DOTALL | re.MULTILINE
        )
    }

    assert tables.keys() == {stream.name for stream in ALL_STREAMS}
    for stream in ALL_STREAMS:
        known = {
            name: TYPES[kind.partition(",")[0]]
            for name, kind, _ in _columns(stream.entity.schema, stream.entity.key)
        }
        columns = tables[stream.name]
        assert {name: kind for kind, name, *_ in columns}.items() <= known.items()
        assert [
            name for _, name, *marks in columns if "PK" in " ".join(marks)
        ] == stream.entity.key


def test_the_relations_of_the_diagram_join_columns_of_its_tables() -> None:
    diagram = README.block("How it works", "mermaid", 1)
    relations = re.findall(r"^    (\w+) \S+ (\w+) : \"(.+)\"$", diagram, re.MULTILINE)
    foreign = set()
    for left, right, label in relations:
        for part in label.split(", "):
            name, _, other = part.partition(" = ")
            assert name in COLUMNS[left], label
            assert (other or name) in COLUMNS[right], label
            foreign.add((right, other or name))
    marked = {
        (name, column)
        for name, lines in re.findall(
            r"^    (\w+) \{\n(.*?)^    \}$", diagram, re.DOTALL | re.MULTILINE
        )
        for column in re.findall(r"(\w+) (?:PK, )?FK$", lines, re.MULTILINE)
    }
    children = {
        (parent, stream.name) for stream in ALL_STREAMS for parent in _parents(stream)
    }

    assert marked == foreign
    assert children <= {(left, right) for left, right, _ in relations}


@pytest.mark.parametrize("language", ["yaml", "json", "sh"])
def test_streams_are_added_in_each_way_that_the_page_shows(
    tap: TapCommand, language: str
) -> None:
    block = README.block("Add streams", language)
    if language == "sh":
        name, _, value = block.split()[0].partition("=")
        run = tap(None, "--config", "ENV", "--discover", environment={name: value})
    else:
        given = yaml.safe_load(block)
        run = tap(given.get("config", given), "--discover")
    found = {
        entry["tap_stream_id"]
        for entry in json.loads(run.succeeded().output)["streams"]
    }

    added = found - {stream.name for stream in STREAMS}
    assert added == (
        {stream.name for stream in GROUPS["plant"]}
        if language == "yaml"
        else {"assets", "asset_associations"}
    )


@pytest.fixture(scope="module")
def plant() -> Iterator[Emulator]:
    """An account with records of all kinds, which no test changes."""
    with Emulator(
        asset_models=12, portals=3, projects_per_portal=3, sizes=SIZES["hostile"]
    ) as emulator:
        yield emulator


def _loading_table(*headers: str) -> list[dict[str, str]]:
    (table,) = (
        table for table in LOADING.tables() if table and list(table[0]) == [*headers]
    )
    return table


def test_the_flattened_columns_are_those_that_arrive(
    tap: TapCommand, plant: Emulator
) -> None:
    config = yaml.safe_load(LOADING.block("Flatten `status`", "yaml"))["config"]
    status = _loading_table("in the record", "column")
    others = {
        row["stream"].strip("`"): row
        for row in _loading_table("stream", "object", "columns", "lists")
    }
    of_status = {re.findall(r"`(\w+)`", row["column"])[0] for row in status}

    run = tap(static(plant, extra_streams=["plant"], **config)).succeeded()

    for stream in WITHOUT_VALUES:
        row = others.get(stream.name, {"object": "", "columns": "", "lists": ""})
        shown = {name: re.findall(r"`(\w+)`", row[name]) for name in row}
        columns = stream.entity.schema["properties"]
        objects = {name for name, each in columns.items() if "object" in each["type"]}
        lists = {name for name, each in columns.items() if "array" in each["type"]}
        records = run.records(stream.name)
        added = records[0].keys() - columns.keys()
        assert set(shown["object"]) == objects - {"status"}
        assert set(shown["lists"]) == lists
        if "status" in objects:
            details = {"status__error__details"} if stream is monitor.Portals else set()
            assert added == {*shown["columns"], *of_status} - details
        else:
            assert added == set(shown["columns"])
        for name in lists:
            texts = [each[name] for each in records if each[name] is not None]
            assert all(isinstance(json.loads(text), list) for text in texts)


def test_the_keys_of_several_columns_are_those_of_the_streams() -> None:
    rows = _loading_table("stream", "key")

    assert {
        row["stream"].strip("`"): re.findall(r"`(\w+)`", row["key"]) for row in rows
    } == {
        stream.name: stream.entity.key
        for stream in ALL_STREAMS
        if len(stream.entity.key) > 1
    }


def test_the_streams_that_can_be_incremental_are_listed() -> None:
    told = LOADING.section("Load only changes").partition("last_update_date`:")[2]

    assert re.findall(r"`(\w+)`", told.partition(".")[0]) == [
        stream.name for stream in ALL_STREAMS if stream.entity.change_column
    ]


def test_the_requests_of_a_plant_add_up() -> None:
    section = SCHEDULING.section("How long a plant takes")
    (table,) = (
        table for table in SCHEDULING.tables() if table and "requests" in table[0]
    )
    total = sum(int(row["example"].replace(",", "")) for row in table)
    streams = [name for row in table for name in re.findall(r"`(\w+)`", row["streams"])]

    assert sorted(streams) == sorted(stream.name for stream in WITHOUT_VALUES)
    assert f"The example needs {total:,} requests" in " ".join(section.split())
    assert f"about {total / 10 / 60:.0f} minutes" in section
    assert f"or {total / (8 / 0.1) / 60:.0f} minutes" in section


def test_a_run_needs_the_requests_that_the_page_says(
    tap: TapCommand, plant: Emulator
) -> None:
    (table,) = (
        table for table in SCHEDULING.tables() if table and "requests" in table[0]
    )
    records = {**expected.records(plant.plant), **expected_plant.records(plant.plant)}
    size = {
        "asset model": len(records["asset_models"]),
        "asset": len(records["assets"]),
        "hierarchy of each asset": sum(
            len(asset["hierarchies"]) for asset in records["assets"]
        ),
        "portal": len(records["portals"]),
        "project": len(records["projects"]),
    }
    plant.stats.reset()

    tap(static(plant, extra_streams=["plant"])).succeeded()

    for row in table:
        parents = re.findall(r"each ([a-z ]+?)(?: and|$|,)", row["requests"])
        for name in re.findall(r"`(\w+)`", row["streams"]):
            (operation,) = (
                each.request.operation for each in ALL_STREAMS if each.name == name
            )
            if row["requests"].startswith("one for each page of 250"):
                pages = -(-len(records[name]) // 250)
                assert plant.stats.requests[operation] == pages
            else:
                wanted = sum(size[parent] for parent in parents if parent != "stream")
                assert plant.stats.requests[operation] == wanted, name


def test_a_parent_that_runs_for_its_children_only_has_a_summary_line(
    tap: TapCommand, plant: Emulator
) -> None:
    assert "runs only for its children" in " ".join(SCHEDULING.section("Logs").split())
    settings = static(plant, extra_streams=["asset_properties"])
    whole = json.loads(tap(settings, "--discover").succeeded().output)

    run = tap(settings, catalog=select(whole, "asset_properties")).succeeded()

    summaries = [line for line in run.lines("INFO") if " requests (" in line]
    assert [line.partition(",")[0] for line in summaries] == [
        "asset_models: 0 records",
        "assets: 0 records",
        f"asset_properties: {len(run.records('asset_properties'))} records",
    ]


def test_the_stream_that_is_shown_to_contributors_can_be_declared() -> None:
    (block,) = page("CONTRIBUTING.md").blocks("python")
    names = dict(vars(computation_models))
    names.update(vars(attribute))

    exec(block.text, names)  # noqa: S102 - the page's own code

    stream = names["Actions"]
    request = stream.request
    assert request.operation not in {each.request.operation for each in ALL_STREAMS}
    model = botocore.session.get_session().get_service_model("iotsitewise")
    operation = model.operation_model(request.operation)
    answer = operation.output_shape.members[request.result].member
    assert answer.name == stream.entity.name
    assert {*request.by, *request.parameters} == {
        *operation.input_shape.required_members
    }
    members = {
        str(each.member).partition(".")[0]
        for each in stream.entity.attributes
        if each.member is not None
    }
    # The target is the parent, whose ID is a column.
    assert answer.members.keys() - members == {"targetResource"}
    assert members <= answer.members.keys()
    columns = {request.renamed.get(name, name) for name in request.by.values()}
    assert columns <= stream.entity.schema["properties"].keys()


# Commands


OPTION = re.compile(r"(?:^|\s)(--[a-z][a-z-]+)")
ELSEWHERE = {
    # Of these the pages use little.
    *("cd", "set", "tail", "journalctl", "systemctl", "[", "echo", "mv"),
    # Run in the other test_docs_*.py.
    *(
        "aws",
        "openssl",
        "umask",
        "printf",
        "cat",
        "chmod",
        "curl",
        "head",
        "pip",
        "sed",
    ),
}


def _lines() -> Iterator[list[str]]:
    """Return every command of the pages, its words; a line may hold several."""
    for each in pages():
        for block in each.blocks("sh", "bash"):
            text = block.text.replace("\\\n", " ")
            for line in text.splitlines():
                for part in re.split(r" (?:\||&&|\|\|) ", line):
                    words = shlex.split(part, comments=True)
                    if words and "=$(" in words[0]:
                        continue
                    while words and "=" in words[0]:
                        del words[0]
                    if words:
                        yield words


@functools.cache
def _help(*command: object) -> str:
    done = subprocess.run(
        [*map(str, command), "--help"],
        cwd=ROOT,
        env=clean_environment(),
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    return done.stdout


def test_the_commands_have_the_options_that_are_shown() -> None:
    targets = re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)

    for words in _lines():
        program, *rest = words
        program = program.removeprefix(".venv/bin/")
        if program == "make":
            assert rest[0] in targets
        elif program == "python":
            assert rest[:2] == ["-m", "emulator"]
            own = rest[2 : rest.index("--")]
            options = _help(sys.executable, *rest[:2])
            assert {word for word in own if word[:2] == "--"} <= _options(options)
        elif program in {"tap-iot-sitewise", "target-csv", "target-postgres"}:
            path = COMMAND if program.startswith("tap") else _tool(program)
            options = _help(path)
            assert {word for word in rest if word[:2] == "--"} <= _options(options)
        else:
            assert program in {*ELSEWHERE, "meltano"}, program


def _options(told: str) -> set[str]:
    return set(OPTION.findall(told))


def _tool(name: str) -> Path:
    return ROOT / ".tools" / name / "bin" / name


_ASK_MELTANO = """
import json, sys, click
from meltano.cli import cli
for words in json.load(sys.stdin):
    command, known = cli, []
    while True:
        known += [name for each in command.params for name in each.opts]
        names = [word for word in words if not word.startswith("-")]
        inner = isinstance(command, click.Group) and names \\
            and command.get_command(click.Context(command), names[0])
        if not inner:
            break
        words.remove(names[0])
        command = inner
    # `meltano invoke` passes on what it does not know.
    passing = command.context_settings.get("ignore_unknown_options")
    for word in [] if passing else words:
        if word.startswith("-") and word.partition("=")[0] not in known:
            print("no option", word, "of", command.name)
    if isinstance(command, click.Group):
        print("no command", words, "of", command.name)
"""


def test_meltano_has_the_commands_and_options_that_are_shown() -> None:
    shown = [words[1:] for words in _lines() if words[0] == "meltano"]
    inline = [
        shlex.split(code)[1:]
        for each in pages()
        for code in re.findall(r"`(meltano [^`]+)`", each.prose)
    ]

    asked = subprocess.run(
        [meltano.MELTANO.with_name("python"), "-c", _ASK_MELTANO],
        cwd=ROOT,
        env=clean_environment(),
        input=json.dumps([*shown, *inline]),
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )

    assert shown
    assert asked.stdout == ""


def test_cron_prints_the_end_of_the_log_of_a_failed_run_and_nothing_else(
    tmp_path: Path,
) -> None:
    (line,) = (
        line
        for line in SCHEDULING.block("cron", "crontab").splitlines()
        if line[0].isdigit()
    )
    command = line.split(maxsplit=5)[5].replace("/srv/plant", str(tmp_path))
    meltano_stub = tmp_path / "bin" / "meltano"
    meltano_stub.parent.mkdir()
    printed = []
    for code in (0, 1):
        meltano_stub.write_text(
            f"#!/bin/sh\numask > {tmp_path}/umask\necho run {code} >&2\nexit {code}\n"
        )
        meltano_stub.chmod(0o700)

        done = subprocess.run(
            ["sh", "-c", command],  # noqa: S607 - as cron does it
            check=False,
            capture_output=True,
            timeout=120,
            text=True,
        )
        printed.append(done.stdout + done.stderr)

    assert printed == ["", "run 0\nrun 1\n"]
    assert int((tmp_path / "umask").read_text(), 8) == 0o077


def test_the_catalog_of_the_page_makes_a_stream_incremental(
    tap: TapCommand, aws: Emulator, catalog: Message
) -> None:
    item = json.loads(LOADING.block("Load only changes", "json"))
    chosen = select(catalog, "asset_models")
    entry = chosen["streams"][0]
    entry["metadata"] = [each for each in entry["metadata"] if each["breadcrumb"]]
    entry["metadata"].append(item)
    first = tap(static(aws), catalog=chosen).succeeded()
    aws.plant.change("asset_models", aws.plant.asset_models[1]["id"], name="not seen")
    changed = aws.plant.touch("asset_models", aws.plant.asset_models[2]["id"])

    second = tap(static(aws), catalog=chosen, state=first.states[-1]).succeeded()

    sent = {record["asset_model_id"] for record in second.records("asset_models")}
    assert changed["id"] in sent
    assert aws.plant.asset_models[1]["id"] not in sent


# Schedules


def test_the_units_of_systemd_can_be_read() -> None:
    units = []
    for block in SCHEDULING.blocks("ini"):
        unit = configparser.ConfigParser(interpolation=None)
        unit.read_string(block.text)
        units.append(set(unit.sections()))
        if "Service" in unit:
            # Else the tap warns of the files that Meltano makes for it.
            assert unit["Service"]["UMask"] == "0077"

    assert units == [{"Unit", "Service"}, {"Unit", "Timer", "Install"}]


def test_every_schedule_runs_the_job_of_the_project() -> None:
    project = yaml.safe_load((ROOT / "meltano.yml").read_text("utf-8"))
    (job,) = project["jobs"]
    (schedule,) = project["schedules"]
    shown = yaml.safe_load(SCHEDULING.block("Meltano", "yaml"))

    assert shown == {"jobs": [job], "schedules": [schedule]}
    assert f"meltano --environment=prod schedule run {schedule['name']}\n" in (
        SCHEDULING.block("Meltano", "sh")
    )
    command = f"meltano --environment=prod run {job['name']}"
    for section, language in (
        ("Meltano", "sh"),
        ("cron", "crontab"),
        ("systemd", "ini"),
    ):
        assert f"{command}\n" in SCHEDULING.block(section, language).replace(
            " >> run.log 2>&1 || tail -n 20 run.log", ""
        )


def test_a_full_table_run_passes_on_the_bookmarks_of_incremental_runs(
    tap: TapCommand, aws: Emulator, catalog: Message
) -> None:
    assert "passes on" in SCHEDULING.section("State")
    incremental = select(
        catalog, "portals", "projects", replication_method="INCREMENTAL"
    )
    by_day = tap(static(aws), catalog=incremental).succeeded().states[-1]
    changed = aws.plant.touch(
        "portals", aws.plant.portals[0]["id"], at=time.time() - 3600
    )

    by_night = tap(static(aws), state=by_day).succeeded()
    again = tap(static(aws), catalog=incremental, state=by_night.states[-1])

    assert len(by_night.records("portals")) == len(aws.plant.portals)
    kept = by_night.states[-1]["bookmarks"]
    for stream in ("portals", "projects"):
        assert kept[stream] == by_day["bookmarks"][stream]
        assert kept[stream]["replication_key_value"]
    sent = [record["portal_id"] for record in again.succeeded().records("portals")]
    assert changed["id"] in sent
    assert len(sent) < len(aws.plant.portals)
    # Without such a state, a full-table run leaves no bookmarks.
    alone = tap(static(aws)).succeeded().states[-1]["bookmarks"]
    assert not any(alone.values())


def test_the_log_line_of_the_page_is_written(tap: TapCommand, aws: Emulator) -> None:
    (shown,) = SCHEDULING.blocks("text")
    form = re.sub(r"\d+", r"\\d+", re.escape(shown.text.strip()))

    run = tap(static(aws)).succeeded()

    (line,) = (line for line in run.lines("INFO") if line.startswith("projects:"))
    assert re.fullmatch(form, line)


def test_the_changelog_begins_with_the_version_of_the_package() -> None:
    versions = re.findall(
        r"^## \[(\d[\d.]+)\]", page("CHANGELOG.md").text, re.MULTILINE
    )

    project = (ROOT / "pyproject.toml").read_text("utf-8")
    assert f'version = "{versions[0]}"' in project
