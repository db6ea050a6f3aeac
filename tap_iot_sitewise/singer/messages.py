"""Writes Singer messages to stdout, whole lines in larger pieces."""

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
"""Bytes that are collected before they are written: what a Linux pipe holds."""


class MessageWriter(MsgSpecWriter):
    """The SDK's msgspec writer without its system call for every record.

    Records wait until a piece is full, until a message of another kind follows, or
    until :meth:`flush` is called, which the streams do before they wait for their
    source. A STATE so never stands before what it vouches for, nor behind a wait.

    Every byte is written, or the run fails (see
    :func:`tap_iot_sitewise.standard_streams.write_all`), and a run that is stopped ends
    with a whole line, also where nobody reads: a pipe takes up to ``PIPE_BUF`` bytes in
    one go or not at all (POSIX, ``write``), so lines go into it in portions of that
    size. Only a line that is longer by itself can be cut off, where its reader does not
    come back in time, and so can any line that goes into a socket or a terminal.
    """

    def __init__(self) -> None:
        """Begin with nothing to write."""
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
        """Write a message, or keep it for a moment.

        A STATE is left out where it has nothing to say: nothing was written since the
        last one, which was the same, or since the beginning.

        Args:
            message: Any Singer message.

        Raises:
            TapError: stdout cannot be written to.
        """
        self._piece += self._line(message)
        if message.type != SingerMessageType.RECORD or len(self._piece) >= _PIECE:
            self.flush()

    def write_records(self, lines: bytes, count: int) -> None:
        """Write the RECORD messages of a page, or keep them for a moment.

        Args:
            lines: The messages as they go out, each with its line break.
            count: Number of messages.

        Raises:
            TapError: stdout cannot be written to.
        """
        self._piece += lines
        self._count(count)
        if len(self._piece) >= _PIECE:
            self.flush()

    def write_last(self, messages: Iterable[Message]) -> None:
        """Write the messages that end a whole run.

        They go out together, and nothing stops the run any more: what is whole is not
        to be reported as stopped, and a run that is stopped sends no ACTIVATE_VERSION.

        Args:
            messages: Any Singer messages.

        Raises:
            TapError: stdout cannot be written to.
        """
        self.flush()
        self._ended = True
        for message in messages:
            self._piece += self._line(message)
        self.flush()

    def _line(self, message: Message) -> bytes:
        """Return a message as it is written, nothing for a STATE that is left out."""
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
        """Write out what waits.

        Raises:
            BaseException: What :meth:`stop` was given: a run that is stopped writes no
                more, even where somebody caught the exception of its signal.
            TapError: stdout cannot be written to.
        """
        if self.interrupt is not None:
            raise self.interrupt
        if not self._piece:
            return
        # Taken out first: what a failure or a signal leaves of it is never sent again.
        piece, self._piece = self._piece, bytearray()
        # What `print` wrote before.
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
            # A file takes everything at once.
            return len(piece)
        end = piece.rfind(b"\n", start, start + select.PIPE_BUF)
        return (end if end >= 0 else piece.index(b"\n", start)) + 1

    @functools.cached_property
    def _mode(self) -> int:
        """What stdout is, as in ``st_mode``."""
        try:
            return os.fstat(sys.stdout.fileno()).st_mode
        except OSError:
            # Not a file of the system: a test's.
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
        """Raise ``interrupt``, the first one, but not in the middle of a line.

        Does nothing once the last messages of a whole run are on their way.

        Args:
            interrupt: What a signal handler wants to raise.
        """
        if self._ended or self.interrupt is not None:
            return
        self.interrupt = interrupt
        if not self._in_line:
            raise interrupt
