"""Runs a command to its end, and passes signals on to it."""

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
"""Those that end the emulator, and that it passes on."""
_SIGNAL_BASE = 128  # what a shell adds to a signal's number for an exit code


def run(command: Sequence[str], environment: dict[str, str]) -> int:
    """Run a command to its end, with our signals; returns what a shell would."""
    arrived: list[int] = []
    groups: list[int] = []

    def forward(number: int, _: FrameType | None) -> None:
        arrived.append(number)
        for group in groups:
            _signal_group(group, number)

    # Before it starts: a signal that we ignore, as a shell's background jobs ignore
    # SIGINT, would be ignored by the command for ever; one that we handle is not.
    for number in SIGNALS:
        signal.signal(number, forward)
    # In a session of its own, a Ctrl-C does not reach it twice: from the terminal
    # and from us.
    process = subprocess.Popen(  # noqa: S603 - to run what the user asks for
        command,
        env=environment,
        start_new_session=True,
    )
    groups.append(process.pid)
    for early in tuple(arrived):
        _signal_group(process.pid, early)
    code = None
    while code is None:
        # With a bound: a signal that comes just before the wait would be noticed only
        # after it.
        with contextlib.suppress(subprocess.TimeoutExpired):
            code = process.wait(timeout=0.5)
    if arrived:
        # A pipeline's other processes must not outlive it.
        _signal_group(process.pid, signal.SIGTERM)
    return _SIGNAL_BASE - code if code < 0 else code


def _signal_group(group: int, number: int) -> None:
    try:
        os.killpg(group, number)
    except ProcessLookupError:
        # All have ended, which is what the signal was for.
        return
