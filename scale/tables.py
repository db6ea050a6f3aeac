"""Compare the tables that two loads made."""

from __future__ import annotations

import typing as t

import psycopg
from psycopg import sql

if t.TYPE_CHECKING:
    from collections.abc import Iterator

_DIFFERENT = sql.SQL("""
SELECT count(*) FROM (
    SELECT {columns} FROM {first} EXCEPT ALL SELECT {columns} FROM {second}
) AS different
""")


class Tables:
    """The tables in the schemas of a PostgreSQL database.

    Args:
        url: URL of the database.
    """

    def __init__(self, url: str) -> None:
        """Connect to the database."""
        self._connection = psycopg.connect(url, autocommit=True)

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    def create_database(self, name: str) -> None:
        """Create another database on the same server.

        Args:
            name: Its name.
        """
        self._connection.execute(
            sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name))
        )

    def columns(self, schema: str) -> dict[str, list[str]]:
        """Return the columns of each table, without those of the target (``_sdc_*``).

        Args:
            schema: The schema.
        """
        found = self._connection.execute(
            "SELECT table_name, array_agg(column_name::text ORDER BY column_name) "
            "FROM information_schema.columns "
            "WHERE table_schema = %s AND NOT starts_with(column_name, '_sdc_') "
            "GROUP BY table_name ORDER BY table_name",
            (schema,),
        )
        return {str(table): list(columns) for table, columns in found}

    def rows(self, schema: str) -> dict[str, int]:
        """Return the number of rows of each table.

        Args:
            schema: The schema.
        """
        return {
            table: self._number(
                sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(schema, table))
            )
            for table in self.columns(schema)
        }

    def differences(self, first: str, second: str) -> Iterator[str]:
        """Compare all rows of all tables of two schemas.

        Args:
            first: A schema.
            second: Another one.

        Yields:
            A line for each difference.
        """
        tables, others = self.columns(first), self.columns(second)
        if tables != others:
            yield f"{first} and {second} have different tables or columns"
            return
        for table, columns in tables.items():
            for one, other in ((first, second), (second, first)):
                number = self._number(
                    _DIFFERENT.format(
                        columns=sql.SQL(", ").join(map(sql.Identifier, columns)),
                        first=sql.Identifier(one, table),
                        second=sql.Identifier(other, table),
                    )
                )
                if number:
                    yield f"{table}: {number} rows of {one} are not in {other}"

    def delete_a_row(self, schema: str, table: str) -> None:
        """Delete any row of a table.

        Args:
            schema: The schema.
            table: The table.
        """
        where = sql.Identifier(schema, table)
        self._connection.execute(
            sql.SQL("DELETE FROM {} WHERE ctid = (SELECT ctid FROM {} LIMIT 1)").format(
                where, where
            )
        )

    def _number(self, query: sql.Composed) -> int:
        row = self._connection.execute(query).fetchone()
        return int(row[0]) if row else 0
