"""The standard streams of the process: open from the start, and written completely.

Python has three gaps that lose messages:

- With ``PYTHONUNBUFFERED`` (or ``-u``), ``sys.stdout`` writes to a raw file. Its
  ``write`` can accept only some of the bytes, or none if the descriptor does not block,
  and ``print`` ignores that.
- If a descriptor is closed at the start (``>&-``), ``sys.stdout`` is None and ``print``
  writes nothing. The next file or socket gets the descriptor.
- An error of the last flush occurs when no code is left to report it.
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
    """The methods of a raw binary file that :func:`write_all` calls."""

    def write(self, data: memoryview, /) -> int | None:
        """Write some of the bytes. Return their number, or None if it would block."""

    def fileno(self) -> int:
        """Return the file descriptor."""


def write_all(file: RawFile, data: Buffer) -> None:
    """Write every byte to stdout, in as many calls as necessary.

    Args:
        file: stdout, as a raw file.
        data: Bytes to write.

    Raises:
        TapError: stdout cannot be written. The text names the reason.
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
    """Wait until a pipe or socket that does not block accepts bytes."""
    with selectors.DefaultSelector() as selector:
        selector.register(file, selectors.EVENT_WRITE)
        selector.select()


def _unwritable(error: OSError) -> TapError:
    if error.errno in {errno.EPIPE, errno.ECONNRESET}:
        return TapError(
            "stdout: the reader closed the pipe before the end of the run; see the "
            "target's log"
        )
    return TapError(
        f"stdout: cannot write ({error.strerror or error}) and the output is "
        "incomplete; check the file or device that stdout is redirected to"
    )


class _WholeFile(io.RawIOBase):
    """stdout as a raw file that writes every byte, or raises :class:`TapError`.

    After a failure it writes nothing: the tap has already reported the failure.
    """

    def __init__(self, file: io.FileIO) -> None:
        """Wrap a raw file.

        Args:
            file: The raw file of the descriptor.
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
    """Make the standard streams of a command usable. Call this first.

    Afterwards ``sys.stdout`` raises :class:`TapError` if it cannot write, and
    ``sys.stdin`` and ``sys.stderr`` exist: a closed one is empty or drops its input.
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
        sys.stdin = Path(os.devnull).open(encoding="utf-8")  # noqa: SIM115 - stays open
    if sys.stderr is None:
        sys.stderr = io.TextIOWrapper(io.FileIO(_STDERR, "w", closefd=False))


def _occupy_closed_descriptors() -> None:
    """Open the null device on each standard descriptor that is closed.

    Otherwise the next file or connection gets the number of the descriptor, and the
    messages or the log are written to it.
    """
    # stdout is opened for reading, so that a write fails and the tap reports it.
    modes = {_STDIN: os.O_RDONLY, _STDOUT: os.O_RDONLY, _STDERR: os.O_WRONLY}
    for descriptor, mode in modes.items():
        if not _is_open(descriptor):
            # `os.open` returns the lowest free number, which is this one.
            os.open(os.devnull, mode)


def _is_open(descriptor: int) -> bool:
    try:
        os.fstat(descriptor)
    except OSError:
        return False
    return True
