"""Batch files: the records of a stream as files, with one message for each."""

from __future__ import annotations

import typing as t

from singer_sdk.batch import Batcher

from tap_iot_sitewise.errors import TapError

if t.TYPE_CHECKING:
    from collections.abc import Iterator

    from singer_sdk import Stream
    from singer_sdk.helpers._batch import BaseBatchFileEncoding, BatchConfig

    Record = dict[str, t.Any]


def write_batches(
    stream: Stream, batch_config: BatchConfig, records: Iterator[Record]
) -> Iterator[tuple[BaseBatchFileEncoding, list[str]]]:
    """Write records into batch files.

    Args:
        stream: The stream that the records belong to.
        batch_config: The setting of that name.
        records: Records as they would be in RECORD messages.

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
    batcher = Batcher(
        tap_name=stream.tap_name, stream_name=stream.name, batch_config=batch_config
    )
    try:
        for manifest in batcher.get_batches(records):
            yield batch_config.encoding, manifest
    except OSError as error:
        msg = (
            f"batch_config: cannot write a batch file ({error.strerror or error}); "
            "check storage.root"
        )
        raise TapError(msg) from error
