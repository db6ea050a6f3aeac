"""`python -m scale`, which is what `make scale` calls."""

from __future__ import annotations

import contextlib
import datetime as dt
import json
import sys
import tempfile
import time
import typing as t
from pathlib import Path

from benchmarks.measure import account
from demo.meltano import MELTANO, one_at_a_time
from demo.postgres import NotStartedError, server
from demo.stopping import raise_if_stopped
from demo.table import table
from scale.airflow import ROOT, Airflow, AirflowFailedError, running
from scale.processes import Memory, OrphansError, kill, programs
from scale.tables import Tables

if t.TYPE_CHECKING:
    from collections.abc import Callable, Mapping

COUNTS = (1, 2, 4)
"""Numbers of shards. The loads of the others are compared with that of one."""

LATENCY = 0.05
SIZES = {"assets": 8, "dashboards": 4}
PLANT = {"asset_models": 120, "portals": 10, "projects_per_portal": 6}
NOON = "2025-05-06T12:00:00Z"
SETTINGS = {
    "EXTRA_STREAMS": json.dumps(["plant", "telemetry"]),
    "START_DATE": "2025-05-06T10:30:00Z",
    # Later ones would differ from load to load.
    "END_DATE": NOON,
    "TELEMETRY_WINDOW": "PT1M",
    "AGGREGATE_RESOLUTIONS": json.dumps(["1m"]),
    "MAX_CONCURRENCY": "2",
    "TELEMETRY_ALIAS_PREFIXES": json.dumps([f"/cork/line-{n}/" for n in (1, 2, 3)]),
}
"""Settings of the tap, the same in all loads."""

_LIMIT_SECONDS = 900
_WIDTH = 100
_SHORT = "assets"
"""The table from which a row is deleted, to see that the DAG finds it."""


class ScaleError(Exception):
    """A load is not what it should be."""


class _Loads:
    """Loads in shards, each into a schema of its own.

    Args:
        airflow: Airflow.
        tables: The tables of the target.
        home: Directory for the states.
    """

    def __init__(self, airflow: Airflow, tables: Tables, home: Path) -> None:
        self._home = home
        self._airflow = airflow
        self._tables = tables
        self.results: list[dict[str, object]] = []
        self._unsharded = 0.0

    def load(self, count: int, schema: str, meanwhile: Callable[[str], None]) -> str:
        """Load in a number of shards.

        Args:
            count: Number of shards.
            schema: The schema.
            meanwhile: Called with the ID of the run as soon as it has started.

        Returns:
            The ID of the run.
        """
        run = self._airflow.start_run(
            {
                "project": str(ROOT),
                "meltano": str(MELTANO),
                "shard_count": count,
                "schema": schema,
                "variables": {
                    "TARGET_POSTGRES_DEFAULT_TARGET_SCHEMA": schema,
                    # Each load begins without bookmarks.
                    "MELTANO_DATABASE_URI": f"sqlite:///{self._home}/{schema}.db",
                },
            }
        )
        meanwhile(run)
        self._airflow.wait(run, _LIMIT_SECONDS)
        return run

    def measure(self, count: int) -> None:
        """Load, and keep the time from the start of the first shard to the last end.

        Args:
            count: Number of shards.
        """
        schema = f"shards_{count}"
        run = self.load(count, schema, lambda _: None)
        shards = [
            each for each in self._airflow.tasks(run) if each["task_id"] == "load"
        ]
        if any(each["try_number"] != 1 for each in shards):
            msg = f"a shard failed:\n{self._airflow.logs(run)}"
            raise ScaleError(msg)
        start = min(_date(each["start_date"]) for each in shards)
        end = max(_date(each["end_date"]) for each in shards)
        seconds = (end - start).total_seconds()
        self._unsharded = self._unsharded or seconds
        self.results.append(
            {
                "shards": count,
                "rows": sum(self._tables.rows(schema).values()),
                "seconds": round(seconds),
                "speed-up": self._unsharded / seconds,
            }
        )

    def kill_one(self, run: str, schema: str, rows: int) -> None:
        """Kill a task when half of the rows are loaded.

        Args:
            run: The ID of the run.
            schema: The schema.
            rows: Number of rows of a complete load.
        """
        deadline = time.monotonic() + _LIMIT_SECONDS
        while sum(self._tables.rows(schema).values()) < rows / 2:
            raise_if_stopped()
            if time.monotonic() > deadline:
                msg = f"nothing was loaded:\n{self._airflow.logs(run)}"
                raise ScaleError(msg)
            time.sleep(1)
        for task in self._airflow.tasks(run):
            if (task["task_id"], task["state"]) == ("load", "running"):
                running = programs(task["pid"])
                if "tap-iot-sitewise" in running:
                    kill(task["pid"])
                    _say(
                        f"scale: killed the task of shard {task['map_index']}, "
                        f"and {', '.join(running)} have ended"
                    )
                    return
        msg = "no tap was running any more when half of the rows were loaded"
        raise ScaleError(msg)

    def retried(self, run: str) -> int:
        """Return how many shards of a run needed more than one try.

        Args:
            run: The ID of the run.
        """
        return sum(
            each["try_number"] > 1
            for each in self._airflow.tasks(run)
            if each["task_id"] == "load"
        )


