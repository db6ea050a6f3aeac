"""Run a command, and forward signals to it."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import typing as t

if t.TYPE_CHECKING:
    from collections.abc import Sequence
    from types import FrameType

SIGNALS = (signal.SIGINT, signal.SIGTERM)
"""Signals that end the emulator. It forwards them to the command."""
_SIGNAL_BASE = 128  # A shell adds it to the number of a signal for the exit code.


def run(command: Sequence[str], environment: dict[str, str]) -> int:
    """Run a command to its end, and forward signals to it.

    Args:
        command: The program and its arguments.
        environment: The environment variables of the command.

    Returns:
        The exit code as a shell reports it: 128 plus the number of a signal.

    Raises:
        OSError: The command can't be started.
    """
    arrived: list[int] = []
    groups: list[int] = []

    def forward(number: int, _: FrameType | None) -> None:
        arrived.append(number)
        for group in groups:
            _signal_group(group, number)

    # Before the command starts: a shell lets background jobs ignore SIGINT. A child
    # process inherits ignored signals, but not handlers.
    for number in SIGNALS:
        signal.signal(number, forward)
    # In its own session, the command gets a Ctrl-C only from this process. Otherwise,
    # the terminal would send it, too.
    process = subprocess.Popen(  # noqa: S603 - the user gives the command
        command,
        env=environment,
        start_new_session=True,
    )
    groups.append(process.pid)
    for early in tuple(arrived):
        _signal_group(process.pid, early)
    code = None
    while code is None:
        # With a timeout: if a signal arrives just before this call, Python runs the
        # handler only after the call.
        with contextlib.suppress(subprocess.TimeoutExpired):
            code = process.wait(timeout=0.5)
    if arrived:
        # The other processes of a pipeline must end, too.
        _signal_group(process.pid, signal.SIGTERM)
    return _SIGNAL_BASE - code if code < 0 else code


def _signal_group(group: int, number: int) -> None:
    try:
        os.killpg(group, number)
    except ProcessLookupError:
        # All processes of the group have ended.
        return
