"""Telemetry in tables and files: exactly once, after runs that overlap or are stopped.

docs/loading.md has the queries, and says what each target makes of the values.
"""

from __future__ import annotations

import csv
import json
import re
import subprocess
import typing as t
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import duckdb
import psycopg
import pytest
import yaml

from emulator import Emulator
from emulator.plant import SIZES
from tests import expected_telemetry as expected
from tests.conftest import (
    ROOT,
    TapCommand,
    clean_environment,
    discover,
    static,
)
from tests.documents import page
from tests.interrupted import stopped
from tests.targets import as_text, load, started
from tests.test_incremental import in_process
from tests.test_meltano import MELTANO

if t.TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    from emulator.faults import Call
    from tests.conftest import Message, Run
    from tests.targets import Database

LOADING = page("docs/loading.md")

LATEST, HISTORY, AGGREGATES = STREAMS = tuple(expected.KEYS)
START = "2024-05-31T00:00:00"
FIRST_END = "2024-06-01T12:30:00"
SECOND_END = "2024-06-02T06:30:00"
LAST_END = "2024-06-02T08:30:00"
PERIOD = expected.seconds(START), expected.seconds(LAST_END)
RESOLUTIONS = ["15m", "1h"]
POSTGRES, DUCKDB = "PostgreSQL", "DuckDB"


@pytest.fixture(scope="module")
def catalog() -> Message:
    """The catalog of the telemetry streams alone."""
    found = discover("telemetry")
    entries = [e for e in found["streams"] if e["tap_stream_id"] in STREAMS]
    return {"streams": entries}


def emulator() -> Emulator:
    """Serve a plant of difficult values, none of which is later than the last run."""
    aws = Emulator(
        asset_models=3, portals=1, projects_per_portal=1, sizes=SIZES["hostile"]
    )
    values = aws.plant.values
    for each in aws.plant.listing("time_series").records:
        series = each["timeSeriesId"]
        values.replace(series, values.between(series, *PERIOD))
    return aws


def settings(aws: Emulator, end: str, **more: object) -> Message:
    return static(
        aws,
        **{
            "extra_streams": ["telemetry"],
            "start_date": START,
            "end_date": end,
            "telemetry_window": "PT12H",
            "aggregate_resolutions": RESOLUTIONS,
            **more,
        },
    )


def wanted(aws: Emulator) -> dict[str, list[Message]]:
    """Return the records of all values of the plant."""
    return {
        LATEST: expected.latest(aws.plant),
        HISTORY: expected.history(aws.plant, *PERIOD),
        AGGREGATES: expected.aggregates(aws.plant, RESOLUTIONS, *PERIOD),
    }


def column(value: object) -> object:
    """Return a value of a table as the record has it.

    A zero loses its sign: neither database keeps it.
    """
    if isinstance(value, (Decimal, float)):
        # An exact number has more digits than a double, if it is not one.
        assert Decimal(repr(float(value))) == Decimal(str(value))
        return float(value) + 0.0
    return as_text(value)


def lines(rows: Iterable[Message]) -> list[str]:
    """Return rows as sorted text, which tells 1, 1.0 and True apart."""
    found = [
        {name: column(value) for name, value in row.items() if name[:5] != "_sdc_"}
        for row in rows
    ]
    return sorted(json.dumps(row, sort_keys=True) for row in found)


# One history of loads for each database


@dataclass
class Tables:
    """The tables of a target, and the plant that they were loaded from."""

    target: str
    aws: Emulator
    load: Callable[[Run], Message | None]
    ask: Callable[[str], list[Message]]

    def rows(self, stream: str) -> list[Message]:
        return self.ask(f"SELECT * FROM {stream}")  # noqa: S608 - own name


