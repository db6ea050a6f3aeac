"""Habits of the Singer SDK that `tap_iot_sitewise.singer` works around or relies on.

Each test fails once the SDK changes the habit. The docstring of
`tap_iot_sitewise/singer/__init__.py` names the workaround that can go then, or that has
to follow.
"""

from __future__ import annotations

import datetime as dt
import gzip
import io
import json
import logging
import signal
import subprocess
import sys
import typing as t

import pytest
from jsonschema import Draft202012Validator
from jsonschema.exceptions import SchemaError
from singer_sdk.configuration._dict_config import parse_environment_config
from singer_sdk.contrib.msgspec import MsgSpecWriter
from singer_sdk.exceptions import (
    AbortedSyncFailedException,
    AbortedSyncPausedException,
    ConfigValidationError,
)
from singer_sdk.helpers._batch import BaseBatchFileEncoding, BatchConfig
from singer_sdk.helpers._catalog import get_selected_schema
from singer_sdk.helpers._classproperty import classproperty
from singer_sdk.helpers._compat import SingerSDKPythonEOLWarning, warn_python_eol
from singer_sdk.singerlib import Catalog, RecordMessage

from tests.conftest import ROOT, Message, clean_environment
from tests.plain_tap import ROWS, PlainTap, Rows

if t.TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from singer_sdk.helpers.types import Context


@pytest.fixture(autouse=True)
def _signal_handlers() -> Iterator[None]:
    """The SDK's taps set handlers for the whole process."""
    numbers = (signal.SIGINT, signal.SIGTERM)
    before = [signal.getsignal(number) for number in numbers]
    yield
    for number, handler in zip(numbers, before, strict=True):
        signal.signal(number, handler)


@pytest.fixture
def printed(capsys: pytest.CaptureFixture[str]) -> Callable[[], list[Message]]:
    """Returns the messages that were printed since it was asked last."""

    def messages() -> list[Message]:
        return [json.loads(line) for line in capsys.readouterr().out.splitlines()]

    return messages


