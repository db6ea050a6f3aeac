"""The columns of a record that the catalog selects."""

from __future__ import annotations

import typing as t

if t.TYPE_CHECKING:
    Record = dict[str, t.Any]


class Selection:
    """The selected columns of a stream, and the selected members of its objects."""

    def __init__(self, selected: dict[str, t.Any], schema: dict[str, t.Any]) -> None:
        """Compare the selected columns with all columns.

        Args:
            selected: JSON schema of the selected columns.
            schema: JSON schema of all columns.
        """
        self._schema = selected
        self._everything = _names(selected) == _names(schema)

    def of(self, record: Record) -> Record:
        """Return a record with the selected columns only."""
        return record if self._everything else _select(record, self._schema)

    def of_all(self, records: list[Record]) -> list[Record]:
        """Return records with the selected columns only."""
        return records if self._everything else list(map(self.of, records))


def _names(schema: dict[str, t.Any]) -> dict[str, t.Any]:
    """Return the names of a schema's properties, and recursively of theirs."""
    properties: dict[str, t.Any] = schema.get("properties", {})
    return {name: _names(definition) for name, definition in properties.items()}


def _select(value: Record, schema: dict[str, t.Any]) -> Record:
    properties = schema["properties"]
    return {
        name: (
            _select(inner, properties[name])
            if isinstance(inner, dict) and "properties" in properties[name]
            else inner
        )
        for name, inner in value.items()
        if name in properties
    }
