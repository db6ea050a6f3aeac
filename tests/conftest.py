"""The two ends of every test: an account that is emulated, and the command."""

from __future__ import annotations

import fcntl
import json
import os
import signal
import subprocess
import sys
import typing as t
from dataclasses import dataclass
from pathlib import Path

import hypothesis
import psycopg
import pytest

from demo.postgres import server
from emulator import Emulator
from tests import fork_server

if t.TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.targets import Database

Message = dict[str, t.Any]

# How long an example takes says nothing of what is tested.
hypothesis.settings.register_profile("tap", deadline=None, print_blob=True)
hypothesis.settings.load_profile("tap")

# A shell's background jobs ignore SIGINT, and so would all that the tests start.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

LONGEST = (
    "test_faults",
    "test_http_answers",
    "test_docs_project",
    "test_soak",
    "test_docs_troubleshooting",
    "test_emulator_operations",
    "test_plant_streams",
    "test_output",
    "test_entities",
    "test_targets",
    "test_demo",
    "test_plant_targets",
    "test_telemetry_targets",
)
"""Modules that take longest. Begun last, they would run alone in the end."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the longest modules first. The order within a module stays."""
    places = {name: place for place, name in enumerate(LONGEST)}
    items.sort(key=lambda item: places.get(item.path.stem, len(LONGEST)))


ROOT = Path(__file__).parents[1]
COMMAND = Path(sys.executable).with_name("tap-iot-sitewise")


@dataclass(frozen=True)
class Run:
    """What one run of the command left behind."""

    code: int
    output: bytes
    log: str

    @property
    def messages(self) -> list[Message]:
        return [json.loads(line) for line in self.output.splitlines()]

    def of(self, kind: str, stream: str | None = None) -> list[Message]:
        return [
            message
            for message in self.messages
            if message["type"] == kind and message.get("stream") == stream
        ]

    def records(self, stream: str) -> list[Message]:
        return [message["record"] for message in self.of("RECORD", stream)]

    @property
    def kinds(self) -> list[tuple[str, str | None]]:
        return [(message["type"], message.get("stream")) for message in self.messages]

    @property
    def states(self) -> list[Message]:
        return [message["value"] for message in self.of("STATE")]

    def lines(self, level: str) -> list[str]:
        return [
            line.split("|", 3)[3].strip()
            for line in self.log.splitlines()
            if f"| {level:8} |" in line
        ]

    @property
    def errors(self) -> list[str]:
        return self.lines("ERROR")

    @property
    def error(self) -> str:
        """The one ERROR line of a run that failed as it should."""
        assert self.code == 1, self.log
        assert len(self.errors) == 1, self.log
        assert "Traceback" not in self.log
        return self.errors[0]

    def succeeded(self) -> Run:
        assert self.code == 0, self.log
        assert not self.errors, self.log
        return self


def static(aws: Emulator, **settings: object) -> dict[str, t.Any]:
    """Settings that reach an emulated account with its access key."""
    return {
        "aws_region": aws.region,
        "aws_access_key_id": aws.access_key_id,
        "aws_secret_access_key": aws.secret_access_key,
        "aws_endpoint_url": aws.endpoint_url,
        **settings,
    }


