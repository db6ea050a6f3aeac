"""What the command tells of itself, and what it makes of a catalog and a state."""

from __future__ import annotations

import copy
import json
import typing as t
from datetime import datetime, timedelta, timezone

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tap_iot_sitewise.errors import TapError
from tap_iot_sitewise.tap import TapIoTSiteWise
from tests import expected
from tests.conftest import ROOT, select, static

if t.TYPE_CHECKING:
    from emulator import Emulator
    from tests.conftest import Message, TapCommand

STREAMS = ["asset_models", "portals", "projects"]


def test_the_committed_catalog_is_what_discovery_prints(tap: TapCommand) -> None:
    run = tap(None, "--discover").succeeded()

    # After a change of the streams: make catalog
    assert (ROOT / "catalog.json").read_bytes() == run.output


@pytest.mark.parametrize("option", ["--discover", "--about", "--version"])
def test_nothing_is_needed_to_ask_the_command_about_itself(
    tap: TapCommand, option: str
) -> None:
    run = tap(None, option).succeeded()

    assert run.output
    assert not run.lines("WARNING")


def test_the_module_runs_as_the_command_does(tap: TapCommand) -> None:
    import subprocess  # noqa: PLC0415
    import sys  # noqa: PLC0415

    module = subprocess.run(
        [sys.executable, "-m", "tap_iot_sitewise", "--version"],
        capture_output=True,
        check=True,
    )

    assert module.stdout == tap(None, "--version").output


def test_the_catalog_names_streams_keys_and_columns(catalog: Message) -> None:
    entries = {entry["tap_stream_id"]: entry for entry in catalog["streams"]}

    assert list(entries) == STREAMS
    for stream, entry in entries.items():
        assert entry["key_properties"] == expected.COLUMNS[stream][:1]
        assert entry["replication_method"] == "FULL_TABLE"
        assert list(entry["schema"]["properties"]) == expected.COLUMNS[stream]


def _change(catalog: Message, stream: str, **changes: object) -> Message:
    changed = copy.deepcopy(catalog)
    for entry in changed["streams"]:
        if entry["tap_stream_id"] == stream:
            entry.update(changes)
    return changed


def _root(catalog: Message, stream: str, **metadata: object) -> Message:
    changed = copy.deepcopy(catalog)
    for entry in changed["streams"]:
        if entry["tap_stream_id"] == stream:
            for item in entry["metadata"]:
                if not item["breadcrumb"]:
                    item["metadata"].update(
                        {name.replace("_", "-"): v for name, v in metadata.items()}
                    )
    return changed


def _schema(catalog: Message, stream: str, **properties: object) -> Message:
    changed = copy.deepcopy(catalog)
    for entry in changed["streams"]:
        if entry["tap_stream_id"] == stream:
            for name, definition in properties.items():
                if definition is None:
                    del entry["schema"]["properties"][name]
                else:
                    entry["schema"]["properties"][name] = definition
    return changed


WRONG_CATALOGS: dict[str, tuple[t.Callable[[Message], t.Any], str]] = {
    "a list": (lambda _: [], "not a Singer catalog"),
    "no streams": (lambda _: {"streams": None}, "not a Singer catalog"),
    "no name": (lambda _: {"streams": [{}]}, "an entry has no tap_stream_id"),
    "twice": (
        lambda catalog: {"streams": catalog["streams"] * 2},
        "asset_models has two entries",
    ),
    "no schema": (
        lambda catalog: _change(catalog, "portals", schema=None),
        "portals: the entry has no schema",
    ),
    "odd metadata": (
        lambda catalog: _change(catalog, "portals", metadata=[{"breadcrumb": "x"}]),
        "portals: metadata is not a list of objects with breadcrumb",
    ),
    "an unknown column": (
        lambda catalog: _schema(catalog, "portals", colour={"type": ["string"]}),
        "portals: the tap has no column colour",
    ),
    "another type": (
        lambda catalog: _schema(
            catalog, "portals", creation_date={"type": ["integer", "null"]}
        ),
        "the catalog's type for creation_date differs from the tap's; set it to null",
    ),
    "a column that may not be null": (
        lambda catalog: _schema(catalog, "portals", name={"type": "string"}),
        "the catalog's type for name differs from the tap's; set it to null or string",
    ),
    "no key in the schema": (
        lambda catalog: _schema(catalog, "portals", portal_id=None),
        "portals: the key column portal_id is not in the schema",
    ),
    "log based": (
        lambda catalog: _root(catalog, "portals", replication_method="LOG_BASED"),
        "the replication method 'LOG_BASED'; use FULL_TABLE or INCREMENTAL",
    ),
    "by another date": (
        lambda catalog: _root(
            catalog,
            "portals",
            replication_method="INCREMENTAL",
            replication_key="creation_date",
        ),
        "cannot be the replication key; use last_update_date",
    ),
    "incremental without its date": (
        lambda catalog: _schema(
            _root(catalog, "portals", replication_method="INCREMENTAL"),
            "portals",
            last_update_date=None,
        ),
        "portals: the key column last_update_date is not in the schema",
    ),
}


