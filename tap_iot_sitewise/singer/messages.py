"""Writes Singer messages to stdout, many lines at a time."""

from __future__ import annotations

import functools
import os
import select
import stat
import sys
import typing as t

from singer_sdk.contrib.msgspec import MsgSpecWriter
from singer_sdk.singerlib.encoding import SingerMessageType

from tap_iot_sitewise.standard_streams import RawFile, write_all

if t.TYPE_CHECKING:
    from collections.abc import Iterable

    from singer_sdk.singerlib.encoding.simple import Message

_PIECE = 64 * 1024
"""Bytes that are collected before a write: the capacity of a Linux pipe."""


class MessageWriter(MsgSpecWriter):
    """The SDK's msgspec writer without one system call per record.

    Records wait until the buffer is full, until a message of another type follows, or
    until a stream calls :meth:`flush` before it waits for its source. A STATE always
    follows the records that it covers, and never waits.

    The writer writes every byte or raises (see
    :func:`tap_iot_sitewise.standard_streams.write_all`). The output of a run that is
    stopped ends with a complete line, even if nobody reads: a pipe accepts up to
    ``PIPE_BUF`` bytes in one write or none (POSIX, ``write``), so the writer writes
    portions of at most that size. Only a longer line can be cut off, if its reader does
    not read in time, and any line in a socket or a terminal.
    """

    def __init__(self) -> None:
        """Create a writer with an empty buffer."""
        super().__init__()
        self.records = 0
        self.records_since_state = 0
        self.interrupt: BaseException | None = None
        self._piece = bytearray()
        self._in_line = False
        self._ended = False
        self._written = False
        self._state: bytes | None = None

    def write_message(self, message: Message) -> None:
        """Write a message, or buffer it.

        A redundant STATE is not written: one that equals the last STATE, or that is the
        first one, if no other message was written since.

        Args:
            message: Any Singer message.

        Raises:
            TapError: stdout cannot be written.
        """
        self._piece += self._line(message)
        if message.type != SingerMessageType.RECORD or len(self._piece) >= _PIECE:
            self.flush()

    def write_records(self, lines: bytes, count: int) -> None:
        """Write the RECORD messages of a page, or buffer them.

        Args:
            lines: The encoded messages, each with its line break.
            count: Number of messages.

        Raises:
            TapError: stdout cannot be written.
        """
        self._piece += lines
        self._count(count)
        if len(self._piece) >= _PIECE:
            self.flush()

    def write_last(self, messages: Iterable[Message]) -> None:
        """Write the messages that end a complete run.

        They are written together, and a signal no longer stops the run: a complete run
        must not be reported as stopped, and a stopped run must send no
        ACTIVATE_VERSION.

        Args:
            messages: Any Singer messages.

        Raises:
            TapError: stdout cannot be written.
        """
        self.flush()
        self._ended = True
        for message in messages:
            self._piece += self._line(message)
        self.flush()

    def _line(self, message: Message) -> bytes:
        """Return an encoded message, or nothing for a redundant STATE."""
        line = bytes(self.serialize_message(message))
        if message.type == SingerMessageType.STATE:
            if not self._written and self._state in {None, line}:
                return b""
            self._state, self._written = line, False
            self.records_since_state = 0
        else:
            self._written = True
        if message.type == SingerMessageType.RECORD:
            self._count(1)
        return line

    def _count(self, records: int) -> None:
        self._written = True
        self.records += records
        self.records_since_state += records

    def flush(self) -> None:
        """Write the buffered messages.

        Raises:
            BaseException: The argument of :meth:`stop`. A stopped run writes nothing
                more, even if other code caught the exception of the signal.
            TapError: stdout cannot be written.
        """
        if self.interrupt is not None:
            raise self.interrupt
        if not self._piece:
            return
        # Emptied first: after a failure or a signal, nothing is written twice.
        piece, self._piece = self._piece, bytearray()
        # `print` may have written before.
        sys.stdout.flush()
        buffer = sys.stdout.buffer
        file = t.cast("RawFile", getattr(buffer, "raw", buffer))
        start = 0
        with memoryview(piece) as view:
            while start < len(piece):
                end = self._end_of_portion(piece, start)
                self._write(file, view[start:end])
                start = end

    def _end_of_portion(self, piece: bytearray, start: int) -> int:
        if stat.S_ISREG(self._mode):
            # A regular file needs no portions.
            return len(piece)
        end = piece.rfind(b"\n", start, start + select.PIPE_BUF)
        return (end if end >= 0 else piece.index(b"\n", start)) + 1

    @functools.cached_property
    def _mode(self) -> int:
        """File type of stdout, as in ``st_mode``."""
        try:
            return os.fstat(sys.stdout.fileno()).st_mode
        except OSError:
            # Not a file of the operating system, for example in a test.
            return stat.S_IFREG

    def _write(self, file: RawFile, portion: memoryview) -> None:
        in_one_go = stat.S_ISFIFO(self._mode) and len(portion) <= select.PIPE_BUF
        self._in_line = not in_one_go
        try:
            write_all(file, portion)
        finally:
            self._in_line = False
        if self.interrupt is not None:
            raise self.interrupt

    def stop(self, interrupt: BaseException) -> None:
        """Raise ``interrupt``, but not in the middle of a line.

        Does nothing after the first call, and while the last messages of a complete run
        are written.

        Args:
            interrupt: The exception of a signal handler.
        """
        if self._ended or self.interrupt is not None:
            return
        self.interrupt = interrupt
        if not self._in_line:
            raise interrupt