class Command:
    """Runs the plain tap's command."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def __call__(
        self, config: object, *arguments: str, **variables: str
    ) -> subprocess.CompletedProcess[str]:
        file = self._directory / "config.json"
        file.write_text(json.dumps(config), "utf-8")
        return subprocess.run(
            [sys.executable, "-m", "tests.plain_tap", "--config", file, *arguments],
            cwd=ROOT,
            env=clean_environment(**variables),
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )


@pytest.fixture
def command(tmp_path: Path) -> Command:
    return Command(tmp_path)


def kinds(messages: list[Message]) -> list[tuple[str, str | None]]:
    return [(message["type"], message.get("stream")) for message in messages]


# Settings


@pytest.mark.parametrize(("setting", "text"), [("COUNT", "ten"), ("STREAM_MAPS", "{")])
def test_the_sdk_fails_at_a_variable_that_it_cannot_read(
    monkeypatch: pytest.MonkeyPatch, setting: str, text: str
) -> None:
    monkeypatch.setenv(f"TAP_PLAIN_{setting}", text)

    with pytest.raises(ValueError, match=r"ten|property name"):
        PlainTap(parse_env_config=True, validate_config=False)


def test_the_sdk_reads_any_word_as_a_boolean_and_a_number_as_text(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("TAP_PLAIN_STOP", "treu")
    monkeypatch.setenv("TAP_PLAIN_RATIO", "0.5")

    config = PlainTap(parse_env_config=True, validate_config=False).config

    assert config["stop"] is False
    assert config["ratio"] == "0.5"


def test_the_sdk_reads_texts_and_lists_from_variables(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("TAP_PLAIN_SECRET", "{10")
    monkeypatch.setenv("TAP_PLAIN_NAMES", '["a", "b"]')

    config = parse_environment_config(PlainTap.config_jsonschema, "TAP_PLAIN_")

    assert config == {"secret": "{10", "names": ["a", "b"]}


def test_the_sdk_has_properties_of_classes() -> None:
    class Prefixed(PlainTap):
        @classproperty
        def prefix(cls) -> str:  # noqa: N805
            found: str = cls._env_var_prefix
            return found

    assert Prefixed.prefix == "TAP_PLAIN_"


def test_the_sdk_prints_the_values_of_wrong_settings(command: Command) -> None:
    with pytest.raises(ConfigValidationError) as failure:
        PlainTap(config={"secret": "wrong", "count": "ten"})

    assert len(failure.value.errors) == 2
    assert "'wrong'" in " ".join(failure.value.errors)

    log = command({"secret": "wrong"}).stderr

    assert "'wrong'" in log


def test_the_sdk_checks_the_settings_of_discover_too(command: Command) -> None:
    done = command({"secret": "wrong"}, "--discover")

    assert done.returncode == 0
    assert "Config validation failed" in done.stderr


def test_the_sdk_keeps_the_settings_that_a_tap_can_change() -> None:
    class Changed(PlainTap):
        def change(self) -> None:
            self._config["count"] = 3

    tap = Changed()
    tap.change()

    assert tap.config["count"] == 3


def test_the_sdk_reads_fewer_forms_of_dates_in_start_date() -> None:
    stream = PlainTap().streams["rows"]
    stream.replication_key = "changed"

    with pytest.raises(ValueError, match="2024-152"):
        stream.compare_start_date("2024-05-01T00:00:00Z", "2024-152")


def test_the_sdk_does_not_declare_emit_activate_version_messages(
    command: Command,
) -> None:
    about = json.loads(command({}, "--about", "--format", "json").stdout)

    assert "batch_config" in about["settings"]["properties"]
    assert "emit_activate_version_messages" not in about["settings"]["properties"]


def test_the_sdks_schema_of_stream_maps_is_not_a_valid_schema() -> None:
    schema = dict(PlainTap.config_jsonschema)
    PlainTap.append_builtin_config(schema)

    with pytest.raises(SchemaError):
        Draft202012Validator.check_schema(schema["properties"]["stream_maps"])


# The command


def test_the_sdk_ends_with_exit_code_0_when_it_is_stopped(command: Command) -> None:
    done = command({"stop": True})

    assert "Gracefully shutting down" in done.stderr
    assert done.stdout.count('"RECORD","stream":"rows"') == 1
    assert done.returncode == 0


def test_the_sdk_ends_with_a_traceback_where_config_cannot_be_read(
    command: Command,
) -> None:
    done = command({}, "--config", "missing.json")

    assert "Traceback" in done.stderr
    assert "| ERROR" not in done.stderr


@pytest.mark.parametrize("option", ["--catalog", "--state"])
def test_the_sdk_does_not_name_a_file_that_is_not_json(
    command: Command, tmp_path: Path, option: str
) -> None:
    file = tmp_path / "broken.json"
    file.write_text("{", "utf-8")

    done = command({}, option, str(file))

    assert done.returncode == 1
    assert "broken.json" not in done.stderr
    assert option not in done.stderr


def test_the_sdk_logs_a_failure_once_for_each_stream_and_with_its_traceback(
    command: Command,
) -> None:
    done = command({"fail": True})

    assert done.stderr.count("| ERROR") == 3
    assert "Traceback" in done.stderr


def test_the_sdk_sets_up_its_log_before_its_command_runs(
    command: Command, tmp_path: Path
) -> None:
    broken = tmp_path / "log.yaml"
    broken.write_text("version: 2", "utf-8")

    done = command({}, "--version", SINGER_SDK_LOG_CONFIG=str(broken))

    assert "Traceback" in done.stderr
    assert "| ERROR" not in done.stderr


@pytest.mark.parametrize("day", [dt.date(2026, 6, 1), dt.date(2027, 1, 1)])
def test_the_sdk_warns_of_a_python_that_this_package_supports(day: dt.date) -> None:
    with pytest.warns(SingerSDKPythonEOLWarning, match=r"Python 3\.\d+ .*end of life"):
        warn_python_eol(day, (3, 10))


# A run


class Traced(Rows):
    """Notes which of its methods the SDK calls."""

    STATE_MSG_FREQUENCY = 2

    def __init__(self, tap: PlainTap) -> None:
        self.calls: list[str] = []
        super().__init__(tap)

    def get_record_counter(self, **options: t.Any) -> t.Any:  # noqa: ANN401
        self.calls.append("counter")
        return super().get_record_counter(**options)

    def get_sync_timer(self) -> t.Any:  # noqa: ANN401
        self.calls.append("timer")
        return super().get_sync_timer()

    def _write_starting_replication_value(self, context: Context | None) -> None:
        self.calls.append("start")
        super()._write_starting_replication_value(context)

    def _check_max_record_limit(self, current_record_index: int) -> None:
        self.calls.append(f"limit {current_record_index}")
        super()._check_max_record_limit(current_record_index)

    def _process_record(
        self,
        record: dict[str, t.Any],
        child_context: Context | None = None,
        partition_context: Context | None = None,
    ) -> None:
        self.calls.append("children")
        super()._process_record(record, child_context, partition_context)

    def _write_record_message(self, record: dict[str, t.Any]) -> None:
        self.calls.append("record")
        super()._write_record_message(record)

    def _increment_stream_state(
        self, latest_record: dict[str, t.Any], *, context: Context | None = None
    ) -> None:
        self.calls.append("bookmark")
        super()._increment_stream_state(latest_record, context=context)

    def _finalize_state(self, state: dict[str, t.Any] | None = None) -> None:
        assert state is self.stream_state
        self.calls.append("finalize")
        super()._finalize_state(state)

    def _write_state_message(self) -> None:
        self.calls.append("state")
        super()._write_state_message()


class TracedTap(PlainTap):
    stream_classes = (Traced,)


def test_the_sdk_sends_record_by_record_in_this_order() -> None:
    stream = t.cast("Traced", TracedTap().streams["rows"])

    stream.sync()

    each = ["children", "record", "bookmark"]
    assert stream.calls == [
        *("counter", "timer", "start"),
        *("limit 0", *each),
        *("limit 1", *each, "state"),
        *("limit 2", *each),
        *("finalize", "finalize", "state"),
    ]


class Peeping(Rows):
    """Shows what the SDK keeps under private names."""

    @property
    def kept(self) -> tuple[object, int, int | None]:
        return self._tap, self._initialized_at, self._stream_version

    def set_version(self, version: int) -> None:
        self._stream_version = version


class PeepingTap(PlainTap):
    stream_classes = (Peeping,)


def test_the_sdks_stream_keeps_its_tap_and_the_start_of_the_run() -> None:
    tap = PeepingTap()
    stream = t.cast("Peeping", tap.streams["rows"])

    assert stream.kept == (tap, tap.initialized_at, None)
    # Milliseconds.
    age = dt.datetime.now(dt.timezone.utc).timestamp() - tap.initialized_at / 1000
    assert 0 <= age < 3600


def test_the_sdk_sends_the_version_of_a_stream_with_each_record(
    printed: Callable[[], list[Message]],
) -> None:
    stream = t.cast("Peeping", PeepingTap().streams["rows"])
    stream.set_version(7)

    stream.sync()

    sent = [message for message in printed() if message.get("stream") == "rows"]
    assert [message.get("version") for message in sent[1:]] == [7, 7, 7]


def test_the_sdk_runs_the_children_for_each_parent_record(
    printed: Callable[[], list[Message]],
) -> None:
    PlainTap().sync_all()

    child = [("SCHEMA", "parts"), ("RECORD", "parts"), ("STATE", None)]
    assert kinds(printed())[1:13] == 3 * [*child, ("RECORD", "rows")]


def test_the_sdk_writes_a_state_whenever_a_stream_ends(
    printed: Callable[[], list[Message]],
) -> None:
    PlainTap().sync_all()

    # Of each row's parts, of the rows, of the zones.
    assert kinds(printed()).count(("STATE", None)) == 5


def test_the_sdk_forgets_the_progress_of_an_earlier_run_only_in_sync_all(
    printed: Callable[[], list[Message]],
) -> None:
    bookmark = {"progress_markers": {"replication_key": "changed"}}
    tap = PlainTap(state={"bookmarks": {"zones": bookmark}})

    assert tap.state == {"bookmarks": {"zones": bookmark}}

    tap.sync_all()

    assert "progress_markers" not in printed()[0]["value"]["bookmarks"]["zones"]


class Masked(Rows):
    """Counts how often the SDK looks at the selection."""

    looks = 0

    @property
    def mask(self) -> t.Any:  # noqa: ANN401 - the SDK's own type
        self.looks += 1
        return super().mask


class MaskedTap(PlainTap):
    stream_classes = (Masked,)


def test_the_sdk_looks_up_the_selection_for_each_record() -> None:
    stream = t.cast("Masked", MaskedTap().streams["rows"])
    record = {"id": 1}
    # What it looks at once.
    assert stream.selected
    before = stream.looks

    for _ in range(10):
        list(stream._generate_record_messages(record))  # noqa: SLF001

    assert stream.looks == before + 10


def deselecting(column: str) -> dict[str, t.Any]:
    """The plain tap's catalog without a column of the rows."""
    catalog = PlainTap().catalog_dict
    for item in catalog["streams"][1]["metadata"]:
        if item["breadcrumb"] == ["properties", column]:
            item["metadata"]["selected"] = False
    return t.cast("dict[str, t.Any]", catalog)