def main() -> int:
    """Load and compare; returns the exit code: 0, or 1 if anything differs or fails."""
    with contextlib.ExitStack() as stack:
        stack.enter_context(one_at_a_time(_say_that_it_waits))
        home = Path(
            stack.enter_context(tempfile.TemporaryDirectory(prefix="sitewise-"))
        )
        try:
            _say("scale: starting PostgreSQL, the emulator and Airflow")
            url = stack.enter_context(server())
            aws = stack.enter_context(
                account(SIZES, latency=LATENCY, values_until=NOON, **PLANT)
            )
            tables = Tables(url)
            stack.callback(tables.close)
            airflow = stack.enter_context(
                running(
                    home,
                    _database(tables, url),
                    _variables(url, aws.environment),
                )
            )
            with Memory() as memory:
                loads = _Loads(airflow, tables, home)
                _compare(loads, airflow, tables)
        except (AirflowFailedError, NotStartedError, OrphansError, ScaleError) as error:
            _say(f"scale: {error}")
            return 1
    lines = table(loads.results, _WIDTH)
    print("\n".join(lines))
    peaks = (f"{name} {mebibytes} MiB" for name, mebibytes in memory.peaks.items())
    print(f"\nMost memory of one process: {', '.join(sorted(peaks))}")
    return 0


def _compare(loads: _Loads, airflow: Airflow, tables: Tables) -> None:
    """Make all loads, compare their tables, and let the check of the DAG fail."""
    for count in COUNTS:
        _say(f"scale: loading in {count} shard{'s'[: count > 1]}")
        loads.measure(count)
    first, *others = (f"shards_{count}" for count in COUNTS)
    rows = sum(tables.rows(first).values())
    _say(f"scale: loading in {max(COUNTS)} shards, one of which is killed")
    killed = "one_killed"
    run = loads.load(max(COUNTS), killed, lambda run: loads.kill_one(run, killed, rows))
    if loads.retried(run) != 1:
        msg = f"{loads.retried(run)} shards were retried instead of 1"
        raise ScaleError(msg)
    if empty := [table for table, number in tables.rows(first).items() if not number]:
        msg = f"nothing was loaded for {', '.join(empty)}"
        raise ScaleError(msg)
    found = [
        line for other in (*others, killed) for line in tables.differences(first, other)
    ]
    if found:
        raise ScaleError("\n".join(found))
    _say(f"scale: all {len(tables.rows(first))} tables are identical in all loads")
    tables.delete_a_row(killed, _SHORT)
    airflow.clear(run, "check_row_counts")
    airflow.wait(run, _LIMIT_SECONDS, expected="failed")
    if f"{_SHORT}: " not in (log := airflow.logs(run)):
        msg = f"the check of the DAG did not name the table {_SHORT}:\n{log}"
        raise ScaleError(msg)
    _say(f"scale: check_row_counts finds a row that was deleted from {_SHORT}")


def _database(tables: Tables, url: str) -> str:
    """Create the database of Airflow, and return its SQLAlchemy URL."""
    tables.create_database("airflow")
    driver = url.replace("postgresql://", "postgresql+psycopg2://", 1)
    return driver.replace("/postgres?", "/airflow?", 1)


def _variables(url: str, aws: Mapping[str, str]) -> dict[str, str]:
    """Return the variables of the tasks: credentials, addresses and settings."""
    host = url.partition("?host=")[2]
    connection = {"conn_type": "postgres", "host": host, "login": "postgres"}
    return {
        **aws,
        **{f"TAP_IOT_SITEWISE_{name}": value for name, value in SETTINGS.items()},
        "AIRFLOW_CONN_SITEWISE_TABLES": json.dumps(connection),
        # So that rows are in the tables long before the end of a load.
        "TARGET_POSTGRES_BATCH_SIZE_ROWS": "500",
        "TARGET_POSTGRES_SQLALCHEMY_URL": url.replace(
            "postgresql:", "postgresql+psycopg:", 1
        ),
    }


def _date(text: str) -> dt.datetime:
    return dt.datetime.fromisoformat(text.replace("Z", "+00:00"))


def _say(line: str) -> None:
    """Print to stderr. Stdout is for the figures."""
    with contextlib.suppress(BrokenPipeError):
        print(line, file=sys.stderr, flush=True)


def _say_that_it_waits() -> None:
    _say("scale: waiting until a demo has ended")