@pytest.mark.parametrize("case", WRONG_CATALOGS)
def test_a_catalog_that_cannot_be_followed_is_one_error(
    catalog: Message, case: str
) -> None:
    make, words = WRONG_CATALOGS[case]

    with pytest.raises(TapError) as caught:
        TapIoTSiteWise(catalog=make(catalog), validate_config=False)

    assert words in str(caught.value)


def test_a_file_that_is_no_json_is_one_error(tap: TapCommand, aws: Emulator) -> None:
    assert "catalog.json is not valid JSON" in tap(static(aws), catalog="{").error
    assert "state.json is not valid JSON" in tap(static(aws), state="{").error
    assert "--config: " in tap("{").error
    assert "--config: " in tap("[1]").error
    missing = tap(None, "--config", "nowhere.json").error
    assert missing.startswith("--config: ")
    assert "nowhere.json' was not found; pass the name of a JSON file" in missing
    assert aws.stats.total == 0


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_a_file_is_read_whatever_mark_of_its_encoding_it_begins_with(
    tap: TapCommand, aws: Emulator, catalog: Message, encoding: str
) -> None:
    # Windows editors and PowerShell put such a mark before what they write.
    for name, content in (
        ("config", static(aws)),
        ("catalog", select(catalog, "portals")),
        ("state", {"bookmarks": {}}),
    ):
        tap.file(f"{name}.json", "").write_text(json.dumps(content), encoding)
    # The SDK reads the configuration, and knows UTF-8 with or without a mark.
    tap.file("config.json", static(aws))

    run = tap(
        None,
        *("--config", str(tap.directory / "config.json")),
        *("--catalog", str(tap.directory / "catalog.json")),
        *("--state", str(tap.directory / "state.json")),
        # Nor does the locale decide about it.
        environment={"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
    ).succeeded()

    assert run.records("portals") == expected.records(aws.plant)["portals"]
    assert not run.records("asset_models")


def test_a_file_that_is_nested_too_deep_is_one_error(
    tap: TapCommand, aws: Emulator
) -> None:
    deep = "[" * 100_000

    assert "catalog.json is not valid JSON" in tap(static(aws), catalog=deep).error
    assert "state.json is not valid JSON" in tap(static(aws), state=deep).error
    assert "--config: " in tap(deep).error


def test_an_unknown_stream_is_left_out_and_a_missing_one_is_not_selected(
    tap: TapCommand, aws: Emulator, catalog: Message
) -> None:
    entries = select(catalog, *STREAMS)["streams"]
    stranger = {**entries[0], "tap_stream_id": "pumps", "stream": "pumps"}
    given_catalog = {"streams": [stranger, entries[2]]}

    run = tap(static(aws), catalog=given_catalog).succeeded()

    assert run.records("projects") == expected.records(aws.plant)["projects"]
    assert {stream for _, stream in run.kinds} == {None, "projects"}
    assert any("the tap has no stream pumps" in line for line in run.lines("WARNING"))


def test_columns_that_the_catalog_lacks_are_not_sent(
    tap: TapCommand, aws: Emulator, catalog: Message
) -> None:
    chosen = _schema(select(catalog, *STREAMS), "portals", start_url=None, status=None)

    run = tap(static(aws), catalog=chosen).succeeded()

    (schema,) = run.of("SCHEMA", "portals")
    columns = set(expected.COLUMNS["portals"]) - {"start_url", "status"}
    assert schema["schema"]["properties"].keys() == columns
    assert all(record.keys() == columns for record in run.records("portals"))


def test_a_key_stays_selected_whatever_the_catalog_says(
    tap: TapCommand, aws: Emulator, catalog: Message
) -> None:
    chosen = select(catalog, *STREAMS)
    for entry in chosen["streams"]:
        del entry["key_properties"]
        for item in entry["metadata"]:
            item["metadata"].pop("table-key-properties", None)
            if item["breadcrumb"]:
                item["metadata"] = {"inclusion": "available", "selected": False}

    run = tap(static(aws), catalog=chosen).succeeded()

    for stream in STREAMS:
        key = expected.COLUMNS[stream][0]
        (schema,) = run.of("SCHEMA", stream)
        assert schema["key_properties"] == [key]
        assert schema["schema"]["properties"].keys() == {key}
        assert all(record.keys() == {key} for record in run.records(stream))


WRONG_STATES: dict[str, tuple[t.Any, str]] = {
    "a list": ([1], "not a Singer state"),
    "bookmarks that are a list": ({"bookmarks": []}, "not a Singer state"),
    "a bookmark that is text": (
        {"bookmarks": {"portals": "2024"}},
        "the bookmark of portals is not an object",
    ),
    "no date": (
        {
            "bookmarks": {
                "portals": {
                    "replication_key": "last_update_date",
                    "replication_key_value": "soon",
                }
            }
        },
        "the bookmark of portals is not a date and time",
    ),
    "a number": (
        {
            "bookmarks": {
                "portals": {
                    "replication_key": "last_update_date",
                    "replication_key_value": 7,
                }
            }
        },
        "the bookmark of portals is not a date and time",
    ),
    "a word for a date": (
        {
            "bookmarks": {
                "portals": {
                    "replication_key": "last_update_date",
                    "replication_key_value": "now",
                }
            }
        },
        "the bookmark of portals is not a date and time",
    ),
    "tomorrow": (
        {
            "bookmarks": {
                "portals": {
                    "replication_key": "last_update_date",
                    "replication_key_value": "tomorrow",
                }
            }
        },
        "the bookmark of portals is in the future",
    ),
    "the future": (
        {
            "bookmarks": {
                "portals": {
                    "replication_key": "last_update_date",
                    "replication_key_value": "2999-01-01T00:00:00Z",
                }
            }
        },
        "the bookmark of portals is in the future",
    ),
}


def tomorrow() -> str:
    return (datetime.now(timezone.utc) + timedelta(hours=20)).isoformat()


@pytest.mark.parametrize("case", WRONG_STATES)
def test_a_state_that_cannot_be_gone_on_from_is_one_error(case: str) -> None:
    state, words = WRONG_STATES[case]
    state = json.loads(json.dumps(state).replace("tomorrow", tomorrow()))

    with pytest.raises(TapError) as caught:
        TapIoTSiteWise(state=state, validate_config=False)

    assert words in str(caught.value)


@pytest.mark.parametrize(
    "state",
    [
        "null",
        {},
        {"bookmarks": {}},
        {"bookmarks": {"orders": {"replication_key_value": 3}}},
        {"bookmarks": {"portals": None, "projects": {"partitions": [{"context": {}}]}}},
        {"currently_syncing": "portals", "bookmarks": {"portals": {"since": 3}}},
    ],
)
def test_an_empty_state_and_that_of_another_tap_read_everything(
    tap: TapCommand, aws: Emulator, state: object
) -> None:
    run = tap(static(aws), state=state).succeeded()

    for stream, records in expected.records(aws.plant).items():
        assert run.records(stream) == records
    assert run.states[-1] == {"bookmarks": {stream: {} for stream in STREAMS}}


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner)
    ),
    max_leaves=8,
)


