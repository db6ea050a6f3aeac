"""The process's standard streams: usable from the start, and written to the last byte.

Python leaves three gaps that a tap must not have. With ``PYTHONUNBUFFERED`` (or ``-u``)
``sys.stdout`` sits on a raw file, whose ``write`` may take only a part of the bytes, or
none where the other end does not block, and ``print`` ignores how many it took. A
descriptor that is closed at the start (``>&-``) makes ``sys.stdout`` None, ``print``
then drops what it is given, and the next file or socket gets the descriptor. And an
error of the last flush comes when nobody is left to report it.
"""

from __future__ import annotations

import errno
import io
import os
import selectors
import sys
import typing as t
from pathlib import Path

from tap_iot_sitewise.errors import TapError

if t.TYPE_CHECKING:
    from typing_extensions import Buffer

_STDIN, _STDOUT, _STDERR = 0, 1, 2


class RawFile(t.Protocol):
    """What a raw binary file needs for :func:`write_all`."""

    def write(self, data: memoryview, /) -> int | None:
        """Write some of the bytes; return how many, None if that would block."""

    def fileno(self) -> int:
        """Return the descriptor."""


def write_all(file: RawFile, data: Buffer) -> None:
    """Write every byte to stdout, however little it takes at a time.

    Args:
        file: stdout, as a raw file.
        data: Bytes to write.

    Raises:
        TapError: They cannot be written. The text names stdout and the reason.
    """
    left = memoryview(data)
    try:
        while left:
            written = file.write(left)
            if written is None:
                _wait_until_writable(file)
            else:
                left = left[written:]
    except OSError as error:
        raise _unwritable(error) from error


def _wait_until_writable(file: RawFile) -> None:
    """Wait for the reader of a pipe or socket that does not block."""
    with selectors.DefaultSelector() as selector:
        selector.register(file, selectors.EVENT_WRITE)
        selector.select()


def _unwritable(error: OSError) -> TapError:
    if error.errno in {errno.EPIPE, errno.ECONNRESET}:
        return TapError(
            "stdout: the reader went away before the end, see the target's log"
        )
    return TapError(
        f"stdout: cannot write ({error.strerror or error}); the output is incomplete: "
        "check where stdout is redirected to"
    )


class _WholeFile(io.RawIOBase):
    """stdout as a raw file that writes all it is given, or raises :class:`TapError`.

    What comes after a failure is dropped: the failure is reported already.
    """

    def __init__(self, file: io.FileIO) -> None:
        """Write to a raw file.

        Args:
            file: The descriptor's own file.
        """
        self._file = file
        self._failed = False

    def writable(self) -> bool:
        return True

    def fileno(self) -> int:
        return self._file.fileno()

    def isatty(self) -> bool:
        return self._file.isatty()

    def write(self, data: Buffer, /) -> int:
        if not self._failed:
            try:
                write_all(self._file, data)
            except TapError:
                self._failed = True
                raise
        return memoryview(data).nbytes


def prepare() -> None:
    """Make the standard streams of a command usable. To be called first of all.

    Afterwards ``sys.stdout`` raises :class:`TapError` where it cannot write, and the
    other two are there, if only to give nothing and to drop what they are given.
    """
    _occupy_closed_descriptors()
    given = sys.stdout
    file = io.FileIO(_STDOUT, "w", closefd=False)
    sys.stdout = io.TextIOWrapper(
        io.BufferedWriter(_WholeFile(file)),
        encoding=given.encoding if given else "utf-8",
        errors=given.errors if given else "strict",
        line_buffering=file.isatty(),
    )
    if sys.stdin is None:
        sys.stdin = Path(os.devnull).open(encoding="utf-8")  # noqa: SIM115 - to stay
    if sys.stderr is None:
        sys.stderr = io.TextIOWrapper(io.FileIO(_STDERR, "w", closefd=False))


def _occupy_closed_descriptors() -> None:
    """Put something on each standard descriptor that is closed.

    Otherwise the next file or connection that is opened gets its number, and the
    messages, or the log, go there.
    """
    # Opened for reading, stdout refuses what is written: its loss is noticed.
    modes = {_STDIN: os.O_RDONLY, _STDOUT: os.O_RDONLY, _STDERR: os.O_WRONLY}
    for descriptor, mode in modes.items():
        if not _is_open(descriptor):
            # Gets the lowest number that is free, and that is this one.
            os.open(os.devnull, mode)


def _is_open(descriptor: int) -> bool:
    try:
        os.fstat(descriptor)
    except OSError:
        return False
    return True
