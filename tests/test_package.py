"""The wheel: what is in it, and that it runs where nothing else is installed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import typing as t
import zipfile
from pathlib import Path

import pytest

from tests.conftest import ROOT, clean_environment

if t.TYPE_CHECKING:
    from collections.abc import Sequence

UV = Path(sys.executable).with_name("uv")
STREAMS = ["asset_models", "portals", "projects"]

NO_NETWORK = """
import socket

def refuse(*_):
    raise RuntimeError("this command was not to need a network")

socket.socket.connect = socket.socket.connect_ex = socket.getaddrinfo = refuse
"""


def run(command: Sequence[str | Path], **variables: str) -> str:
    done = subprocess.run(
        command,
        cwd=ROOT,
        env={**os.environ, **variables},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("wheel")
    run([sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", directory])
    (built,) = directory.glob("*.whl")
    return built


class Installed(t.NamedTuple):
    directory: Path
    environment: Path

    def __call__(self, *arguments: str) -> str:
        """Run the command without settings, without credentials, without network."""
        done = subprocess.run(
            [self.environment / "bin" / "tap-iot-sitewise", *arguments],
            cwd=self.directory,
            env=clean_environment(
                HOME=str(self.directory), PYTHONPATH=str(self.directory)
            ),
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Installed:
    directory = tmp_path_factory.mktemp("installed")
    environment = directory / "environment"
    run([UV, "venv", "--quiet", "--python", sys.executable, environment])
    # The lock's versions and hashes, without what only the tests need.
    run(
        [
            *(UV, "pip", "install", "--quiet", "--python", environment),
            *("--constraint", "requirements.lock", wheel),
        ]
    )
    # Python imports a module of this name when it starts.
    (directory / "sitecustomize.py").write_text(NO_NETWORK, encoding="utf-8")
    return Installed(directory, environment)


def test_the_wheel_holds_the_package_and_its_metadata_and_nothing_else(
    wheel: Path,
) -> None:
    files = {
        str(path.relative_to(ROOT))
        for path in (ROOT / "tap_iot_sitewise").rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }

    inside = set(zipfile.ZipFile(wheel).namelist())

    assert "tap_iot_sitewise/py.typed" in inside
    metadata = {name for name in inside if not name.startswith("tap_iot_sitewise/")}
    assert inside - metadata == files
    assert {Path(name).parent.name for name in metadata} == {
        "tap_iot_sitewise-0.1.0.dist-info",
        "licenses",
    }


def test_the_wheel_needs_none_of_what_only_the_tests_need(installed: Installed) -> None:
    listed = json.loads(
        run(
            [
                *(UV, "pip", "list", "--python", installed.environment),
                *("--format", "json"),
            ]
        )
    )

    names = {package["name"] for package in listed}
    assert {"tap-iot-sitewise", "singer-sdk", "boto3"} <= names
    assert not names & {"pytest", "aiohttp", "uv", "duckdb", "psycopg", "mypy"}


def test_version_is_that_of_the_package(installed: Installed) -> None:
    assert "tap-iot-sitewise v0.1.0" in installed("--version")


def test_about_tells_the_settings_without_any(installed: Installed) -> None:
    about = json.loads(installed("--about", "--format", "json"))

    assert about["name"] == "tap-iot-sitewise"
    assert "aws_region" in about["settings"]["properties"]


def test_discover_prints_the_streams_without_any_setting(installed: Installed) -> None:
    catalog = json.loads(installed("--discover"))

    assert [stream["tap_stream_id"] for stream in catalog["streams"]] == STREAMS


def test_a_connection_would_have_been_noticed(installed: Installed) -> None:
    probe = "import socket; socket.create_connection(('127.0.0.1', 9))"

    done = subprocess.run(
        [installed.environment / "bin" / "python", "-c", probe],
        env=clean_environment(PYTHONPATH=str(installed.directory)),
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )

    assert "was not to need a network" in done.stderr
