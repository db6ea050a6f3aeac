"""Telemetry in tables and files: exactly once, after runs that overlap or are stopped.

docs/loading.md has the queries, and says what each target makes of the values.
"""

from __future__ import annotations

import csv
import json
import subprocess
import typing as t
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from urllib.parse import unquote, urlsplit

import duckdb
import psycopg
import pytest

from emulator import Emulator
from emulator.plant import SIZES
from tests import expected_telemetry as expected
from tests.conftest import (
    COMMAND,
    ROOT,
    TapCommand,
    clean_environment,
    discover,
    select,
    static,
)
from tests.documents import page
from tests.interrupted import stopped
from tests.targets import as_text, load
from tests.test_incremental import in_process
from tests.test_meltano import MELTANO

if t.TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

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
