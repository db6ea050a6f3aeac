"""Read what a loader wrote to its files or tables."""

from __future__ import annotations

import csv
import json
import typing as t
from contextlib import AbstractContextManager

import duckdb
import psycopg
from psycopg import sql

if t.TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    Row = Mapping[str, object]

_POSTGRES_URL = "TARGET_POSTGRES_SQLALCHEMY_URL"

_SCHEMAS = {"target-postgres": "sitewise", "target-duckdb": "main"}
"""The schema of the tables, as the environment `demo` in meltano.yml sets it."""

_QUERY = """\
SELECT portals.name AS portal, portals.status__state AS state,
       count(projects.project_id) AS projects,
       CAST(max(projects.last_update_date) AS date) AS updated
FROM {schema}.portals
LEFT JOIN {schema}.projects ON projects.portal_id = portals.portal_id
GROUP BY portals.portal_id, portals.name, portals.status__state
ORDER BY updated DESC, portal
LIMIT 5"""


class Loaded(t.Protocol):
    """What was loaded."""

    kept: Path | None
    """Directory of the files that remain after the demo, if there are any."""

    query: str | None
    """A query about portals and their projects, if the loader filled tables."""

    def rows(self, stream: str) -> Iterator[Row]:
        """Yield the rows of a stream; none if there is no file or table."""

    def answer(self) -> Iterator[Row]:
        """Yield the rows that the query returns."""


class _Files(AbstractContextManager["_Files"]):
    """The files in a directory, one for each stream."""

    suffix: str
    query = None

    def __init__(self, output: Path, _: Mapping[str, str]) -> None:
        self.kept = output

    def __exit__(self, *_: object) -> None:
        """Close nothing: each file is closed after reading."""

    def rows(self, stream: str) -> Iterator[Row]:
        file = self.kept / f"{stream}{self.suffix}"
        if file.exists():
            # A line break in a name must arrive as it is.
            with file.open(encoding="utf-8", newline="") as lines:
                yield from self.parse(lines)

    def parse(self, lines: Iterable[str]) -> Iterator[Row]:
        raise NotImplementedError

    def answer(self) -> Iterator[Row]:
        yield from ()


class _Csv(_Files):
    suffix = ".csv"

    def parse(self, lines: Iterable[str]) -> Iterator[Row]:
        yield from csv.DictReader(lines)


class _JsonLines(_Files):
    suffix = ".jsonl"

    def parse(self, lines: Iterable[str]) -> Iterator[Row]:
        yield from map(json.loads, lines)


class _DuckDb(AbstractContextManager["_DuckDb"]):
    def __init__(self, output: Path, _: Mapping[str, str]) -> None:
        self.kept = output
        self._schema = _SCHEMAS["target-duckdb"]
        self.query = _QUERY.format(schema=self._schema)
        path = output / "sitewise.duckdb"
        self._connection = duckdb.connect(str(path), read_only=True)

    def __exit__(self, *_: object) -> None:
        self._connection.close()

    def rows(self, stream: str) -> Iterator[Row]:
        found = self._connection.execute(
            "SELECT 1 FROM information_schema.tables"
            " WHERE table_schema = ? AND table_name = ?",
            [self._schema, stream],
        )
        if found.fetchall():
            table = self._connection.table(f"{self._schema}.{stream}")
            yield from _named(table.columns, table.fetchall())

    def answer(self) -> Iterator[Row]:
        answer = self._connection.sql(self.query)
        yield from _named(answer.columns, answer.fetchall())


class _Postgres(AbstractContextManager["_Postgres"]):
    kept = None

    def __init__(self, _: Path, environment: Mapping[str, str]) -> None:
        # SQLAlchemy's URL names its driver, libpq's does not.
        url = environment[_POSTGRES_URL].replace("+psycopg", "")
        self._schema = _SCHEMAS["target-postgres"]
        self.query = _QUERY.format(schema=self._schema)
        self._connection = psycopg.connect(url)

    def __exit__(self, *_: object) -> None:
        self._connection.close()

    def rows(self, stream: str) -> Iterator[Row]:
        table = sql.Identifier(self._schema, stream)
        name = table.as_string(self._connection)
        found = self._connection.execute("SELECT to_regclass(%s)", [name]).fetchone()
        if found and found[0] is not None:
            yield from self._ask(sql.SQL("SELECT * FROM {}").format(table))

    def answer(self) -> Iterator[Row]:
        yield from self._ask(sql.SQL(self.query))

    def _ask(self, query: sql.SQL | sql.Composed) -> Iterator[Row]:
        answer = self._connection.execute(query)
        columns = [column.name for column in answer.description or ()]
        yield from _named(columns, answer)


def _named(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> Iterator[Row]:
    for row in rows:
        yield dict(zip(columns, row, strict=True))


LOADERS: dict[str, Callable[[Path, Mapping[str, str]], t.Any]] = {
    "target-csv": _Csv,
    "target-duckdb": _DuckDb,
    "target-jsonl": _JsonLines,
    "target-postgres": _Postgres,
}
"""The reader of each loader: a context manager that returns a :class:`Loaded`. Its
arguments are the loader's output directory and the variables that Meltano had."""
