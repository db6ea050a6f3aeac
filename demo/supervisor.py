"""`python -m demo.supervisor COMMAND`: run a command that must not outlive the demo.

The demo holds the other end of stdin. It closes when the demo closes it, and also when
the demo ends in any way, a SIGKILL included. Then the command gets one SIGTERM.

The demo starts this in a session of its own, where no Ctrl-C arrives. Meltano needs
that: it ends an interrupted run properly, but a second signal makes it exit at once,
with its loader still running and the run marked as running.
"""

from __future__ import annotations

import contextlib
import select
import subprocess
import sys
from typing import TYPE_CHECKING

import psutil

if TYPE_CHECKING:
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
    # The children that the command starts, too: the emulator runs Meltano in a session
    # of its own, and Meltano runs the tap and the loader.
    running = psutil.Process().children(recursive=True)
    process.terminate()
    _, left = psutil.wait_procs(running, _GRACE_SECONDS)
    for child in left:
        with contextlib.suppress(psutil.NoSuchProcess):
            child.kill()
    process.wait()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
