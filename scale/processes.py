"""The processes of the tasks: their memory, and what remains of one that is killed."""

from __future__ import annotations

import contextlib
import threading
import typing as t
from collections import Counter
from pathlib import Path

import psutil

if t.TYPE_CHECKING:
    from types import TracebackType

    from typing_extensions import Self

_PROGRAMS = ("meltano", "tap-iot-sitewise", "target-postgres")
_EVERY_SECONDS = 0.5
_END_SECONDS = 90
"""More than the guard of deploy/airflow waits for Meltano."""


class OrphansError(Exception):
    """Processes outlived the task that started them."""


def programs(pid: int) -> list[str]:
    """Return the names of the programs that a task runs.

    Args:
        pid: ID of the process of the task.
    """
    with contextlib.suppress(psutil.NoSuchProcess):
        started = psutil.Process(pid).children(recursive=True)
        return sorted(name for name in map(_program, started) if name)
    return []


def kill(pid: int) -> None:
    """Kill the process of a task, and wait until those that it started have ended.

    Args:
        pid: ID of the process of the task. It gets a SIGKILL, the others get nothing.

    Raises:
        OrphansError: One of them still runs after 90 seconds.
    """
    task = psutil.Process(pid)
    started = task.children(recursive=True)
    task.kill()
    if orphans := psutil.wait_procs(started, _END_SECONDS)[1]:
        msg = f"still running after the task was killed: {orphans}"
        raise OrphansError(msg)


class Memory(threading.Thread):
    """Measures the most memory that one process of each program uses.

    It is a context manager. ``peaks`` has the numbers in MiB, by program.
    """

    def __init__(self) -> None:
        """Measure nothing yet."""
        super().__init__(daemon=True)
        self.peaks: Counter[str] = Counter()
        self._ended = threading.Event()

    def __enter__(self) -> Self:
        """Begin to measure."""
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Stop to measure."""
        self._ended.set()
        self.join()

    def run(self) -> None:
        """Measure until the end."""
        own = psutil.Process()
        while not self._ended.wait(_EVERY_SECONDS):
            for process in own.children(recursive=True):
                with contextlib.suppress(psutil.Error):
                    if name := _program(process):
                        mebibytes = process.memory_info().rss >> 20
                        self.peaks[name] = max(self.peaks[name], mebibytes)


def _program(process: psutil.Process) -> str | None:
    """Return which of the programs a process runs, None if it is another one."""
    with contextlib.suppress(psutil.Error):
        # A script has its interpreter before it.
        for word in process.cmdline()[:2]:
            if Path(word).name in _PROGRAMS:
                return Path(word).name
    return None
