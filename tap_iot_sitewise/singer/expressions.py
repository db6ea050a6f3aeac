"""The columns, functions and other names that stream map expressions can use."""

from __future__ import annotations

import ast
import difflib
import typing as t
from dataclasses import dataclass

from singer_sdk.mapper import CustomStreamMap

if t.TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    Schema = Mapping[str, t.Any]

QUOTES = "put constant text in quotes of its own, for example \"'text'\""

_BEFORE_FLATTENING = "a stream map sees the record before it is flattened"


@dataclass(frozen=True)
class Record:
    """The columns of a record that an expression can use."""

    columns: Mapping[str, Schema]
    """JSON schemas of the columns that are sent."""

    column: str | None = None
    """The column that the expression computes, None for a filter."""

    unselected: frozenset[str] = frozenset()
    """Columns of the stream that the catalog does not select."""

    of_pattern: bool = False
    """Whether ``get`` may name a column that only other streams of a pattern have."""


class Expressions:
    """The names and functions that stream map expressions can use."""

    def __init__(
        self,
        map_config: Schema,
        faker_config: Schema,
        *,
        separator: str,
    ) -> None:
        """Get the names and functions from the SDK.

        Args:
            map_config: The setting ``stream_map_config``.
            faker_config: The setting ``faker_config``.
            separator: Separator of flattened columns.
        """
        probe = CustomStreamMap(
            stream_alias="",
            map_config=dict(map_config),
            faker_config=dict(faker_config),
            raw_schema={},
            key_properties=None,
            map_transform={},
            flattening_options=None,
        )
        self._evaluator = probe.expr_evaluator
        self._has_faker = probe.fake is not None
        self._config = _schema_of(map_config)
        self._separators = {separator, "__"}

    def flattened(self, columns: Mapping[str, Schema], name: str) -> list[str] | None:
        """Return the path of a flattened column, None if there is no such column."""
        for path in _paths(columns):
            if len(path) > 1 and name in {sep.join(path) for sep in self._separators}:
                return path
        return None

    def unknown(self, name: str, record: Record, functions: Iterable[str] = ()) -> str:
        """Return the clause for a name that is not a column.

        Args:
            name: The name.
            record: The columns that the expression can use.
            functions: Functions, if the name could be one.
        """
        if name in record.unselected:
            return _not_selected(name)
        path = self.flattened(record.columns, name)
        if path:
            inner = "".join(f"['{part}']" for part in path[1:])
            return (
                f"{name} is not a column, because {_BEFORE_FLATTENING}; "
                f"use {path[0]}{inner}"
            )
        kinds = "neither a column nor a function" if functions else "not a column"
        text = f"{name} is {kinds}"
        close = difflib.get_close_matches(name, [*record.columns, *functions], n=1)
        if close:
            return f"{text}; did you mean {close[0]}?"
        columns = f"the columns are {', '.join(record.columns)}"
        return f"{text}; {QUOTES if functions else columns}"

    # The SDK's evaluator

    @property
    def functions(self) -> list[str]:
        """Names of the functions."""
        return sorted(self._evaluator.functions)

    def takes(self, node: ast.AST) -> bool:
        """Return whether the evaluator supports this part of Python."""
        if isinstance(node, (ast.operator, ast.unaryop, ast.cmpop)):
            return type(node) in self._evaluator.operators
        return (
            not isinstance(node, ast.expr)
            # The evaluator supports it in a list, without a handler of its own.
            or isinstance(node, ast.Starred)
            or type(node) in self._evaluator.nodes
        )

    def special(self, name: str, record: Record) -> Schema | None:
        """Return the schema of a name that the SDK adds to the columns.

        Raises:
            KeyError: There is no such name.
        """
        everything = {"properties": record.columns}
        schemas: dict[str, Schema | None] = {
            "_": everything,
            "record": everything,
            "config": self._config,
            "__stream_name__": None,
            "__original_stream_name__": None,
        }
        if self._has_faker:
            schemas["fake"] = None
        own = record.columns.get(record.column or "")
        if own is not None:
            schemas["self"] = own
        return schemas[name]

    def missing(self, name: str, record: Record) -> str | None:
        """Return why a special name is not available, None for any other name."""
        if name == "fake":
            return f"fake needs the package faker; {install('faker')}"
        if name == "self":
            if record.column is None:
                return "a filter has no self; use the name of a column"
            if record.column in record.unselected:
                return _not_selected(record.column)
            return (
                f"the new column {record.column} has no self; use the name of a column"
            )
        return None


def _paths(columns: Mapping[str, Schema]) -> Iterator[list[str]]:
    for name, schema in columns.items():
        yield [name]
        for path in _paths(schema.get("properties", {})):
            yield [name, *path]


def _schema_of(value: object) -> Schema:
    if not isinstance(value, dict):
        return {}
    return {"properties": {name: _schema_of(inner) for name, inner in value.items()}}


def _not_selected(column: str) -> str:
    return f"the column {column} is not selected; select it in the catalog"


def install(extra: str) -> str:
    """Return how to install an extra of the tap, which is on no package index."""
    return f"install the tap with its extra [{extra}]"
