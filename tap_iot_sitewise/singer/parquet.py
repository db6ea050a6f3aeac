"""Writes batch files in Parquet with the types of the schema."""

from __future__ import annotations

import contextlib
import sys
import typing as t
from uuid import uuid4

from singer_sdk.batch import BaseBatcher, lazy_chunked_generator

if sys.version_info >= (3, 12):
    from typing import override
else:
    from typing_extensions import override

if t.TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from singer_sdk.helpers._batch import BatchConfig

    Record = dict[str, t.Any]
    JSONSchema = Mapping[str, t.Any]


class TypedParquetBatcher(BaseBatcher):
    """Writes a Parquet file for each batch.

    The SDK 0.54 infers the types from the values of each file. A column that is null in
    all of them then has the type null, and readers refuse such a file together with
    others. Here, all files of a stream have the same types.
    """

    def __init__(
        self,
        tap_name: str,
        stream_name: str,
        batch_config: BatchConfig,
        schema: JSONSchema,
    ) -> None:
        """Create the batcher.

        Args:
            tap_name: Name of the tap, for the names of the files.
            stream_name: Name of the stream, for the names of the files.
            batch_config: The setting.
            schema: JSON schema of the records.
        """
        super().__init__(tap_name, stream_name, batch_config)
        self._columns: JSONSchema = schema.get("properties", {})

    @override
    def get_batches(self, records: Iterable[Record]) -> Iterator[list[str]]:
        """Write the files, and yield the name of each as the SDK does.

        Args:
            records: The records.

        Yields:
            The URL of the file, in a list.
        """
        import pyarrow.parquet as pq  # noqa: PLC0415 - an extra of the package

        storage = self.batch_config.storage
        compression = self.batch_config.encoding.compression
        sync_id = f"{self.tap_name}--{self.stream_name}-{uuid4()}"
        chunks = lazy_chunked_generator(records, self.batch_config.batch_size)
        for number, chunk in enumerate(chunks, start=1):
            name = f"{storage.prefix or ''}{sync_id}={number}.parquet"
            if compression == "gzip":
                name = f"{name}.gz"
            with storage.open(name, "wb") as file:
                codec = {"compression": "gzip"} if compression == "gzip" else {}
                pq.write_table(self._table(list(chunk)), file, **codec)
            yield [storage.get_url(name)]

    def _table(self, rows: list[Record]) -> t.Any:  # noqa: ANN401 - pyarrow is an extra
        import pyarrow as pa  # noqa: PLC0415

        names = dict.fromkeys(self._columns)
        for row in rows:
            names |= dict.fromkeys(row)
        return pa.table(
            {
                name: _array(
                    [row.get(name) for row in rows], self._columns.get(name, {})
                )
                for name in names
            }
        )


def _array(values: list[t.Any], schema: JSONSchema) -> t.Any:  # noqa: ANN401
    import pyarrow as pa  # noqa: PLC0415

    declared = _type(schema)
    # The values of an expression of a stream map can have another type than the SDK
    # declares for it. Their own type is then the best one.
    if declared is not None and (
        not pa.types.is_nested(declared) or _has_all(declared, pa.array(values).type)
    ):
        with contextlib.suppress(pa.ArrowInvalid, pa.ArrowTypeError):
            return pa.array(values, type=declared)
    return pa.array(values)


def _has_all(declared: t.Any, found: t.Any) -> bool:  # noqa: ANN401
    """Return whether a type has all members of another one.

    PyArrow drops the members of an object that its type does not have.
    """
    import pyarrow as pa  # noqa: PLC0415

    if pa.types.is_struct(declared) and pa.types.is_struct(found):
        return all(
            declared.get_field_index(member.name) >= 0
            and _has_all(declared[member.name].type, member.type)
            for member in found
        )
    if pa.types.is_list(declared) and pa.types.is_list(found):
        return _has_all(declared.value_type, found.value_type)
    return True


def _type(schema: JSONSchema) -> t.Any:  # noqa: ANN401
    """Return the type of a column, None if the values decide."""
    import pyarrow as pa  # noqa: PLC0415

    given = schema.get("type", ())
    types = {given} if isinstance(given, str) else set(given)
    if len(types - {"null"}) != 1:
        return None
    (name,) = types - {"null"}
    if name == "object":
        members = {n: _type(s) for n, s in schema.get("properties", {}).items()}
        known = members and None not in members.values()
        return pa.struct(list(members.items())) if known else None
    if name == "array":
        item = _type(schema.get("items", {}))
        return None if item is None else pa.list_(item)
    return {
        "string": pa.string,
        "integer": pa.int64,
        "number": pa.float64,
        "boolean": pa.bool_,
    }[name]()
