"""Load shards with Meltano. The DAG in ``sitewise_shards.py`` uses these functions.

They need only Python, and do not import Airflow.
"""

from __future__ import annotations

import contextlib
import json
import os
import time
import typing as t
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import sitewise_guard

if t.TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    Log = Callable[[str], None]
    Report = Mapping[str, t.Any]

_PLUGINS = ("extractors", "loaders", "mappers", "utilities")
"""Directories of Meltano for installed plugins."""


@dataclass(frozen=True)
class Load:
    """What to load, and how: the members of the Airflow Variable ``sitewise_shards``.

    Args:
        project: Directory of the Meltano project, as an absolute path.
        meltano: Executable of Meltano.
        environment: Environment in ``meltano.yml``.
        extractor: Name of the extractor.
        loader: Name of the loader.
        shard_count: Number of shards.
        max_requests_per_second: Maximum of each shard; None for no maximum.
        schema: Schema of the tables, where the row counts are checked.
        variables: More environment variables for Meltano. No secrets: Airflow shows its
            Variables.
    """

    project: str
    meltano: str = "meltano"
    environment: str = "prod"
    extractor: str = "tap-iot-sitewise"
    loader: str = "target-postgres"
    shard_count: int = 4
    max_requests_per_second: float | None = None
    schema: str = "sitewise"
    variables: Mapping[str, str] = field(default_factory=dict)

    def name(self, shard: int) -> str:
        """Return the name of a shard, with which its state ID ends.

        Args:
            shard: Index of the shard, from 0.
        """
        return f"shard-{shard}-of-{self.shard_count}"

    def settings(self, shard: int) -> dict[str, str]:
        """Return the settings of a shard, as environment variables.

        Args:
            shard: Index of the shard, from 0.
        """
        settings: dict[str, object] = {
            "shard_count": self.shard_count,
            "shard_index": shard,
        }
        if self.max_requests_per_second is not None:
            settings["max_requests_per_second"] = self.max_requests_per_second
        prefix = self.extractor.replace("-", "_")
        return {f"{prefix}_{k}".upper(): str(v) for k, v in settings.items()}

    def run(
        self,
        arguments: Sequence[str],
        environment: Mapping[str, str],
        read: Log,
        messages: bytes = b"",
    ) -> bytes:
        """Run Meltano, which ends with the task.

        Args:
            arguments: The command of Meltano and its options.
            environment: Variables besides those of the task.
            read: Called with each line of its stderr: a log entry as JSON.
            messages: Its stdin.

        Returns:
            Its stdout.

        Raises:
            FailedError: Meltano failed.
            StoppedError: Airflow stopped the task.
        """
        options = (f"--environment={self.environment}", "--log-format=json")
        return sitewise_guard.run(
            [self.meltano, *options, *arguments],
            Path(self.project),
            {**os.environ, **self.variables, **environment},
            read,
            messages,
        )


class MeltanoLog:
    """Passes on the log of Meltano, and counts the records that the tap sent.

    Args:
        extractor: Name of the extractor.
        log: Called with each line for the log of the task.
    """

    def __init__(self, extractor: str, log: Log) -> None:
        """Begin with no records."""
        self._extractor = extractor
        self._log = log
        self.records: Counter[str] = Counter()
        """Number of records by stream. A stream without records has a 0."""

    def read(self, line: str) -> None:
        """Read a line.

        Args:
            line: A line of ``meltano --log-format=json``, or of another program.
        """
        try:
            entry = json.loads(line)
            event = entry["event"]
        except (ValueError, TypeError, KeyError):
            self._log(line)
            return
        metric = entry.get("metric_info")
        if not metric:
            self._log(f"{entry.get('string_id', 'meltano')}: {event}")
        # The target counts records, too.
        elif (
            entry.get("string_id") == self._extractor
            and metric["metric"] == "record_count"
        ):
            self.records[metric["tags"]["stream"]] += metric["value"]


def create_tables(load: Load, log: Log) -> None:
    """Install the plugins and create the tables, without a request to AWS.

    The tap writes its schemas, and the target reads them. Shards that start together
    would create the same tables at the same time, and some of them would fail. The same
    applies to plugins, and to new columns after an update of the tap.

    Args:
        load: What to load.
        log: Called with each line for the log.

    Raises:
        FailedError: Meltano failed.
        StoppedError: Airflow stopped the task.
    """
    read = MeltanoLog(load.extractor, log).read
    schemas = load.run(["invoke", load.extractor, "--test=schema"], {}, read)
    load.run(["invoke", load.loader], {}, read, schemas)


def load_shard(load: Load, shard: int, log: Log) -> dict[str, t.Any]:
    """Load a shard.

    Args:
        load: What to load.
        shard: Index of the shard, from 0.
        log: Called with each line for the log.

    Returns:
        A report: ``shard``, ``started`` (epoch milliseconds), and ``records``, the
        number of records that the tap sent, by stream.

    Raises:
        FailedError: Meltano failed.
        StoppedError: Airflow stopped the task.
    """
    started = time.time_ns() // 1_000_000
    meltano = MeltanoLog(load.extractor, log)
    load.run(
        ["run", f"--state-id-suffix={load.name(shard)}", load.extractor, load.loader],
        {
            **load.settings(shard),
            "MELTANO_SYS_DIR_ROOT": str(working_directory(load, shard)),
        },
        meltano.read,
    )
    return {"shard": shard, "started": started, "records": dict(meltano.records)}


def working_directory(load: Load, shard: int) -> Path:
    """Create the directory in which Meltano works for a shard.

    In one directory, shards would read each other's bookmarks: all runs of an extractor
    write their state to the same file, ``run/EXTRACTOR/state.json``, for the tap. The
    installed plugins are linked. If no database is set for Meltano, the directory also
    contains the database with the state of the shard.

    Args:
        load: What to load.
        shard: Index of the shard, from 0.

    Returns:
        The directory, below ``.meltano/shards`` in the project.
    """
    shared = Path(load.project, ".meltano")
    own = shared / "shards" / load.name(shard)
    own.mkdir(parents=True, exist_ok=True)
    for name in _PLUGINS:
        (shared / name).mkdir(exist_ok=True)
        with contextlib.suppress(FileExistsError):
            (own / name).symlink_to(shared / name)
    return own


def problems(
    load: Load, reports: Sequence[Report], rows: Callable[[str, int], int]
) -> Iterator[str]:
    """Compare what the shards sent with what the tables contain.

    Args:
        load: What was loaded.
        reports: The reports of the shards, see :func:`load_shard`.
        rows: Returns how many rows of a table were loaded at a time (epoch
            milliseconds) or later.

    Yields:
        A line for each problem.
    """
    reported = sorted(report["shard"] for report in reports)
    if reported != list(range(load.shard_count)):
        yield f"reports from shards {reported} instead of 0 to {load.shard_count - 1}"
    started = min((report["started"] for report in reports), default=0)
    streams = sorted({stream for report in reports for stream in report["records"]})
    if not streams:
        yield "the log of Meltano contains no record counts"
    for stream in streams:
        sent = sum(report["records"].get(stream, 0) for report in reports)
        found = rows(stream, started)
        if found < sent:
            yield f"{stream}: {sent} records were sent, but {found} rows were loaded"
