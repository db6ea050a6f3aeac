"""What stands in files and tables after real targets have read the tap's output."""

from __future__ import annotations

import csv
import json
import typing as t
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime

import duckdb
import pytest

from emulator import Emulator
from emulator.faults import Call, Fault
from tests import expected
from tests.conftest import TapCommand, select, static
from tests.interrupted import stopped
from tests.targets import Database, as_text, load

if t.TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    from tests.conftest import Message, Run
    from tests.expected import Record

FLATTENED = {"flattening_enabled": True, "flattening_max_depth": 2}
KEYS = {stream: columns[0] for stream, columns in expected.COLUMNS.items()}

# What a careless writer of CSV, JSON or SQL breaks on, beyond what the plant has.
NASTY_NAMES = (
    "a line\nand another\r\nand a third\r",
    "double \" and \"\" and \\\" and 'single' and ''; DROP TABLE projects; --",
    "emoji 🏭👷\u200d♀️, combining e\u0301, right-to-left شبكة, U+2028 \u2028 here",
    "\\N",
    "NULL",
    "  blanks, commas;\tand tabs  ",
    '{"json": [1, 2.50, null]}',
    "%s {0} $1 :name ?",
    "=1+1",
)


def flat(record: Record) -> Record:
    """Return what becomes of a record in a table, `status` in columns of its own."""
    columns = {name: value for name, value in record.items() if name != "status"}
    if "status" in record:
        status = record["status"]
        members = ["code", "message"]
        if "asset_model_id" in record:
            members.append("details")
        columns["status__state"] = status["state"]
        for member in members:
            columns[f"status__error__{member}"] = (status["error"] or {}).get(member)
    return columns


def expected_rows(aws: Emulator) -> dict[str, list[Record]]:
    records = expected.records(aws.plant)
    return {stream: list(map(flat, records[stream])) for stream in records}


def from_table(row: Record) -> Record:
    """Return a row as the record has it, without the target's own columns."""
    values = {
        column: as_text(value)
        for column, value in row.items()
        if not column.startswith("_sdc_")
    }
    details = values.get("status__error__details")
    if details is not None:
        # JSON in a text column.
        values["status__error__details"] = json.loads(str(details))
    return values


def from_csv(row: dict[str, str]) -> Record:
    values: Record = dict(row)
    for column in ("creation_date", "last_update_date"):
        if row[column]:
            values[column] = as_text(datetime.fromisoformat(row[column]))
    if row.get("status__error__details"):
        values["status__error__details"] = json.loads(row["status__error__details"])
    return values


def by_key(stream: str, rows: Iterable[Record]) -> dict[str, Record]:
    """Return rows by their key, which none of them shares with another."""
    rows = list(rows)
    keyed = {row[KEYS[stream]]: row for row in rows}
    assert len(keyed) == len(rows)
    return keyed


@pytest.fixture
def nasty(aws: Emulator) -> Emulator:
    """The account with every nasty name in each of its streams."""
    plant = aws.plant
    portal_id = plant.portals[0]["id"]
    for name in NASTY_NAMES:
        for kind, parent in (
            ("asset_models", None),
            ("portals", None),
            ("projects", portal_id),
        ):
            record = plant.add(kind, parent=parent)
            plant.change(kind, record["id"], name=name, description=name)
    # A portal without a project, and a moment to the last microsecond.
    plant.touch("portals", plant.portals[1]["id"], at=1_700_000_000.999999)
    return aws


# One load of everything, into each target


def test_target_csv_holds_the_plant_field_by_field(
    tap: TapCommand, nasty: Emulator, tmp_path: Path
) -> None:
    run = tap(static(nasty, **FLATTENED), environment={"TZ": "Asia/Kolkata"})

    load("target-csv", tmp_path, {"output_path": "files"}, run.succeeded().output)

    for stream, rows in expected_rows(nasty).items():
        file = tmp_path / "files" / f"{stream}.csv"
        with file.open(encoding="utf-8", newline="") as lines:
            found = [from_csv(row) for row in csv.DictReader(lines)]
        # A CSV file knows no null.
        assert found == [
            {column: "" if value is None else value for column, value in row.items()}
            for row in rows
        ]


