"""`python -m demo.supervisor COMMAND`: run a command that must not outlive the demo.

Stdin is a pipe from the demo. It closes when the demo closes it or ends in any way, a
SIGKILL included. Then the supervisor sends one SIGTERM to the command.

The demo starts the supervisor in a session of its own, so that no Ctrl-C reaches it.
Meltano needs this: it ends an interrupted run properly, but at a second signal it exits
at once, while its loader is still running and the run is marked as running.
"""

from __future__ import annotations

import contextlib
import select
import subprocess
import sys
import time
import typing as t

import psutil

if t.TYPE_CHECKING:
    from collections.abc import Sequence

_POLL_SECONDS = 0.05
_GRACE_SECONDS = 20
"""How long an interrupted command may take to end."""


def main(command: Sequence[str]) -> int:
    """Run the command to its end, or until stdin closes.

    Args:
        command: The program and its arguments.

    Returns:
        The exit code as a shell reports it: 128 plus the number of a signal.
    """
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL)
    while process.poll() is None:
        if select.select([sys.stdin], [], [], _POLL_SECONDS)[0]:
            _end(process)
    code = process.returncode
    return 128 - code if code < 0 else code


def _end(process: subprocess.Popen[bytes]) -> None:
    # Its descendants, too: the emulator runs Meltano in a session of its own, and
    # Meltano runs the tap and the loader.
    descendants = psutil.Process(process.pid).children(recursive=True)
    deadline = time.monotonic() + _GRACE_SECONDS
    process.terminate()
    # Not with psutil: it would take the exit code, and Popen would report 0.
    try:
        process.wait(_GRACE_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    rest = max(0, deadline - time.monotonic())
    for child in psutil.wait_procs(descendants, rest)[1]:
        with contextlib.suppress(psutil.NoSuchProcess):
            child.kill()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
