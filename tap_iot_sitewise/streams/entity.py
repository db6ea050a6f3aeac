"""Entities of AWS IoT SiteWise, each a list of attributes.

The declaration of an entity defines both the JSON schema of a stream and the conversion
of the API's answer to a record.

Sources: the ``iotsitewise`` service model of botocore (API version 2019-12-02) for
names, types and enumerated values; the AWS IoT SiteWise API Reference for meanings.
"""

from __future__ import annotations

import functools
import operator
import typing as t
from dataclasses import dataclass

from singer_sdk import typing as th

from tap_iot_sitewise.streams.attribute import (
    ITSELF,
    Attribute,
    Member,
    UnexpectedValueError,
    wire_name,
)

if t.TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Mapping

    Record = dict[str, t.Any]
    JSONSchema = dict[str, t.Any]


_Null = type(None)


@dataclass(frozen=True)
class ListOf:
    """A list of entities."""

    entity: Entity

    plain: t.ClassVar[type | None] = None

    @property
    def json_type(self) -> th.ArrayType[t.Any]:
        """Type of the list in the JSON schema."""
        return th.ArrayType(self.entity.json_type)

    def convert(self, value: object) -> list[Record]:
        """Convert a list of items to records, or raise an `UnexpectedValueError`."""
        if isinstance(value, list):
            return [self.entity.convert(item) for item in value]
        msg = f"expected a list, not {type(value).__name__}"
        raise UnexpectedValueError(msg)

    def convert_all(self, values: list[t.Any]) -> list[t.Any]:
        """Convert several lists, see :meth:`convert`."""
        return [self.convert(value) for value in values]


class Entity:
    """A structure of the API, with its attributes in column order."""

    plain: t.ClassVar[type | None] = None

    def __init__(self, name: str, *attributes: Attribute) -> None:
        """Declare an entity.

        Args:
            name: Shape name in botocore's service model.
            attributes: Attributes in the order of the columns.
        """
        self.name = name
        self.attributes = attributes
        self.key = [a.column for a in attributes if a.is_key]
        self.change_column = next(
            (a.column for a in attributes if a.marks_change), None
        )
        self.time_column = next((a.column for a in attributes if a.marks_time), None)
        self._conversions: list[
            tuple[Attribute, Callable[[t.Any], t.Any] | None, type | None]
        ] = [(a, _getter(a), a.kind.plain) for a in attributes]
        self._is_plain = any(a.member == ITSELF for a in attributes)

    @property
    def replication_column(self) -> str | None:
        """Column whose values a bookmark has, None for an entity without a date."""
        return self.change_column or self.time_column

    @property
    def properties(self) -> th.PropertiesList:
        """The attributes as properties of the SDK's JSON schema helper."""
        return th.PropertiesList(
            *(
                th.Property(
                    attribute.column,
                    attribute.kind.json_type,
                    required=attribute.required,
                    description=attribute.described,
                )
                for attribute in self.attributes
            )
        )

    @property
    def json_type(self) -> th.ObjectType:
        """Type of the entity in the schema of another entity."""
        return th.ObjectType(*self.properties)

    @property
    def schema(self) -> JSONSchema:
        """JSON schema of the entity's records."""
        return self.properties.to_dict()

    @functools.cached_property
    def identity(self) -> Callable[[t.Any], Hashable | None]:
        """Function that returns the key of an item, without the columns of the request.

        It returns None for an item without a key. The conversion of such an item fails.
        """
        members = [a.member for a in self.attributes if a.is_key and a.member]
        get = operator.itemgetter(*members) if members else _itself

        def identity(item: t.Any) -> Hashable | None:  # noqa: ANN401
            try:
                found: Hashable = get(item)
                hash(found)
            except (TypeError, KeyError, IndexError):
                return None
            return found

        return identity

    def convert(
        self, item: object, columns: Mapping[str, t.Any] | None = None
    ) -> Record:
        """Convert an item of the API's answer to a record.

        Args:
            item: The item as decoded from JSON. Unknown members are ignored; missing
                members become null.
            columns: Columns whose values come from the request.

        Returns:
            A record with every column, dates as RFC 3339 in UTC.

        Raises:
            UnexpectedValueError: A value has another type than in the service model, or
                a key is missing. The text names the entity and the member.
        """
        if self._is_plain:
            item = {ITSELF: item}
        if not isinstance(item, dict):
            msg = f"{self.name}: expected an object, not {type(item).__name__}"
            raise UnexpectedValueError(msg)
        record: Record = {}
        for attribute, get, plain in self._conversions:
            try:
                if get is None:
                    value = (columns or {}).get(attribute.column)
                else:
                    value = get(item)
                # Most values need no conversion: save the call.
                if value is not None and type(value) is not plain:
                    value = attribute.kind.convert(value)
            except UnexpectedValueError as error:
                msg = f"{self._place(attribute)}: {error}"
                raise UnexpectedValueError(msg) from None
            if value is None and attribute.required:
                msg = (
                    f"{self._place(attribute)}: the value is missing, but every record "
                    "needs one"
                )
                raise UnexpectedValueError(msg)
            record[attribute.column] = value
        return record

    def _place(self, attribute: Attribute) -> str:
        member = attribute.member
        names = (member,) if isinstance(member, str) else member or ()
        return ".".join(filter(None, [self.name, " or ".join(names)]))

    def convert_all(
        self, items: list[t.Any], columns: Mapping[str, t.Any] | None = None
    ) -> list[Record]:
        """Convert items to records column by column, which takes half of the time.

        Args:
            items: The items, see :meth:`convert`.
            columns: Columns whose values come from the request, the same for all items.

        Raises:
            UnexpectedValueError: An item is not valid. The text of the error of
                :meth:`convert` names the problem.
        """
        if self._is_plain or set(map(type, items)) - {dict}:
            return [self.convert(item, columns) for item in items]
        table = []
        for attribute, get, plain in self._conversions:
            if get is None:
                values = [(columns or {}).get(attribute.column)] * len(items)
            elif attribute.is_inner:
                values = [get(item) for item in items]
            else:
                # Without a call for each item.
                member = attribute.member
                values = [item.get(member) for item in items]
            types = set(map(type, values))
            if attribute.required and _Null in types:
                msg = f"{self.name}: a record lacks its {attribute.column}"
                raise UnexpectedValueError(msg)
            if types - {_Null, plain}:
                given = [value for value in values if value is not None]
                converted = iter(attribute.kind.convert_all(given))
                values = [v if v is None else next(converted) for v in values]
            table.append(values)
        names = [attribute.column for attribute in self.attributes]
        return [dict(zip(names, row, strict=True)) for row in zip(*table, strict=True)]


def _getter(attribute: Attribute) -> Callable[[t.Any], t.Any] | None:
    """Return the function that reads a value from an item.

    It returns None for an attribute whose value comes from the request.
    """
    member = attribute.member
    if member is None:
        return None
    if attribute.is_inner:
        return attribute.find
    return lambda item: item.get(member)


def _itself(item: Hashable) -> Hashable:
    return item if isinstance(item, str) else None


def nested(
    column: str,
    description: str,
    kind: Entity | ListOf,
    *,
    member: Member | None = None,
) -> Attribute:
    """Declare an object, or a list of objects."""
    wire = wire_name(column, member)
    return Attribute(column, wire, kind, description)
