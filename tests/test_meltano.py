"""The Meltano project: what meltano.yml says, and what `meltano run` loads."""

from __future__ import annotations

import csv
import json
import re
import shlex
import subprocess
import typing as t
from datetime import datetime

import jsonschema
import pytest
import yaml

from tests import expected
from tests.conftest import ROOT, clean_environment
from tests.plugin_settings import about, definitions, kind

if t.TYPE_CHECKING:
    from pathlib import Path

    from emulator import Emulator

    Definition = dict[str, t.Any]

TOOLS = ROOT / ".tools"
MELTANO = TOOLS / "meltano" / "bin" / "meltano"
LOADERS = ["target-csv", "target-jsonl", "target-postgres", "target-duckdb"]


@pytest.fixture(scope="module")
def project() -> Definition:
    loaded: Definition = yaml.safe_load((ROOT / "meltano.yml").read_text("utf-8"))
    return loaded


def plugin(project: Definition, kind: str, name: str) -> Definition:
    (found,) = (each for each in project["plugins"][kind] if each["name"] == name)
    definition: Definition = found
    return definition


def settings(definition: Definition) -> list[Definition]:
    found: list[Definition] = definition["settings"]
    return found


def test_the_project_is_what_meltano_itself_takes_for_valid(
    project: Definition,
) -> None:
    (schema,) = MELTANO.parents[1].glob("lib/*/site-packages/meltano/schemas/*.json")

    errors = jsonschema.Draft202012Validator(
        json.loads(schema.read_text("utf-8"))
    ).iter_errors(project)

    assert [error.message for error in errors] == []


def test_the_extractors_settings_are_those_of_the_tap(project: Definition) -> None:
    told = about()

    extractor = plugin(project, "extractors", "tap-iot-sitewise")

    assert settings(extractor) == definitions(told["settings"]["properties"])
    assert set(extractor["capabilities"]) == set(told["capabilities"])
    names = {setting["name"] for setting in settings(extractor)}
    for group in extractor["settings_group_validation"]:
        assert set(group) <= names


@pytest.mark.parametrize("loader", ["target-csv", "target-postgres"])
def test_a_loaders_settings_are_those_of_the_target(
    project: Definition, loader: str
) -> None:
    told = about(TOOLS / loader / "bin" / loader)["settings"]["properties"]
    flat = {
        f"{name}.{member}" if name == "ssh_tunnel" else name: inner
        for name, schema in told.items()
        for member, inner in (
            schema["properties"] if name == "ssh_tunnel" else {name: schema}
        ).items()
    }

    stated = {
        setting["name"]: (setting["kind"], setting.get("value"))
        for setting in settings(plugin(project, "loaders", loader))
    }

    assert stated.keys() == flat.keys()
    for name, (stated_kind, value) in stated.items():
        # A loader's choices are plain strings to some targets.
        assert stated_kind.replace("options", "string") == kind(flat[name]).replace(
            "options", "string"
        ), name
        assert value == flat[name].get("default"), name
    sensitive = {
        setting["name"]
        for setting in settings(plugin(project, "loaders", loader))
        if setting.get("sensitive")
    }
    assert {name for name, schema in flat.items() if schema.get("secret")} <= sensitive


@pytest.mark.parametrize("loader", LOADERS)
def test_a_loader_is_locked_at_the_version_that_meltano_installs(
    project: Definition, loader: str
) -> None:
    definition = plugin(project, "loaders", loader)

    *wanted, option, lock = shlex.split(definition["pip_url"])

    assert (option, lock) == ("--constraint", f"locks/{loader}.lock")
    locked = (ROOT / lock).read_text("utf-8")
    for requirement in wanted:
        assert re.search(rf"^{re.escape(requirement)} \\$", locked, re.MULTILINE)


def test_every_lock_carries_a_hash_for_every_version() -> None:
    locks = [ROOT / "requirements.lock", *(ROOT / "locks").glob("*.lock")]

    assert len(locks) == 7 + len(LOADERS)
    for lock in locks:
        pieces = re.split(r"^(?=[a-z0-9])", lock.read_text("utf-8"), flags=re.MULTILINE)
        assert len(pieces) > 1
        for piece in pieces[1:]:
            assert "==" in piece, piece
            assert "--hash=sha256:" in piece, piece


def test_no_file_of_the_repository_names_a_package_index() -> None:
    # In pieces, so that this file does not name one either.
    index = re.compile(
        rb"pypi\.(?:)org|python(?:)hosted|index(?:)-url[ =]\w|/simple(?:)/"
    )
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],  # noqa: S607 - git is a tool that make needs too
        cwd=ROOT,
        capture_output=True,
        check=True,
        timeout=120,
    ).stdout.split(b"\0")
    paths = [ROOT / name.decode() for name in listed if name]

    naming = [
        path for path in paths if path.is_file() and index.search(path.read_bytes())
    ]

    assert ROOT / "requirements.lock" in paths
    assert naming == []


