"""Writes the records of a stream to batch files, with a BATCH message for each."""

from __future__ import annotations

import dataclasses
import typing as t
from importlib.util import find_spec

from fsspec.core import get_filesystem_class
from fsspec.utils import get_protocol
from singer_sdk.batch import Batcher
from singer_sdk.helpers._batch import (
    BaseBatchFileEncoding,
    BatchConfig,
    StorageTarget,
)

from tap_iot_sitewise.errors import TapError
from tap_iot_sitewise.singer.expressions import install
from tap_iot_sitewise.singer.failed_expressions import without_quoted
from tap_iot_sitewise.singer.parquet import TypedParquetBatcher

if t.TYPE_CHECKING:
    from collections.abc import Iterator

    from singer_sdk import Stream
    from singer_sdk.batch import BaseBatcher

    Record = dict[str, t.Any]


_FORMATS = ("jsonl", "parquet")

_MEMBERS: dict[str, type] = {
    "": BatchConfig,
    "encoding": BaseBatchFileEncoding,
    "storage": StorageTarget,
}


_MISSING = {
    "encoding": "set its format to jsonl or parquet",
    "storage": "set its root to a directory or a URL such as s3://bucket/directory",
}


def problems(batch_config: object) -> Iterator[str]:
    """Find what is wrong with the setting ``batch_config``.

    The SDK 0.54 requires no member. A missing or unknown member makes the first batch
    fail, and a batch size of 0 writes nothing.

    Args:
        batch_config: The setting, of any type.

    Yields:
        A clause for each problem. It begins with the name of the setting.
    """
    if not isinstance(batch_config, dict) or not batch_config:
        return
    for key, members in _MEMBERS.items():
        where = f"batch_config.{key}" if key else "batch_config"
        given = batch_config.get(key) if key else batch_config
        known = [field.name for field in dataclasses.fields(members)]
        if given is None:
            yield f"{where} is missing; {_MISSING[key]}"
        elif isinstance(given, dict) and given.keys() - set(known):
            members_are = f"the members are {', '.join(known)}"
            yield f"{where} has an unknown member; {members_are}"
    encoding, storage = batch_config.get("encoding"), batch_config.get("storage")
    if isinstance(encoding, dict):
        yield from _encoding_problems(encoding)
    if isinstance(storage, dict):
        yield from _storage_problems(storage)
    size = batch_config.get("batch_size", 1)
    if not isinstance(size, int) or isinstance(size, bool) or size < 1:
        yield "batch_config.batch_size must be a whole number, at least 1"


def _encoding_problems(encoding: dict[str, t.Any]) -> Iterator[str]:
    if "format" not in encoding:
        yield f"batch_config.encoding.format is missing; use {' or '.join(_FORMATS)}"
    if encoding.get("format") == "parquet" and not find_spec("pyarrow"):
        yield (
            "batch_config.encoding.format parquet needs the package pyarrow; "
            f"{install('parquet')}"
        )


def _storage_problems(storage: dict[str, t.Any]) -> Iterator[str]:
    where, root = "batch_config.storage.root", storage.get("root")
    if root is None or root == "":
        yield f"{where} is missing; set it to a directory or a URL such as s3://bucket/directory"
        return
    if not isinstance(root, str):
        return
    params = storage.get("params", {})
    if not isinstance(params, dict):
        yield "batch_config.storage.params must be an object"
    protocol = get_protocol(root)
    try:
        get_filesystem_class(protocol)
    except ImportError as error:
        remedy = install("s3") if protocol in {"s3", "s3a"} else str(error)
        yield f"{where} {protocol}:// needs a package that is not installed; {remedy}"
    except ValueError:
        yield f"{where} must be a directory or a URL such as s3://bucket/directory"


def write_batches(
    stream: Stream, batch_config: BatchConfig, records: Iterator[Record]
) -> Iterator[tuple[BaseBatchFileEncoding, list[str]]]:
    """Write records to batch files.

    Args:
        stream: The stream that the records belong to.
        batch_config: The setting.
        records: Records as in RECORD messages.

    Yields:
        The encoding and the names of the files, for each batch.

    Raises:
        TapError: The setting does not fit the stream, or a file cannot be written.
    """
    if len(stream.stream_maps) > 1:
        msg = (
            f"batch_config: stream_maps makes several tables of {stream.name}, and a "
            "batch file holds one; remove the __source__ maps or batch_config"
        )
        raise TapError(msg)
    batcher: BaseBatcher
    if batch_config.encoding.format == "parquet":
        schema = stream.stream_maps[0].transformed_schema
        batcher = TypedParquetBatcher(
            stream.tap_name, stream.name, batch_config, schema
        )
    else:
        batcher = Batcher(stream.tap_name, stream.name, batch_config)
    failures: list[Exception] = []

    def read() -> Iterator[Record]:
        try:
            yield from records
        except Exception as error:
            failures.append(error)
            raise

    try:
        for manifest in batcher.get_batches(read()):
            yield batch_config.encoding, manifest
    except Exception as error:
        if error in failures:
            # From the extraction, not from the storage.
            raise
        if type(error).__module__.startswith("pyarrow"):
            msg = (
                f"batch_config: cannot write a batch of {stream.name} as parquet "
                f"({without_quoted(error)}); give each column values of one type"
            )
            raise TapError(msg) from error
        reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
        if isinstance(error, (AttributeError, TypeError)):
            # The SDK 0.54 fails like this with storages other than files and S3.
            reason = "the Singer SDK does not support this storage"
        msg = f"batch_config: cannot write a batch file ({reason}); check storage.root"
        raise TapError(msg) from error
