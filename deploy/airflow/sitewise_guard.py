"""Run a command that ends with the Airflow task, whatever ends the task.

Airflow sends SIGTERM to a task that is stopped or cleared, and SIGKILL five seconds
later. Neither reaches the processes that the task started. So :func:`run` starts this
file as a program, the guard. The guard runs the command, and holds one end of a pipe
whose other end only the task has. When the task ends, a SIGKILL included, the pipe
closes, and the guard stops the command.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import subprocess
import sys
import tempfile
import typing as t

if t.TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path
    from types import FrameType

_GRACE_SECONDS = 60
"""How long the command may take to end after SIGTERM."""

_POLL_SECONDS = 0.2


class FailedError(Exception):
    """The command failed. Its log says why."""


class StoppedError(Exception):
    """The task received SIGTERM."""


def run(
    command: Sequence[str],
    directory: Path,
    environment: Mapping[str, str],
    read: Callable[[str], None],
    messages: bytes = b"",
) -> bytes:
    """Run a command to its end. Call this in the main thread of a task.

    Args:
        command: The words of the command.
        directory: Where it runs.
        environment: Its environment.
        read: Called with each line of its stderr at once.
        messages: Its stdin.

    Returns:
        Its stdout.

    Raises:
        FailedError: The exit code is not 0.
        StoppedError: The task received SIGTERM. The command has ended.
    """
    watched, held = os.pipe()
    with (
        tempfile.TemporaryFile() as given,
        tempfile.TemporaryFile() as output,
        _sigterm_as_exception(),
    ):
        given.write(messages)
        given.seek(0)
        with subprocess.Popen(
            [sys.executable, __file__, str(watched), *command],
            cwd=directory,
            env=dict(environment),
            stdin=given,
            stdout=output,
            stderr=subprocess.PIPE,
            encoding="utf-8",
            errors="replace",
            pass_fds=[watched],
            # A signal to the task's process group must not reach the guard.
            start_new_session=True,
            # Meltano writes settings, secrets included, into files.
            umask=0o077,
        ) as guard:
            os.close(watched)
            try:
                for line in guard.stderr or ():
                    read(line.rstrip("\n"))
            finally:
                # The guard stops the command, if it still runs.
                os.close(held)
                # Read to the end, so that no process meets a broken pipe.
                for _ in guard.stderr or ():
                    continue
        if guard.returncode:
            msg = f"{command[0]} failed with exit code {guard.returncode}, see above"
            raise FailedError(msg)
        output.seek(0)
        return output.read()


@contextlib.contextmanager
def _sigterm_as_exception() -> Iterator[None]:
    """Raise StoppedError at SIGTERM. Airflow's own handler does not end a task."""

    def stop(_: int, __: FrameType | None) -> None:
        # Once: the command must have time to end.
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        msg = "Airflow stopped the task"
        raise StoppedError(msg)

    before = signal.signal(signal.SIGTERM, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def main(arguments: Sequence[str]) -> int:
    """Run a command until it ends, or until a pipe closes.

    At a second SIGTERM, Meltano exits at once, while its target still runs. So the
    guard sends only one. What remains after the grace period is killed.

    Args:
        arguments: The file descriptor of the pipe, then the words of the command.

    Returns:
        The exit code as a shell reports it: 128 plus the number of a signal.
    """
    watched, *command = arguments
    process = subprocess.Popen(command, start_new_session=True)
    while process.poll() is None:
        if select.select([int(watched)], [], [], _POLL_SECONDS)[0]:
            process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(_GRACE_SECONDS)
            break
    # Whatever the command left running, for example because it was killed.
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    code = process.wait()
    return 128 - code if code < 0 else code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