def test_target_jsonl_holds_the_plant_field_by_field(
    tap: TapCommand, nasty: Emulator, tmp_path: Path
) -> None:
    run = tap(static(nasty), environment={"TZ": "America/St_Johns"}).succeeded()
    settings = {"destination_path": "files", "do_timestamp_file": False}

    state = load("target-jsonl", tmp_path, settings, run.output)

    for stream, records in expected.records(nasty.plant).items():
        file = tmp_path / "files" / f"{stream}.jsonl"
        # Not str.splitlines, for which U+2028 ends a line.
        lines = file.read_bytes().splitlines()
        assert [json.loads(line) for line in lines] == records
    assert state == run.states[-1]


@pytest.mark.target_duckdb
def test_target_duckdb_holds_the_plant_field_by_field(
    tap: TapCommand, nasty: Emulator, tmp_path: Path
) -> None:
    run = tap(static(nasty), environment={"TZ": "Asia/Tokyo"}).succeeded()
    settings = {
        "path": "plant.duckdb",
        "default_target_schema": "main",
        # The target flattens by itself, as meltano.yml has it.
        "data_flattening_max_level": 2,
    }

    state = load("target-duckdb", tmp_path, settings, run.output)

    with closing(
        duckdb.connect(str(tmp_path / "plant.duckdb"), read_only=True)
    ) as database:
        for stream, rows in expected_rows(nasty).items():
            answer = database.execute(f"SELECT * FROM {stream}")  # noqa: S608 - own name
            columns = [column[0] for column in answer.description or ()]
            found = [
                from_table(dict(zip(columns, row, strict=True)))
                for row in answer.fetchall()
            ]
            # The target loads through CSV, where an empty text is a null.
            assert by_key(stream, found) == by_key(
                stream,
                (
                    {
                        column: None if value == "" else value
                        for column, value in row.items()
                    }
                    for row in rows
                ),
            )
    assert state == run.states[-1]


def test_target_postgres_holds_the_plant_field_by_field(
    tap: TapCommand, nasty: Emulator, tmp_path: Path, postgres: Database
) -> None:
    run = tap(static(nasty, **FLATTENED), environment={"TZ": "America/New_York"})
    schema = postgres.new_schema()

    state = postgres.load(schema, tmp_path, run.succeeded().output)

    for stream, rows in expected_rows(nasty).items():
        found = map(from_table, postgres.rows(schema, stream))
        assert by_key(stream, found) == by_key(stream, rows)
    assert state == run.states[-1]


# Deletions: loads one after the other into the same tables


@dataclass
class Tables:
    """An account, and its tables in a schema that deletes and in one that marks."""

    aws: Emulator
    tap: TapCommand
    postgres: Database
    hard: str
    soft: str

    def settings(self, **settings: object) -> Record:
        return static(
            self.aws, emit_activate_version_messages=True, **FLATTENED, **settings
        )

    def load(self, run: Run) -> None:
        def into(schema: str) -> None:
            directory = self.tap.directory / schema
            directory.mkdir(exist_ok=True)
            hard = schema == self.hard
            self.postgres.load(schema, directory, run.output, hard_delete=hard)

        with ThreadPoolExecutor() as both:
            list(both.map(into, (self.hard, self.soft)))

    def marked(self, stream: str) -> set[str]:
        """Return the keys of the rows that are marked as deleted."""
        return {
            row[KEYS[stream]]
            for row in self.postgres.rows(self.soft, stream)
            if row["_sdc_deleted_at"] is not None
        }

    def check(self, marked: dict[str, set[str]]) -> None:
        """See that the plant is there, and beyond it only what is marked."""
        for stream, rows in expected_rows(self.aws).items():
            live = by_key(stream, rows)
            hard = self.postgres.rows(self.hard, stream)
            assert by_key(stream, map(from_table, hard)) == live
            soft = self.postgres.rows(self.soft, stream)
            found = by_key(stream, map(from_table, soft))
            assert {key: found[key] for key in found.keys() & live.keys()} == live
            assert found.keys() - live.keys() == marked[stream]
            assert self.marked(stream) == marked[stream]