def change_values(aws: Emulator) -> None:
    """Add a value to the look-back of the second run, and replace another one."""
    end = expected.seconds(FIRST_END)
    (series, early), *_ = (
        (each["timeSeriesId"], found)
        for each in aws.plant.listing("time_series").records
        if each["dataType"] == "DOUBLE"
        and (found := aws.plant.values.between(each["timeSeriesId"], end - 3600, end))
    )
    replaced = {**early[0], "value": {"doubleValue": 2 / 3}}
    late = {
        "value": {"doubleValue": 1 / 3},
        "timestamp": {"timeInSeconds": end - 1799, "offsetInNanos": 999_999_999},
        "quality": "GOOD",
    }
    aws.plant.values.add(series, [replaced, late])


def stop_in_window(aws: Emulator, directory: Path, **files: Message | None) -> Run:
    """Stop the second run by SIGTERM after it has sent a part of a window."""
    part = expected.seconds("2024-06-01T23:30:00")
    requests = 0

    def hold(call: Call) -> None:
        nonlocal requests
        requests += min(e["startDate"] for e in (call.content or {})["entries"]) >= part
        if requests > 2:
            aws.faults.hold = lambda: True

    aws.faults.before("BatchGetAssetPropertyValueHistory", hold)
    directory.mkdir()
    run = stopped(
        TapCommand(directory),
        settings(aws, SECOND_END, telemetry_lookback="PT1H", max_concurrency=1),
        after='"event_timestamp":"2024-06-02T00:00:00.000000+00:00","time_in_seconds"',
        **files,
    )
    aws.faults.clear()
    return run


def load_in_turn(tables: Tables, catalog: Message, directory: Path) -> None:
    """Load four runs. Each resumes from the state that the target has passed on."""

    def load(run: Run) -> Message | None:
        state = tables.load(run)
        assert state == run.states[-1]
        return state

    aws = tables.aws
    config = settings(aws, FIRST_END)
    state = load(in_process(config, catalog=catalog).succeeded())

    change_values(aws)
    run = stop_in_window(aws, directory / "stopped", catalog=catalog, state=state)
    state = load(run)
    assert state is not None
    reached = state["bookmarks"][HISTORY]["replication_key_value"]
    times = [record["event_timestamp"] for record in run.records(HISTORY)]
    assert reached == "2024-06-01T23:30:00.000000+00:00"
    # The look-back, and a part of the window in which the run was stopped.
    assert min(times) < "2024-06-01T12:30:00" < reached < max(times)

    for end, lookback in ((SECOND_END, "PT1H"), (LAST_END, "P2D")):
        config = settings(aws, end, telemetry_lookback=lookback)
        run = in_process(config, catalog=catalog, state=state).succeeded()
        assert min(r["event_timestamp"] for r in run.records(HISTORY)) < reached
        state = load(run)


@pytest.fixture(scope="module")
def postgres_tables(
    catalog: Message, postgres: Database, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Tables]:
    directory = tmp_path_factory.mktemp("telemetry")
    schema = postgres.new_schema()

    def ask(query: str) -> list[Message]:
        options = f"-c search_path={schema}"
        with psycopg.connect(
            postgres.url, row_factory=psycopg.rows.dict_row, options=options
        ) as connection:
            return connection.execute(query.encode()).fetchall()

    with emulator() as aws:
        tables = Tables(
            POSTGRES,
            aws,
            lambda run: postgres.load(schema, directory, run.output),
            ask,
        )
        load_in_turn(tables, catalog, directory)
        yield tables


@pytest.fixture(scope="module")
def duckdb_tables(
    catalog: Message, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Tables]:
    directory = tmp_path_factory.mktemp("telemetry")
    config = {
        "path": "plant.duckdb",
        "default_target_schema": "main",
        "add_metadata_columns": True,
    }

    def ask(query: str) -> list[Message]:
        path = str(directory / "plant.duckdb")
        with closing(duckdb.connect(path, read_only=True)) as database:
            return answer(database.execute(query))

    with emulator() as aws:
        tables = Tables(
            DUCKDB,
            aws,
            lambda run: load("target-duckdb", directory, config, run.output),
            ask,
        )
        load_in_turn(tables, catalog, directory)
        yield tables


def answer(found: duckdb.DuckDBPyConnection) -> list[Message]:
    columns = [each[0] for each in found.description or ()]
    return [dict(zip(columns, row, strict=True)) for row in found.fetchall()]