def test_the_job_and_the_schedule_name_what_is_defined(project: Definition) -> None:
    names = {
        each["name"] for plugins in project["plugins"].values() for each in plugins
    }
    jobs = {job["name"]: job["tasks"] for job in project["jobs"]}

    assert {word for tasks in jobs.values() for task in tasks for word in task.split()}
    for tasks in jobs.values():
        for task in tasks:
            assert set(task.split()) <= names
    assert [
        (each["job"] in jobs, each["interval"]) for each in project["schedules"]
    ] == [(True, "@daily")]


def meltano_run(
    environment: str, aws: Emulator, directory: Path, **variables: str
) -> dict[str, list[dict[str, str]]]:
    """Load into CSV files with Meltano, and read them back."""
    done = subprocess.run(
        [
            MELTANO,
            f"--environment={environment}",
            "run",
            "tap-iot-sitewise",
            "target-csv",
        ],
        cwd=ROOT,
        env=clean_environment(
            MELTANO_DATABASE_URI=f"sqlite:///{directory / 'meltano.db'}",
            TAP_IOT_SITEWISE_AWS_REGION=aws.region,
            TAP_IOT_SITEWISE_AWS_ENDPOINT_URL=aws.endpoint_url,
            TAP_IOT_SITEWISE_AWS_ACCESS_KEY_ID=aws.access_key_id,
            TAP_IOT_SITEWISE_AWS_SECRET_ACCESS_KEY=aws.secret_access_key,
            TARGET_CSV_OUTPUT_PATH=str(directory / "loaded"),
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
    loaded = {}
    for path in (directory / "loaded").glob("*.csv"):
        with path.open(encoding="utf-8", newline="") as file:
            loaded[path.stem] = list(csv.DictReader(file))
    return loaded


def moment(name: str, value: t.Any) -> t.Any:  # noqa: ANN401 - a date among others
    """Read a date: target-csv writes them in a form of its own."""
    return datetime.fromisoformat(value) if name.endswith("_date") and value else value


def cells(record: dict[str, t.Any]) -> dict[str, t.Any]:
    """Return what a record is in a flattened CSV file that was read back."""
    flat = {name: moment(name, value) for name, value in record.items()}
    if "status" in flat:
        status = flat.pop("status") or {}
        flat["status__state"] = status.get("state")
        error = status.get("error") or {}
        flat["status__error__code"] = error.get("code")
        flat["status__error__message"] = error.get("message")
        if "asset_model_id" in flat:
            flat["status__error__details"] = error.get("details")
    return {name: "" if value is None else value for name, value in flat.items()}


def read(row: dict[str, str]) -> dict[str, t.Any]:
    """Return a row with its dates and its JSON text read."""
    details = row.get("status__error__details")
    return {
        **{name: moment(name, value) for name, value in row.items()},
        **({"status__error__details": json.loads(details)} if details else {}),
    }


@pytest.mark.usefixtures("meltano_project")
def test_meltano_loads_the_whole_plant_into_flat_csv_files(
    aws: Emulator, tmp_path: Path
) -> None:
    loaded = meltano_run("demo", aws, tmp_path)

    plant = expected.records(aws.plant)
    assert loaded.keys() == plant.keys()
    for stream, records in plant.items():
        assert [read(row) for row in loaded[stream]] == list(map(cells, records))


@pytest.mark.usefixtures("meltano_project")
def test_meltano_selects_streams_and_columns_with_everything_from_the_environment(
    aws: Emulator, tmp_path: Path
) -> None:
    selection = ["asset_models.*", "!asset_models.status", "projects.name"]

    loaded = meltano_run(
        "prod", aws, tmp_path, TAP_IOT_SITEWISE__SELECT=json.dumps(selection)
    )

    plant = expected.records(aws.plant)
    columns = [name for name in expected.COLUMNS["asset_models"] if name != "status"]
    assert [read(row) for row in loaded["asset_models"]] == [
        cells({name: record[name] for name in columns})
        for record in plant["asset_models"]
    ]
    # A key is selected with any column of its stream.
    assert loaded["projects"] == [
        {name: record[name] for name in loaded["projects"][0]}
        for record in plant["projects"]
    ]
    assert {"project_id", "name"} <= loaded["projects"][0].keys()
    assert "description" not in loaded["projects"][0]
    assert "portals" not in loaded