@pytest.fixture(scope="module")
def tables(
    postgres: Database, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Tables]:
    """Both schemas after a first load, which each test leaves as the plant is."""
    tap = TapCommand(tmp_path_factory.mktemp("deletions"))
    with Emulator(asset_models=12, portals=5, projects_per_portal=3) as aws:
        made = Tables(aws, tap, postgres, postgres.new_schema(), postgres.new_schema())
        made.load(tap(made.settings()).succeeded())
        yield made


def _fails_between_two_pages(tables: Tables) -> Run:
    # Two pages may be waiting to be sent when the fifth one fails.
    tables.aws.faults.always("ListAssetModels", Fault.INTERNAL_FAILURE, after=4)
    return tables.tap(tables.settings(page_size=2, max_attempts=2))


def _fails_in_the_third_portal(tables: Tables) -> Run:
    third = tables.aws.plant.portals[2]["id"]

    def fault(call: Call) -> Fault | None:
        return Fault.UNAVAILABLE if call.parameter("portalId") == third else None

    tables.aws.faults.before("ListProjects", fault)
    return tables.tap(tables.settings(max_attempts=2))


def _is_stopped_in_the_third_portal(tables: Tables) -> Run:
    second, third = (portal["id"] for portal in tables.aws.plant.portals[1:3])

    def fault(call: Call) -> Fault | None:
        return Fault.SILENCE if call.parameter("portalId") == third else None

    tables.aws.faults.before("ListProjects", fault)
    last = tables.aws.plant.projects[second][-1]["id"]
    return stopped(tables.tap, tables.settings(), after=last)


@pytest.mark.parametrize(
    ("interrupted", "code", "sent"),
    [
        (_fails_between_two_pages, 1, {"asset_models": 4}),
        (
            _fails_in_the_third_portal,
            1,
            {"asset_models": 12, "portals": 5},
        ),
        (
            _is_stopped_in_the_third_portal,
            143,
            {"asset_models": 12, "portals": 5, "projects": 6},
        ),
    ],
)
def test_a_run_that_does_not_end_well_deletes_nothing(
    tables: Tables,
    interrupted: Callable[[Tables], Run],
    code: int,
    sent: dict[str, int],
) -> None:
    marked = {stream: tables.marked(stream) for stream in KEYS}
    try:
        run = interrupted(tables)
    finally:
        tables.aws.faults.clear()

    assert run.code == code
    assert "ACTIVATE_VERSION" not in {kind for kind, _ in run.kinds}
    # The run got half-way, so that there was something to delete too early.
    for stream, least in sent.items():
        assert len(run.records(stream)) >= least
    tables.load(run)
    tables.check(marked)


def test_what_was_deleted_goes_with_the_next_whole_load_and_nothing_else(
    tables: Tables,
) -> None:
    plant = tables.aws.plant
    portal, other = plant.portals[1], plant.portals[3]
    models = {model["id"] for model in plant.asset_models[3:5]}
    projects = {project["id"] for project in plant.projects[portal["id"]]}
    project = plant.projects[other["id"]][0]
    for model_id in models:
        plant.delete("asset_models", model_id)
    plant.delete("portals", portal["id"])
    plant.delete("projects", project["id"])

    tables.load(tables.tap(tables.settings()).succeeded())

    tables.check(
        {
            "asset_models": models,
            "portals": {portal["id"]},
            "projects": projects | {project["id"]},
        }
    )


