"""What the expressions of stream maps can use: columns, functions, other names."""

from __future__ import annotations

import ast
import difflib
import typing as t
from dataclasses import dataclass

from singer_sdk.mapper import CustomStreamMap

if t.TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    Schema = Mapping[str, t.Any]

QUOTES = "a fixed text needs quotes of its own, for example \"'text'\""

_BEFORE_FLATTENING = "a stream map sees the record before it is flattened"


@dataclass(frozen=True)
class Record:
    """What an expression sees of a record."""

    columns: Mapping[str, Schema]
    """JSON schemas of the columns that are sent."""

    column: str | None = None
    """The column that the expression computes, None for a filter."""

    unselected: frozenset[str] = frozenset()
    """Columns of the stream that the catalog does not select."""

    of_pattern: bool = False
    """Whether ``get`` may name a column that only other streams of a pattern have."""


class Expressions:
    """What the expressions of stream maps can use."""

    def __init__(
        self,
        map_config: Schema,
        faker_config: Schema,
        *,
        separator: str,
        package: str,
    ) -> None:
        """Ask the SDK what it makes available.

        Args:
            map_config: The setting ``stream_map_config``.
            faker_config: The setting ``faker_config``.
            separator: Separator of flattened columns.
            package: The tap's package, whose extra ``faker`` brings that library.
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
        self._package = package

    def flattened(self, columns: Mapping[str, Schema], name: str) -> list[str] | None:
        """Return the names whose flattening gives a name, None where none does."""
        for path in _paths(columns):
            if len(path) > 1 and name in {sep.join(path) for sep in self._separators}:
                return path
        return None

    def unknown(self, name: str, record: Record, functions: Iterable[str] = ()) -> str:
        """Say what to do about a name that is not a column.

        Args:
            name: The name.
            record: What the expression sees.
            functions: What could have been meant besides columns.
        """
        if name in record.unselected:
            return f"the column {name} is not selected; select it in the catalog"
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
        return f"{text}; did you mean {close[0]}?" if close else text

    # What the SDK's evaluator takes

    @property
    def functions(self) -> list[str]:
        """Names of the functions."""
        return sorted(self._evaluator.functions)

    def takes(self, node: ast.AST) -> bool:
        """Return whether the evaluator knows this part of Python."""
        if isinstance(node, (ast.operator, ast.unaryop, ast.cmpop)):
            return type(node) in self._evaluator.operators
        return (
            not isinstance(node, ast.expr)
            # In a list only; the evaluator has no handler of its own for it.
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
        """Say why a special name is not there, None for any other name."""
        if name == "fake":
            return f"fake needs the package faker; {install(self._package, 'faker')}"
        if name == "self":
            if record.column is None:
                return "self is the value of a column, and a filter has none"
            if record.column in record.unselected:
                return f"the column {record.column} is not selected; select it"
            return (
                f"self is the value of the column, and {record.column} is a new one; "
                "use the name of a column"
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


def install(package: str, extra: str) -> str:
    """Say how to install an extra."""
    return f"run: pip install '{package}[{extra}]'"