def test_the_sdk_finds_the_selected_columns() -> None:
    stream = PlainTap(catalog=deselecting("changed")).streams["rows"]

    selected = get_selected_schema("rows", stream.effective_schema, stream.mask)

    assert list(selected["properties"]) == ["id", "status"]
    assert list(stream.schema["properties"]) == ["id", "changed", "status"]


def test_the_sdk_removes_a_column_where_a_stream_map_keeps_what_it_reads() -> None:
    tap = PlainTap(config={"stream_maps": {"rows": {"changed": None}}})

    (stream_map,) = tap.streams["rows"].stream_maps

    assert list(stream_map.raw_schema["properties"]) == ["id", "status"]


def test_the_sdk_flattens_only_what_a_record_has(
    printed: Callable[[], list[Message]],
) -> None:
    flat = {"flattening_enabled": True, "flattening_max_depth": 1}

    PlainTap(config=flat).streams["rows"].sync()

    schema, *records = (m for m in printed() if m.get("stream") == "rows")
    assert "status__state" in schema["schema"]["properties"]
    assert ["status__state" in m["record"] for m in records] == [True, False, True]


def batches_in(directory: Path) -> dict[str, t.Any]:
    return {
        "encoding": {"format": "jsonl", "compression": "gzip"},
        "storage": {"root": directory.as_uri()},
    }


