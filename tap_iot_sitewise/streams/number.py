"""Attributes that are numbers or Booleans."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from singer_sdk import typing as th

from tap_iot_sitewise.streams.attribute import (
    Attribute,
    Member,
    UnexpectedValueError,
    wire_name,
)

NOT_IN_JSON = ("NaN", "Infinity", "-Infinity")
"""Doubles that JSON cannot hold. AWS sends them as text."""


@dataclass(frozen=True)
class Double:
    """A double. One that JSON cannot hold becomes null."""

    json_type: t.ClassVar = th.NumberType
    plain: t.ClassVar[type | None] = float

    def convert(self, value: object) -> float | None:
        """Return ``value`` as a float, see :class:`~.attribute.Kind`."""
        if value in NOT_IN_JSON:
            return None
        # A bool is an int in Python, but not a number.
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            try:
                return float(value)
            except OverflowError as error:
                msg = "expected a number in the range of a double"
                raise UnexpectedValueError(msg) from error
        msg = f"expected a number, not {type(value).__name__}"
        raise UnexpectedValueError(msg)

    def convert_all(self, values: list[t.Any]) -> list[t.Any]:
        """Return ``values`` as floats, see :class:`~.attribute.Kind`."""
        return [self.convert(value) for value in values]


@dataclass(frozen=True)
class Scalar:
    """An integer or a Boolean."""

    plain: type
    json_type: t.Any

    def convert(self, value: object) -> t.Any:  # noqa: ANN401
        """Return ``value``, see :class:`~.attribute.Kind`."""
        if type(value) is self.plain:
            return value
        msg = f"expected {self.plain.__name__}, not {type(value).__name__}"
        raise UnexpectedValueError(msg)

    def convert_all(self, values: list[t.Any]) -> list[t.Any]:
        """Return ``values``, see :class:`~.attribute.Kind`."""
        return [self.convert(value) for value in values]


def double(column: str, description: str, *, member: Member) -> Attribute:
    """Declare a double."""
    return Attribute(column, wire_name(column, member), Double(), description)


def integer(
    column: str, description: str, *, member: Member, is_key: bool = False
) -> Attribute:
    """Declare an integer."""
    kind = Scalar(int, th.IntegerType)
    return Attribute(column, member, kind, description, required=is_key, is_key=is_key)


def boolean(column: str, description: str, *, member: Member) -> Attribute:
    """Declare a Boolean."""
    return Attribute(column, member, Scalar(bool, th.BooleanType), description)