@pytest.fixture(
    params=[
        "postgres_tables",
        pytest.param("duckdb_tables", marks=pytest.mark.target_duckdb),
    ]
)
def tables(request: pytest.FixtureRequest) -> Tables:
    """The tables of each database, in turn."""
    found: Tables = request.getfixturevalue(request.param)
    return found


@pytest.mark.parametrize("stream", STREAMS)
def test_every_value_is_in_its_table_once_after_overlapping_and_stopped_runs(
    tables: Tables, stream: str
) -> None:
    records = wanted(tables.aws)[stream]
    if tables.target == DUCKDB and stream != AGGREGATES:
        # The target loads through CSV, where an empty text is a null.
        records = [{**r, "string_value": r["string_value"] or None} for r in records]

    assert len(expected.table(stream, records)) == len(records) > 30
    assert lines(tables.rows(stream)) == lines(records)


def test_the_last_runs_changed_and_late_values_are_in_the_table(
    tables: Tables,
) -> None:
    found = {row["double_value"] for row in tables.rows(HISTORY)} - {None}

    assert {2 / 3, 1 / 3} <= set(map(float, found))


def test_the_columns_have_the_types_of_the_page(tables: Tables) -> None:
    rows = _table("columns")
    target = f"target-{tables.target.lower().removesuffix('ql')}"
    named = {
        name: re.findall(r"`([^`]+)`", row[target])[0].lower()
        for row in rows[:-1]
        for name in re.findall(r"`(\w+)`", row["columns"])
    }
    (others,) = re.findall(r"`(\w+)`", rows[-1][target])

    found = tables.ask(
        "SELECT table_name, column_name, data_type FROM information_schema.columns "
        "WHERE table_schema = current_schema()"
    )

    seen = set()
    for row in found:
        name = row["column_name"]
        if row["table_name"] in STREAMS and not name.startswith("_sdc_"):
            assert row["data_type"].lower() == named.get(name, others.lower()), name
            seen.add(name)
    assert named.keys() < seen


def _table(first: str) -> list[dict[str, str]]:
    """Return the table of the page whose first column has this heading."""
    (found,) = (
        each for each in LOADING.tables() if each and next(iter(each[0])) == first
    )
    return found


def test_the_keys_of_the_streams_are_primary_keys(tables: Tables) -> None:
    for stream, key in expected.KEYS.items():
        found = tables.ask(
            "SELECT kcu.column_name FROM information_schema.key_column_usage AS kcu "  # noqa: S608 - own name
            "JOIN information_schema.table_constraints AS tc "
            "ON tc.constraint_name = kcu.constraint_name "
            "AND tc.table_schema = kcu.table_schema AND tc.table_name = kcu.table_name "
            "WHERE tc.constraint_type = 'PRIMARY KEY' "
            "AND kcu.table_schema = current_schema() "
            f"AND kcu.table_name = '{stream}' ORDER BY kcu.ordinal_position"
        )
        assert tuple(row["column_name"] for row in found) == key


def test_the_query_of_the_page_returns_every_number_with_its_nanoseconds(
    tables: Tables,
) -> None:
    found = tables.ask(LOADING.block("Column types of telemetry", "sql"))

    numbers = [
        {
            **{name: record[name] for name in expected.KEYS[HISTORY]},
            "number": float(
                record["integer_value"]
                if record["value_type"] == "integer"
                else record["string_value"]
                if record["double_value"] is None
                else record["double_value"]
            ),
        }
        for record in wanted(tables.aws)[HISTORY]
        if record["value_type"] in {"double", "integer"}
    ]
    assert {str(row["number"]) for row in numbers} > {"nan", "inf", "-inf", "5e-324"}
    assert sorted(map(_as_json, found)) == sorted(map(_as_json, numbers))


def _as_json(row: Message) -> str:
    return json.dumps({**row, "number": row["number"] + 0.0}, sort_keys=True)


