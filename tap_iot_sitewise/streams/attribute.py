"""Attributes of the entities of AWS IoT SiteWise: kinds, and how to declare them."""

from __future__ import annotations

import datetime as dt
import typing as t
from dataclasses import dataclass

import msgspec
from singer_sdk import typing as th

_encoder, _decoder = msgspec.json.Encoder(), msgspec.json.Decoder()

ITSELF = ""
"""Member of an item that is a plain string: its value."""


class UnexpectedValueError(ValueError):
    """The API sent a value that the entity has no room for."""


class Kind(t.Protocol):
    """What an attribute can hold."""

    @property
    def plain(self) -> type | None:
        """Type whose values go into the record as they came, None for no type."""

    @property
    def json_type(self) -> t.Any:  # noqa: ANN401 - a class or an instance of the SDK's
        """Type in the JSON schema."""

    def convert(self, value: object) -> t.Any:  # noqa: ANN401
        """Return ``value`` as the record holds it.

        Raises:
            UnexpectedValueError: The API states another type.
        """

    def convert_all(self, values: list[t.Any]) -> list[t.Any]:
        """Return values, none of them null, as records hold them.

        Raises:
            UnexpectedValueError: The API states another type for one of them.
        """


@dataclass(frozen=True)
class Text:
    """A string. ``values`` are the ones known today, for the description only.

    AWS adds values to its enumerations, and a target that validates would refuse
    a whole load over one that the schema does not list.
    """

    values: tuple[str, ...] = ()

    json_type: t.ClassVar = th.StringType
    plain: t.ClassVar[type | None] = str

    def convert(self, value: object) -> str:
        """Return ``value``, see :class:`Kind`."""
        if isinstance(value, str):
            return value
        msg = f"text was expected, not {type(value).__name__}"
        raise UnexpectedValueError(msg)

    def convert_all(self, values: list[t.Any]) -> list[t.Any]:
        """Return ``values``, see :class:`Kind`."""
        return [self.convert(value) for value in values]


@dataclass(frozen=True)
class Timestamp:
    """A moment: epoch seconds on the wire, RFC 3339 in UTC in the record.

    A double holds today's epoch seconds to a quarter of a microsecond, so the
    fraction that the API sent comes out as it was.
    """

    json_type: t.ClassVar = th.DateTimeType
    plain: t.ClassVar[type | None] = None

    def convert(self, value: object) -> str:
        """Return ``value`` as RFC 3339, see :class:`Kind`."""
        # bool is an int to Python; AWS never means one here.
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            try:
                moment = dt.datetime.fromtimestamp(value, dt.timezone.utc)
            except (OverflowError, ValueError, OSError):
                msg = f"epoch seconds {value!r} lie outside the years 1 to 9999"
                raise UnexpectedValueError(msg) from None
            # Like `dates.rfc3339`, without its conversion.
            return moment.isoformat("T", "microseconds")
        msg = f"epoch seconds were expected, not {type(value).__name__}"
        raise UnexpectedValueError(msg)

    def convert_all(self, values: list[t.Any]) -> list[t.Any]:
        """Return ``values`` as RFC 3339, see :class:`Kind`."""
        if not set(map(type, values)) <= {float, int}:
            return [self.convert(value) for value in values]
        read, utc = dt.datetime.fromtimestamp, dt.timezone.utc
        try:
            # msgspec writes dates five times as fast as Python, in another form.
            written = _encoder.encode([read(value, utc) for value in values])
        except (OverflowError, ValueError, OSError):
            return [self.convert(value) for value in values]
        texts: list[str] = _decoder.decode(written)
        return [
            text[:-1] + ("+00:00" if "." in text else ".000000+00:00") for text in texts
        ]


@dataclass(frozen=True)
class Attribute:
    """One attribute of an entity. See the functions below for how to declare one.

    Args:
        column: Its name in the record.
        member: Its name on the wire, ``ITSELF`` for an item that is a plain string.
            None where it does not come from the item but from the request, like
            ``portal_id`` in a project.
        kind: What it holds.
        description: One sentence for the reader of the table.
        required: Whether no record can be without it.
        is_key: Whether it is a column of the key.
        marks_change: Whether it is the date at which the entity changed.
    """

    column: str
    member: str | None
    kind: Kind
    description: str
    required: bool = False
    is_key: bool = False
    marks_change: bool = False

    @property
    def described(self) -> str:
        """The description, with the known values of an enumeration."""
        values = self.kind.values if isinstance(self.kind, Text) else ()
        if not values:
            return self.description
        return f"{self.description} Known values: {', '.join(values)}."


def camel_case(column: str) -> str:
    """Return the wire name that a column has where nothing else is declared."""
    first, *others = column.split("_")
    return first + "".join(map(str.title, others))


def key(column: str, description: str, *, member: str | None = None) -> Attribute:
    """Declare a key column that comes from the item."""
    wire = camel_case(column) if member is None else member
    return Attribute(column, wire, Text(), description, required=True, is_key=True)


def parent_key(column: str, description: str) -> Attribute:
    """Declare a key column that comes from the request."""
    return Attribute(column, None, Text(), description, required=True, is_key=True)


def parent_id(column: str, description: str) -> Attribute:
    """Declare a column that comes from the request and is not part of the key."""
    return Attribute(column, None, Text(), description, required=True)


def text(
    column: str, description: str, *values: str, member: str | None = None
) -> Attribute:
    """Declare a string, with the values that an enumeration has today."""
    wire = camel_case(column) if member is None else member
    return Attribute(column, wire, Text(values), description)


def timestamp(
    column: str,
    description: str,
    *,
    member: str | None = None,
    marks_change: bool = False,
) -> Attribute:
    """Declare a moment."""
    wire = camel_case(column) if member is None else member
    return Attribute(column, wire, Timestamp(), description, marks_change=marks_change)