def test_a_load_in_batches_deletes_nothing_and_says_that_it_does_not(
    tables: Tables, tmp_path: Path
) -> None:
    marked = {stream: tables.marked(stream) for stream in KEYS}
    batches = {
        "encoding": {"format": "jsonl", "compression": "gzip"},
        "storage": {"root": tmp_path.as_uri()},
    }

    run = tables.tap(tables.settings(batch_config=batches)).succeeded()

    assert "ACTIVATE_VERSION" not in {kind for kind, _ in run.kinds}
    assert {stream for kind, stream in run.kinds if kind == "BATCH"} == set(KEYS)
    (warning,) = run.lines("WARNING")
    assert warning.startswith("emit_activate_version_messages: no ACTIVATE_VERSION")
    tables.load(run)
    tables.check(marked)


@pytest.mark.parametrize("own", [{}, {"portals": None}], ids=["beside", "instead"])
def test_a_batch_for_several_tables_is_refused(
    tap: TapCommand, aws: Emulator, tmp_path: Path, own: Record
) -> None:
    batches = {
        "encoding": {"format": "jsonl", "compression": "gzip"},
        "storage": {"root": tmp_path.as_uri()},
    }
    maps = {**own, "sites": {"__source__": "portals", "label": "name"}}

    run = tap(static(aws, batch_config=batches, stream_maps=maps))

    assert "stream_maps makes several tables of portals" in run.error


MAPS: dict[str, tuple[Record, list[str]]] = {
    "a stream by another name": (
        {"portals": {"__alias__": "sites"}},
        ["asset_models", "projects", "sites"],
    ),
    "a stream in two tables": (
        {"sites": {"__source__": "portals"}},
        ["asset_models", "portals", "projects", "sites"],
    ),
    "a stream left out": ({"portals": None}, ["asset_models", "projects"]),
    "two streams in one table": (
        {"portals": {"__alias__": "things"}, "projects": {"__alias__": "things"}},
        ["asset_models", "things"],
    ),
}


def activated(run: Run) -> list[str]:
    return [str(stream) for kind, stream in run.kinds if kind == "ACTIVATE_VERSION"]


@pytest.mark.parametrize("case", MAPS)
def test_each_table_is_activated_once_by_the_name_that_the_target_knows(
    tap: TapCommand, aws: Emulator, case: str
) -> None:
    maps, tables = MAPS[case]

    run = tap(
        static(aws, emit_activate_version_messages=True, stream_maps=maps)
    ).succeeded()

    assert sorted(activated(run)) == tables
    assert {stream for kind, stream in run.kinds if kind == "SCHEMA"} == set(tables)


def test_a_table_that_holds_rows_without_a_version_is_not_activated(
    tap: TapCommand, aws: Emulator, catalog: Message
) -> None:
    # A target deletes what is not of the version that it is told: the projects.
    maps = {"portals": {"__alias__": "things"}, "projects": {"__alias__": "things"}}
    chosen = select(catalog, *KEYS)
    (entry,) = (e for e in chosen["streams"] if e["tap_stream_id"] == "projects")
    (root,) = (m["metadata"] for m in entry["metadata"] if not m["breadcrumb"])
    root["replication-method"] = "INCREMENTAL"
    root["replication-key"] = "last_update_date"

    run = tap(
        static(aws, emit_activate_version_messages=True, stream_maps=maps),
        catalog=chosen,
    ).succeeded()

    assert activated(run) == ["asset_models"]
    # The SDK warns of an incremental stream.
    warning = run.lines("WARNING")[-1]
    assert "the tap sends no ACTIVATE_VERSION for things" in warning


def test_a_whole_run_activates_each_stream_once_after_its_last_record(
    tap: TapCommand, aws: Emulator
) -> None:
    run = tap(static(aws, emit_activate_version_messages=True)).succeeded()

    for stream in KEYS:
        assert run.kinds.count(("ACTIVATE_VERSION", stream)) == 1
        of_stream = [kind for kind in run.kinds if kind[1] == stream]
        assert of_stream[-1] == ("ACTIVATE_VERSION", stream)
        (activated,) = run.of("ACTIVATE_VERSION", stream)
        assert {message["version"] for message in run.of("RECORD", stream)} == {
            activated["version"]
        }
    assert run.kinds[-1] == ("STATE", None)