def clean_environment(**variables: str) -> dict[str, str]:
    """The environment without what would reach AWS or the tap by another way."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.upper().startswith(("AWS_", "TAP_", "BOTO"))
        and "proxy" not in name.lower()
        # Nobody's command starts without its bytecode, which takes twice as long.
        and name not in {"REQUESTS_CA_BUNDLE", "LOGLEVEL", "PYTHONDONTWRITEBYTECODE"}
    }
    return {
        **kept,
        # No chain of boto3's is to find what the machine has.
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        **variables,
    }


class TapCommand:
    """Runs ``tap-iot-sitewise`` in a directory of its own."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory

    def file(self, name: str, content: object) -> Path:
        path = self.directory / name
        path.write_text(
            content if isinstance(content, str) else json.dumps(content), "utf-8"
        )
        path.chmod(0o600)
        return path

    def arguments(
        self,
        config: object = None,
        *arguments: str,
        catalog: object = None,
        state: object = None,
    ) -> list[str]:
        line = [str(COMMAND), *arguments]
        for option, content in (
            ("config", config),
            ("catalog", catalog),
            ("state", state),
        ):
            if content is not None:
                line += [f"--{option}", str(self.file(f"{option}.json", content))]
        return line

    def __call__(
        self,
        config: object = None,
        *arguments: str,
        catalog: object = None,
        state: object = None,
        environment: dict[str, str] | None = None,
        timeout: float = 120,
    ) -> Run:
        line = self.arguments(config, *arguments, catalog=catalog, state=state)
        env = clean_environment(**(environment or {}))
        if fork_server.can_run(environment or ()):
            code, output, log = fork_server.run(
                line, cwd=self.directory, env=env, timeout=timeout
            )
            return Run(code, output, log.decode())
        done = subprocess.run(
            line,
            cwd=self.directory,
            env=env,
            capture_output=True,
            timeout=timeout,
            check=False,
        )
        return Run(done.returncode, done.stdout, done.stderr.decode())

    def start(
        self,
        config: object,
        *arguments: str,
        environment: dict[str, str] | None = None,
        **files: object,
    ) -> subprocess.Popen[bytes]:
        """Start the command and leave it running; its reader is the test."""
        return subprocess.Popen(
            self.arguments(config, *arguments, **files),
            cwd=self.directory,
            env=clean_environment(**(environment or {})),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )


@pytest.fixture
def tap(tmp_path: Path) -> TapCommand:
    directory = tmp_path / "run"
    directory.mkdir()
    return TapCommand(directory)


@pytest.fixture
def aws() -> Iterator[Emulator]:
    """A small account of its own for each test: tests change it."""
    with Emulator(asset_models=30, portals=5, projects_per_portal=4) as emulator:
        yield emulator


@pytest.fixture
def meltano_project() -> Iterator[None]:
    """The Meltano project, for one test at a time in all processes.

    Each `meltano run` writes the catalog of its tap to one file in `.meltano/run`.
    """
    with (ROOT / "meltano.yml").open("rb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def discover(*extra_streams: str) -> Message:
    """Return the catalog that --discover prints."""
    code, text, log = fork_server.run(
        [str(COMMAND), "--config", "ENV", "--discover"],
        cwd=ROOT,
        env=clean_environment(TAP_IOT_SITEWISE_EXTRA_STREAMS=json.dumps(extra_streams)),
        timeout=120,
    )
    assert code == 0, log.decode()
    found: Message = json.loads(text)
    return found


@pytest.fixture(scope="session")
def catalog() -> Message:
    """The catalog of the three streams."""
    return discover()


@pytest.fixture(scope="session")
def plant_catalog() -> Message:
    """The catalog with the extra streams of a plant."""
    return discover("plant")


def select(catalog: Message, *streams: str, **metadata: object) -> Message:
    """Return a copy with only these streams selected, with more stream metadata."""
    copy: Message = json.loads(json.dumps(catalog))
    for entry in copy["streams"]:
        for item in entry["metadata"]:
            if item["breadcrumb"] == []:
                item["metadata"]["selected"] = entry["tap_stream_id"] in streams
                item["metadata"].update(
                    {name.replace("_", "-"): value for name, value in metadata.items()}
                )
    return copy


@pytest.fixture(scope="session")
def postgres() -> Iterator[Database]:
    from tests.targets import Database  # noqa: PLC0415 - it needs this module

    with server() as url:
        # target-postgres makes columns without a time zone, and what PostgreSQL puts
        # there is the time in the session's zone: the loads below have to set theirs.
        with psycopg.connect(url) as connection:
            connection.execute("ALTER DATABASE postgres SET timezone = 'Asia/Kolkata'")
        yield Database(url)
