"""The DAG of deploy/airflow, without Airflow. `make scale` runs it with Airflow."""

from __future__ import annotations

import ast
import contextlib
import importlib
import json
import os
import shlex
import signal
import subprocess
import sys
import time
import types
import typing as t
from pathlib import Path

import psutil
import pytest

from tap_iot_sitewise.settings import SCHEMA
from tests.conftest import ROOT
from tests.documents import page

if t.TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import sitewise_meltano

DAGS = ROOT / "deploy" / "airflow"
PYTHON_OF_MELTANO = ROOT / ".tools" / "meltano" / "bin" / "python"
LIMIT = 60
"""Seconds after which a process hangs for good."""


@pytest.fixture(autouse=True)
def dags(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Import from the directory of DAGs, as Airflow does, and forget it afterwards."""
    monkeypatch.syspath_prepend(str(DAGS))
    yield
    for name in [name for name in sys.modules if name.startswith("sitewise_")]:
        del sys.modules[name]


@pytest.fixture
def meltano() -> types.ModuleType:
    return importlib.import_module("sitewise_meltano")


@pytest.fixture
def guard() -> types.ModuleType:
    return importlib.import_module("sitewise_guard")


def load_of(module: types.ModuleType, **members: object) -> sitewise_meltano.Load:
    made: sitewise_meltano.Load = module.Load(**{"project": "/srv/sitewise", **members})
    return made


# The DAG


class Node:
    """A task of the stand-in for Airflow, and the tasks before it."""

    def __init__(self, name: str, arguments: dict[str, t.Any]) -> None:
        self.name = name
        self.arguments = arguments
        self.before: set[str] = set()
        self.mapped = False

    def __call__(self, *before: Node) -> Node:
        self.before |= {each.name for each in before}
        return self

    def expand(self, **before: Node) -> Node:
        self.mapped = True
        return self(*before.values())

    def __rshift__(self, after: Node) -> Node:
        return after(self)


class Sdk(types.ModuleType):
    """As much of `airflow.sdk` as the DAG uses, under the names that it has there."""

    def __init__(self) -> None:
        super().__init__("airflow.sdk")
        self.arguments: dict[str, t.Any] = {}
        self.tasks: dict[str, Node] = {}
        self.Variable = self.BaseHook = None

    def dag(self, **arguments: object) -> object:
        self.arguments = arguments
        return lambda function: function

    def task(
        self, function: Callable[..., object] | None = None, **arguments: object
    ) -> object:
        if function is None:
            return lambda function: self.task(function, **arguments)
        node = Node(function.__name__, {**self.arguments["default_args"], **arguments})
        self.tasks[node.name] = node
        return node


@pytest.fixture
def sdk(monkeypatch: pytest.MonkeyPatch) -> Sdk:
    sdk = Sdk()
    monkeypatch.setitem(sys.modules, "airflow", types.ModuleType("airflow"))
    monkeypatch.setitem(sys.modules, "airflow.sdk", sdk)
    importlib.import_module("sitewise_shards")
    return sdk


def test_the_dag_creates_the_tables_then_loads_the_shards_then_counts(sdk: Sdk) -> None:
    tasks = {name: (node.before, node.mapped) for name, node in sdk.tasks.items()}

    assert tasks == {
        "create_tables": (set(), False),
        "shards": (set(), False),
        "load": ({"create_tables", "shards"}, True),
        "check_row_counts": ({"load"}, False),
    }


def test_runs_of_the_dag_do_not_overlap_and_shards_share_a_pool(sdk: Sdk) -> None:
    assert sdk.arguments["max_active_runs"] == 1
    assert sdk.arguments["catchup"] is False
    assert {name for name, node in sdk.tasks.items() if "pool" in node.arguments} == {
        "load"
    }


def test_the_tries_of_a_shard_outlast_the_lock_of_a_killed_meltano(sdk: Sdk) -> None:
    arguments = sdk.tasks["load"].arguments

    assert arguments["retry_exponential_backoff"] is True
    # Meltano ignores a run that was not heard of for five minutes.
    waits = [arguments["retry_delay"] * 2**n for n in range(arguments["retries"])]
    assert sum(wait.total_seconds() for wait in waits[:-1]) > 300


def test_only_the_dag_imports_airflow() -> None:
    imports = {
        path.name: {
            node.module
            for node in ast.walk(ast.parse(path.read_text("utf-8")))
            if isinstance(node, ast.ImportFrom) and "airflow" in (node.module or "")
        }
        for path in DAGS.glob("*.py")
    }

    assert imports == {
        "sitewise_guard.py": set(),
        "sitewise_meltano.py": set(),
        "sitewise_shards.py": {"airflow.sdk"},
    }


# Settings and commands


def test_a_shard_gets_settings_that_the_tap_has(meltano: types.ModuleType) -> None:
    load = load_of(meltano, shard_count=3, max_requests_per_second=2.5)

    assert load.settings(2) == {
        "TAP_IOT_SITEWISE_SHARD_COUNT": "3",
        "TAP_IOT_SITEWISE_SHARD_INDEX": "2",
        "TAP_IOT_SITEWISE_MAX_REQUESTS_PER_SECOND": "2.5",
    }
    names = {name.removeprefix("TAP_IOT_SITEWISE_") for name in load.settings(2)}
    assert names <= {name.upper() for name in SCHEMA["properties"]}


def test_an_inheriting_extractor_has_variables_of_its_own(
    meltano: types.ModuleType,
) -> None:
    load = load_of(meltano, extractor="tap-iot-sitewise-history", shard_count=2)

    assert load.settings(0) == {
        "TAP_IOT_SITEWISE_HISTORY_SHARD_COUNT": "2",
        "TAP_IOT_SITEWISE_HISTORY_SHARD_INDEX": "0",
    }


def test_the_readmes_variable_is_valid(meltano: types.ModuleType) -> None:
    commands = page("deploy/airflow/README.md").block("Set up", "sh", 1)
    start, end = commands.index("{"), commands.rindex("}") + 1

    load = load_of(meltano, **json.loads(commands[start:end]))

    assert load.name(3) == "shard-3-of-4"
    assert load.max_requests_per_second


class FakeMeltano:
    """A command in the place of Meltano. It keeps how it is called, and says lines."""

    def __init__(self, directory: Path) -> None:
        self.project = directory / "project"
        self.project.mkdir()
        self._calls = directory / "calls"
        self._calls.touch()
        self.path = directory / "meltano"
        self.says()

    def says(self, *entries: object) -> None:
        """Have it write these entries to its log."""
        code = (
            "import json, os, sys\n"
            "call = [sys.argv[1:], dict(os.environ), os.getcwd(), sys.stdin.read()]\n"
            f"print(json.dumps(call), file=open({str(self._calls)!r}, 'a'))\n"
            f"print(*map(json.dumps, {entries!r}), sep='\\n', file=sys.stderr)\n"
            "print('output of', *sys.argv[3:])\n"
        )
        program = self.path.with_suffix(".py")
        program.write_text(code, "utf-8")
        # A path with a space cannot follow `#!`.
        line = shlex.join([sys.executable, str(program)])
        self.path.write_text(f'#!/bin/sh\nexec {line} "$@"\n', "utf-8")
        self.path.chmod(0o755)

    @property
    def calls(self) -> list[t.Any]:
        return [
            json.loads(line)
            for line in self._calls.read_text("utf-8").split("\n")
            if line
        ]

    def load(self, module: types.ModuleType, **more: object) -> sitewise_meltano.Load:
        place = {"project": str(self.project), "meltano": str(self.path)}
        return load_of(module, **place, **more)


@pytest.fixture
def fake(tmp_path: Path) -> FakeMeltano:
    return FakeMeltano(tmp_path)


def ignore(_: str) -> None:
    """Read no log."""


def test_meltano_has_the_commands_and_options_that_are_used(
    meltano: types.ModuleType, fake: FakeMeltano
) -> None:
    load = fake.load(meltano)
    meltano.create_tables(load, ignore)
    meltano.load_shard(load, 0, ignore)

    code = (
        "import json\n"
        "from meltano.cli.cli import cli\n"
        "commands = {'': cli, **cli.commands}\n"
        "print(json.dumps({name: [option for each in command.params"
        " for option in each.opts] for name, command in commands.items()}))\n"
    )
    done = subprocess.run(
        [PYTHON_OF_MELTANO, "-c", code], stdout=subprocess.PIPE, check=True
    )
    known = json.loads(done.stdout)
    used = {("", word) for arguments, *_ in fake.calls for word in arguments[:2]}
    used |= {(a[2], word) for a, *_ in fake.calls for word in a[3:] if word[0] == "-"}
    # That is an option of the tap.
    used.remove(("invoke", "--test=schema"))
    assert {command for command, _ in used} == {"", "run"}
    for command, word in used:
        assert word.partition("=")[0] in known[command]


def test_the_schemas_of_the_tap_go_to_the_target(
    meltano: types.ModuleType, fake: FakeMeltano
) -> None:
    meltano.create_tables(fake.load(meltano), ignore)

    (extract, *_, nothing), (load, *_, messages) = fake.calls
    assert extract[2:] == ["invoke", "tap-iot-sitewise", "--test=schema"]
    assert load[2:] == ["invoke", "target-postgres"]
    assert nothing == ""
    assert messages == "output of invoke tap-iot-sitewise --test=schema\n"


def test_each_shard_has_a_state_and_a_directory_of_its_own(
    meltano: types.ModuleType, fake: FakeMeltano
) -> None:
    load = fake.load(meltano, shard_count=2, variables={"PGTZ": "UTC"})
    for shard in (0, 1, 1):
        meltano.load_shard(load, shard, ignore)

    suffixes = [arguments[3] for arguments, *_ in fake.calls]
    assert suffixes == [f"--state-id-suffix=shard-{n}-of-2" for n in (0, 1, 1)]
    directories = [
        Path(environment["MELTANO_SYS_DIR_ROOT"]) for _, environment, *_ in fake.calls
    ]
    assert len(set(directories)) == 2
    for directory in directories:
        # The plugins are installed once.
        shared = fake.project / ".meltano" / "extractors"
        assert (directory / "extractors").resolve() == shared
        assert (directory / "run").resolve() != fake.project / ".meltano" / "run"
    assert {environment["PGTZ"] for _, environment, *_ in fake.calls} == {"UTC"}
    assert {Path(place) for *_, place, _ in fake.calls} == {fake.project}


# Row counts


def metric(plugin: str, stream: str, value: int, name: str = "record_count") -> object:
    info = {"metric": name, "value": value, "tags": {"stream": stream}}
    return {"event": "METRIC", "string_id": plugin, "metric_info": info}


def test_a_report_counts_what_the_tap_sent(
    meltano: types.ModuleType, fake: FakeMeltano
) -> None:
    fake.says(
        {"event": "Run started"},
        metric("tap-iot-sitewise", "assets", 5),
        metric("target-postgres", "assets", 5),
        metric("tap-iot-sitewise", "assets", 2),
        metric("tap-iot-sitewise", "assets", 9, "http_request_duration"),
        metric("tap-iot-sitewise", "portals", 0),
        {"event": "assets: 7 records", "string_id": "tap-iot-sitewise"},
        "not an entry",
    )
    log: list[str] = []
    before = time.time() * 1000

    report = meltano.load_shard(fake.load(meltano), 3, log.append)

    assert report["shard"] == 3
    assert report["records"] == {"assets": 7, "portals": 0}
    assert before - 1 <= report["started"] <= time.time() * 1000
    assert log == [
        "meltano: Run started",
        "tap-iot-sitewise: assets: 7 records",
        '"not an entry"',
    ]


@pytest.mark.parametrize(
    ("rows", "shards", "found"),
    [
        ({"assets": 7, "portals": 0}, 2, []),
        # A shard that failed loaded rows that its next try did not send again.
        ({"assets": 9, "portals": 1}, 2, []),
        (
            {"assets": 6, "portals": 0},
            2,
            ["assets: 7 records were sent, but 6 rows were loaded"],
        ),
        (
            {"assets": 7, "portals": 0},
            3,
            ["reports from shards [0, 1] instead of 0 to 2"],
        ),
    ],
    ids=["equal", "more", "short", "no report"],
)
def test_missing_rows_and_missing_shards_are_found(
    meltano: types.ModuleType, rows: dict[str, int], shards: int, found: list[str]
) -> None:
    reports = [
        {"shard": 0, "started": 2_000, "records": {"assets": 5, "portals": 0}},
        {"shard": 1, "started": 1_000, "records": {"assets": 2}},
    ]
    asked: list[int] = []

    def count(table: str, started: int) -> int:
        asked.append(started)
        return rows[table]

    load = load_of(meltano, shard_count=shards)
    assert list(meltano.problems(load, reports, count)) == found
    assert set(asked) == {1_000}


def test_a_log_without_counts_is_found(meltano: types.ModuleType) -> None:
    reports = [{"shard": 0, "started": 1, "records": {}}]

    (problem,) = meltano.problems(load_of(meltano, shard_count=1), reports, len)

    assert problem == "the log of Meltano contains no record counts"


# A task that is stopped

# It says the ID of a process that it starts. At a SIGTERM both end, but not at once.
CHILD = """
import os, signal, subprocess, sys, time
signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
other = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'])
print(os.getpid(), other.pid, file=sys.stderr, flush=True)
signal.sigwait({signal.SIGTERM})
print('one SIGTERM', file=sys.stderr, flush=True)
time.sleep(0.5)
sys.exit(143)
"""
TASK = f"""
import os, signal, sys
sys.path.insert(0, {str(DAGS)!r})
import sitewise_guard
try:
    say = lambda line: print(line, flush=True)
    sitewise_guard.run([sys.executable, '-c', {CHILD!r}], '.', os.environ, say)
except sitewise_guard.StoppedError as error:
    print(error, flush=True)
"""


@pytest.mark.parametrize(
    ("number", "rest"),
    [(signal.SIGTERM, ["Airflow stopped the task"]), (signal.SIGKILL, [])],
)
def test_what_a_task_started_ends_with_the_task(
    number: signal.Signals, rest: list[str]
) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", TASK], stdout=subprocess.PIPE, text=True
    ) as task:
        assert task.stdout is not None
        started = [psutil.Process(int(pid)) for pid in task.stdout.readline().split()]
        task.send_signal(number)
        assert task.stdout.read().splitlines() == rest
    assert len(started) == 2
    assert psutil.wait_procs(started, LIMIT)[1] == []


def test_a_command_that_fails_leaves_nothing_running(guard: types.ModuleType) -> None:
    lines: list[str] = []
    code = CHILD.replace(
        "signal.sigwait({signal.SIGTERM})", "os.kill(os.getpid(), signal.SIGKILL)"
    )

    with pytest.raises(guard.FailedError, match="failed with exit code 137, see above"):
        guard.run([sys.executable, "-c", code], ROOT, os.environ, lines.append)

    _, other = map(int, lines[0].split())
    # It is dead, but its entry may still be there for a moment.
    with contextlib.suppress(psutil.NoSuchProcess):
        psutil.Process(other).wait(LIMIT)