def test_the_sdk_writes_batch_files_with_what_was_read(tmp_path: Path) -> None:
    tap = PlainTap(
        config={
            "batch_config": batches_in(tmp_path),
            "stream_maps": {"rows": {"status": None}},
            "flattening_enabled": True,
            "flattening_max_depth": 1,
        },
        catalog=deselecting("changed"),
    )

    tap.streams["rows"].sync()

    (file,) = tmp_path.glob("tap-plain--rows*")
    lines = gzip.decompress(file.read_bytes()).splitlines()
    assert [json.loads(line) for line in lines] == ROWS


PARQUET = """
import sys
from pyarrow.parquet import read_schema
from singer_sdk.contrib.batch_encoder_parquet import ParquetBatcher
from singer_sdk.helpers._batch import BatchConfig
storage, encoding = {"root": f"file://{sys.argv[1]}"}, {"format": "parquet"}
batches = BatchConfig(encoding=encoding, storage=storage, batch_size=1)
batcher = ParquetBatcher("tap-plain", "rows", batches)
for (name,) in batcher.get_batches(iter([{"alias": None}, {"alias": "speed"}])):
    print(read_schema(name.removeprefix("file://")).field("alias").type)
"""


def test_the_sdk_infers_the_types_of_a_parquet_file(tmp_path: Path) -> None:
    (packages,) = (ROOT / ".tools" / "pyarrow").glob("lib/*/site-packages")
    done = subprocess.run(
        [sys.executable, "-c", PARQUET, str(tmp_path)],
        env=clean_environment(PYTHONPATH=str(packages)),
        capture_output=True,
        check=True,
        text=True,
    )

    assert done.stdout.split() == ["null", "string"]


def test_the_sdk_announces_a_batch_file_for_each_table(
    printed: Callable[[], list[Message]], tmp_path: Path
) -> None:
    maps: t.Any = {
        "copies": {"__source__": "zones", "id": None, "__key_properties__": []}
    }
    tap = PlainTap(config={"batch_config": batches_in(tmp_path), "stream_maps": maps})

    tap.streams["zones"].sync()

    sent = [message for message in printed() if message["type"] == "BATCH"]
    assert [message["stream"] for message in sent] == ["zones", "copies"]
    assert sent[0]["manifest"] == sent[1]["manifest"]


def test_the_sdk_knows_batch_files_by_these_types(tmp_path: Path) -> None:
    config = {"batch_config": batches_in(tmp_path)}

    batches = PlainTap().streams["rows"].get_batch_config(config)

    assert isinstance(batches, BatchConfig)
    assert isinstance(batches.encoding, BaseBatchFileEncoding)