def _paths(value: object, path: tuple[t.Any, ...] = ()) -> list[tuple[t.Any, ...]]:
    items: t.Iterable[tuple[t.Any, object]] = ()
    if isinstance(value, dict):
        items = value.items()
    elif isinstance(value, list):
        items = enumerate(value)
    return [path, *(p for key, inner in items for p in _paths(inner, (*path, key)))]


def _replace(value: t.Any, path: tuple[t.Any, ...], new: object) -> t.Any:  # noqa: ANN401
    if not path:
        return new
    changed = copy.copy(value)
    changed[path[0]] = _replace(value[path[0]], path[1:], new)
    return changed


def _mutilated(sound: t.Any) -> st.SearchStrategy[t.Any]:  # noqa: ANN401
    """Anything at all in one place of something sound."""
    return st.tuples(st.sampled_from(_paths(sound)), JSON).map(
        lambda change: _replace(sound, *change)
    )


CATALOG = json.loads((ROOT / "catalog.json").read_bytes())
STATE = {
    "bookmarks": {
        stream: {
            "replication_key": "last_update_date",
            "replication_key_value": "2024-01-01T00:00:00Z",
            "progress_markers": {"Note": "Progress is not resumable if interrupted."},
        }
        for stream in STREAMS
    }
}


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(catalog=_mutilated(CATALOG), state=_mutilated(STATE))
def test_any_catalog_and_any_state_are_followed_or_refused_in_one_line(
    catalog: t.Any,  # noqa: ANN401
    state: t.Any,  # noqa: ANN401
) -> None:
    if catalog is None:
        catalog = {}
    try:
        tap = TapIoTSiteWise(catalog=catalog, state=state, validate_config=False)
    except TapError as error:
        refusal = str(error)
    else:
        refusal = ""
    if refusal:
        assert refusal.startswith(("--catalog: ", "--state: "))
        return
    for stream in tap.streams.values():
        if not stream.selected:
            continue
        for message in stream._generate_schema_messages():  # noqa: SLF001
            assert message.key_properties
            assert set(message.key_properties) <= message.schema["properties"].keys()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--nonsense"], "No such option"),
        (["--state", "nowhere.json"], "nowhere.json"),
        (["--catalog", "nowhere.json"], "nowhere.json"),
    ],
)
def test_a_wrong_command_line_is_one_error_with_exit_code_one(
    tap: TapCommand, aws: Emulator, arguments: list[str], words: str
) -> None:
    assert words in tap(static(aws), *arguments).error
    assert aws.stats.total == 0


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("STREAM_MAPS", "{bad", "stream_maps must be an object"),
        ("FLATTENING_ENABLED", "maybe", "flattening_enabled must be true or false"),
        ("FLATTENING_ENABLED", "true", "flattening_max_depth is missing"),
        ("REQUEST_TIMEOUT", "nan", "request_timeout must be at most 86400, not nan"),
        ("REQUEST_TIMEOUT", "inf", "request_timeout must be at most 86400, not inf"),
        ("START_DATE", "9999-12-31T23:59:59-01:00", "start_date is not a date"),
        ("START_DATE", "now", "start_date is not a date and time"),
        ("START_DATE", "12:30", "start_date is not a date and time"),
        ("START_DATE", "tomorrow", "start_date is in the future"),
        ("START_DATE", "9999-12-31", "start_date is in the future"),
        ("AWS_REGION", "eu-west-1\n", "did you mean eu-west-1?"),
        # Bytes that are not UTF-8, as Python has them.
        (
            "AWS_SECRET_ACCESS_KEY",
            "k\udcffy",
            "contains characters that are not ASCII",
        ),
        ("AWS_ENDPOINT_URL", "http://127.0.0.1/\udcff", "aws_endpoint_url must be a"),
        ("LOGLEVEL", "LOUD", "cannot set up the log (Unknown level: 'LOUD')"),
        ("MAX_ATTEMPTS", "0", "max_attempts must be at least 1, not 0"),
    ],
)
def test_a_variable_that_will_not_do_is_named(
    tap: TapCommand, aws: Emulator, name: str, value: str, words: str
) -> None:
    environment = {
        "TAP_IOT_SITEWISE_AWS_REGION": aws.region,
        "TAP_IOT_SITEWISE_AWS_ACCESS_KEY_ID": aws.access_key_id,
        "TAP_IOT_SITEWISE_AWS_SECRET_ACCESS_KEY": aws.secret_access_key,
        "TAP_IOT_SITEWISE_AWS_ENDPOINT_URL": aws.endpoint_url,
        f"TAP_IOT_SITEWISE_{name}": tomorrow() if value == "tomorrow" else value,
    }

    run = tap(None, "--config", "ENV", environment=environment)

    assert words in run.error
    assert aws.stats.total == 0
