"""Writes Singer messages to stdout, whole lines in larger pieces."""

from __future__ import annotations

import os
import sys
import typing as t

from singer_sdk.contrib.msgspec import MsgSpecWriter
from singer_sdk.singerlib.encoding import SingerMessageType

from tap_iot_sitewise.errors import TapError

if t.TYPE_CHECKING:
    from singer_sdk.singerlib.encoding.simple import Message

_PIECE = 64 * 1024
"""Bytes that are collected before they are written: what a Linux pipe holds."""


class MessageWriter(MsgSpecWriter):
    """The SDK's msgspec writer without its system call for every record.

    Records wait until a piece is full, until a message of another kind follows, or
    until :meth:`flush` is called, which the streams do before they wait for AWS. A
    STATE so never stands before what it vouches for, nor behind a wait.
    """

    def __init__(self) -> None:
        """Begin with nothing to write."""
        super().__init__()
        self.records_since_state = 0
        self.interrupt: BaseException | None = None
        self._piece = bytearray()
        self._writing = False
        self._written = False
        self._state: bytes | None = None

    def write_message(self, message: Message) -> None:
        """Write a message, or keep it for a moment.

        A STATE is left out where it has nothing to say: nothing was written since the
        last one, which was the same, or since the beginning.

        Args:
            message: Any Singer message.
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
        """Write out what waits. Does nothing inside of itself (a signal came)."""
        if self._writing or not self._piece:
            return
        self._writing = True
        try:
            piece, self._piece = self._piece, bytearray()
            sys.stdout.buffer.write(piece)
            sys.stdout.buffer.flush()
        except BrokenPipeError:
            # Python would flush stdout once more as it ends, and complain again.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            msg = "stdout: the reader went away before the end, see the target's log"
            raise TapError(msg) from None
        finally:
            self._writing = False
        if self.interrupt is not None:
            raise self.interrupt

    def stop(self, interrupt: BaseException) -> None:
        """Raise ``interrupt``, but not in the middle of a line.

        Args:
            interrupt: What a signal handler wants to raise.
        """
        self.interrupt = interrupt
        if not self._writing:
            raise interrupt
