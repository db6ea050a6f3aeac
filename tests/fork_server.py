"""Runs the tap's command in a fork of a process that has imported its modules.

To start Python and to import the Singer SDK and boto3 takes longer than most runs. A
run gets its own arguments, environment, directory, stdout and stderr, and ends with its
own exit code, like any other. It differs from a new process in what Python does at its
start: a variable that Python itself reads has no effect.
"""

from __future__ import annotations

import multiprocessing
import os
import sys
import threading
import typing as t
from multiprocessing import connection, reduction

from tap_iot_sitewise.__main__ import main

if t.TYPE_CHECKING:
    from pathlib import Path

_MODULES = (
    "boto3",
    "pendulum",
    "tap_iot_sitewise.aws.assume_role",
    "tap_iot_sitewise.aws.client",
    "tap_iot_sitewise.aws.errors",
    "tap_iot_sitewise.aws.roles_anywhere",
    "tap_iot_sitewise.aws.session",
    "tap_iot_sitewise.tap",
    __name__,
)
_context = multiprocessing.get_context("forkserver")
_context.set_forkserver_preload(list(_MODULES))

_exit_codes = threading.Lock()
"""The start of a process reads the exit codes of others, which can be read once."""

_READ_BY_PYTHON = ("PYTHON", "TZ", "LANG", "LC_", "LD_")


def can_run(environment: t.Iterable[str]) -> bool:
    """Return whether a run with these variables of its own can be a fork."""
    return not any(name.startswith(_READ_BY_PYTHON) for name in environment)


def run(
    arguments: list[str],
    *,
    cwd: Path,
    env: dict[str, str],
    timeout: float,
) -> tuple[int, bytes, bytes]:
    """Run the command, and return its exit code, stdout and stderr.

    Raises:
        TimeoutError: It took longer than ``timeout`` seconds.
    """
    pipes = [os.pipe(), os.pipe()]
    ends = [_Inherited(write) for _, write in pipes]
    process = _context.Process(target=_main, args=(arguments, cwd, env, ends))
    with _exit_codes:
        process.start()
    for _, write in pipes:
        os.close(write)
    outputs = [b"", b""]

    def read(number: int) -> None:
        with open(pipes[number][0], "rb") as pipe:  # noqa: PTH123 - a descriptor
            outputs[number] = pipe.read()

    readers = [threading.Thread(target=read, args=(number,)) for number in (0, 1)]
    for reader in readers:
        reader.start()
    late = not connection.wait([process.sentinel], timeout)
    if late:
        process.kill()
    for reader in readers:
        reader.join()
    connection.wait([process.sentinel])
    with _exit_codes:
        process.join()
        code = t.cast("int", process.exitcode)
        process.close()
    if late:
        raise TimeoutError(arguments)
    return code, outputs[0], outputs[1]


class _Inherited:
    """A descriptor on its way into the fork."""

    def __init__(self, descriptor: int) -> None:
        self.descriptor = descriptor

    def __reduce__(self) -> tuple[t.Any, ...]:
        return _received, (reduction.DupFd(self.descriptor),)


def _received(sent: t.Any) -> int:  # noqa: ANN401 - it has no public name
    descriptor: int = sent.detach()
    return descriptor


def _main(
    arguments: list[str], cwd: Path, env: dict[str, str], ends: list[int]
) -> None:
    for descriptor, end in enumerate(ends, 1):
        os.dup2(end, descriptor)
        os.close(end)
    os.environ.clear()
    os.environ.update(env)
    os.chdir(cwd)
    sys.argv = arguments
    main()
