"""What a target left behind, read back from its files or tables."""

from __future__ import annotations

import csv
import textwrap
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any, Protocol

import duckdb
import psycopg
from psycopg import sql

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    Sample = tuple[str, Iterable[str]]

_SHOWN_LINES = 4
_POSTGRES_URL = "TARGET_POSTGRES_SQLALCHEMY_URL"

_SCHEMAS = {"target-postgres": "sitewise", "target-duckdb": "main"}
"""Where the demo environment of meltano.yml has the tables."""

_QUERY = """
    SELECT count(projects.project_id) AS projects, portals.status__state AS state,
           max(projects.last_update_date) AS last_update, portals.name AS portal
    FROM {schema}.portals
    LEFT JOIN {schema}.projects ON projects.portal_id = portals.portal_id
    GROUP BY portals.portal_id, portals.name, portals.status__state
    ORDER BY projects DESC, portal
    LIMIT 5
"""


class Loaded(Protocol):
    """What was loaded."""

    kept: Path | None
    """Directory of what is still there when the demo has ended, if anything is."""

    def rows(self, stream: str) -> int:
        """Count the rows of a stream; 0 where it left no file or table."""

    def samples(self, streams: Sequence[str]) -> Iterator[Sample]:
        """Give some of it to look at, each piece with a title."""


class _Files(AbstractContextManager["_Files"]):
    """A directory with a file for each stream."""

    suffix: str

    def __init__(self, output: Path, _: Mapping[str, str]) -> None:
        self.kept = output

    def __exit__(self, *_: object) -> None:
        """Nothing is held open."""

    def file(self, stream: str) -> Path:
        return self.kept / f"{stream}{self.suffix}"

    def samples(self, streams: Sequence[str]) -> Iterator[Sample]:
        for stream in streams:
            if self.file(stream).exists():
                lines = self.file(stream).read_text(encoding="utf-8").splitlines()
                yield self.file(stream).name, lines[:_SHOWN_LINES]


class _Csv(_Files):
    suffix = ".csv"

    def rows(self, stream: str) -> int:
        if not self.file(stream).exists():
            return 0
        # Not the lines: a name or a description may well hold a line break.
        with self.file(stream).open(encoding="utf-8", newline="") as file:
            return sum(1 for _ in csv.DictReader(file))


class _JsonLines(_Files):
    suffix = ".jsonl"

    def rows(self, stream: str) -> int:
        if not self.file(stream).exists():
            return 0
        with self.file(stream).open(encoding="utf-8") as file:
            return sum(1 for _ in file)


class _DuckDb(AbstractContextManager["_DuckDb"]):
    def __init__(self, output: Path, _: Mapping[str, str]) -> None:
        self.kept = output
        self._schema = _SCHEMAS["target-duckdb"]
        path = output / "sitewise.duckdb"
        self._connection = duckdb.connect(str(path), read_only=True)

    def __exit__(self, *_: object) -> None:
        self._connection.close()

    def rows(self, stream: str) -> int:
        found = self._connection.execute(
            "SELECT 1 FROM information_schema.tables"
            " WHERE table_schema = ? AND table_name = ?",
            [self._schema, stream],
        )
        if not found.fetchall():
            return 0
        table = self._connection.table(f"{self._schema}.{stream}")
        return int(table.shape[0])

    def samples(self, streams: Sequence[str]) -> Iterator[Sample]:
        if all(map(self.rows, streams)):
            query = _QUERY.format(schema=self._schema)
            yield "Asked of DuckDB:", textwrap.dedent(query).strip().splitlines()
            answer = self._connection.execute(query)
            yield "Answer:", _lines(answer.description or (), answer.fetchall())


class _Postgres(AbstractContextManager["_Postgres"]):
    kept = None

    def __init__(self, _: Path, environment: Mapping[str, str]) -> None:
        # SQLAlchemy's URL names its driver, libpq's does not.
        url = environment[_POSTGRES_URL].replace("+psycopg", "")
        self._schema = _SCHEMAS["target-postgres"]
        self._connection = psycopg.connect(url)

    def __exit__(self, *_: object) -> None:
        self._connection.close()

    def rows(self, stream: str) -> int:
        table = sql.Identifier(self._schema, stream)
        name = table.as_string(self._connection)
        found = self._connection.execute("SELECT to_regclass(%s)", [name]).fetchone()
        if found is None or found[0] is None:
            return 0
        count = self._connection.execute(
            sql.SQL("SELECT count(*) FROM {}").format(table)
        ).fetchone()
        return int(count[0]) if count else 0

    def samples(self, streams: Sequence[str]) -> Iterator[Sample]:
        if all(map(self.rows, streams)):
            query = sql.SQL(_QUERY).format(schema=sql.Identifier(self._schema))
            shown = textwrap.dedent(query.as_string(self._connection)).strip()
            yield "Asked of PostgreSQL:", shown.splitlines()
            answer = self._connection.execute(query)
            yield "Answer:", _lines(answer.description or (), answer.fetchall())


def _lines(columns: Iterable[Any], rows: Iterable[Sequence[object]]) -> Iterator[str]:
    """A table as text, with a name in any script in its last column only."""
    table = [
        [" ".join(str(cell).split()) for cell in row]
        for row in ([column[0] for column in columns], *rows)
    ]
    widths = [max(map(len, column)) + 2 for column in zip(*table, strict=True)]
    for *cells, last in table:
        yield "".join(map(str.ljust, cells, widths)) + last


LOADERS: dict[str, Callable[[Path, Mapping[str, str]], Any]] = {
    "target-csv": _Csv,
    "target-duckdb": _DuckDb,
    "target-jsonl": _JsonLines,
    "target-postgres": _Postgres,
}
"""What reads back what a loader left: from its output directory and the environment
that Meltano had; to be used in a `with` statement, as :class:`Loaded`."""
