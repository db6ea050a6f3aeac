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
    from singer_sdk.singerlib.encoding.simple import Message

_PIECE = 64 * 1024
"""Bytes that are collected before they are written: what a Linux pipe holds."""


class MessageWriter(MsgSpecWriter):
    """The SDK's msgspec writer without its system call for every record.

    Records wait until a piece is full, until a message of another kind follows, or
    until :meth:`flush` is called, which the streams do before they wait for AWS. A
    STATE so never stands before what it vouches for, nor behind a wait.

    Every byte is written, or the run fails (see
    :func:`tap_iot_sitewise.standard_streams.write_all`), and a run that is stopped ends
    with a whole line, also where nobody reads: a pipe takes up to ``PIPE_BUF`` bytes in
    one go or not at all (POSIX, ``write``), so lines go into it in portions of that
    size. Only a line that is longer by itself can be cut off, where its reader does not
    come back in time.
    """

    def __init__(self) -> None:
        """Begin with nothing to write."""
        super().__init__()
        self.records_since_state = 0
        self.interrupt: BaseException | None = None
        self._piece = bytearray()
        self._in_line = False
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
        line = bytes(self.serialize_message(message))
        if message.type == SingerMessageType.STATE:
            if not self._written and self._state in {None, line}:
                return
            self._state, self._written = line, False
            self.records_since_state = 0
        else:
            self._written = True
        self._piece += line
        if message.type == SingerMessageType.RECORD:
            self.records_since_state += 1
            if len(self._piece) < _PIECE:
                return
        self.flush()

    def flush(self) -> None:
        """Write out what waits; nothing more once the run is stopped.

        Raises:
            TapError: stdout cannot be written to.
        """
        if not self._piece or self.interrupt is not None:
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
        if not self._to_a_pipe:
            return len(piece)
        end = piece.rfind(b"\n", start, start + select.PIPE_BUF)
        return (end if end >= 0 else piece.index(b"\n", start)) + 1

    @functools.cached_property
    def _to_a_pipe(self) -> bool:
        try:
            return stat.S_ISFIFO(os.fstat(sys.stdout.fileno()).st_mode)
        except OSError:
            # Not a file of the system: a test's.
            return False

    def _write(self, file: RawFile, portion: memoryview) -> None:
        self._in_line = not self._to_a_pipe or len(portion) > select.PIPE_BUF
        try:
            write_all(file, portion)
        finally:
            self._in_line = False
        if self.interrupt is not None:
            raise self.interrupt

    def stop(self, interrupt: BaseException) -> None:
        """Raise ``interrupt``, but not in the middle of a line, and the first one only.

        Args:
            interrupt: What a signal handler wants to raise.
        """
        if self.interrupt is not None:
            return
        self.interrupt = interrupt
        if not self._in_line:
            raise interrupt
