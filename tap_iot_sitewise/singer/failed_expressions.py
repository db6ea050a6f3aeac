"""Describes a stream map expression that fails on a record."""

from __future__ import annotations

import ast
import functools
import re
import typing as t

import simpleeval
from singer_sdk.exceptions import MapExpressionError
from singer_sdk.mapper import CustomStreamMap

from tap_iot_sitewise.errors import TapError

if t.TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from singer_sdk.mapper import StreamMap

_REMEDY = "change the expression so that it fits every record"

_WORDS: dict[type[Exception], str] = {
    simpleeval.NumberTooHigh: "a number is too large",
    OverflowError: "a number is too large",
    simpleeval.IterableTooLong: "a string or a list is too long",
    UnicodeError: "the result cannot be encoded as UTF-8",
}

_MEMBERS = (ast.Name, ast.Attribute, ast.Subscript)


def explain_failures(stream: str, stream_maps: Iterable[StreamMap]) -> None:
    """Make failing expressions raise an error with the column and the reason.

    Args:
        stream: Name of the stream.
        stream_maps: Its maps. In the settings, the first has the name of the stream.
    """
    for number, stream_map in enumerate(stream_maps):
        if isinstance(stream_map, CustomStreamMap):
            name = stream_map.stream_alias if number else stream
            evaluate = functools.partial(
                _evaluate,
                stream_map._eval,  # noqa: SLF001
                name,
                stream_map.expr_evaluator,
            )
            stream_map._eval = evaluate  # type: ignore[method-assign]  # noqa: SLF001


def _evaluate(
    evaluate: Callable[..., t.Any],
    name: str,
    evaluator: simpleeval.SimpleEval,
    **call: t.Any,  # noqa: ANN401
) -> t.Any:  # noqa: ANN401
    """Evaluate an expression for ``CustomStreamMap._eval``.

    Raises:
        TapError: The expression fails, or the tap cannot send its result.
    """
    column = call["property_name"]
    try:
        value = evaluate(**call)
        if isinstance(value, str):
            value.encode()
    except Exception as error:
        cause = error.__cause__ if isinstance(error, MapExpressionError) else error
        reason = _Failure(cause or error, call["expr_parsed"], evaluator, column).reason
        msg = f"stream_maps: {name}.{column or '__filter__'}: {reason}"
        raise TapError(msg) from error
    if column is not None and callable(value):
        msg = (
            f"stream_maps: {name}.{column}: the result is a function, not a value; "
            "call it with ()"
        )
        raise TapError(msg)
    return value


class _Failure:
    """A failed expression. The evaluator still contains the names of the record."""

    def __init__(
        self,
        error: BaseException,
        tree: ast.Expr,
        evaluator: simpleeval.SimpleEval,
        column: str | None,
    ) -> None:
        self._error, self._tree, self._evaluator = error, tree, evaluator
        self._column = column

    @property
    def reason(self) -> str:
        """What is wrong and what to do, without a value of the record."""
        missing = isinstance(self._error, simpleeval.AttributeDoesNotExist)
        if missing or "NoneType" in str(self._error):
            for node in self._members():
                if self._is_null(node):
                    part = ast.unparse(node)
                    guarded = (
                        f"... if {part} is not None else None"
                        if self._column
                        else f"{part} is not None and ..."
                    )
                    return f"{part} is null in a record; guard against null: {guarded}"
        return f"{self._words()}; {_REMEDY}"

    def _members(self) -> Iterator[ast.expr]:
        """Yield the parts of the record that the expression reads."""
        error = self._error
        for node in ast.walk(self._tree):
            if isinstance(error, simpleeval.AttributeDoesNotExist):
                if isinstance(node, ast.Attribute) and node.attr == error.attr:
                    yield node.value
            elif isinstance(node, _MEMBERS):
                yield node

    def _is_null(self, node: ast.expr) -> bool:
        if not _is_member(node):
            return False
        try:
            value = self._evaluator.eval("", previously_parsed=node)
        except Exception:  # noqa: BLE001 - it failed before
            return False
        return value is None

    def _words(self) -> str:
        error = self._error
        if isinstance(error, simpleeval.AttributeDoesNotExist):
            plain = [n for n in self._members() if _is_member(n)]
            what = ast.unparse(plain[0]) if plain else "a value"
            return f"{what} has no {error.attr}"
        if isinstance(error, simpleeval.NameNotDefined):
            return f"{error.name} is neither a column nor a function"
        if isinstance(error, KeyError):
            nodes = [n for n in ast.walk(self._tree) if isinstance(n, ast.Constant)]
            known = [ast.unparse(n) for n in nodes if n.value in error.args]
            return f"an object has no {known[0] if known else 'such key'}"
        for kinds, words in _WORDS.items():
            if isinstance(error, kinds):
                return words
        return without_quoted(error)


def without_quoted(error: BaseException) -> str:
    """Return the words of an error, without possible values of a record.

    Values are in quotes. In a ``TypeError``, names of types are in quotes.
    """
    text = " ".join(str(error).split())
    if not isinstance(error, TypeError):
        text = re.sub(r"(['\"]).*\1", "...", text)
    return text or type(error).__name__


def _is_member(node: ast.expr) -> bool:
    """Return whether an expression only reads: ``status['error']``, ``name``."""
    return all(
        isinstance(n, (*_MEMBERS, ast.Constant, ast.expr_context))
        for n in ast.walk(node)
    )