def test_the_local_time_of_the_page_is_that_of_the_seconds(
    postgres_tables: Tables,
) -> None:
    found = postgres_tables.ask(LOADING.block("Time zones of telemetry", "sql"))

    assert len(found) > 100
    zone = ZoneInfo("America/St_Johns")
    for row in found:
        moment = datetime.fromtimestamp(row["time_in_seconds"], zone)
        assert row["local_time"] == moment.replace(tzinfo=None)


# One run, into other tables and files


@pytest.fixture(scope="module")
def served() -> Iterator[Emulator]:
    with emulator() as aws:
        yield aws


@pytest.fixture(scope="module")
def whole(catalog: Message, served: Emulator) -> Run:
    """A run that sends everything."""
    return in_process(settings(served, LAST_END), catalog=catalog).succeeded()


def history(run: Run) -> bytes:
    """Return the messages of the history, and the states."""
    messages = zip(run.output.splitlines(keepends=True), run.messages, strict=True)
    return b"".join(
        line for line, each in messages if each.get("stream", HISTORY) == HISTORY
    )


def test_a_table_that_was_created_as_on_the_page_keeps_every_value_and_the_zeros(
    whole: Run, served: Emulator, postgres: Database, tmp_path: Path
) -> None:
    schema = postgres.new_schema()
    with psycopg.connect(postgres.url) as connection:
        connection.execute(f"CREATE SCHEMA {schema}".encode())
        connection.execute(f"SET search_path TO {schema}".encode())
        definition = LOADING.block("Create the table yourself", "sql")
        connection.execute(definition.encode())

    # Not in UTC: the column has a time zone.
    config = postgres.settings(schema, use_copy=True, validate_records=False)
    load("target-postgres", tmp_path, config, history(whole), PGTZ="Asia/Tokyo")

    rows = postgres.rows(schema, HISTORY)
    records = wanted(served)[HISTORY]
    assert lines(rows) == lines(records)
    texts = [
        sorted(str(row["double_value"]) for row in table) for table in (rows, records)
    ]
    assert texts[0] == texts[1]
    assert "-0.0" in texts[0]
    june = expected.seconds("2024-06-01T00:00:00")
    assert lines(postgres.rows(schema, f"{HISTORY}_2024_06")) == lines(
        record for record in records if record["time_in_seconds"] >= june
    )


def test_target_postgres_updates_rows_whatever_load_method_says(
    whole: Run, served: Emulator, postgres: Database, tmp_path: Path
) -> None:
    schema = postgres.new_schema()
    messages = whole.output.splitlines(keepends=True)
    head, *records = [line for line in messages if b'"property_values"' in line]
    parts = {"append-only": records[:-3], "overwrite": records[-9:]}

    for method in ("append-only", *parts):
        output = b"".join([head, *parts[method]])
        postgres.load(schema, tmp_path, output, load_method=method)

    assert lines(postgres.rows(schema, LATEST)) == lines(wanted(served)[LATEST])


