"""Attributes of the entities of AWS IoT SiteWise, and functions to declare them."""

from __future__ import annotations

import datetime as dt
import re
import typing as t
from dataclasses import dataclass

import msgspec
from singer_sdk import typing as th

_encoder, _decoder = msgspec.json.Encoder(), msgspec.json.Decoder()

ITSELF = ""
"""Pseudo member of an item that is a plain string: the string."""

Member: t.TypeAlias = "str | tuple[str, ...]"
"""A member of an item, by its name on the wire. A member of a member has the names of
both, with a dot between them. Of several members, at most one has a value."""


class UnexpectedValueError(ValueError):
    """The API sent a value that does not fit the entity."""


class Kind(t.Protocol):
    """Type of an attribute's values."""

    @property
    def plain(self) -> type | None:
        """Python type whose values need no conversion, or None."""

    @property
    def json_type(self) -> t.Any:  # noqa: ANN401 - a class or an instance
        """Type in the JSON schema."""

    def convert(self, value: object) -> t.Any:  # noqa: ANN401
        """Convert a value of the API's answer to a value of the record.

        Raises:
            UnexpectedValueError: The value has another type than in the service model.
        """

    def convert_all(self, values: list[t.Any]) -> list[t.Any]:
        """Convert several values, none of them null.

        Raises:
            UnexpectedValueError: A value has another type than in the service model.
        """


@dataclass(frozen=True)
class Text:
    """A string. ``values`` are the known values of an enumeration.

    They are in the description, not in the schema: AWS adds values to its enumerations,
    and a target that validates records would refuse a load with a new value.
    """

    values: tuple[str, ...] = ()

    json_type: t.ClassVar = th.StringType
    plain: t.ClassVar[type | None] = str

    def convert(self, value: object) -> str:
        """Return ``value``, see :class:`Kind`."""
        if isinstance(value, str):
            return value
        msg = f"expected text, not {type(value).__name__}"
        raise UnexpectedValueError(msg)

    def convert_all(self, values: list[t.Any]) -> list[t.Any]:
        """Return ``values``, see :class:`Kind`."""
        return [self.convert(value) for value in values]


@dataclass(frozen=True)
class MemberName:
    """The name of the one member of a structure that has a value, in snake_case.

    ``values`` are the known names.
    """

    values: tuple[str, ...] = ()

    json_type: t.ClassVar = th.StringType
    plain: t.ClassVar[type | None] = None

    def convert(self, value: object) -> str | None:
        """Return the name of the member, see :class:`Kind`. None if there is none."""
        if not isinstance(value, dict):
            msg = f"expected an object, not {type(value).__name__}"
            raise UnexpectedValueError(msg)
        names = [name for name, member in value.items() if member is not None]
        if len(names) > 1:
            msg = f"expected one member, not {', '.join(names)}"
            raise UnexpectedValueError(msg)
        return re.sub("([A-Z])", r"_\1", names[0]).lower() if names else None

    def convert_all(self, values: list[t.Any]) -> list[t.Any]:
        """Return the names, see :class:`Kind`."""
        return [self.convert(value) for value in values]


@dataclass(frozen=True)
class Timestamp:
    """A date and time: epoch seconds on the wire, RFC 3339 in UTC in the record.

    A double represents today's epoch seconds to a quarter of a microsecond, so the
    record keeps the fraction that the API sent.
    """

    json_type: t.ClassVar = th.DateTimeType
    plain: t.ClassVar[type | None] = None

    def convert(self, value: object) -> str:
        """Return ``value`` as RFC 3339, see :class:`Kind`."""
        # A bool is an int in Python, but not a date.
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            try:
                moment = dt.datetime.fromtimestamp(value, dt.timezone.utc)
            except (OverflowError, ValueError, OSError):
                msg = f"epoch seconds {value!r} are outside the years 1 to 9999"
                raise UnexpectedValueError(msg) from None
            # Like `dates.rfc3339`, without the conversion to UTC.
            return moment.isoformat("T", "microseconds")
        msg = f"expected epoch seconds, not {type(value).__name__}"
        raise UnexpectedValueError(msg)

    def convert_all(self, values: list[t.Any]) -> list[t.Any]:
        """Return ``values`` as RFC 3339, see :class:`Kind`."""
        if not set(map(type, values)) <= {float, int}:
            return [self.convert(value) for value in values]
        read, utc = dt.datetime.fromtimestamp, dt.timezone.utc
        try:
            # msgspec formats dates five times as fast as Python, in another format.
            written = _encoder.encode([read(value, utc) for value in values])
        except (OverflowError, ValueError, OSError):
            return [self.convert(value) for value in values]
        texts: list[str] = _decoder.decode(written)
        return [
            text[:-1] + ("+00:00" if "." in text else ".000000+00:00") for text in texts
        ]