def test_the_sdk_sends_activate_version_before_the_first_record(
    printed: Callable[[], list[Message]],
) -> None:
    tap = PlainTap(config={"emit_activate_version_messages": True})

    tap.streams["zones"].sync()

    messages = printed()
    assert kinds(messages[:3]) == [
        ("SCHEMA", "zones"),
        ("ACTIVATE_VERSION", "zones"),
        ("RECORD", "zones"),
    ]
    # Whole seconds.
    assert messages[1]["version"] == tap.initialized_at // 1000


def test_the_sdk_logs_the_beginning_of_each_stream(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)

    PlainTap().sync_all()

    assert caplog.text.count("Beginning sync of 'parts'") == 3


@pytest.mark.parametrize(
    ("replication_key", "failure"),
    [(None, AbortedSyncFailedException), ("changed", AbortedSyncPausedException)],
)
def test_the_sdk_ends_a_stream_at_its_limit_with_an_exception(
    replication_key: str | None, failure: type[Exception]
) -> None:
    stream = PlainTap().streams["rows"]
    stream.replication_key = replication_key
    stream.ABORT_AT_RECORD_COUNT = 0

    with pytest.raises(failure):
        stream.sync()


def test_the_sdk_reports_a_limit_that_was_reached_as_a_failure(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)

    assert PlainTap().run_connection_test()

    (timer,) = (
        record.getMessage()
        for record in caplog.records
        if '"sync_duration"' in record.getMessage()
        and '"stream":"rows"' in record.getMessage()
    )
    assert '"status":"failed"' in timer


def test_the_sdk_reads_the_catalog_from_a_property() -> None:
    class OwnTap(PlainTap):
        """Makes its catalog when somebody asks for it."""

        @property
        def input_catalog(self) -> Catalog:
            catalog = Catalog.from_dict(PlainTap(config={}).catalog_dict)
            catalog["zones"].metadata.root.selected = False
            return catalog

    tap = OwnTap(config={})

    # A stream without an entry in the catalog would be selected.
    assert [name for name, stream in tap.streams.items() if stream.selected] == [
        "parts",
        "rows",
    ]
    assert list(tap.catalog) == ["parts", "rows", "zones"]


def test_the_sdk_tries_no_stream_after_one_that_fails(
    printed: Callable[[], list[Message]],
) -> None:
    tap = PlainTap(config={"fail": True})

    with pytest.raises(ValueError, match="the source is broken"):
        tap.run_connection_test()

    assert list(tap.streams) == ["parts", "rows", "zones"]
    assert "zones" not in {message.get("stream") for message in printed()}


def test_the_sdk_warns_of_each_replication_key_that_is_null(
    caplog: pytest.LogCaptureFixture,
) -> None:
    stream = PlainTap().streams["rows"]
    stream.replication_key = "changed"

    stream.sync()

    assert caplog.text.count("New replication value is null") == 2


def test_the_sdk_warns_that_an_incremental_run_cannot_be_resumed(
    caplog: pytest.LogCaptureFixture,
) -> None:
    tap = PlainTap()
    stream = tap.streams["rows"]
    stream.replication_key = "changed"

    for _ in stream.get_records(None):
        stream._increment_stream_state({"changed": "2024-01-01"})  # noqa: SLF001

    assert caplog.text.count("Stream is assumed to be unsorted") == 1
    assert "progress_markers" in tap.state["bookmarks"]["rows"]


def test_the_sdk_lets_a_bookmark_come_up_to_the_start_of_the_run() -> None:
    tap = PlainTap()
    stream = tap.streams["rows"]
    stream.replication_key = "changed"

    signpost = stream.get_replication_key_signpost()

    assert signpost is not None
    assert signpost.timestamp() == tap.initialized_at / 1000


# Messages


class Counted(io.RawIOBase):
    """A raw file that counts how often it is written to."""

    def __init__(self) -> None:
        self.writes = 0

    def writable(self) -> bool:
        return True

    def write(self, data: t.Any, /) -> int:  # noqa: ANN401 - whatever has bytes
        self.writes += 1
        return len(data)


def test_the_sdk_writes_each_record_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    file = Counted()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(io.BufferedWriter(file)))
    writer = MsgSpecWriter()

    for number in range(10):
        writer.write_message(RecordMessage("rows", {"id": number}))

    assert file.writes == 10


def test_the_sdk_uses_the_bytes_of_a_message_again() -> None:
    writer = MsgSpecWriter()

    first = writer.serialize_message(RecordMessage("rows", {"id": 1}))
    second = writer.serialize_message(RecordMessage("rows", {"id": 2}))

    assert first is second