def test_the_files_of_target_jsonl_hold_the_latest_row_of_each_key_by_the_query(
    catalog: Message, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = {"destination_path": "plant", "do_timestamp_file": True}
    with emulator() as aws:
        first = in_process(settings(aws, FIRST_END), catalog=catalog).succeeded()
        load("target-jsonl", tmp_path, config, history(first))
        (file,) = (tmp_path / "plant").iterdir()
        # So that it is from another second than the next one.
        file.rename(file.with_name(f"{HISTORY}-20240601T123000.jsonl"))
        change_values(aws)
        second = in_process(
            settings(aws, LAST_END, telemetry_lookback="PT1H"),
            catalog=catalog,
            state=first.states[-1],
        ).succeeded()
        load("target-jsonl", tmp_path, config, history(second))
        records = wanted(aws)[HISTORY]

    written = [
        json.loads(line)
        for name in sorted((tmp_path / "plant").iterdir())
        for line in name.read_bytes().splitlines()
    ]
    assert written == [*first.records(HISTORY), *second.records(HISTORY)]
    assert len(written) > len(records)
    monkeypatch.chdir(tmp_path)
    with closing(duckdb.connect()) as database:
        found = answer(database.execute(LOADING.block("Runs that overlap", "sql")))
    columns = found[0].keys()
    assert len(columns) == 10
    assert lines(found) == lines({c: each[c] for c in columns} for each in records)


def test_a_file_of_target_csv_holds_every_value_and_the_next_one_is_another(
    whole: Run, served: Emulator, tmp_path: Path
) -> None:
    (scheme,) = re.findall(
        r"`file_naming_scheme` to `([^`]+)`", LOADING.section("Runs that overlap")
    )
    config = {"output_path": "plant", "file_naming_scheme": scheme}

    load("target-csv", tmp_path, config, history(whole))

    (file,) = (tmp_path / "plant").iterdir()
    assert re.fullmatch(rf"{HISTORY}-[\d.T-]+\.csv", file.name)
    assert from_csv(file) == lines(with_empty_texts(wanted(served)[HISTORY]))


FROM_CSV: dict[str, t.Any] = {
    "event_timestamp": datetime.fromisoformat,
    "time_in_seconds": int,
    "offset_in_nanos": int,
    "double_value": float,
    "integer_value": int,
    "boolean_value": {"True": True, "False": False}.__getitem__,
}


def from_csv(file: Path) -> list[str]:
    """Return the rows of a file of the history, see ``lines``."""
    with file.open(encoding="utf-8", newline="") as rows:
        return lines(
            {c: FROM_CSV.get(c, str)(text) if text else "" for c, text in row.items()}
            for row in csv.DictReader(rows)
        )


def with_empty_texts(records: list[Message]) -> list[Message]:
    """Return records as in CSV, where an empty text and a null look the same."""
    return [
        {c: "" if value is None else value for c, value in record.items()}
        for record in records
    ]


@pytest.mark.target_duckdb
@pytest.mark.parametrize("flushes_all", [True, False])
def test_target_duckdb_has_the_rows_of_a_state_only_if_it_flushes_all_streams(
    whole: Run, tmp_path: Path, *, flushes_all: bool
) -> None:
    shown = yaml.safe_load(LOADING.block("Runs that overlap", "yaml"))
    (loader,) = shown["plugins"]["loaders"]
    assert loader["config"] == {"flush_all_streams": True}
    config = {
        "path": "plant.duckdb",
        "default_target_schema": "main",
        "add_metadata_columns": True,
        "batch_size_rows": 100,
        "flush_all_streams": flushes_all,
    }
    messages = whole.output.splitlines(keepends=True)
    of = {
        stream: [line for line in messages if f'"{stream}",'.encode() in line]
        for stream in (AGGREGATES, HISTORY)
    }
    state = next(line for line in messages if b'"STATE"' in line)
    # A schema, and some records less than a batch; then a batch of the other stream.
    sent = [*of[AGGREGATES][:51], state, *of[HISTORY][:101]]

    with started("target-duckdb", tmp_path, config) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(b"".join(sent))
        process.stdin.flush()
        emitted = json.loads(process.stdout.readline())
        process.kill()

    assert AGGREGATES in emitted["bookmarks"]
    with closing(duckdb.connect(str(tmp_path / "plant.duckdb"))) as database:
        found = database.execute(f"SELECT count(*) FROM {AGGREGATES}").fetchone()  # noqa: S608 - own name
    assert found == (50 if flushes_all else 0,)


# With Meltano


def meltano_run(aws: Emulator, directory: Path, config: Message, url: str) -> None:
    """Load the history into PostgreSQL with Meltano, which keeps the state."""
    variables = {
        f"TAP_IOT_SITEWISE_{name.upper()}": value
        if isinstance(value, str)
        else json.dumps(value)
        for name, value in config.items()
    }
    done = subprocess.run(
        [MELTANO, "--environment=prod", "run", "tap-iot-sitewise", "target-postgres"],
        cwd=ROOT,
        env=clean_environment(
            MELTANO_DATABASE_URI=f"sqlite:///{directory / 'meltano.db'}",
            TAP_IOT_SITEWISE__SELECT=json.dumps([f"{HISTORY}.*"]),
            TARGET_POSTGRES_SQLALCHEMY_URL=url.replace("sql:", "sql+psycopg:", 1),
            TARGET_POSTGRES_DEFAULT_TARGET_SCHEMA="meltano",
            **variables,
        ),
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert aws.secret_access_key not in done.stdout + done.stderr
    assert "is not a setting" not in done.stdout + done.stderr


@pytest.mark.usefixtures("meltano_project")
def test_meltano_resumes_from_its_state_and_every_value_is_there_once(
    postgres: Database, tmp_path: Path
) -> None:
    starts: list[int] = []

    def note(call: Call) -> None:
        starts.extend(entry["startDate"] for entry in (call.content or {})["entries"])

    with emulator() as aws:
        meltano_run(aws, tmp_path, settings(aws, FIRST_END), postgres.url)
        change_values(aws)
        aws.faults.before("BatchGetAssetPropertyValueHistory", note)
        config = settings(aws, LAST_END, telemetry_lookback="PT1H")
        meltano_run(aws, tmp_path, config, postgres.url)
        records = wanted(aws)[HISTORY]

    assert min(starts) == expected.seconds(FIRST_END) - 3600
    assert lines(postgres.rows("meltano", HISTORY)) == lines(records)


# Batch files


def batches(tap: TapCommand, aws: Emulator, catalog: Message, **encoding: str) -> Run:
    """Run the tap with batch files in ``batches``, several for a window."""
    root = tap.directory / "batches"
    root.mkdir()
    config = settings(
        aws,
        LAST_END,
        batch_config={
            "encoding": encoding,
            "storage": {"root": root.as_uri()},
            "batch_size": 2000,
        },
    )
    # PyArrow is no dependency of the tap.
    (packages,) = (ROOT / ".tools" / "pyarrow").glob("lib/*/site-packages")
    return tap(
        config, catalog=catalog, environment={"PYTHONPATH": str(packages)}
    ).succeeded()


def test_batch_files_of_json_lines_are_loaded_by_target_postgres(
    tap: TapCommand,
    served: Emulator,
    catalog: Message,
    postgres: Database,
    tmp_path: Path,
) -> None:
    run = batches(tap, served, catalog, format="jsonl", compression="gzip")
    schema = postgres.new_schema()

    state = postgres.load(schema, tmp_path, run.output)

    assert state == run.states[-1]
    assert not [stream for kind, stream in run.kinds if kind == "RECORD"]
    for stream, records in wanted(served).items():
        rows = postgres.rows(schema, stream)
        assert lines(rows) == lines(records)
        assert {row["_sdc_batched_at"] for row in rows} == {None}

    load("target-csv", tmp_path, {"output_path": "plant"}, run.output)

    file = tmp_path / "plant" / f"{HISTORY}.csv"
    assert from_csv(file) == lines(with_empty_texts(wanted(served)[HISTORY]))


def test_batch_files_of_parquet_hold_every_value_once_with_its_type(
    tap: TapCommand,
    served: Emulator,
    catalog: Message,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    run = batches(tap, served, catalog, format="parquet")

    assert not [stream for kind, stream in run.kinds if kind == "RECORD"]
    monkeypatch.chdir(tap.directory)
    query = LOADING.block("Telemetry in batch files", "sql")
    declared = {
        "number": "DOUBLE",
        "integer": "BIGINT",
        "boolean": "BOOLEAN",
        "string": "VARCHAR",
    }
    with closing(duckdb.connect()) as database:
        for entry in catalog["streams"]:
            stream = entry["tap_stream_id"]
            of_stream = query.replace(HISTORY, stream)
            found = answer(database.execute(of_stream))
            assert lines(found) == lines(wanted(served)[stream])
            types = {
                name: declared[column["type"][0]]
                for name, column in entry["schema"]["properties"].items()
            }
            files = sorted((tap.directory / "batches").glob(f"*{stream}*.parquet"))
            assert files
            for file in files:
                # Also of a column that is null in the whole file.
                one = f"DESCRIBE FROM read_parquet('{file}')"
                kinds = database.execute(one).fetchall()
                assert {name: kind for name, kind, *_ in kinds} == types