@dataclass(frozen=True)
class Attribute:
    """One attribute of an entity. The functions below declare one.

    Args:
        column: Name in the record.
        member: Name on the wire, see :data:`Member`, or ``ITSELF`` for an item that is
            a plain string. None if the value comes from the request, not from the item,
            like ``portal_id`` of a project.
        kind: Type of the values.
        description: One sentence for the reader of the table.
        required: Whether every record has a value.
        is_key: Whether the column is part of the key.
        marks_change: Whether the value is the date of the entity's last change.
        marks_time: Whether the value is the time of the record, in a stream that reads
            windows of time.
    """

    column: str
    member: Member | None
    kind: Kind
    description: str
    required: bool = False
    is_key: bool = False
    marks_change: bool = False
    marks_time: bool = False

    @property
    def described(self) -> str:
        """The description, with the known values of an enumeration."""
        values = getattr(self.kind, "values", ())
        if not values:
            return self.description
        return f"{self.description} Known values: {', '.join(values)}."

    @property
    def is_inner(self) -> bool:
        """Whether the value is not a direct member of the item."""
        return isinstance(self.member, tuple) or "." in (self.member or "")

    def find(self, item: t.Any) -> t.Any:  # noqa: ANN401
        """Return the value in an item, None if there is none.

        Args:
            item: The item, an object.

        Raises:
            UnexpectedValueError: A member on the way is not an object, or more than one
                of several members has a value.
        """
        members = (self.member,) if isinstance(self.member, str) else self.member or ()
        values = {name: _at(item, name) for name in members}
        found = {name: value for name, value in values.items() if value is not None}
        if len(found) > 1:
            msg = f"expected one member, not {', '.join(found)}"
            raise UnexpectedValueError(msg)
        return next(iter(found.values()), None)


def _at(item: t.Any, path: str) -> t.Any:  # noqa: ANN401
    for name in path.split("."):
        if item is None:
            return None
        if not isinstance(item, dict):
            msg = f"expected an object, not {type(item).__name__}"
            raise UnexpectedValueError(msg)
        item = item.get(name)
    return item


def wire_name(column: str, member: Member | None) -> Member:
    """Return ``member``, or the camelCase of the column if it is None."""
    if member is not None:
        return member
    first, *others = column.split("_")
    return first + "".join(map(str.title, others))


def key(column: str, description: str, *, member: str | None = None) -> Attribute:
    """Declare a key column that comes from the item: from a direct member of it."""
    wire = wire_name(column, member)
    return Attribute(column, wire, Text(), description, required=True, is_key=True)


def parent_key(column: str, description: str) -> Attribute:
    """Declare a key column that comes from the request."""
    return Attribute(column, None, Text(), description, required=True, is_key=True)


def parent_id(column: str, description: str) -> Attribute:
    """Declare a column that comes from the request and is not part of the key."""
    return Attribute(column, None, Text(), description, required=True)


def parent_text(column: str, description: str, *values: str) -> Attribute:
    """Declare a string that comes from the request and can be missing."""
    return Attribute(column, None, Text(values), description)


def text(
    column: str, description: str, *values: str, member: Member | None = None
) -> Attribute:
    """Declare a string, with the known values of an enumeration."""
    wire = wire_name(column, member)
    return Attribute(column, wire, Text(values), description)


def member_name(column: str, description: str, *values: str, member: str) -> Attribute:
    """Declare the name of the one member that a structure has, with known names."""
    return Attribute(column, member, MemberName(values), description)


def timestamp(
    column: str,
    description: str,
    *,
    member: Member | None = None,
    marks_change: bool = False,
) -> Attribute:
    """Declare a date and time."""
    wire = wire_name(column, member)
    return Attribute(column, wire, Timestamp(), description, marks_change=marks_change)
