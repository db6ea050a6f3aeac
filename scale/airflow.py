"""Run Airflow with the DAG of deploy/airflow, and talk to it."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import socket
import subprocess
import sys
import time
import typing as t
import urllib.error
import urllib.request
from pathlib import Path

from demo.stopping import raise_if_stopped

ROOT = Path(__file__).parents[1]
DAG_ID = "sitewise_shards"

_README = ROOT / "deploy" / "airflow" / "README.md"

_BIN = ROOT / ".tools" / "airflow" / "bin"
_HOST = "127.0.0.1"
_START_SECONDS = 180
_REQUEST_SECONDS = 30
_POLL_SECONDS = 0.5

if t.TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    Json = t.Any


class AirflowFailedError(Exception):
    """Airflow, or a task, did not do what was expected."""


class Airflow:
    """A running Airflow. It has one DAG, and ignores its schedule.

    Args:
        home: Its directory.
        environment: The environment of its processes.
        port: The port of its API.
    """

    def __init__(self, home: Path, environment: Mapping[str, str], port: int) -> None:
        """Keep the arguments."""
        self._home = home
        self._environment = environment
        self._url = f"http://{_HOST}:{port}"

    def command(self, *words: str) -> None:
        """Run a command, such as ``airflow db migrate``.

        Args:
            words: Its words.

        Raises:
            AirflowFailedError: It failed.
        """
        done = subprocess.run(
            words,
            cwd=ROOT,
            env=dict(self._environment),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            check=False,
        )
        if done.returncode:
            msg = f"{' '.join(words)} failed:\n{done.stdout}"
            raise AirflowFailedError(msg)

    def set_up(self) -> None:
        """Run the commands of the README: copy the DAG, make the pool, and so on.

        Raises:
            AirflowFailedError: One of them failed.
        """
        blocks = _README.read_text("utf-8").split("```sh\n")[1:]
        (commands,) = (block for block in blocks if "airflow pools set" in block)
        self.command("sh", "-ec", commands.partition("```")[0])

    def request(self, method: str, path: str, body: Json = None) -> Json:
        """Send a request to the API.

        Args:
            method: GET, POST or PATCH.
            path: Path below ``/api/v2``.
            body: Its body, to be sent as JSON; None for none.

        Returns:
            The answer.
        """
        request = urllib.request.Request(  # noqa: S310 - the server started above
            f"{self._url}/api/v2/{path}",
            data=None if body is None else json.dumps(body).encode(),
            headers={"Content-Type": "application/json"},
            method=method,
        )
        with urllib.request.urlopen(request, timeout=_REQUEST_SECONDS) as answer:  # noqa: S310
            return json.loads(answer.read() or b"null")

    def start_run(self, variable: Json) -> str:
        """Start a run of the DAG.

        Args:
            variable: The Variable ``sitewise_shards``.

        Returns:
            The ID of the run.
        """
        value = {"key": DAG_ID, "value": json.dumps(variable)}
        try:
            self.request("PATCH", f"variables/{DAG_ID}", value)
        except urllib.error.HTTPError:
            self.request("POST", "variables", value)
        self.request("PATCH", f"dags/{DAG_ID}", {"is_paused": False})
        run = self.request("POST", f"dags/{DAG_ID}/dagRuns", {"logical_date": None})
        return str(run["dag_run_id"])

    def tasks(self, run: str) -> list[Json]:
        """Return the task instances of a run.

        Args:
            run: The ID of the run.
        """
        found = self.request("GET", f"dags/{DAG_ID}/dagRuns/{run}/taskInstances")
        tasks: list[Json] = found["task_instances"]
        return tasks

    def wait(self, run: str, limit: float, *, expected: str = "success") -> None:
        """Wait until a run has ended.

        Args:
            run: The ID of the run.
            limit: How long it may take, in seconds.
            expected: The state that it should have then.

        Raises:
            AirflowFailedError: It has another state, or it takes longer.
        """
        deadline = time.monotonic() + limit
        state = "queued"
        while state in {"queued", "running"} and time.monotonic() < deadline:
            raise_if_stopped()
            time.sleep(_POLL_SECONDS)
            path = f"dags/{DAG_ID}/dagRuns/{run}"
            state = self.request("GET", path)["state"]
        if state != expected:
            msg = f"the run {run} is in the state {state}:\n{self.logs(run)}"
            raise AirflowFailedError(msg)

    def clear(self, run: str, task: str) -> None:
        """Have a run repeat a task.

        Args:
            run: The ID of the run.
            task: The ID of the task.
        """
        body = {
            "dry_run": False,
            "dag_run_id": run,
            "task_ids": [task],
            "only_failed": False,
            "reset_dag_runs": True,
        }
        self.request("POST", f"dags/{DAG_ID}/clearTaskInstances", body)

    def logs(self, run: str) -> str:
        """Return the logs of the tasks of a run that did not succeed.

        Args:
            run: The ID of the run.
        """
        lines = []
        for task in self.tasks(run):
            if task["state"] == "success":
                continue
            name = f"{task['task_id']}[{task['map_index']}]"
            lines.append(f"{name}: {task['state']}, try {task['try_number']}")
            folder = self._home / "logs" / f"dag_id={DAG_ID}" / f"run_id={run}"
            for path in sorted(folder.glob(f"task_id={task['task_id']}/**/*.log")):
                lines += [f"{path.relative_to(folder)}:", path.read_text("utf-8")]
        return "\n".join(lines)


@contextlib.contextmanager
def running(
    home: Path, database: str, variables: Mapping[str, str]
) -> Iterator[Airflow]:
    """Run Airflow: its API server, scheduler with LocalExecutor, and DAG processor.

    They listen on the loopback address. Each has a supervisor, which ends it and its
    descendants when this process ends, in whatever way.

    Args:
        home: An empty directory.
        database: Its database: an SQLAlchemy URL.
        variables: Further environment variables, also for the tasks.

    Yields:
        Airflow, once it has read the DAG.

    Raises:
        AirflowFailedError: It did not start.
    """
    port = _free_port()
    environment = {
        **{k: v for k, v in os.environ.items() if not k.startswith("AIRFLOW")},
        "AIRFLOW_HOME": str(home),
        "AIRFLOW__CORE__DAGS_FOLDER": f"{home}/dags",
        "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"http://{_HOST}:{port}/execution/",
        "AIRFLOW__CORE__EXECUTOR": "LocalExecutor",
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__CORE__PARALLELISM": "5",
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_ALL_ADMINS": "True",
        "AIRFLOW__API__HOST": _HOST,
        "AIRFLOW__API__PORT": str(port),
        "AIRFLOW__API__BASE_URL": f"http://{_HOST}:{port}",
        "AIRFLOW__API_AUTH__JWT_SECRET": secrets.token_urlsafe(64),
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": database,
        # Only this process starts runs, not the schedule of the DAG.
        "AIRFLOW__SCHEDULER__USE_JOB_SCHEDULE": "False",
        "AIRFLOW__USAGE_DATA_COLLECTION__ENABLED": "False",
        "PATH": f"{_BIN}{os.pathsep}{os.environ['PATH']}",
        "NO_PROXY": _HOST,
        "no_proxy": _HOST,
        **variables,
    }
    airflow = Airflow(home, environment, port)
    airflow.command("airflow", "db", "migrate")
    airflow.set_up()
    with contextlib.ExitStack() as stack:
        for words in ("api-server", "scheduler --skip-serve-logs", "dag-processor"):
            stack.enter_context(_process(words.split(), home, environment))
        _wait_until_started(airflow, home)
        yield airflow


def _free_port() -> int:
    with socket.socket() as found:
        found.bind((_HOST, 0))
        port: int = found.getsockname()[1]
        return port


@contextlib.contextmanager
def _process(
    words: list[str], home: Path, environment: Mapping[str, str]
) -> Iterator[None]:
    log = (home / f"{words[0]}.log").open("w", encoding="utf-8")
    with (
        log,
        subprocess.Popen(
            [sys.executable, "-m", "demo.supervisor", str(_BIN / "airflow"), *words],
            cwd=ROOT,
            env=dict(environment),
            # The supervisor ends the command when this pipe closes.
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=log,
            start_new_session=True,
        ),
    ):
        yield


def _wait_until_started(airflow: Airflow, home: Path) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline:
        time.sleep(_POLL_SECONDS)
        with contextlib.suppress(OSError):
            if errors := airflow.request("GET", "importErrors")["import_errors"]:
                msg = f"Airflow cannot import the DAG:\n{errors[0]['stack_trace']}"
                raise AirflowFailedError(msg)
            found = [dag["dag_id"] for dag in airflow.request("GET", "dags")["dags"]]
            health = airflow.request("GET", "monitor/health")["scheduler"]["status"]
            if found == [DAG_ID] and health == "healthy":
                return
    logs = "".join(path.read_text("utf-8") for path in home.glob("*.log"))
    msg = f"Airflow did not start:\n{logs}"
    raise AirflowFailedError(msg)
