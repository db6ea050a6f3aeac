"""Keeps the columns of parents that child streams need."""

from __future__ import annotations

import contextlib
import tempfile
import typing as t

import msgspec

from tap_iot_sitewise.errors import TapError
from tap_iot_sitewise.remembered import Remembered

if t.TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from tap_iot_sitewise.streams.entity import Record

_IN_MEMORY = 1024 * 1024
"""Maximum bytes in memory. More are kept in a temporary file."""

_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder()


class Parents:
    """Some columns of the records of a stream, in memory or in a temporary file.

    Memory does not grow with the number of parents. The file has no name, so the
    operating system deletes it when the process ends in any way.
    """

    def __init__(self, columns: Iterable[str], key: Sequence[str] = ()) -> None:
        """Create an empty store.

        Args:
            columns: Columns to keep.
            key: Columns that identify a record. A record that comes twice is kept once.
                By default, each record comes once.
        """
        self._columns = tuple(dict.fromkeys(columns))
        self._key = key
        self._seen = Remembered()
        self._file = tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY)  # noqa: SIM115
        self.count = 0
        """Number of parents."""

    def add(self, records: list[Record]) -> None:
        """Add parents.

        Args:
            records: Records of the stream.

        Raises:
            TapError: The temporary file cannot be written.
        """
        if self._key:
            records = [r for r in records if self._is_new(r)]
        self.count += len(records)
        kept = [{name: record[name] for name in self._columns} for record in records]
        try:
            self._file.write(_encoder.encode_lines(kept))
        except OSError as error:
            raise _failed(error) from error

    def _is_new(self, record: Record) -> bool:
        return self._seen.is_new(tuple(record[column] for column in self._key))

    def __iter__(self) -> Iterator[Record]:
        """Yield the columns of each parent, in the order of the calls of `add`."""
        try:
            self._file.seek(0)
            for line in self._file:
                yield _decoder.decode(line)
        except OSError as error:
            raise _failed(error) from error

    def close(self) -> None:
        """Delete the parents."""
        # `close` writes what is still buffered. After a failed write it fails again,
        # and would replace the error of the run, or the signal that stops it.
        with contextlib.suppress(OSError):
            self._file.close()


def _failed(error: OSError) -> TapError:
    return TapError(
        f"TMPDIR: cannot use a temporary file ({error.strerror or error}); set TMPDIR "
        "to a directory with free space"
    )
