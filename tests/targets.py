"""Real targets that read the tap's output, and a PostgreSQL server for one of them."""

from __future__ import annotations

import itertools
import json
import subprocess
import typing as t
from dataclasses import dataclass, field
from datetime import datetime, timezone

import psycopg
import pytest
from psycopg import sql
from psycopg.rows import dict_row

from tests.conftest import ROOT, clean_environment

if t.TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.conftest import Message
    from tests.expected import Record


def load(
    target: str, directory: Path, settings: Record, output: bytes, **variables: str
) -> Message | None:
    """Have a target read messages to the end; returns the last state it passed on."""
    done = subprocess.run(
        command(target, directory, settings),
        cwd=directory,
        env=clean_environment(**variables),
        input=output,
        capture_output=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr.decode()
    states = done.stdout.splitlines()
    return json.loads(states[-1]) if states else None


def command(target: str, directory: Path, settings: Record) -> list[Path | str]:
    """Write the settings of a target to a file, and return its command line."""
    executable = ROOT / ".tools" / target / "bin" / target
    if not executable.is_file():
        pytest.fail(f"{target} is not at {executable}: run `make test` to install it.")
    config = directory / f"{target}.json"
    config.write_text(json.dumps(settings), "utf-8")
    return [executable, "--config", config]


def started(target: str, directory: Path, settings: Record) -> subprocess.Popen[bytes]:
    """Start a target and leave it running; the test writes its messages."""
    return subprocess.Popen(
        command(target, directory, settings),
        cwd=directory,
        env=clean_environment(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )


def as_text(value: object) -> object:
    """Return a moment as the record has it; one without a zone is meant in UTC."""
    if isinstance(value, datetime):
        moment = value if value.tzinfo else value.replace(tzinfo=timezone.utc)
        return moment.astimezone(timezone.utc).isoformat(timespec="microseconds")
    return value


@dataclass
class Database:
    """A PostgreSQL server, and what target-postgres needs to write to it."""

    url: str
    _numbers: Iterator[int] = field(default_factory=itertools.count)

    def new_schema(self) -> str:
        return f"load_{next(self._numbers)}"

    def settings(self, schema: str, **more: object) -> Record:
        return {
            "sqlalchemy_url": self.url.replace("postgresql:", "postgresql+psycopg:", 1),
            "default_target_schema": schema,
            "load_method": "upsert",
            **more,
        }

    def load(
        self, schema: str, directory: Path, output: bytes, **more: object
    ) -> Message | None:
        settings = self.settings(schema, **more)
        return load("target-postgres", directory, settings, output, PGTZ="UTC")

    def rows(self, schema: str, stream: str) -> list[Record]:
        query = sql.SQL("SELECT * FROM {}").format(sql.Identifier(schema, stream))
        with psycopg.connect(self.url, row_factory=dict_row) as connection:
            return connection.execute(query).fetchall()
