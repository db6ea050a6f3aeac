"""Checks a stream map expression before the first record."""

from __future__ import annotations

import ast
import difflib
import typing as t

import simpleeval

from tap_iot_sitewise.singer.expressions import QUOTES

if t.TYPE_CHECKING:
    from collections.abc import Iterator

    from tap_iot_sitewise.singer.expressions import Expressions, Record, Schema


def problems(text: str, record: Record, known: Expressions) -> Iterator[str]:
    """Find what is wrong with an expression, without evaluating it.

    Args:
        text: The expression.
        record: The columns that it can use.
        known: The functions and other names that it can use.

    Yields:
        A clause for each problem, without the literals of the expression.
    """
    body, reason = [], ""
    try:
        body = ast.parse(text).body
    except SyntaxError as error:
        reason = error.msg
    except (ValueError, RecursionError, MemoryError):
        reason = "null byte, or too many levels"
    if reason:
        yield f"is not a valid expression ({reason}); {QUOTES}"
        return
    if len(body) != 1 or not isinstance(body[0], ast.Expr):
        yield f"must be one expression; {QUOTES}"
        return
    yield from dict.fromkeys(_Check(known, record).problems(body[0]))


class _Check:
    """Checks whether the parts of an expression exist."""

    def __init__(self, expressions: Expressions, record: Record) -> None:
        self._known, self._record = expressions, record
        self._bound: set[str] = set()

    def problems(self, tree: ast.Expr) -> Iterator[str]:
        nodes = list(ast.walk(tree))
        for node in nodes:
            if isinstance(node, ast.comprehension):
                names = (n for n in ast.walk(node.target) if isinstance(n, ast.Name))
                self._bound.update(name.id for name in names)
        calls = {id(node.func): node for node in nodes if isinstance(node, ast.Call)}
        for node in nodes:
            if not self._known.takes(node):
                yield f"{type(node).__name__} is not available in expressions"
            elif isinstance(node, ast.Name):
                yield from self._name(node.id, calls.get(id(node)))
            else:
                yield from self._member(node)

    def _name(self, name: str, call: ast.Call | None) -> Iterator[str]:
        functions = self._known.functions
        if name in self._bound or name in functions:
            return
        if call:
            yield f"{name}() is not a function; {self._instead(name, call)}"
            return
        try:
            self._known.special(name, self._record)
        except KeyError:
            if name in self._record.columns:
                return
            if missing := self._known.missing(name, self._record):
                yield missing
                return
            yield self._known.unknown(name, self._record, functions)

    def _instead(self, name: str, call: ast.Call) -> str:
        """Return what to use in place of a function that does not exist."""
        functions = self._known.functions
        first = call.args[0] if call.args else None
        if first and hasattr(str, name) and _is_text(self._schema(first) or {}):
            return f"did you mean {ast.unparse(first)}.{name}()?"
        # Closer than difflib's default, by which upper is tuple.
        close = difflib.get_close_matches(name, functions, n=1, cutoff=0.7)
        if close:
            return f"did you mean {close[0]}()?"
        return f"the functions are {', '.join(functions)}"

    def _member(self, node: ast.AST) -> Iterator[str]:
        """Check a member of an object or of text."""
        if isinstance(node, ast.Attribute):
            if node.attr.startswith(tuple(simpleeval.DISALLOW_PREFIXES)):
                yield f".{node.attr} is not available in expressions"
                return
            if node.attr in simpleeval.DISALLOW_METHODS:
                yield f".{node.attr}() is not available in expressions"
                return
        container, key = _parts(node)
        if container is None or key is None:
            return
        if isinstance(node, ast.Call) and self._may_be_missing(container):
            return
        schema = self._schema(container) or {}
        of_object = isinstance(node, ast.Attribute) and hasattr(dict, key)
        if isinstance(node, ast.Attribute) and _is_text(schema):
            if not hasattr(str, key):
                yield f"{ast.unparse(container)} is text, and text has no {key}"
        elif not of_object and key not in schema.get("properties", {key}):
            yield self._unknown(container, key, schema["properties"])

    def _may_be_missing(self, container: ast.expr) -> bool:
        """Return whether ``get`` can name a member that does not exist."""
        return self._record.of_pattern or ast.unparse(container) == "config"

    def _unknown(self, container: ast.expr, key: str, known: Schema) -> str:
        if isinstance(container, ast.Name) and container.id in {"record", "_"}:
            return self._known.unknown(key, self._record)
        whole = ast.unparse(container)
        if whole == "config":
            return f"stream_map_config has no {key}; add it"
        close = difflib.get_close_matches(key, known, n=1)
        meant = f"did you mean {close[0]}?" if close else f"use {', '.join(known)}"
        return f"{whole} has no {key}; {meant}"

    def _schema(self, node: ast.expr) -> Schema | None:
        """Return the JSON schema of a part of the record, None if it is unknown."""
        if isinstance(node, ast.Name):
            if node.id in self._bound:
                return None
            try:
                return self._known.special(node.id, self._record)
            except KeyError:
                return self._record.columns.get(node.id)
        container, key = _parts(node)
        if container is None or key is None:
            return None
        schema: Schema = (self._schema(container) or {}).get("properties", {})
        return schema.get(key)


def _parts(node: ast.AST) -> tuple[ast.expr | None, str | None]:
    """Return the container and the member in ``a['b']``, ``a.b`` or ``a.get('b')``."""
    key: ast.expr | None = None
    container: ast.expr | None = None
    if isinstance(node, ast.Attribute):
        return node.value, node.attr
    if isinstance(node, ast.Subscript):
        container, key = node.value, node.slice
    elif (
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr == "get"
        and node.args
    ):
        container, key = node.func.value, node.args[0]
    if isinstance(key, ast.Constant) and isinstance(key.value, str):
        return container, key.value
    return None, None


def _is_text(schema: Schema) -> bool:
    types = schema.get("type", ())
    return {"string"} == ({types} if isinstance(types, str) else set(types) - {"null"})
