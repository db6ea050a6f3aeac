"""Checks one stream map against the streams that it applies to."""

from __future__ import annotations

import difflib
import fnmatch
import typing as t

from singer_sdk.mapper import (
    MAPPER_ALIAS_OPTION,
    MAPPER_ELSE_OPTION,
    MAPPER_FILTER_OPTION,
    MAPPER_KEY_PROPERTIES_OPTION,
    MAPPER_SOURCE_OPTION,
    NULL_STRING,
    PluginMapper,
)

from tap_iot_sitewise.singer.expression_check import problems
from tap_iot_sitewise.singer.expressions import QUOTES, Record

if t.TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from tap_iot_sitewise.singer.expressions import Expressions

    Definition = Mapping[str, t.Any]

_OPTIONS = (
    MAPPER_ALIAS_OPTION,
    MAPPER_ELSE_OPTION,
    MAPPER_FILTER_OPTION,
    MAPPER_KEY_PROPERTIES_OPTION,
    MAPPER_SOURCE_OPTION,
)


class Table(t.NamedTuple):
    """Columns and key of a stream."""

    columns: Mapping[str, t.Any]
    """JSON schemas of the columns."""

    key: Sequence[str] = ()
    """Columns of the key."""


class MapDefinition:
    """The map of a stream, or of all streams whose names match a pattern."""

    def __init__(self, name: str, definition: object, known: Expressions) -> None:
        """Create it from a member of ``stream_maps``.

        Args:
            name: Name of a stream, a pattern, or the name of a new stream.
            definition: Value of the member, of any type.
            known: Names and functions for expressions.
        """
        self._name, self._given, self._known = name, definition, known
        self._definition: Definition = (
            definition if isinstance(definition, dict) else {}
        )

    @property
    def _source(self) -> str:
        return str(self._definition.get(MAPPER_SOURCE_OPTION, self._name))

    @property
    def _is_pattern(self) -> bool:
        return bool(set(self._source) & set("*?["))

    def applies_to(self, tables: Mapping[str, Table]) -> list[str]:
        """Return the streams that the SDK applies the map to.

        See ``PluginMapper.register_raw_stream_schema``.
        """
        source = self._source
        return [s for s in tables if s == source or fnmatch.fnmatch(s, source)]

    def problems(self, tables: Mapping[str, Table]) -> Iterator[str]:
        """Yield what is wrong with the map, given every stream of the tap."""
        name, given = self._name, self._given
        if name == MAPPER_ELSE_OPTION:
            if given not in (None, NULL_STRING):
                yield f"{name} must be null, which leaves out all other streams"
            return
        if name.startswith("__"):
            yield f"{name} is not an option; use {MAPPER_ELSE_OPTION}"
            return
        if given is not None and given != NULL_STRING and not isinstance(given, dict):
            yield f"{name} must be an object, or null to leave the stream out"
            return
        malformed = list(self._malformed())
        yield from malformed
        streams = (
            [] if MAPPER_SOURCE_OPTION in str(malformed) else self._streams(tables)
        )
        if isinstance(streams, str):
            yield streams
        elif streams and not malformed:
            yield from self._contents([tables[stream] for stream in streams])
            yield from self._alias_problems(streams)

    def _streams(self, tables: Mapping[str, Table]) -> list[str] | str:
        """Return the streams that the map applies to, or why there are none."""
        if found := self.applies_to(tables):
            return found
        source = self._source
        where = self._name if source == self._name else f"{self._name}.__source__"
        close = difflib.get_close_matches(source, tables, n=1)
        meant = f"did you mean {close[0]}?" if close else f"use {', '.join(tables)}"
        what = "matches no stream" if self._is_pattern else "is not a stream"
        shown = where if where == source else f"{where}: {source}"
        return f"{shown} {what}; {meant}"

    def _malformed(self) -> Iterator[str]:
        """Find values that the SDK does not accept."""
        name, given = self._name, self._definition
        for option, value in given.items():
            null = value is None or value == NULL_STRING
            if option in {MAPPER_ALIAS_OPTION, MAPPER_SOURCE_OPTION}:
                wrong = not (isinstance(value, str) and value)
                wanted = "must be the name of a stream"
            elif option == MAPPER_KEY_PROPERTIES_OPTION:
                wrong = value is not None and not _are_names(value)
                wanted = "must be a list of columns, or [] for no key"
            elif option == MAPPER_ELSE_OPTION:
                wrong = not null
                wanted = "must be null, which leaves out all other columns"
            elif option in _OPTIONS or not option.startswith("__"):
                wrong = not null and not isinstance(value, str)
                wanted = "must be an expression in quotes, or null"
            else:
                close = difflib.get_close_matches(option, _OPTIONS, n=1)
                wrong = bool(close) or option.endswith("__")
                meant = f"did you mean {close[0]}?" if close else "remove it"
                wanted = f"is not an option; {meant}"
            if wrong:
                yield f"{name}.{option} {wanted}"
        if MAPPER_ALIAS_OPTION in given and MAPPER_SOURCE_OPTION in given:
            yield (
                f"{name} has __alias__ and __source__; remove __alias__, because "
                f"{name} is the new name already"
            )

    def _contents(self, tables: list[Table]) -> Iterator[str]:
        """Find problems with the columns of the streams.

        A pattern can match streams with different columns. It is enough that an
        expression is valid for one of them.
        """
        for name in self._definition:
            found = [
                [
                    *self._expression_problems(name, table.columns),
                    *self._column_problems(name, table.columns),
                ]
                for table in tables
            ]
            if all(found):
                yield from min(
                    found, key=lambda clauses: (len(clauses), _rank(clauses))
                )
        for table in tables:
            yield from self._key_problems(table)

    def misspelled(self, tables: Mapping[str, Table]) -> Iterator[str]:
        """Find new columns with nearly the name of a column that is sent."""
        given = self._definition
        for stream in self.applies_to(tables):
            columns = tables[stream].columns
            kept = {_plain(c): c for c in columns if given.get(c, "") is not None}
            for name in given.keys() - columns.keys() - set(_OPTIONS):
                close = difflib.get_close_matches(_plain(name), kept, n=1, cutoff=0.88)
                if close:
                    column = kept[close[0]]
                    yield (
                        f"{self._name}.{name} is a new column, and {column} is sent "
                        f"unchanged; to replace {column}, use its name"
                    )

    def expression_problems(
        self,
        columns: Mapping[str, t.Any],
        left_out: frozenset[str] | None = None,
    ) -> Iterator[str]:
        """Find what is wrong with the expressions.

        Args:
            columns: JSON schemas of the columns of a stream.
            left_out: Columns that the catalog does not select, None if there is no
                catalog yet.

        Yields:
            A clause for each problem.
        """
        for name in self._definition:
            yield from self._expression_problems(name, columns, left_out)

    def _expression_problems(
        self,
        name: str,
        columns: Mapping[str, t.Any],
        left_out: frozenset[str] | None = None,
    ) -> Iterator[str]:
        if self._removes(name) or (name in _OPTIONS and name != MAPPER_FILTER_OPTION):
            return
        column = None if name == MAPPER_FILTER_OPTION else name
        several = self._is_pattern and left_out is not None
        record = Record(columns, column, left_out or frozenset(), several)
        for clause in problems(self._definition[name], record, self._known):
            yield f"{self._name}.{name}: {clause}"

    def _column_problems(
        self, name: str, columns: Mapping[str, t.Any]
    ) -> Iterator[str]:
        """Find out whether the map removes a column that does not exist."""
        if not self._removes(name) or name in _OPTIONS or name in columns:
            return
        path = self._known.flattened(columns, name)
        if path:
            yield (
                f"{self._name}.{name}: a stream map sees the record before it is "
                f"flattened; deselect {'.'.join(path)} in the catalog"
            )
        else:
            clause = self._known.unknown(name, Record(columns))
            yield f"{self._name}.{clause}"

    def _removes(self, name: str) -> bool:
        value = self._definition[name]
        return value is None or value == NULL_STRING

    def _key_problems(self, table: Table) -> Iterator[str]:
        given = self._definition
        key = given.get(MAPPER_KEY_PROPERTIES_OPTION, table.key) or ()
        all_else = MAPPER_ELSE_OPTION not in given
        for column in key:
            value = given.get(column, column if all_else else None)
            if MAPPER_KEY_PROPERTIES_OPTION in given and (
                column not in table.columns and column not in given
            ):
                clause = self._known.unknown(column, Record(table.columns))
                yield f"{self._name}.{MAPPER_KEY_PROPERTIES_OPTION}: {clause}"
            elif value is None or value == NULL_STRING:
                rest = "" if column in given else f" ({MAPPER_ELSE_OPTION} is null)"
                yield (
                    f"{self._name}: the key column {column} is left out{rest}; keep it "
                    f'with "{column}": "{column}", or name another key in '
                    f"{MAPPER_KEY_PROPERTIES_OPTION}"
                )

    def _alias_problems(self, streams: list[str]) -> Iterator[str]:
        alias = self._definition.get(MAPPER_ALIAS_OPTION)
        if not isinstance(alias, str):
            return
        where = f"{self._name}.{MAPPER_ALIAS_OPTION}"
        for stream in streams:
            try:
                name: object = PluginMapper._eval_stream(alias, stream)  # noqa: SLF001
            except Exception:  # noqa: BLE001 - expressions raise errors of any type
                name = None
            if not isinstance(name, str) or not name:
                yield f"{where} must be the name of a stream; {QUOTES}"
                return


def _are_names(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(name, str) for name in value)


def _rank(clauses: list[str]) -> int:
    """Return 0 for problems with a suggestion, 1 for others."""
    return 0 if any("did you mean" in clause for clause in clauses) else 1


def _plain(name: str) -> str:
    return name.replace("_", "").lower()
