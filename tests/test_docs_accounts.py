"""docs/scaling.md: one Meltano project that loads plants of several accounts."""

from __future__ import annotations

import contextlib
import json
import subprocess
import typing as t

import pytest
import yaml

from emulator import Account, Emulator
from tests import expected
from tests.conftest import ROOT, clean_environment
from tests.documents import page
from tests.test_meltano import MELTANO

if t.TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.targets import Database

PAGE = page("docs/scaling.md")
ROLES = page("docs/authentication.md")
SECTION = "Several accounts and Regions"
SHOWN = yaml.safe_load(PAGE.block(SECTION, "yaml"))
VARIABLES = dict(
    line.split("=", 1) for line in PAGE.block(SECTION, "dotenv").splitlines()
)
PLANTS = {"cork": 2, "denver": 3}
"""The plants of the page, and the number of their portals."""

ROLE = "arn:aws:iam::444455556666:role/PlantReader"
EXTERNAL_ID = "cork-5f2e9c"
KEYS = {"aws_access_key_id": "AKIAI44QH8DHBEXAMPLE", "aws_secret_access_key": "loader"}


def config(kind: str, name: str) -> dict[str, str]:
    """Return the settings that the page shows for a plugin."""
    (found,) = (each for each in SHOWN["plugins"][kind] if each["name"] == name)
    settings: dict[str, str] = found["config"]
    return settings


def account(plant: str) -> Emulator:
    """Return the account of a plant, with the policies of the other page."""
    settings = config("extractors", f"tap-iot-sitewise-{plant}")
    external_id = VARIABLES[f"TAP_IOT_SITEWISE_{plant.upper()}_ASSUME_ROLE_EXTERNAL_ID"]

    def policy(section: str) -> t.Any:  # noqa: ANN401 - a document
        text = ROLES.block(section, "json")
        text = text.replace(ROLE, settings["assume_role_arn"])
        return json.loads(text.replace(EXTERNAL_ID, external_id))

    trust = policy("Create the role of the plant")
    return Emulator(
        asset_models=3,
        portals=PLANTS[plant],
        projects_per_portal=2,
        seed=PLANTS[plant],
        account=Account(
            settings["aws_region"], settings["assume_role_arn"].split(":")[4]
        ),
        roles={
            "Roles": [
                {
                    "RoleName": "PlantReader",
                    "AssumeRolePolicyDocument": trust,
                    "Policies": [json.loads(ROLES.block("Permissions", "json"))],
                }
            ],
            "Callers": [
                {
                    "Arn": trust["Statement"][0]["Principal"]["AWS"],
                    "AccessKeyId": KEYS["aws_access_key_id"],
                    "SecretAccessKey": KEYS["aws_secret_access_key"],
                    "Policies": [policy("Allow the tap to assume the role")],
                }
            ],
        },
    )


@pytest.fixture(scope="module")
def accounts() -> Iterator[dict[str, Emulator]]:
    with contextlib.ExitStack() as stack:
        yield {plant: stack.enter_context(account(plant)) for plant in PLANTS}


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project of the two plugins that are installed already, and of the page."""
    whole = yaml.safe_load((ROOT / "meltano.yml").read_text("utf-8"))
    executables = {
        "extractors": ROOT / ".venv" / "bin" / "tap-iot-sitewise",
        "loaders": ROOT / ".tools" / "target-postgres" / "bin" / "target-postgres",
    }
    plugins = {}
    for kind, executable in executables.items():
        (found,) = (
            each for each in whole["plugins"][kind] if each["name"] == executable.name
        )
        # Without its package, Meltano installs nothing.
        del found["pip_url"]
        inherited = {**found, "executable": str(executable)}
        plugins[kind] = [inherited, *SHOWN["plugins"][kind]]
    definition = {
        **{name: whole[name] for name in ("send_anonymous_usage_stats", "cli")},
        "default_environment": "prod",
        "environments": [{"name": "prod"}],
        **SHOWN,
        "plugins": plugins,
    }
    directory = tmp_path_factory.mktemp("accounts")
    (directory / "meltano.yml").write_text(yaml.safe_dump(definition), "utf-8")
    return directory


def test_one_project_loads_each_plant_into_its_own_schema(
    project: Path, accounts: dict[str, Emulator], postgres: Database
) -> None:
    variables = {
        **VARIABLES,
        # In the environment of all extractors. Each has a Region of its own.
        "TAP_IOT_SITEWISE_AWS_REGION": "ap-south-1",
        "TARGET_POSTGRES_SQLALCHEMY_URL": postgres.settings("")["sqlalchemy_url"],
        "PGTZ": "UTC",
    }
    for name, value in KEYS.items():
        variables[f"TAP_IOT_SITEWISE_{name.upper()}"] = value
    for plant, aws in accounts.items():
        for endpoint in ("AWS_ENDPOINT_URL", "STS_ENDPOINT_URL"):
            name = f"TAP_IOT_SITEWISE_{plant.upper()}_{endpoint}"
            variables[name] = aws.endpoint_url
    (project / ".env").write_text(
        "".join(f"{name}={value}\n" for name, value in variables.items()), "utf-8"
    )

    def meltano(*arguments: str) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            [MELTANO, *arguments],
            cwd=project,
            env=clean_environment(),
            capture_output=True,
            text=True,
            check=False,
            timeout=600,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done

    run = meltano(*PAGE.block(SECTION, "sh").split()[1:])
    states = meltano("state", "list").stdout.split()

    for plant, aws in accounts.items():
        schema = config("loaders", f"target-postgres-{plant}")["default_target_schema"]
        for stream, records in expected.records(aws.plant).items():
            key = f"{stream.removesuffix('s')}_id"
            loaded = {row[key]: row["name"] for row in postgres.rows(schema, stream)}
            assert loaded == {record[key]: record["name"] for record in records}
        assert aws.stats.requests["AssumeRole"] == 1
        assert aws.stats.errors == {}
    assert set(states) == {
        f"prod:tap-iot-sitewise-{plant}-to-target-postgres-{plant}" for plant in PLANTS
    }
    assert f"`{states[0]}`" in PAGE.section(SECTION)
    for external_id in VARIABLES.values():
        assert external_id not in run.stdout + run.stderr


def test_each_plant_has_a_job_and_each_job_a_schedule() -> None:
    jobs = {job["name"]: job["tasks"] for job in SHOWN["jobs"]}

    assert jobs == {
        f"load-{plant}": [f"tap-iot-sitewise-{plant} target-postgres-{plant}"]
        for plant in PLANTS
    }
    assert {each["job"] for each in SHOWN["schedules"]} == jobs.keys()
    command = PAGE.block(SECTION, "sh").split()
    assert command == ["meltano", "run", *jobs]
