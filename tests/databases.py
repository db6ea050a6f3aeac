"""Databases that a loader fills with the output of the tap, to be queried."""

from __future__ import annotations

import contextlib
import typing as t
from contextlib import closing

import duckdb
import psycopg
from psycopg.rows import dict_row

from demo.postgres import server
from tests.targets import Database, load

if t.TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

Row: t.TypeAlias = "dict[str, t.Any]"

Ask: t.TypeAlias = "Callable[[str], list[Row]]"
"""Returns the rows of a query."""


@contextlib.contextmanager
def in_postgres(output: bytes, directory: Path) -> Iterator[Ask]:
    """Load messages with target-postgres, and ask the database."""
    with server() as url:
        Database(url).load("sitewise", directory, output)
        with psycopg.connect(url, row_factory=dict_row) as connection:
            connection.execute("SET search_path TO sitewise")
            yield lambda query: connection.execute(query.encode()).fetchall()


@contextlib.contextmanager
def in_duckdb(output: bytes, directory: Path) -> Iterator[Ask]:
    """Load messages with target-duckdb, and ask the file."""
    settings = {
        "path": "sitewise.duckdb",
        "default_target_schema": "main",
        "add_metadata_columns": True,
    }
    load("target-duckdb", directory, settings, output)
    path = str(directory / "sitewise.duckdb")
    with closing(duckdb.connect(path, read_only=True)) as database:

        def ask(query: str) -> list[Row]:
            answer = database.execute(query)
            columns = [column[0] for column in answer.description or ()]
            return [dict(zip(columns, row, strict=True)) for row in answer.fetchall()]

        yield ask
